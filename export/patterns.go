package export

import (
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// starred writes rules as targets want them whose *.h is every name below h
// but not h itself: a suffix becomes two patterns, the bare one first.
func starred(rules []rule.Rule) []string {
	patterns := make([]string, 0, len(rules))
	for _, r := range rules {
		patterns = append(patterns, r.Name)
		if r.Suffix {
			patterns = append(patterns, "*."+r.Name)
		}
	}
	return patterns
}

// unstarred reads what starred wrote.
func unstarred(patterns []string) ([]rule.Rule, error) {
	var rules []rule.Rule
	at := make(map[string]int)
	for _, p := range patterns {
		name, star := strings.CutPrefix(p, "*.")
		if !star {
			at[name] = len(rules)
			rules = append(rules, rule.Rule{Name: name})
			continue
		}
		i, ok := at[name]
		if !ok || rules[i].Suffix {
			return nil, fmt.Errorf("%q without %q before it, or twice", p, name)
		}
		rules[i].Suffix = true
	}
	return rules, nil
}

// between returns what stands between before and after.
func between(s, before, after string) (string, bool) {
	s, begins := strings.CutPrefix(s, before)
	s, ends := strings.CutSuffix(s, after)
	return s, begins && ends
}

// hostLabels says why a name can't go where host names are held to the rules
// of RFC 1123, "" if it can.
func hostLabels(r rule.Rule) string {
	for label := range strings.SplitSeq(r.Name, ".") {
		if strings.Contains(label, "_") || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "it takes letters, digits and inner hyphens only"
		}
	}
	return ""
}

// twoLabels says why a name can't go where a single label is no name, "" if
// it can.
func twoLabels(r rule.Rule) string {
	if !strings.Contains(r.Name, ".") {
		return "it takes no single label"
	}
	return ""
}
