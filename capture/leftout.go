package capture

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"lxd-allowlist/parse"
)

// leftOut counts the domains that were asked for and are not exported, by the
// rule that drops them. allowed are names that a person dropped, by a rule too,
// and that a suffix rule allows all the same.
type leftOut struct {
	by      map[Rule]int
	allowed []string
}

func (o *leftOut) add(l *Ledger, d *Domain, v Verdict) {
	switch {
	case d.Queries == 0 || v.Decision != Drop:
	case byPerson[v.Rule] && l.covered(d.Name):
		o.allowed = append(o.allowed, d.Name)
	default:
		o.by[v.Rule]++
	}
}

// unlisted counts a domain that is not exported even where no rule is applied.
func (o *leftOut) unlisted(l *Ledger, d *Domain) bool {
	switch {
	case l.unwanted(d):
		o.by[Unwanted]++
	case d.Class == parse.Unprintable:
		o.by[Unprintable]++
	case d.Class == parse.Unfit:
		o.by[Unfit]++
	default:
		return false
	}
	return true
}

// String returns the counts in words, "2 by you, 4 with NXDOMAIN only"; "" for
// none.
func (o *leftOut) String() string {
	var parts []string
	for _, rule := range slices.Sorted(maps.Keys(o.by)) {
		parts = append(parts, fmt.Sprintf("%d %s", o.by[rule], leftOutWords[rule]))
	}
	return strings.Join(parts, ", ")
}

// byPerson are the rules that are a person's word.
var byPerson = map[Rule]bool{ByUser: true, ByGroup: true, ByFile: true}

// covered reports whether a suffix rule allows the name.
func (l *Ledger) covered(name string) bool {
	return len(l.groups)+len(l.wide) > 0 && anyAbove(name, l.isWide)
}

// overruled returns what the user's rules drop and a suffix rule of a list
// allows all the same, seen or not: "name", or ".name" for all below it, too.
func (l *Ledger) overruled() (names []string) {
	for i := range l.rules {
		if r := &l.rules[i]; r.Decision == Drop && r.on.Name != "" && l.covered(r.on.Name) {
			names = append(names, r.on.Dotted())
		}
	}
	return names
}

// leftOutWords say of each rule why it drops, behind a number.
var leftOutWords = map[Rule]string{
	ByUser:      "by you",
	ByGroup:     "by you with a group",
	ByFile:      "by your rules",
	Unprintable: "unprintable",
	Unfit:       "unfit for a list",
	Reverse:     "for reverse lookups",
	Local:       "of the bridge's own domain",
	SpecialUse:  "for special use",
	SingleLabel: "with a single label",
	SearchList:  "of a search list",
	Answered:    "that dnsmasq answered by itself",
	NoSuchName:  "with NXDOMAIN only",
	NotListed:   "that an enforced list refused, undecided",
	Elsewhere:   "of other instances",
	Unwanted:    "of other clients or times",
}
