package ui

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// table is the list of domains: sorted, filtered and kept so as the ledger
// changes, by work that grows with what changed and one pass over the rows.
//
// The selection is a domain, not a line. It stays on its line of the screen
// while rows come and go around it. Until the user takes to the table nothing
// is selected and the newest rows stand in view.
type table struct {
	ledger *capture.Ledger
	known  []known      // by capture.ID
	rows   []capture.ID // what is shown, in order
	tally  capture.Tally

	sort       int // a column
	descending bool
	filter     filter
	hideDrops  bool
	input      textinput.Model
	frozen     bool

	selecting bool // something is selected
	cursor    int  // the selected row
	top       int  // the first row in view
	w, h      int  // cells of the rows' area

	now  time.Time
	view []string // the lines as last drawn; nil when they have to be drawn anew
}

// known is what the table remembers of a domain.
type known struct {
	key   sortKey
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

func newTable(l *capture.Ledger) *table {
	in := textinput.New()
	in.Prompt = ""
	return &table{ledger: l, sort: colFirst, descending: true, input: in, now: time.Now()}
}

func (t *table) resize(w, h int) {
	if t == nil {
		return
	}
	t.w, t.h, t.view = w, h, nil
	t.bound()
}

func (t *table) restyle() {
	if t != nil {
		t.view = nil
	}
}

// tick follows the time: ages grow, fresh rows fade.
func (t *table) tick(now time.Time) {
	if t == nil {
		return
	}
	t.now, t.view = now, nil
	if t.filter.timed && !t.frozen {
		t.rebuild()
	}
}

// refresh takes up what changed in the ledger, unless the view is frozen.
func (t *table) refresh(now time.Time) {
	t.view = nil
	if t.frozen {
		return
	}
	t.now = now
	t.ledger.Refresh(func(r capture.Reader, changed []capture.ID) { t.update(r, changed) })
}

// rebuild sorts and filters anew: either was changed.
func (t *table) rebuild() {
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
func (t *table) update(r capture.Reader, changed []capture.ID) {
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
	if moved || len(arrived) > 0 {
		t.merge(arrived)
	}
}

func (t *table) shows(r capture.Reader, d *capture.Domain, v capture.Verdict) bool {
	return d.Queries > 0 && !(t.hideDrops && v.Decision == capture.Drop) && t.filter.match(candidate{r, d, v, t.now})
}

func (t *table) count(k *known, d *capture.Domain, v capture.Verdict) {
	*t.tallied(k.tally)--
	k.tally = tallyNone
	switch {
	case d.Queries == 0:
	case v.Decision == capture.Keep:
		k.tally = tallyKeep
	case v.Decision == capture.New:
		k.tally = tallyNew
	case v.Rule == capture.ByUser:
		k.tally = tallyDropByUser
	default:
		k.tally = tallyDrop
	}
	*t.tallied(k.tally)++
}

func (t *table) tallied(w tallied) *int {
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

func (t *table) compare(a, b capture.ID) int {
	c := t.known[a].key.compare(t.known[b].key)
	if c == 0 {
		c = int(a) - int(b)
	}
	if t.descending {
		return -c
	}
	return c
}

// merge takes out the rows that moved and puts in those that arrived, with
// the selection kept on its line.
func (t *table) merge(arrived []capture.ID) {
	anchor, line, anchored := t.anchor()
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
	if anchored {
		t.hold(anchor, line)
	}
	t.bound()
}

// anchor returns the row that must not move on the screen, and its line.
func (t *table) anchor() (id capture.ID, line int, ok bool) {
	switch {
	case len(t.rows) == 0:
		return 0, 0, false
	case t.selecting:
		return t.rows[t.cursor], t.cursor - t.top, true
	case t.top > 0:
		return t.rows[t.top], 0, true
	}
	return 0, 0, false
}

func (t *table) hold(id capture.ID, line int) {
	at := -1
	if t.known[id].shown {
		at = slices.Index(t.rows, id)
	}
	if at < 0 { // it is filtered out: what took its place is selected
		return
	}
	t.top = at - line
	if t.selecting {
		t.cursor = at
	}
}

// bound keeps the cursor on a row and the view on the rows.
func (t *table) bound() {
	t.cursor = max(0, min(t.cursor, len(t.rows)-1))
	t.top = max(0, min(t.top, len(t.rows)-t.h))
	if t.selecting && len(t.rows) == 0 {
		t.cursor = 0
	}
}

// wake selects the first row in view when the user comes to the table.
func (t *table) wake() {
	if !t.selecting && len(t.rows) > 0 {
		t.selecting, t.cursor, t.view = true, t.top, nil
	}
}

func (t *table) selection() (capture.ID, bool) {
	if !t.selecting || len(t.rows) == 0 {
		return 0, false
	}
	return t.rows[t.cursor], true
}

// move moves the cursor by n rows and brings it into view.
func (t *table) move(n int) {
	t.view = nil
	if !t.selecting {
		t.wake()
		return
	}
	t.cursor += n
	t.bound()
	t.top = min(t.top, t.cursor)
	t.top = max(t.top, t.cursor-t.h+1)
}

// scroll moves the view; the cursor goes along where it would leave it.
func (t *table) scroll(n int) {
	t.view = nil
	t.top += n
	t.bound()
	t.cursor = max(t.top, min(t.cursor, t.top+t.h-1))
	t.bound()
}

// click selects the row at that place of the pane, or sorts by the column
// whose name is there.
func (t *table) click(x, y int) {
	t.view = nil
	line := y - tableChrome
	if line == -1 {
		for _, p := range arrangeColumns(t.w, t.sort) {
			if x >= p.x && x < p.x+p.w {
				t.sortBy(p.col)
			}
		}
		return
	}
	if at := t.top + line; line >= 0 && at < len(t.rows) {
		t.selecting, t.cursor = true, at
	}
}

// sortBy sorts by a column; the same one again turns the direction.
func (t *table) sortBy(col int) {
	if col == t.sort {
		t.descending = !t.descending
	} else {
		t.sort, t.descending = col, columns[col].descending
	}
	t.resort()
}

func (t *table) resort() {
	for id := range t.known {
		t.known[id].shown = false
	}
	anchor, line, ok := t.anchor()
	t.rows = t.rows[:0]
	t.rebuild()
	if ok {
		t.hold(anchor, line)
		t.bound()
	}
}

// key handles the keys that only change how the table looks.
func (t *table) key(msg tea.KeyPressMsg, k *keyMap) {
	switch {
	case key.Matches(msg, k.Up):
		t.move(-1)
	case key.Matches(msg, k.Down):
		t.move(1)
	case key.Matches(msg, k.PageUp):
		t.move(-max(1, t.h-1))
	case key.Matches(msg, k.PageDown):
		t.move(max(1, t.h-1))
	case key.Matches(msg, k.Top):
		t.move(-len(t.rows))
	case key.Matches(msg, k.Bottom):
		t.move(len(t.rows))
	case key.Matches(msg, k.Sort):
		t.sortBy((t.sort + 1) % len(columns))
	case key.Matches(msg, k.Reverse):
		t.sortBy(t.sort)
	case key.Matches(msg, k.HideDrops):
		t.hideDrops = !t.hideDrops
		t.rebuild()
	case key.Matches(msg, k.Freeze):
		t.frozen = !t.frozen
		t.refresh(time.Now())
	case key.Matches(msg, k.Filter):
		t.input.Focus()
		t.view = nil
	case key.Matches(msg, k.Cancel) && t.filter.text != "":
		t.input.SetValue("")
		t.refilter()
	}
}

// editing reports whether keys go into the filter.
func (t *table) editing() bool { return t.input.Focused() }

func (t *table) editFilter(msg tea.Msg, k keyMap) {
	if press, ok := msg.(tea.KeyPressMsg); ok {
		switch {
		case key.Matches(press, k.Cancel):
			t.input.SetValue("")
			t.input.Blur()
		case key.Matches(press, k.Accept), key.Matches(press, k.Leave):
			t.input.Blur()
		case press.Code == tea.KeyDown || press.Code == tea.KeyUp:
			t.input.Blur()
			t.key(press, &k)
		}
	}
	if t.input.Focused() {
		t.input, _ = t.input.Update(msg)
	}
	t.refilter()
}

func (t *table) refilter() {
	t.view = nil
	if text := t.input.Value(); text != t.filter.text {
		t.filter = compileFilter(text)
		was, _ := t.selection()
		t.rebuild()
		if now, ok := t.selection(); ok && now != was {
			t.cursor, t.top = 0, 0
		}
		t.wake()
	}
}
