package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// From these sizes of the table's pane on there is room for details: at its side,
// or else at its foot.
const (
	dockBeside = 130 // cells: the table keeps more than 80
	dockLeast  = 46  // cells, and up to dockMost where the table has room for all
	dockMost   = 70
	dockBelow  = 30 // lines: the table keeps 18
	dockHeight = 12
	tableLeast = 10 // lines that the table keeps above all details
)

// dock takes the room for the details of what is selected from the table's pane.
func (m *monitor) dock() {
	l := &m.layout
	l.details = rect{}
	switch t := l.table; {
	case m.prefs.Undocked:
	case t.w >= dockBeside && t.h > dockHeight:
		w := max(dockLeast, min(t.w/3, dockMost, t.w-1-table.Roomy))
		l.details = rect{t.x + t.w - w, t.y, w, t.h}
		l.table.w -= w + 1
	case t.h >= dockBelow:
		h := max(dockHeight, min(t.h/3, 18))
		if d := m.whole(); d != nil { // and no other height for the next one
			h = max(h, min(2+d.Height(dialog.Screen{Styles: m.styles, Now: m.clock()}, t.w), t.h-tableLeast))
		}
		l.details = rect{t.x, t.y + t.h - h, t.w, h}
		l.table.h -= h
	}
}

// whole returns the details that show all, nil while none do.
func (m *monitor) whole() *dialog.Details {
	d, _ := m.dialog.(*dialog.Details)
	return d
}

// docks reports whether the details that show all stand beside the table, and not
// over it.
func (m *monitor) docks() bool { return m.whole() != nil && m.layout.details.h > 0 }

// toggleDock shows the details beside the table where there is room, or not, and
// says so where there is none.
func (m *monitor) toggleDock() {
	stood := m.layout.details.h > 0
	m.prefs.Undocked = !m.prefs.Undocked
	if m.arrange(); stood || m.layout.details.h > 0 {
		return
	}
	shows := m.keys.Show("details") + " shows them now"
	switch {
	case m.prefs.Undocked:
		m.say("the details won't stand beside the table when there is room, either: " + shows)
	case m.shell.exists():
		m.say("the details stand beside the table as soon as there is room: " + m.keys.Show("zoom") + " zooms the table, " + shows)
	default:
		m.say("the details stand beside the table as soon as there is room: " + shows)
	}
}

// undocked says why there are no details.
func (m *monitor) undocked() string {
	it, ok := m.table.Selected()
	switch {
	case ok && it.Round && it.Folded:
		return "what went round DNS: " + m.keys.Show("unfold") + " unfolds it"
	case ok && it.Round:
		return "what went round DNS stands below: " + m.keys.Show("details") + " on a line tells what it means"
	case m.table.Empty():
		return "what is known of the selected domain stands here"
	}
	return m.keys.Show(rowDown) + " selects a domain: what is known of it stands here"
}

// drawDock draws the details of what is selected, all of them once they have the
// focus. They are drawn anew when anything but the shell has changed.
func (m *monitor) drawDock() []string {
	if m.docked != nil {
		return m.docked
	}
	s, at := m.styles, m.layout.details
	screen := dialog.Screen{Styles: s, W: at.w, H: at.h - 1, Now: m.clock()}
	title, focused := "Details", false
	var lines []string
	if d := m.whole(); d != nil {
		focused = true
		screen.H -= len(m.footRows(m.footHints())) - 1 // which stand on its last line
		title, lines = d.Docked(screen)
	} else if it, ok := m.table.Selected(); ok && !it.Round {
		d := dialog.NewDetails(m.keys, m.capture.Ledger, m.opts.Lists, m.enforcing.policy(), it.ID)
		d.ShowGroup(it.Group, m.group.of(it.Group))
		d.ShowWay(it.Way)
		lines = d.Dock(screen)
	} else {
		lines = look.Wrap(s.Muted, m.undocked(), at.w)
	}
	m.docked = []string{look.FinishTitle(s, focused, look.Title(s, focused, title, ""), at.w)}
	for i := range at.h - 1 {
		line := strings.Repeat(" ", at.w)
		if i < len(lines) {
			line = look.Fit(lines[i], at.w)
		}
		m.docked = append(m.docked, line)
	}
	return m.docked
}

// groupFacts is what was seen of the group whose head is selected.
type groupFacts struct {
	name    string
	seen    *capture.Evidence // nil for not known yet
	looking bool
	stale   bool // it has changed since
}

func (g *groupFacts) of(name string) *capture.Evidence {
	if name != g.name {
		return nil
	}
	return g.seen
}

// groupSeenMsg is what was seen of a group.
type groupSeenMsg struct {
	name string
	seen capture.Evidence
}

// refreshMost is how many domains there are at most while what was seen of a
// group is looked up again with each change: more take their time, and are when
// the group is gone to.
const refreshMost = 50_000

// lookAtGroup finds out what was seen of the group whose head is selected, away
// from the screen: there may be many.
func (m *monitor) lookAtGroup() tea.Cmd {
	it, ok := m.table.Selected()
	g := &m.group
	switch {
	case !ok || it.Group == "" || m.layout.details.h == 0:
		*g = groupFacts{looking: g.looking}
		return nil
	case it.Group != g.name:
		*g = groupFacts{name: it.Group, looking: g.looking, stale: true}
	}
	if g.looking || !g.stale {
		return nil
	}
	g.looking, g.stale = true, false
	ledger, name := m.capture.Ledger, g.name
	return func() tea.Msg { return groupSeenMsg{name, ledger.Evidence([]string{name})[0]} }
}

// groupChanged has the group be looked at again, if that is soon done.
func (m *monitor) groupChanged() {
	m.group.stale = m.group.stale || m.table.Tally().Total() <= refreshMost
}

func (m *monitor) groupSeen(msg groupSeenMsg) {
	m.group.looking = false
	if msg.name == m.group.name {
		m.group.seen = &msg.seen
	}
}
