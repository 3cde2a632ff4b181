package capture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LeftOut says how many of the domains that were asked for are not exported,
// and why: "2 by you, 4 with NXDOMAIN only"; "" where all are. overruled are
// names that a person dropped and that a suffix rule allows all the same.
func (l *Ledger) LeftOut() (text string, overruled []string) {
	by := make(map[Rule]int)
	begin := func() {
		clear(by)
		overruled = nil
	}
	l.survey(begin, func(d *Domain) {
		v := l.judge(d)
		switch {
		case d.Queries == 0 || v.Decision != Drop:
		case v.Rule == ByUser && l.covered(d.Name):
			overruled = append(overruled, d.Name)
		default:
			by[v.Rule]++
		}
	})
	var parts []string
	for _, rule := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d %s", by[rule], leftOutWords[rule]))
	}
	return strings.Join(parts, ", "), overruled
}

// covered reports whether a suffix rule allows the name.
func (l *Ledger) covered(name string) bool {
	if len(l.groups) == 0 {
		return false
	}
	for ; name != ""; _, name, _ = strings.Cut(name, ".") {
		if m := l.groups[name]; m.Suffix && m.Decision == Keep {
			return true
		}
	}
	return false
}

// leftOutWords say of each rule why it drops, behind a number.
var leftOutWords = map[Rule]string{
	ByUser:      "by you",
	ByGroup:     "by you with a group",
	ByFile:      "by your rules",
	Unprintable: "unprintable",
	Unfit:       "unfit for a list",
	Reverse:     "reverse lookups",
	Local:       "of the bridge's own domain",
	SpecialUse:  "for special use",
	SingleLabel: "with a single label",
	SearchList:  "of a search list",
	Answered:    "that dnsmasq answered by itself",
	NoSuchName:  "with NXDOMAIN only",
	Elsewhere:   "of other instances",
}
