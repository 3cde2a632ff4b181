// Package table is the table of domains: its columns, filter, groups, order and
// looks. It shows a ledger and never changes it.
package table

import (
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// Table is the list of domains: sorted, filtered and kept so as the ledger
// changes.
//
//	ledger --Refresh--> arrangement --Draw--> lines
//	settings --remake--> job --Work, Take--> arrangement
//
// The selection is a domain, not a line. It stays on its line of the screen
// while rows come and go around it. Until the user takes to the table nothing
// is selected and the newest rows stand in view.
type Table struct {
	ledger *capture.Ledger
	shown  *arrangement
	want   settings // what shown is made for, or will be by the job
	job    *job     // that makes the next arrangement; nil for none
	// missing says that shown lacks changes that a job which came to nothing has
	// taken from the ledger, or so many that it is to be made without a base.
	missing bool

	input    textinput.Model
	census   census    // of what may be filtered by; nil before anybody did
	counting *counting // that makes the next; nil for none
	// countedAt is when the census was made.
	countedAt time.Time
	// completed is what was completed last, and which of what base may become.
	completed struct {
		base, last string
		nth        int
	}
	frozen bool
	// unfolded says that the ways round are shown.
	unfolded bool

	selecting bool // something is selected
	sought    sought
	grouping  capture.ID // was selected when the rows were grouped
	cursor    int        // the selected line
	from      int        // the other end of a range; below 0 for none
	top       int        // the first line in view
	w, h      int        // cells of the lines' area
	// needs is what the rows need that were drawn since the table was another one:
	// by its width, order, groups, what it hides, the list that is enforced.
	needs extent

	now   time.Time
	drawn []string  // the lines as last drawn; nil when they have to be drawn anew
	line  look.Line // scratch
	cell  []byte    // scratch
	spans [][2]int  // scratch
	cuts  cutting   // of the rows in view
	names []string  // scratch
	ins   []int     // scratch
}

// New returns an empty table of a ledger's domains; [Table.Refresh] fills it.
func New(l *capture.Ledger) *Table {
	in := textinput.New()
	in.Prompt = ""
	want := settings{sort: colFirst, descending: true}
	return &Table{ledger: l, want: want, shown: newArrangement(want), from: -1, input: in, now: time.Now()}
}

// Resize gives the pane its cells, those of its title included.
func (t *Table) Resize(w, h int) {
	if w != t.w {
		t.needs = extent{}
	}
	t.w, t.h, t.drawn = w, max(0, h-chrome), nil
	t.shown.round.roomy = t.h >= roomyLines
	t.bound()
	if t.selecting {
		t.show()
	}
}

// Restyle has all be drawn anew: the styles are others.
func (t *Table) Restyle() { t.drawn = nil }

// Empty reports whether there is no line to select.
func (t *Table) Empty() bool { return t.shown.lines() == 0 }

// Tally is how the domains that were asked for stand, shown or not.
func (t *Table) Tally() capture.Tally { return t.shown.tally }

// Busy says what is being done while the table shows what it did before; ""
// for nothing.
func (t *Table) Busy() string {
	switch {
	case t.job == nil:
		return ""
	case t.job.filter.text != t.shown.filter.text:
		return "filtering…"
	}
	return "sorting…"
}

// Tick follows the time: ages grow, fresh rows fade.
func (t *Table) Tick(now time.Time) {
	t.now, t.drawn = now, nil
	byState := t.want.policy != nil && t.want.sort == colResult
	if (t.want.filter.timed || byState) && !t.frozen && t.job == nil {
		t.remake(stay)
	}
}

// Refresh takes up what changed in the ledger, or as much of it as may be done
// at once, unless the table is frozen. What changes while a job runs stays with
// the ledger until it is done.
func (t *Table) Refresh(now time.Time) {
	t.drawn = nil
	if t.frozen || t.job != nil {
		return
	}
	t.now = now
	if t.missing || t.ledger.Pending() > bulk(t.shown.known.n) {
		t.missing = true
		t.remake(stay)
		return
	}
	held := t.anchor()
	t.ledger.RefreshSome(atOnce, func(r capture.Reader, changed []capture.ID) {
		for _, id := range changed {
			t.shown.put(r, id, now)
		}
		t.refreshRound(r)
	})
	t.hold(held)
	t.bound()
	t.reselect()
	t.countAnew()
}

// remake makes the arrangement anew, and shows of it what show says.
func (t *Table) remake(show view) {
	t.drawn = nil
	if t.job != nil {
		t.job.cancel()
		show = max(show, t.job.show)
		t.missing = t.missing || t.job.begun && t.job.base == nil
	}
	j := &job{settings: t.want, ledger: t.ledger, frozen: t.frozen, most: t.shown.known.n, now: t.now, show: show}
	j.folds = t.want.clone()
	j.ctx, j.cancel = context.WithCancel(context.Background())
	if !t.missing && t.want.policy == nil && t.shown.policy == nil && t.shown.known.n > 0 {
		j.base = t.shown
	} else if !t.frozen {
		t.ledger.Read(func(r capture.Reader) { j.most = r.Len() })
	}
	if t.job = j; j.most <= inline {
		t.adopt(j, j.arrange())
	}
}

// Work returns what is to be done away from the event loop, nil for nothing.
// It is to be called after whatever may have changed the table; [Table.Take]
// wants what comes of it.
func (t *Table) Work() tea.Cmd {
	var cmds []tea.Cmd
	if j := t.job; j != nil && !j.begun {
		j.begun = true
		cmds = append(cmds, j.work)
	}
	if c := t.counting; c != nil && !c.begun {
		c.begun = true
		cmds = append(cmds, func() tea.Msg { return Counted{c, c.make()} })
	}
	return tea.Batch(cmds...)
}

// Take takes what came of [Table.Work], and reports whether the message is such.
func (t *Table) Take(msg tea.Msg) bool {
	switch done := msg.(type) {
	case Done:
		if done.job == t.job {
			t.adopt(done.job, done.made)
			t.Refresh(t.now)
		}
	case Counted:
		t.counted(done)
	default:
		return false
	}
	return true
}

// adopt shows what a job has made.
func (t *Table) adopt(j *job, made *arrangement) {
	held := t.anchor()
	was, had := t.selected()
	switch h := held.head; {
	case h != nil && made.groups[h.name] != nil:
	case h != nil && t.shown.groupOf(t.shown.known.of(t.grouping)) == h:
		held.item = item{id: t.grouping}
	case h != nil:
		held.item = item{id: t.shown.membersOf(h, nil)[0]}
	case made.grouped && !t.shown.grouped && held.ok && held.isDomain():
		held.head = made.headOf(held.id)
	}
	if a, b := made.settings, t.shown.settings; a.sort != b.sort || a.grouped != b.grouped || a.hides != b.hides || a.policy != b.policy {
		t.needs = extent{}
	}
	j.cancel()
	t.job, t.shown, t.drawn = nil, made, nil
	t.missing = t.missing && (j.frozen || j.base != nil)
	made.refold(t.want.folds)
	t.ledger.Read(t.refreshRound)
	t.hold(held)
	t.bound()
	now, ok := t.selected()
	stays := had && now.same(was) && (now.way != roundHead || made.domainLines() == 0) // to which a filter that left no domain led
	if j.show == top || j.show == home && ok && !stays {
		t.cursor, t.top, t.from = 0, 0, -1
	}
	if made.ends() == 0 {
		t.selecting = false
	}
	if j.show == home {
		t.Wake()
	}
	t.reselect()
}

// anchor is what must not move on the screen, and its line.
type anchor struct {
	item
	line int
	ok   bool
	// next follows a blocked row: what was decided about leaves its line to it.
	next *anchor
}

func (t *Table) anchor() anchor {
	switch {
	case t.shown.lines() == 0:
		return anchor{}
	case t.selecting:
		a := anchor{item: t.shown.at(t.cursor), line: t.cursor - t.top, ok: true}
		if next := t.cursor + 1; t.shown.isBlocked(a.item) && next < t.shown.lines() {
			a.next = &anchor{item: t.shown.at(next), line: a.line, ok: true}
		}
		return a
	case t.top > 0:
		return anchor{item: t.shown.at(t.top), ok: true}
	}
	return anchor{}
}

// hold puts what was the anchor back on its line. If it is filtered out, what
// took its place is selected.
func (t *Table) hold(a anchor) {
	if !a.ok {
		return
	}
	at := t.shown.find(a.item)
	if at < 0 {
		return
	}
	if a.next != nil && !t.shown.isBlocked(a.item) {
		t.hold(*a.next)
		return
	}
	t.top = at - a.line
	if t.selecting {
		if t.from >= 0 {
			t.from += at - t.cursor
		}
		t.cursor = at
	}
}

// bound keeps the cursor on a line and the view on the lines.
func (t *Table) bound() {
	lines := t.shown.lines()
	t.cursor = max(0, min(t.cursor, t.shown.ends()-1))
	t.from = min(t.from, max(0, t.shown.ends()-1))
	t.top = max(0, min(t.top, lines-t.h))
}

// show brings the cursor into view.
func (t *Table) show() {
	t.drawn = nil
	t.bound()
	t.top = max(min(t.top, t.cursor), t.cursor-t.h+1)
	t.bound()
}

// Wake selects a row when the user comes to the table: the first in view that
// nobody has decided about, or the first; the line of its group if that is in view.
func (t *Table) Wake() {
	if t.selecting || t.shown.ends() == 0 {
		return
	}
	t.selecting, t.cursor, t.drawn = true, t.top, nil
	if n := t.shown.stopsBefore(t.top); n < t.shown.stops() {
		if line := t.shown.stopAt(n); line < t.top+t.h {
			t.cursor = line
			if it := t.shown.at(line); it.isDomain() {
				it.head = t.shown.headOf(it.id)
				if line = t.shown.find(it); line >= t.top {
					t.cursor = line
				}
			}
		}
	}
}

// Selection is what is selected: a domain, or a group by the line above it.
type Selection struct {
	ID     capture.ID // of the domain; 0 for a group
	Group  string     // what a group's domains are below; "" for a domain
	Folded bool       // the group's domains, or the ways round, aren't shown
	// Way is a way round the bridge's DNS, by its [WayKey]; Round says that it
	// is the line above these. Then there is neither a domain nor a group.
	Way   string
	Round bool
}

// IsDomain reports whether a domain is selected.
func (s Selection) IsDomain() bool { return s.Group == "" && s.Way == "" && !s.Round }

// Selected returns what is selected.
func (t *Table) Selected() (Selection, bool) {
	it, ok := t.selected()
	switch {
	case it.way == roundHead:
		return Selection{Round: true, Folded: !t.shown.round.unfolded}, ok
	case it.way != "":
		return Selection{Way: it.way}, ok
	case it.head != nil:
		return Selection{Group: it.head.name, Folded: t.shown.folded(it.head)}, ok
	}
	return Selection{ID: it.id}, ok
}

func (t *Table) selected() (item, bool) {
	if !t.selecting || t.shown.ends() == 0 {
		return item{}, false
	}
	return t.shown.at(t.cursor), true
}

// Shown returns the domains that the filter leaves, in their order.
func (t *Table) Shown() []capture.ID {
	return t.shown.appendAll(nil)
}

// TakeRange returns the domains of the range, and ends it; none where there is
// no range.
func (t *Table) TakeRange() (ids []capture.ID, ok bool) {
	if t.from < 0 || !t.selecting || t.shown.lines() == 0 {
		return nil, false
	}
	a, b := min(t.from, t.cursor), max(t.from, t.cursor)
	for i := a; i <= b; i++ {
		switch it := t.shown.at(i); {
		case it.way != "":
		case it.head == nil:
			ids = append(ids, it.id)
		case t.shown.folded(it.head):
			ids = t.shown.membersOf(it.head, ids)
		}
	}
	t.EndRange()
	return slices.Clip(ids), true
}

// SelectedLine returns on which line of the pane the selected one is drawn, its
// title's being 0; below 0 for none.
func (t *Table) SelectedLine() int {
	if !t.selecting {
		return -1
	}
	return chrome + t.cursor - t.top
}

// inRange reports whether a line is in the range.
func (t *Table) inRange(i int) bool {
	return t.from >= 0 && i >= min(t.from, t.cursor) && i <= max(t.from, t.cursor)
}
