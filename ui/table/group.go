package table

import (
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule/psl"
)

// group is the shown domains that belong together: of one registrable domain,
// of all who have names below a shared suffix, of a network of one's own. One
// domain alone is a line like any other; two and more stand below a head.
type group struct {
	name    string
	n       groupN
	kind    groupKind
	flipped bool // folded or not, against what it is of itself
	members int
	only    capture.ID       // the one member
	list    *seq[capture.ID] // two and more
	tally   [tallies]int
	key     sortKey // by which groups are ordered
	sum     int64   // of the members' keys
}

// groupN is a group's number, from 1 on; 0 for none.
type groupN uint32

// groupKind is what makes a group of names.
type groupKind uint8

const (
	registered groupKind = iota // a registrable domain
	shared                      // a suffix below which anyone can have names
	quiet                       // what no list holds: it is folded of itself
)

// reverseSuffixes are where addresses are looked up.
var reverseSuffixes = []string{"in-addr.arpa", "ip6.arpa"}

// groupOf returns the group that a name belongs to; own is the bridge's own
// domain, "" if it isn't known.
//
//	www.example.co.uk         example.co.uk
//	storage.googleapis.com    googleapis.com, shared
//	cdn.cypress.io.lxd        lxd
func groupOf(name, own string) (group string, kind groupKind) {
	if own != "" && below(name, own) {
		return own, quiet
	}
	for _, suffix := range reverseSuffixes {
		if below(name, suffix) {
			return suffix, quiet
		}
	}
	suffix, registry := psl.PublicSuffix(name)
	switch {
	case registry:
		return Registrable(name), registered
	case strings.Contains(suffix, "."):
		return suffix, shared
	}
	return suffix, registered // nobody registers names there: a network's own
}

func below(name, suffix string) bool {
	return name == suffix || strings.HasSuffix(name, suffix) && name[len(name)-len(suffix)-1] == '.'
}

// foldedIf reports whether the group is folded where all are, or none.
func (g *group) foldedIf(all bool) bool { return g.flipped != (all || g.kind == quiet) }

func (a *arrangement) folded(g *group) bool { return g.members > 1 && g.foldedIf(a.all) }

func (g *group) weight() weight {
	w := weight{items: 1}
	for _, all := range []bool{false, true} {
		lines, stops := openLines, openStops
		if all {
			lines, stops = shutLines, shutStops
		}
		undecided := g.tally[tallyNew] + g.tally[tallyOut]
		switch {
		case g.members == 1:
			w[lines], w[stops] = 1, undecided
		case g.foldedIf(all):
			w[lines], w[stops] = 1, min(1, undecided)
		default:
			w[lines], w[stops] = 1+g.members, undecided
		}
	}
	return w
}

// lineMeasure counts the lines of groups, stopMeasure what can be gone to in
// them, as they are folded now.
func (a *arrangement) lineMeasure() measure {
	if a.all {
		return shutLines
	}
	return openLines
}

func (a *arrangement) stopMeasure() measure {
	if a.all {
		return shutStops
	}
	return openStops
}

// compareGroups is the order of groups: that of what stands first in them, or
// of their sums.
func (a *arrangement) compareGroups(g, h *group) int {
	c := g.key.compare(h.key)
	if a.descending {
		c = -c
	}
	if c == 0 {
		return strings.Compare(g.name, h.name)
	}
	return c
}

func (a *arrangement) rekey(g *group) {
	switch {
	case a.sort == colDomain:
		g.key = sortKey{text: g.name}
	case columns[a.sort].sums:
		g.key = sortKey{num: g.sum}
	default:
		first := g.only
		if g.members > 1 {
			first, _ = g.list.at(0, items)
		}
		g.key = a.keyOf(a.known.of(first))
	}
}

// change changes a group that may move by that, appear or go.
func (a *arrangement) change(g *group, do func()) {
	if g.members > 0 {
		a.heads.remove(g)
	}
	do()
	if g.members > 0 {
		a.rekey(g)
		a.heads.insert(g)
	}
}

// join takes a domain up into a group, leave takes it out.
func (a *arrangement) join(g *group, id capture.ID) {
	k := a.known.of(id)
	k.group = g.n
	g.tally[k.tally]++
	g.sum += k.num
	switch g.members++; g.members {
	case 1:
		g.only = id
	case 2:
		g.list = a.newRows()
		g.list.insert(g.only)
		fallthrough
	default:
		g.list.insert(id)
	}
}

func (a *arrangement) leave(g *group, id capture.ID) {
	k := a.known.of(id)
	k.group = 0
	g.tally[k.tally]--
	g.sum -= k.num
	if g.members > 1 {
		g.list.remove(id)
	}
	if g.members--; g.members == 1 {
		g.only, _ = g.list.at(0, items)
		g.list = nil
	}
}

// groupFor returns the group of a name, which may have no members.
func (a *arrangement) groupFor(name, own string) *group {
	of, kind := groupOf(name, own)
	g := a.groups[of]
	if g == nil {
		g = &group{name: of, n: groupN(len(a.byN) + 1), kind: kind, flipped: a.flipped[of]}
		a.groups[of], a.byN = g, append(a.byN, g)
	}
	return g
}

// groupOf returns the group that a domain stands in, nil for none.
func (a *arrangement) groupOf(k *known) *group {
	if k.group == 0 {
		return nil
	}
	return a.byN[k.group-1]
}

// headOf returns the group whose line stands above a domain, nil for none.
func (a *arrangement) headOf(id capture.ID) *group {
	if g := a.groupOf(a.known.of(id)); g != nil && g.members > 1 {
		return g
	}
	return nil
}

// membersOf appends the domains of a group.
func (a *arrangement) membersOf(g *group, list []capture.ID) []capture.ID {
	if g.members == 1 {
		return append(list, g.only)
	}
	return g.list.appendTo(list, 0, g.members)
}

// fold folds a group or unfolds it.
func (a *arrangement) fold(g *group, fold bool) {
	a.refit(g, func() { g.flipped = fold != (a.all || g.kind == quiet) })
}

// refit changes how many lines a group has, and not where it stands.
func (a *arrangement) refit(g *group, do func()) {
	if g.members == 0 {
		do()
		return
	}
	a.heads.reweigh(g, do)
}

// refold folds what is to be folded, however it was.
func (a *arrangement) refold(f folds) {
	for _, was := range []map[string]bool{a.flipped, f.flipped} {
		for name := range was {
			if g := a.groups[name]; g != nil {
				a.refit(g, func() { g.flipped = f.flipped[name] })
			}
		}
	}
	a.folds = f
}
