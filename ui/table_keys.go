package ui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// move moves the cursor by n rows and brings it into view.
func (t *table) move(n int) {
	t.view = nil
	if !t.selecting {
		t.wake()
		return
	}
	t.cursor += n
	t.show()
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
	if at := t.top + line; line >= 0 && at < t.len() {
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
	anchor, line, ok := t.anchor()
	t.remake()
	if ok {
		t.hold(anchor, line)
		t.bound()
	}
}

// remake fills the table from nothing.
func (t *table) remake() {
	for id := range t.known {
		t.known[id].shown = false
	}
	t.rows = nil
	t.rebuild()
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
		t.move(-t.len())
	case key.Matches(msg, k.Bottom):
		t.move(t.len())
	case key.Matches(msg, k.Sort):
		t.sortBy((t.sort + 1) % len(columns))
	case key.Matches(msg, k.Reverse):
		t.sortBy(t.sort)
	case key.Matches(msg, k.SortBy):
		t.sortBy(min(int(msg.Code-'1'), len(columns)-1))
	case key.Matches(msg, k.Range):
		t.wake()
		if t.from, t.view = t.cursor, nil; !t.selecting {
			t.from = -1
		}
	case key.Matches(msg, k.Group):
		t.group(t.groups == nil)
	case key.Matches(msg, k.Fold, k.Unfold):
		t.fold(key.Matches(msg, k.Fold))
	case key.Matches(msg, k.FoldAll):
		t.foldAll()
	case key.Matches(msg, k.Cancel) && t.from >= 0:
		t.from, t.view = -1, nil
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
func (t *table) editing() bool { return t != nil && t.input.Focused() }

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
