package table

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// Move moves the cursor by n lines, up below 0, and brings it into view.
func (t *Table) Move(n int) {
	t.drawn = nil
	if !t.selecting {
		t.Wake()
		return
	}
	t.cursor += n
	t.show()
}

// MoveToRow moves the cursor to the next row, past the heads of groups,
// upwards for a step below 0; it stays where there is none.
func (t *Table) MoveToRow(step int) {
	for at := t.cursor + step; t.selecting && at >= 0 && at < t.shown.lines(); at += step {
		if it := t.shown.at(at); it.isDomain() || it.way != "" && it.way != roundHead {
			t.Move(at - t.cursor)
			return
		}
	}
}

// Page moves the cursor by n pages.
func (t *Table) Page(n int) { t.Move(n * max(1, t.h-1)) }

// Top moves the cursor to the first line, also where nothing was selected.
func (t *Table) Top() { t.end(-t.shown.lines()) }

// Bottom moves the cursor to the last line, as [Table.Top] does to the first.
func (t *Table) Bottom() { t.end(t.shown.lines()) }

func (t *Table) end(n int) {
	t.Wake()
	t.Move(n)
}

// Scroll moves the view; the cursor goes along where it would leave it.
func (t *Table) Scroll(n int) {
	t.drawn = nil
	t.top += n
	t.bound()
	t.cursor = max(t.top, min(t.cursor, t.top+t.h-1))
	t.bound()
}

// Click selects the line at that cell of the pane, or sorts by the column whose
// name is there. It returns what else is there to be clicked on.
func (t *Table) Click(x, y int) Spot {
	t.drawn = nil
	line := y - chrome
	if line == -1 && !t.Editing() {
		for _, p := range t.places() {
			if x < p.x+p.w+colGap {
				t.SortBy(p.col)
				return OnNothing
			}
		}
	}
	at := t.top + line
	if line < 0 || at >= t.shown.ends() {
		return OnNothing
	}
	t.selecting, t.cursor = true, at
	for _, p := range t.places() {
		it := t.shown.at(at)
		head := it.head != nil || it.way == roundHead
		switch {
		case head && p.col == colDomain && x >= p.x-flagWidth && x < p.x:
			return OnFold
		case it.isDomain() && p.col == colDecision && x >= p.x && x < p.x+p.w:
			return OnMark
		}
	}
	return OnRow
}

// Spot is what there is at a cell of the pane.
type Spot uint8

// The spots.
const (
	OnNothing Spot = iota
	OnRow          // a line, selected now
	OnFold         // ▾ or ▸ of the head that is selected now
	OnMark         // the mark of the domain that is selected now
)

// SortBy sorts by a column, counted from 0 at the left, and shows the top; the
// same one again turns the direction. Beyond the last one it is the last.
func (t *Table) SortBy(col int) {
	col = max(0, min(col, len(columns)-1))
	if col == t.want.sort {
		t.want.descending = !t.want.descending
	} else {
		t.want.sort, t.want.descending = col, columns[col].descending
	}
	t.remake(top)
}

// SortNext sorts by the next column, by the first after the last.
func (t *Table) SortNext() { t.SortBy((t.want.sort + 1) % len(columns)) }

// Reverse turns the direction of the order.
func (t *Table) Reverse() { t.SortBy(t.want.sort) }

// Group puts the rows below a line for each registrable domain, or not. The line
// of the selected row's group is selected then, for whoever groups is about to
// decide about groups, and the row again where that is ended there.
func (t *Table) Group(on bool) {
	if it, ok := t.selected(); ok && on && !t.want.grouped && it.isDomain() {
		t.grouping = it.id
	}
	t.want.grouped, t.want.folds = on, folds{flipped: make(map[string]bool)}
	t.from = -1
	t.remake(stay)
}

// Grouped reports whether the rows stand in groups.
func (t *Table) Grouped() bool { return t.want.grouped }

// Fold hides the rows of the selected group, or shows them.
func (t *Table) Fold(fold bool) {
	it, ok := t.selected()
	if ok && it.way != "" {
		t.foldRound(fold)
		return
	}
	if !t.shown.grouped || !t.want.grouped || !ok {
		return
	}
	g := it.head
	if g == nil {
		if g = t.shown.groupOf(t.shown.known.of(it.id)); g == nil {
			return // blocked: above all groups
		}
	}
	if g.members == 1 {
		return
	}
	if t.shown.fold(g, fold); g.flipped {
		t.want.flipped[g.name] = true
	} else {
		delete(t.want.flipped, g.name)
	}
	t.cursor = t.shown.find(item{head: g})
	t.show()
}

// FoldAll folds all groups, or unfolds them if all are.
func (t *Table) FoldAll() {
	if !t.shown.grouped || !t.want.grouped {
		return
	}
	held := t.anchor()
	if held.ok && held.isDomain() && !t.shown.isBlocked(held.item) {
		held.head = t.shown.groupOf(t.shown.known.of(held.id))
	}
	t.want.folds = folds{!t.want.all, make(map[string]bool)}
	t.shown.refold(t.want.folds)
	t.hold(held)
	t.show()
}

// Freeze has the table stand still, whatever comes, or takes up what came.
func (t *Table) Freeze(on bool) {
	t.frozen = on
	t.Refresh(time.Now())
}

// Frozen reports whether the table stands still.
func (t *Table) Frozen() bool { return t.frozen }

// StartRange begins a range at the cursor; it goes along with that.
func (t *Table) StartRange() {
	t.Wake()
	if t.from, t.drawn = t.cursor, nil; !t.selecting {
		t.from = -1
	}
}

// EndRange forgets the range.
func (t *Table) EndRange() { t.from, t.drawn = -1, nil }

// Ranging reports whether there is a range.
func (t *Table) Ranging() bool { return t.from >= 0 }

// Ranged returns how many lines the range has, 0 without one.
func (t *Table) Ranged() int {
	if t.from < 0 {
		return 0
	}
	return max(t.from, t.cursor) - min(t.from, t.cursor) + 1
}

// EditFilter has what is typed go into the filter; see [Table.Type].
func (t *Table) EditFilter() {
	t.input.Focus()
	t.count()
	t.drawn = nil
}

// Editing reports whether what is typed goes into the filter.
func (t *Table) Editing() bool { return t.input.Focused() }

// Type changes the filter by a key or a paste.
func (t *Table) Type(msg tea.Msg) {
	t.input, _ = t.input.Update(msg)
	t.refilter()
}

// EndFilter ends the typing; the filter stays.
func (t *Table) EndFilter() {
	t.input.Blur()
	t.drawn = nil
}

// ClearFilter takes the filter away, and ends the typing.
func (t *Table) ClearFilter() {
	t.input.SetValue("")
	t.input.Blur()
	t.refilter()
}

// SetFilter sets the filter as if it had been typed.
func (t *Table) SetFilter(text string) {
	t.input.SetValue(text)
	t.input.CursorEnd()
	t.refilter()
}

// FilterError returns why the filter can't be understood, so that it shows
// nothing; nil if it can.
func (t *Table) FilterError() error { return t.want.filter.err }

// Filter returns the filter as it was typed, "" for none.
func (t *Table) Filter() string { return t.want.filter.text }

func (t *Table) refilter() {
	t.drawn = nil
	if text := t.input.Value(); text != t.want.filter.text {
		t.want.filter = t.compile(text)
		t.remake(home)
	}
}

// compile returns the filter of a text. Commands are asked for anew: one may have
// been entered since the census.
func (t *Table) compile(text string) filter {
	if t.census != nil {
		t.ledger.Read(func(r capture.Reader) { t.census.enter(r) })
	}
	return compileFilter(text, t.census)
}
