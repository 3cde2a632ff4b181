package table

import "lxd-allowlist/capture"

// Next goes to the next line that nobody has decided about, upwards for a step
// below 0, and from the last one to the first; it reports whether there is one.
func (t *Table) Next(step int) bool {
	stops := t.shown.stops()
	if stops == 0 {
		return false
	}
	n := 0
	if t.selecting {
		if n = t.shown.stopsBefore(t.cursor + 1); step < 0 {
			n = t.shown.stopsBefore(t.cursor) - 1
		}
	}
	t.selecting, t.cursor = true, t.shown.stopAt((n+stops)%stops)
	t.show()
	return true
}

// Undecided returns how many lines nobody has decided about.
func (t *Table) Undecided() int { return t.shown.stops() }

// Ahead returns what goes on from what is to be decided now, the range, the
// selected group or domain, to what nobody has decided about: the next, at the
// end the first; it stays where there is none. Who decides about a group goes
// on to a group.
func (t *Table) Ahead() (goOn func()) {
	first, last := t.cursor, t.cursor
	if t.from >= 0 {
		first, last = min(t.from, t.cursor), max(t.from, t.cursor)
	}
	it, ok := t.selected()
	if !ok {
		return func() {}
	}
	if h := t.shown.at(last).head; h != nil && !t.shown.folded(h) {
		last += h.members
	}
	stops, n := t.shown.stops(), t.shown.stopsBefore(last+1)
	if n == stops {
		if n = 0; t.shown.stopsBefore(first) == 0 {
			return func() {}
		}
	}
	next := t.shown.at(t.shown.stopAt(n))
	if next.isDomain() && it.head != nil {
		next.head = t.shown.headOf(next.id)
	}
	return func() {
		if line := t.shown.find(next); line >= 0 {
			t.cursor = line
			t.show()
		}
	}
}

// hides says which domains are left out by how they stand.
type hides uint8

const (
	nothing hides = iota
	drops
	decided
)

func (h hides) leavesOut(d capture.Decision) bool {
	return h == drops && d == capture.Drop || h == decided && d != capture.New
}

// HideDrops leaves out what is dropped, or shows it.
func (t *Table) HideDrops(hide bool) { t.hide(drops, hide) }

// HideDecided leaves out what is decided, or shows it.
func (t *Table) HideDecided(hide bool) { t.hide(decided, hide) }

func (t *Table) hide(what hides, hide bool) {
	if hide == (t.want.hides == what) {
		return
	}
	if t.want.hides = nothing; hide {
		t.want.hides = what
	}
	t.remake(stay)
}

// DropsHidden reports whether what is dropped is left out.
func (t *Table) DropsHidden() bool { return t.want.hides == drops }

// DecidedHidden reports whether what is decided is left out.
func (t *Table) DecidedHidden() bool { return t.want.hides == decided }
