package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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

// keptPattern is a pattern that a person keeps for this session. Its mark is that
// of a group, by its text: no name has a "<".
type keptPattern struct {
	text  string
	tail  string // what stands behind the label that is open
	match func(name string) bool
}

// isPattern tells a group that is a pattern from a name.
func isPattern(group string) bool { return strings.Contains(group, "<") }

// KeepPattern keeps the names of a pattern, by its text, for this session; without
// a reason it has the one that a person wrote of it. It returns what it did, in
// words. [Ledger.DecideGroup] takes it back.
func (l *Ledger) KeepPattern(text, reason string) (string, error) {
	defer l.hold()()
	of := rule.Rule{Name: text}
	if _, is := of.Pattern(); !is {
		return "", fmt.Errorf("%q is no pattern that a list can hold", text)
	}
	if problem := of.Problem(); problem != "" {
		return "", fmt.Errorf("%s %s: keep its names one by one", text, problem)
	}
	return l.markGroup(Mark{Decision: Keep, Reason: cmp.Or(reason, l.groups[text].Reason)}, text), nil
}

// setPattern takes up what was decided about a pattern, and shows its names.
func (l *Ledger) setPattern(text string, m Mark) {
	l.series = slices.DeleteFunc(l.series, func(k keptPattern) bool { return k.text == text })
	p, ok := (rule.Rule{Name: text}).Pattern()
	if !ok {
		return // of a session that another version wrote
	}
	_, tail, _ := strings.Cut(text[strings.LastIndexByte(text, '>'):], ".")
	k := keptPattern{text, tail, p.Matcher()}
	if m.Decision == Keep {
		l.series = append(l.series, k)
	}
	l.showBelow(tail)
}

// patternOf returns the pattern by which a person keeps a name for this session,
// "" for none. It stands above what was decided about all of a group that the
// whole pattern is in.
func (l *Ledger) patternOf(name, group string) string {
	for _, k := range l.series {
		if len(group) <= len(k.tail) && k.match(name) {
			return k.text
		}
	}
	return ""
}

// patterns returns the patterns that a person keeps and that the user's rules do.
// Of regexps before them that drop, only what was seen is known: see spareDropped.
func (l *Ledger) patterns() (all []patternRule) {
	for _, k := range l.series {
		p := patternRule{rule: rule.Rule{Name: k.text, Reason: l.groups[k.text].Reason, Source: string(ByUser)}, match: k.match}
		of, _ := p.rule.Pattern()
		for group, m := range l.groups {
			if on := (rule.Rule{Name: group, Suffix: true}); m.Decision == Drop && len(group) > len(k.tail) && of.Overlaps(on) {
				p.dropped = on.Dotted()
			}
		}
		all = append(all, p)
	}
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
