package table

import "lxd-allowlist/capture"

// item is a line of the table: a domain or the head of a group.
type item struct {
	id   capture.ID
	head *groupHead // nil for a domain
}

// groupHead is the line above the domains of one registrable domain.
type groupHead struct {
	name                  string
	ids                   []capture.ID
	keep, new, drop, auto int
	folded                bool
}

// grouping is the table's rows with the heads of their groups between them. A
// nil one stands for a table that isn't grouped.
type grouping struct {
	items  []item
	folded map[string]bool
	// all folds the groups that the user has not unfolded.
	all bool
}

func (g *grouping) isFolded(name string) bool { return g.folded[name] != g.all }

// arrange makes the lines anew from the table's rows.
func (g *grouping) arrange(t *Table) {
	if g == nil {
		return
	}
	g.items = g.items[:0]
	for at := 0; at < len(t.rows); {
		h := &groupHead{name: t.known[t.rows[at]].group}
		end := at
		for ; end < len(t.rows) && t.known[t.rows[end]].group == h.name; end++ {
			switch t.known[t.rows[end]].tally {
			case tallyKeep:
				h.keep++
			case tallyNew:
				h.new++
			case tallyDropByUser:
				h.drop++
			default:
				h.auto++
			}
		}
		h.ids, h.folded = t.rows[at:end], g.isFolded(h.name)
		g.items = append(g.items, item{head: h})
		if !h.folded {
			for _, id := range h.ids {
				g.items = append(g.items, item{id: id})
			}
		}
		at = end
	}
}

// find returns the line of a domain, or of its group where that is folded.
func (g *grouping) find(it item) int {
	for i, other := range g.items {
		switch {
		case it.head == nil && other.head == nil && other.id == it.id,
			it.head != nil && other.head != nil && other.head.name == it.head.name:
			return i
		}
	}
	return -1
}

// Group turns the grouping on or off; the selection stays on its domain.
func (t *Table) Group(on bool) {
	was, ok := t.selected()
	if was.head != nil && len(was.head.ids) > 0 {
		was = item{id: was.head.ids[0]}
	}
	t.groups = nil
	if on {
		t.groups = &grouping{folded: make(map[string]bool)}
	}
	t.from = -1
	t.remake()
	if !ok {
		return
	}
	if at := t.find(was); at >= 0 {
		t.cursor = at
		t.show()
	}
}

// Grouped reports whether the rows stand in groups.
func (t *Table) Grouped() bool { return t.groups != nil }

// Fold hides the rows of the selected group, or shows them.
func (t *Table) Fold(fold bool) {
	it, ok := t.selected()
	if t.groups == nil || !ok {
		return
	}
	name := t.known[it.id].group
	if it.head != nil {
		name = it.head.name
	}
	t.groups.folded[name] = fold != t.groups.all
	t.groups.arrange(t)
	if at := t.groups.find(item{head: &groupHead{name: name}}); at >= 0 {
		t.cursor = at
	}
	t.show()
}

// FoldAll folds all groups, or unfolds them if all are.
func (t *Table) FoldAll() {
	if t.groups == nil {
		return
	}
	anchor, line, ok := t.anchor()
	t.groups.all = !t.groups.all
	clear(t.groups.folded)
	t.groups.arrange(t)
	if ok && anchor.head == nil {
		anchor = item{head: &groupHead{name: t.known[anchor.id].group}}
	}
	if ok {
		t.hold(anchor, line)
	}
	t.show()
}

// show brings the cursor into view.
func (t *Table) show() {
	t.view = nil
	t.bound()
	t.top = max(min(t.top, t.cursor), t.cursor-t.h+1)
	t.bound()
}
