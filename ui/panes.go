package ui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// keyPanes handles the keys that change how the panes stand.
func (m *monitor) keyPanes(msg tea.KeyPressMsg) (done bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case !m.shell.exists() && key.Matches(msg, k.Zoom, k.ZoomShell, k.Wider, k.Narrower, k.Swap):
		m.say("there is one pane only")
		return true, nil
	case key.Matches(msg, k.Zoom):
		if m.zoom == zoomNone {
			m.zoom = zoomTable
		} else {
			m.zoom = zoomNone
		}
	case key.Matches(msg, k.ZoomShell):
		m.zoom = zoomShell
		cmd = m.focusOn(onShell)
	case key.Matches(msg, k.Wider):
		m.prefs.share(5)
	case key.Matches(msg, k.Narrower):
		m.prefs.share(-5)
	case key.Matches(msg, k.Swap):
		m.prefs.Swapped = !m.prefs.Swapped
	default:
		return false, nil
	}
	return true, tea.Batch(cmd, m.arrange())
}

// dragDivider moves the divider with the mouse; used reports whether the
// mouse was about that.
func (m *monitor) dragDivider(msg tea.MouseMsg) (used bool) {
	at := msg.Mouse()
	switch msg.(type) {
	case tea.MouseClickMsg:
		m.dragging = m.layout.divider.contains(at.X, at.Y)
		return m.dragging
	case tea.MouseReleaseMsg:
		used, m.dragging = m.dragging, false
		return used
	}
	if !m.dragging {
		return false
	}
	share := at.X * 100 / max(1, m.w)
	if m.layout.divider.w > m.layout.divider.h {
		share = (at.Y - 1) * 100 / max(1, m.h-2)
	}
	if m.prefs.Swapped {
		share = 100 - share
	}
	m.prefs.share(share - m.prefs.Share)
	return true
}
