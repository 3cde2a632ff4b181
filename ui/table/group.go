package table

import "lxd-allowlist/capture"

// group is the shown domains of one registrable domain.
type group struct {
	name    string
	members int
	tally   [tallies]int
	flipped bool // folded or not, against most
}

func (g *group) weight() weight {
	w := weight{items: 1, members: g.members}
	if g.flipped {
		w.flipped = g.members
	}
	return w
}

func members(w weight) int { return w.members }

// linesOf measures groups by their lines: one, and one for each member that is
// shown.
func (a *arrangement) linesOf(w weight) int {
	if a.all {
		return w.items + w.flipped
	}
	return w.items + w.members - w.flipped
}

func (a *arrangement) folded(g *group) bool { return g.flipped != a.all }

// group returns the group of a registrable domain, which may have no members.
func (a *arrangement) group(name string) *group {
	g := a.groups[name]
	if g == nil {
		g = &group{name: name, flipped: a.flipped[name]}
		a.groups[name] = g
	}
	return g
}

// membersOf returns the domains of a group.
func (a *arrangement) membersOf(g *group, list []capture.ID) []capture.ID {
	return a.rows.appendTo(list, a.heads.upTo(g, members), g.members)
}

// fold folds a group or unfolds it.
func (a *arrangement) fold(g *group, fold bool) {
	a.heads.reweigh(g, func() { g.flipped = fold != a.all })
}

// refold folds what is to be folded, however it was.
func (a *arrangement) refold(f folds) {
	for name := range a.flipped {
		a.fold(a.group(name), a.all)
	}
	a.folds = f
	for name := range f.flipped {
		a.fold(a.group(name), !f.all)
	}
}
