package capture

import (
	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// patternRule is a pattern of the user's rules that may be exported as one.
type patternRule struct {
	rule  rule.Rule
	match func(name string) bool
	// dropped is what a person dropped that the pattern would allow, "" for
	// nothing: a list that can't say both has what was seen alone.
	dropped string
}

// patterns returns the patterns that the user's rules keep. Of regexps before
// them that drop, only what was seen is known: see spareDropped.
func (l *Ledger) patterns() (all []patternRule) {
	for i := range l.rules {
		r := &l.rules[i]
		if r.pattern == nil {
			continue
		}
		p := patternRule{rule: rule.Rule{Name: r.pattern.Text, Reason: r.Reason, Source: string(ByFile)}, match: r.pattern.Matcher()}
		for group, m := range l.groups {
			if on := (rule.Rule{Name: group, Suffix: true}); m.Decision == Drop && r.pattern.Overlaps(on) {
				p.dropped = on.Dotted()
			}
		}
		for _, before := range l.rules[:i] {
			if before.Decision == Drop && before.on.Name != "" && r.pattern.Overlaps(before.on) {
				p.dropped = before.on.Dotted()
			}
		}
		all = append(all, p)
	}
	return all
}

// KeptByPattern returns the pattern by which the user's rules keep a name, nil
// where the first rule that matches it is another, or none does.
func KeptByPattern(rules []UserRule, name string) *rule.Rule {
	for _, r := range rules {
		if r.match(name) {
			if r.pattern == nil {
				return nil
			}
			return &rule.Rule{Name: r.pattern.Text, Reason: r.Reason, Source: string(ByFile)}
		}
	}
	return nil
}

// spareDropped takes a name that a person dropped.
func spareDropped(patterns []patternRule, name string) {
	for i := range patterns {
		if p := &patterns[i]; p.dropped == "" && parse.Clean([]byte(name)) && p.match(name) {
			p.dropped = name
		}
	}
}
