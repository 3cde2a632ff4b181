package table

import "lxd-allowlist/capture"

// sought is what was selected in the ledger before this one: a domain, or a group
// by its head, and the line of the view that it had; "" for nothing.
type sought struct {
	name, group string
	line        int
}

// Follow shows another ledger from now on, with the filter, the order and the
// groups as they are. What was selected is so again as soon as it is shown there,
// unless something else is by then.
func (t *Table) Follow(l *capture.Ledger) {
	if t.job != nil {
		t.job.cancel()
		t.job = nil
	}
	if it, ok := t.Selected(); ok && it.Group != "" {
		t.sought = sought{group: it.Group, line: t.cursor - t.top}
	} else if ok && it.IsDomain() {
		t.sought = sought{line: t.cursor - t.top}
		t.ledger.Read(func(r capture.Reader) { t.sought.name = r.Name(it.ID) })
	}
	t.ledger, t.shown, t.missing = l, newArrangement(t.want), false
	t.Rest()
	t.remake(stay)
}

// reselect selects what is sought, if it is shown.
func (t *Table) reselect() {
	s, line := t.sought, -1
	switch g := t.shown.groups[s.group]; {
	case s == sought{}:
		return
	case t.selecting:
		t.sought = sought{}
		return
	case g != nil && g.members > 1:
		line = t.shown.find(item{head: g})
	case s.name != "":
		t.ledger.Read(func(r capture.Reader) {
			if id, ok := r.Lookup(s.name); ok {
				line = t.shown.find(item{id: id})
			}
		})
	}
	if line >= 0 {
		t.sought = sought{}
		t.selecting, t.cursor, t.top = true, line, line-s.line
		t.show()
	}
}
