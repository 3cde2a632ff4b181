// Package table is the table of domains: its columns, filter, groups, order and
// looks. It shows a ledger and never changes it.
package table

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"

	"lxd-allowlist/capture"
)

// Table is the list of domains: sorted, filtered and kept so as the ledger
// changes, by work that grows with what changed and one pass over the rows.
//
// The selection is a domain, not a line. It stays on its line of the screen
// while rows come and go around it. Until the user takes to the table nothing
// is selected and the newest rows stand in view.
type Table struct {
	ledger *capture.Ledger
	known  []known      // by capture.ID
	rows   []capture.ID // what is shown, in order
	groups *grouping    // rows below a line for each registrable domain; nil for none
	tally  capture.Tally

	sort       int // a column
	descending bool
	filter     filter
	hideDrops  bool
	input      textinput.Model
	frozen     bool

	selecting bool // something is selected
	cursor    int  // the selected line
	from      int  // the other end of a range; below 0 for none
	top       int  // the first line in view
	w, h      int  // cells of the lines' area

	now  time.Time
	view []string // the lines as last drawn; nil when they have to be drawn anew
}

// known is what the table remembers of a domain.
type known struct {
	key   sortKey
	group string // its registrable domain, while the table is grouped
	shown bool
	moved bool // within a refresh: it leaves its place
	tally tallied
}

// tallied is where a domain is counted in the tally.
type tallied uint8

const (
	tallyNone tallied = iota
	tallyKeep
	tallyNew
	tallyDrop
	tallyDropByUser
)

// New returns an empty table of a ledger's domains; [Table.Refresh] fills it.
func New(l *capture.Ledger) *Table {
	in := textinput.New()
	in.Prompt = ""
	return &Table{ledger: l, sort: colFirst, descending: true, from: -1, input: in, now: time.Now()}
}

// Resize gives the pane its cells, those of its title included.
func (t *Table) Resize(w, h int) {
	t.w, t.h, t.view = w, max(0, h-chrome), nil
	t.bound()
	if t.selecting {
		t.show()
	}
}

// Restyle has all be drawn anew: the styles are others.
func (t *Table) Restyle() { t.view = nil }

// Tally is how the domains that were asked for stand, shown or not.
func (t *Table) Tally() capture.Tally { return t.tally }

// Tick follows the time: ages grow, fresh rows fade.
func (t *Table) Tick(now time.Time) {
	t.now, t.view = now, nil
	if t.filter.timed && !t.frozen {
		t.rebuild()
	}
}

// Refresh takes up what changed in the ledger, unless the view is frozen.
func (t *Table) Refresh(now time.Time) {
	t.view = nil
	if t.frozen {
		return
	}
	t.now = now
	t.ledger.Refresh(func(r capture.Reader, changed []capture.ID) { t.update(r, changed) })
}

// rebuild sorts and filters anew: either was changed.
func (t *Table) rebuild() {
	t.view = nil
	t.ledger.Read(func(r capture.Reader) {
		all := make([]capture.ID, r.Len())
		for i := range all {
			all[i] = capture.ID(i)
		}
		t.update(r, all)
	})
}

// update puts the changed domains where they belong.
func (t *Table) update(r capture.Reader, changed []capture.ID) {
	if n := r.Len(); n > len(t.known) {
		t.known = append(t.known, make([]known, n-len(t.known))...)
	}
	var arrived []capture.ID
	moved := false
	for _, id := range changed {
		d, k := r.Domain(id), &t.known[id]
		v := r.Verdict(d)
		t.count(k, d, v)
		show, key := t.shows(r, d, v), columns[t.sort].key(r, d, v)
		if t.groups != nil && k.group == "" {
			k.group = Registrable(d.Name)
		}
		if show == k.shown && key == k.key {
			continue
		}
		if k.shown {
			k.moved, moved = true, true
		}
		if show {
			arrived = append(arrived, id)
		}
		k.shown, k.key = show, key
	}
	anchor, line, anchored := t.anchor()
	if moved || len(arrived) > 0 {
		t.merge(arrived)
	}
	t.groups.arrange(t)
	if anchored {
		t.hold(anchor, line)
	}
	t.bound()
}

func (t *Table) shows(r capture.Reader, d *capture.Domain, v capture.Verdict) bool {
	return d.Queries > 0 && !(t.hideDrops && v.Decision == capture.Drop) && t.filter.match(candidate{r, d, v, t.now})
}

func (t *Table) count(k *known, d *capture.Domain, v capture.Verdict) {
	*t.tallied(k.tally)--
	k.tally = tallyNone
	switch {
	case d.Queries == 0:
	case v.Decision == capture.Keep:
		k.tally = tallyKeep
	case v.Decision == capture.New:
		k.tally = tallyNew
	case !byRule(v):
		k.tally = tallyDropByUser
	default:
		k.tally = tallyDrop
	}
	*t.tallied(k.tally)++
}

func (t *Table) tallied(w tallied) *int {
	switch w {
	case tallyKeep:
		return &t.tally.Keep
	case tallyNew:
		return &t.tally.New
	case tallyDrop:
		return &t.tally.DropByRule
	case tallyDropByUser:
		return &t.tally.DropByUser
	}
	return new(int)
}

func (t *Table) compare(a, b capture.ID) int {
	if t.groups != nil {
		if c := strings.Compare(t.known[a].group, t.known[b].group); c != 0 {
			return c
		}
	}
	c := t.known[a].key.compare(t.known[b].key)
	if c == 0 {
		c = int(a) - int(b)
	}
	if t.descending {
		return -c
	}
	return c
}

// merge takes out the rows that moved and puts in those that arrived.
func (t *Table) merge(arrived []capture.ID) {
	rows := slices.DeleteFunc(t.rows, func(id capture.ID) bool {
		moved := t.known[id].moved
		t.known[id].moved = false
		return moved
	})
	slices.SortFunc(arrived, t.compare)
	old := len(rows)
	rows = append(rows, arrived...)
	for at, a := len(rows)-1, len(arrived)-1; a >= 0; at-- { // from the back, in place
		if old > 0 && t.compare(rows[old-1], arrived[a]) > 0 {
			old--
			rows[at] = rows[old]
			continue
		}
		rows[at] = arrived[a]
		a--
	}
	t.rows = rows
}

// len returns how many lines there are, at the one at a place.
func (t *Table) len() int {
	if t.groups != nil {
		return len(t.groups.items)
	}
	return len(t.rows)
}

func (t *Table) at(i int) item {
	if t.groups != nil {
		return t.groups.items[i]
	}
	return item{id: t.rows[i]}
}

// anchor returns what must not move on the screen, and its line.
func (t *Table) anchor() (it item, line int, ok bool) {
	switch {
	case t.len() == 0:
		return item{}, 0, false
	case t.selecting:
		return t.at(t.cursor), t.cursor - t.top, true
	case t.top > 0:
		return t.at(t.top), 0, true
	}
	return item{}, 0, false
}

// hold puts what was the anchor back on its line. If it is filtered out, what
// took its place is selected.
func (t *Table) hold(it item, line int) {
	at := t.find(it)
	if at < 0 {
		return
	}
	t.top = at - line
	if t.selecting {
		if t.from >= 0 {
			t.from += at - t.cursor
		}
		t.cursor = at
	}
}

func (t *Table) find(it item) int {
	if t.groups != nil {
		return t.groups.find(it)
	}
	if it.head != nil || !t.known[it.id].shown {
		return -1
	}
	return slices.Index(t.rows, it.id)
}

// bound keeps the cursor on a line and the view on the lines.
func (t *Table) bound() {
	last := max(0, t.len()-1)
	t.cursor = max(0, min(t.cursor, last))
	t.from = min(t.from, last)
	t.top = max(0, min(t.top, t.len()-t.h))
}

// Wake selects the first row in view when the user comes to the table.
func (t *Table) Wake() {
	if !t.selecting && t.len() > 0 {
		t.selecting, t.cursor, t.view = true, t.top, nil
	}
}

// Selection is what is selected: a domain, or a group by the line above it.
type Selection struct {
	ID     capture.ID // of the domain; 0 for a group
	Group  string     // the registrable domain of a group; "" for a domain
	Folded bool       // the group's domains aren't shown
}

// Selected returns what is selected.
func (t *Table) Selected() (Selection, bool) {
	it, ok := t.selected()
	if it.head != nil {
		return Selection{Group: it.head.name, Folded: it.head.folded}, ok
	}
	return Selection{ID: it.id}, ok
}

func (t *Table) selected() (item, bool) {
	if !t.selecting || t.len() == 0 {
		return item{}, false
	}
	return t.at(t.cursor), true
}

// Shown returns the domains that the filter leaves, in their order.
func (t *Table) Shown() []capture.ID { return slices.Clone(t.rows) }

// TakeRange returns the domains of the range, and ends it; none where there is
// no range.
func (t *Table) TakeRange() (ids []capture.ID, ok bool) {
	if t.from < 0 || !t.selecting || t.len() == 0 {
		return nil, false
	}
	a, b := min(t.from, t.cursor), max(t.from, t.cursor)
	for i := a; i <= b; i++ {
		switch it := t.at(i); {
		case it.head == nil:
			ids = append(ids, it.id)
		case it.head.folded:
			ids = append(ids, it.head.ids...)
		}
	}
	t.from, t.view = -1, nil
	return ids, true
}

// inRange reports whether a line is in the range.
func (t *Table) inRange(i int) bool {
	return t.from >= 0 && i >= min(t.from, t.cursor) && i <= max(t.from, t.cursor)
}
