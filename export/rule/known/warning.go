package known

import (
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule/psl"
)

// Warning says in one clause what a rule on a normalised name opens beyond
// what was probably meant, "" if nothing is known. An exact rule can be too
// broad, too: a resolver is one name.
func Warning(name string, suffix bool) string {
	if suffix && anyonesBelow(name) {
		return "anyone can have a name below " + name + ", and this rule allows it"
	}
	if f, ok := Opens(name); ok {
		return name + " is a " + f.Kind.String() + owned(f) + " and " + f.Kind.Opens()
	}
	if suffix {
		if below := openBelow(name); below != "" {
			return "." + name + " allows " + below + ", too"
		}
	}
	return ""
}

// PatternWarning is [Warning] of a pattern whose names differ in the label before
// this name alone: of what is below it, it allows those.
func PatternWarning(name string) string {
	if anyonesBelow(name) {
		return "anyone can have a name below " + name + ", one that this pattern allows, too"
	}
	return ""
}

// owned tells whose a fact's name is, "" where that is the name itself.
func owned(f Fact) string {
	if strings.EqualFold(f.Owner, f.Name) {
		return ""
	}
	return " of " + f.Owner
}

// anyonesBelow reports whether anyone can have a name below this one: by the
// list of public suffixes, the private ones too, or by the table.
func anyonesBelow(name string) bool {
	if suffix, _ := psl.PublicSuffix(name); suffix == name {
		return true
	}
	n := facts().at[name]
	return n != nil && len(n.suffix) > 0 && n.suffix[0].Kind == Hosting
}

// belowNames is how many names below a suffix are told before nobody reads
// on.
const belowNames = 3

// openBelow names what is known to open a way below a suffix: the kinds in
// their order, so that the worst is told first.
func openBelow(name string) string {
	t := facts()
	var entries []int
	for up, n := range t.path(name) {
		if len(up) == len(name) {
			entries = slices.Concat(n.below, entries)
		} else if len(n.patterns) > 0 { // the label before it may be what one leaves open
			label := strings.LastIndexByte(name[:len(name)-len(up)-1], '.') + 1
			if n := t.at[name[:label]+"*."+up]; n != nil {
				entries = slices.Concat(n.below, entries)
			}
		}
	}
	var words []string
	for _, i := range entries[:min(belowNames, len(entries))] {
		words = append(words, fmt.Sprintf("%s (%s)", t.all[i].Dotted(), t.all[i].Kind))
	}
	if rest := len(entries) - len(words); rest > 0 {
		words = append(words, fmt.Sprintf("%d more", rest))
	}
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " and " + words[last]
	}
	return strings.Join(words, "")
}
