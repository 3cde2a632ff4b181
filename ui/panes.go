package ui

import tea "charm.land/bubbletea/v2"

// arrange gives every pane its place.
func (m *monitor) arrange() tea.Cmd {
	m.layout = arrange(m.w, m.h-m.timelineHeight(), m.shell.exists(), m.zoom, m.prefs)
	m.layout.footer.y = m.h - 1
	if m.prefs.Share == defaultShare { // nobody has said how it is to be shared
		m.layout = m.layout.lend(m.focus, m.table.Wants(), m.shell.uses())
	}
	m.docked = nil
	m.dock()
	m.layout.packets = m.layout.table
	m.layout.packets.h = m.enforcing.packetLines(m.layout.table.h)
	m.layout.table.h -= m.layout.packets.h
	m.layout.packets.y += m.layout.table.h
	m.table.Resize(m.layout.table.w, m.layout.table.h)
	return m.shell.resize(m.layout.shell.w, max(0, m.layout.shell.h-shellChrome))
}

func (m *monitor) focusOn(f focus) tea.Cmd {
	if !m.shell.exists() {
		f = onTable
	}
	m.focus = f
	if f == onTable {
		m.table.Wake()
	}
	if f == onShell && m.enforcing.of != nil {
		m.table.Rest() // what is refused stands in view
	}
	m.shell.focus(f == onShell)
	if m.zoom == zoomTable && f == onShell || m.zoom == zoomShell && f == onTable {
		m.zoom = zoomNone
	}
	return m.arrange()
}

// toTable goes to the table, and there to what was refused a moment ago: that is
// why one comes.
func (m *monitor) toTable() tea.Cmd {
	cmd := m.focusOn(onTable)
	if q, news := m.refusedLately(); news && !m.table.Select(q.Name) {
		m.say("the filter hides what was refused: " + q.Name)
	}
	return cmd
}
func (m *monitor) toShell() tea.Cmd { return m.focusOn(onShell) }

// reopen goes to the shell, and opens another one if it has ended.
func (m *monitor) reopen() tea.Cmd {
	cmd := m.focusOn(onShell)
	if m.shell.running() {
		return cmd
	}
	return tea.Batch(cmd, m.shell.start(true))
}

func (m *monitor) zoomTable() tea.Cmd {
	if m.zoom == zoomNone {
		m.zoom = zoomTable
	} else {
		m.zoom = zoomNone
	}
	return m.arrange()
}

func (m *monitor) zoomShell() tea.Cmd {
	m.zoom = zoomShell
	return tea.Batch(m.focusOn(onShell), m.arrange())
}

// hideDrops hides what is dropped, which nobody wants to see in the next session
// either, or shows it.
func (m *monitor) hideDrops() {
	if m.table.HideDrops(!m.table.DropsHidden()); !m.table.DropsHidden() {
		return
	}
	later := ", in later sessions, too"
	if m.opts.Trial {
		later = ""
	}
	m.say("what is dropped is hidden" + later + ": " + m.keys.Show(rowHideDrops) + " shows it")
}

// hideDecided hides what is decided, or shows it: a way to work through a session,
// which ends with it.
func (m *monitor) hideDecided() {
	if m.table.HideDecided(!m.table.DecidedHidden()); m.table.DecidedHidden() {
		m.say("what is decided is hidden in this session: " + m.keys.Show(rowHideDecided) + " shows it")
	}
}

// toggleGroups groups the rows, or ends that, and says what they are grouped by.
func (m *monitor) toggleGroups() {
	if m.table.Group(!m.table.Grouped()); !m.table.Grouped() {
		m.say("not grouped any more")
		return
	}
	m.say("grouped by domain or shared suffix: " + m.keys.Show("fold-all") + " folds all, " + m.keys.Show(rowGroup) + " ungroups")
}

func (m *monitor) swap() tea.Cmd {
	m.prefs.Swapped = !m.prefs.Swapped
	return m.arrange()
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
