package ui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// keyLooks handles the keys that only change how the table looks.
func (m *monitor) keyLooks(msg tea.KeyPressMsg) {
	t, k := m.table, &m.keys
	switch {
	case key.Matches(msg, k.Up):
		t.Move(-1)
	case key.Matches(msg, k.Down):
		t.Move(1)
	case key.Matches(msg, k.PageUp):
		t.Page(-1)
	case key.Matches(msg, k.PageDown):
		t.Page(1)
	case key.Matches(msg, k.Top):
		t.Top()
	case key.Matches(msg, k.Bottom):
		t.Bottom()
	case key.Matches(msg, k.Sort):
		t.SortNext()
	case key.Matches(msg, k.Reverse):
		t.Reverse()
	case key.Matches(msg, k.SortBy):
		t.SortBy(int(msg.Code - '1'))
	case key.Matches(msg, k.Range):
		t.StartRange()
	case key.Matches(msg, k.Group):
		t.Group(!t.Grouped())
	case key.Matches(msg, k.Fold, k.Unfold):
		t.Fold(key.Matches(msg, k.Fold))
	case key.Matches(msg, k.FoldAll):
		t.FoldAll()
	case key.Matches(msg, k.Cancel) && t.Ranging():
		t.EndRange()
	case key.Matches(msg, k.HideDrops):
		t.HideDrops(!t.DropsHidden())
	case key.Matches(msg, k.Freeze):
		t.Freeze(!t.Frozen())
	case key.Matches(msg, k.Filter):
		t.EditFilter()
	case key.Matches(msg, k.Cancel):
		t.ClearFilter()
	}
}

// keyFilter handles the keys while the filter is typed.
func (m *monitor) keyFilter(msg tea.KeyPressMsg) {
	switch k := &m.keys; {
	case key.Matches(msg, k.Cancel):
		m.table.ClearFilter()
	case key.Matches(msg, k.Accept, k.Leave):
		m.table.EndFilter()
	case msg.Code == tea.KeyDown, msg.Code == tea.KeyUp:
		m.table.EndFilter()
		m.keyLooks(msg)
	default:
		m.table.Type(msg)
	}
}

// whyEmpty says why the table shows nothing, and what can be done.
func (m *monitor) whyEmpty() []string {
	waiting := m.waiting()
	switch {
	case m.table.Filter() != "":
		return []string{"no domain matches the filter", "esc clears it"}
	case m.table.DropsHidden() && m.table.Tally().Total() > 0:
		return []string{"everything is dropped, and hidden", "h shows it"}
	case waiting == "":
		return []string{"no domain was asked for"}
	}
	return []string{waiting}
}
