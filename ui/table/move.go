package table

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// Move moves the cursor by n lines, up below 0, and brings it into view.
func (t *Table) Move(n int) {
	t.view = nil
	if !t.selecting {
		t.Wake()
		return
	}
	t.cursor += n
	t.show()
}

// MoveToDomain moves the cursor to the next domain, past the lines of groups,
// upwards for a step below 0; it stays where there is none.
func (t *Table) MoveToDomain(step int) {
	for at := t.cursor + step; t.selecting && at >= 0 && at < t.len(); at += step {
		if t.at(at).head == nil {
			t.Move(at - t.cursor)
			return
		}
	}
}

// Page moves the cursor by n pages.
func (t *Table) Page(n int) { t.Move(n * max(1, t.h-1)) }

// Top moves the cursor to the first line.
func (t *Table) Top() { t.Move(-t.len()) }

// Bottom moves the cursor to the last line.
func (t *Table) Bottom() { t.Move(t.len()) }

// Scroll moves the view; the cursor goes along where it would leave it.
func (t *Table) Scroll(n int) {
	t.view = nil
	t.top += n
	t.bound()
	t.cursor = max(t.top, min(t.cursor, t.top+t.h-1))
	t.bound()
}

// Click selects the line at that cell of the pane, or sorts by the column
// whose name is there.
func (t *Table) Click(x, y int) {
	t.view = nil
	line := y - chrome
	if line == -1 {
		for _, p := range arrangeColumns(t.w, t.sort) {
			if x >= p.x && x < p.x+p.w {
				t.SortBy(p.col)
			}
		}
		return
	}
	if at := t.top + line; line >= 0 && at < t.len() {
		t.selecting, t.cursor = true, at
	}
}

// SortBy sorts by a column, counted from 0 at the left; the same one again
// turns the direction. Beyond the last one it is the last.
func (t *Table) SortBy(col int) {
	col = max(0, min(col, len(columns)-1))
	if col == t.sort {
		t.descending = !t.descending
	} else {
		t.sort, t.descending = col, columns[col].descending
	}
	t.resort()
}

// SortNext sorts by the next column, by the first after the last.
func (t *Table) SortNext() { t.SortBy((t.sort + 1) % len(columns)) }

// Reverse turns the direction of the order.
func (t *Table) Reverse() { t.SortBy(t.sort) }

func (t *Table) resort() {
	anchor, line, ok := t.anchor()
	t.remake()
	if ok {
		t.hold(anchor, line)
		t.bound()
	}
}

// remake fills the table from nothing.
func (t *Table) remake() {
	for id := range t.known {
		t.known[id].shown = false
	}
	t.rows = nil
	t.rebuild()
}

// HideDrops leaves out what is dropped, or shows it.
func (t *Table) HideDrops(hide bool) {
	if hide != t.hideDrops {
		t.hideDrops = hide
		t.rebuild()
	}
}

// DropsHidden reports whether what is dropped is left out.
func (t *Table) DropsHidden() bool { return t.hideDrops }

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
	if t.from, t.view = t.cursor, nil; !t.selecting {
		t.from = -1
	}
}

// EndRange forgets the range.
func (t *Table) EndRange() { t.from, t.view = -1, nil }

// Ranging reports whether there is a range.
func (t *Table) Ranging() bool { return t.from >= 0 }

// EditFilter has what is typed go into the filter; see [Table.Type].
func (t *Table) EditFilter() {
	t.input.Focus()
	t.view = nil
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
	t.view = nil
}

// ClearFilter takes the filter away, and ends the typing.
func (t *Table) ClearFilter() {
	t.input.SetValue("")
	t.input.Blur()
	t.refilter()
}

// Filter returns the filter as it was typed, "" for none.
func (t *Table) Filter() string { return t.filter.text }

func (t *Table) refilter() {
	t.view = nil
	if text := t.input.Value(); text != t.filter.text {
		t.filter = compileFilter(text)
		was, _ := t.selected()
		t.rebuild()
		if now, ok := t.selected(); ok && now.head == nil && (was.head != nil || now.id != was.id) {
			t.cursor, t.top = 0, 0
		}
		t.Wake()
	}
}
