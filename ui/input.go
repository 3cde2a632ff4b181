package ui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// behind are the actions of what has the focus, or will have it behind the
// dialog.
func (m *monitor) behind() *actions {
	switch {
	case m.focus == onShell && m.shell.running():
		return &m.tables.shell
	case m.focus == onShell:
		return &m.tables.ended
	case m.table.Editing():
		return &m.tables.filter
	}
	return &m.tables.table
}

// key hands a key to who has the focus.
func (m *monitor) key(msg tea.KeyPressMsg) tea.Cmd {
	if m.dialog != nil {
		return m.do(dialog.Press(m.dialog, msg))
	}
	m.hints.pressed(m)
	o := m.behind().Press(m.keys, msg.String(), m)
	switch {
	case o.Why != "":
		m.say(o.Why)
	case o.Bound:
		return o.Of
	case m.focus == onShell && m.shell.running():
		m.shell.key(msg)
	case m.table.Editing():
		m.table.Type(msg)
	}
	return nil
}

// act does an action of the table by its name.
func (m *monitor) act(name string) tea.Cmd {
	o := m.tables.table.Run(name, m)
	if o.Why != "" {
		m.say(o.Why)
	}
	return o.Of
}

// cancel ends the range, else takes the filter away.
func (m *monitor) cancel() {
	if m.table.Ranging() {
		m.table.EndRange()
	} else {
		m.table.ClearFilter()
	}
}

// clickHint does the action of a hint of the footer.
func (m *monitor) clickHint(name string) tea.Cmd {
	switch {
	case name == "":
		return nil
	case m.dialog != nil:
		return m.do(dialog.Run(m.dialog, name))
	}
	o := m.behind().Run(name, m)
	if o.Why != "" {
		m.say(o.Why)
	}
	return o.Of
}

// pointDialog has the mouse choose in the dialog.
func (m *monitor) pointDialog(msg tea.MouseMsg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		return m.do(m.turnAt(m.dialog, msg))
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return m.do(m.pointAt(m.dialog, msg.Mouse()))
		}
	}
	return nil
}

func (m *monitor) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case m.dialog != nil:
		return m.do(m.dialog.Type(msg))
	case m.focus == onShell:
		m.shell.paste(msg.Content)
	case m.table.Editing():
		m.table.Type(msg)
	}
	return nil
}

// mouse does what a person who points would expect: a click selects, the
// wheel scrolls what is under it, a program in the shell that asked for the
// mouse gets it.
func (m *monitor) mouse(msg tea.MouseMsg) tea.Cmd {
	at := msg.Mouse()
	if click, ok := msg.(tea.MouseClickMsg); ok && click.Button == tea.MouseLeft && at.Y >= m.h-len(m.footRows(m.footHints())) {
		return m.clickHint(m.hintAt(at.X, at.Y))
	}
	switch inDetails := m.layout.details.contains(at.X, at.Y); {
	case m.docks() && inDetails:
		if wheel, ok := msg.(tea.MouseWheelMsg); ok {
			m.whole().Scroll(lines(wheel))
		}
		return nil
	case m.docks():
		defer m.followSelection()
	case m.dialog != nil:
		return m.pointDialog(msg)
	case inDetails:
		if click, ok := msg.(tea.MouseClickMsg); ok && click.Button == tea.MouseLeft {
			return m.clickDock()
		}
	}
	if cmd, used := m.clickTimeline(msg); used {
		return cmd
	}
	if m.dragDivider(msg) {
		return m.arrange()
	}
	inShell := m.layout.shell.contains(at.X, at.Y)
	if inShell && m.focus == onShell || m.shell.dragging() {
		x, y := at.X-m.layout.shell.x, at.Y-m.layout.shell.y-shellChrome
		if used, copied := m.shell.mouse(msg, x, y); copied != "" {
			return copies(m.ctx, copied, look.Plural(strings.Count(copied, "\n")+1, "line"))
		} else if used {
			return nil
		}
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if inShell {
			m.shell.scroll(-lines(msg))
		} else {
			m.table.Scroll(lines(msg))
		}
	case tea.MouseClickMsg:
		if inShell {
			if m.docks() {
				m.dialog = nil
			}
			return m.focusOn(onShell)
		}
		if m.layout.table.contains(at.X, at.Y) {
			return tea.Batch(m.clickTable(at), m.focusOn(onTable))
		}
	}
	return nil
}

// lines is how far the wheel scrolls, up below 0.
func lines(wheel tea.MouseWheelMsg) int {
	if wheel.Button == tea.MouseWheelUp {
		return -3
	}
	return 3
}

// clickDock has the details beside the table show all.
func (m *monitor) clickDock() tea.Cmd {
	if it, ok := m.table.Selected(); ok && it.Group == "" && !it.Round {
		m.openDetails()
	}
	return m.focusOn(onTable)
}

// doubleClick is how soon the second click of two comes.
const doubleClick = 400 * time.Millisecond

// click is where the mouse was clicked last, and when.
type click struct {
	at   time.Time
	x, y int
}

// again notes a click and reports whether it is the second one of two.
func (c *click) again(at tea.Mouse) bool {
	was := *c
	*c = click{time.Now(), at.X, at.Y}
	if was.y != at.Y || c.at.Sub(was.at) >= doubleClick {
		return false
	}
	*c = click{}
	return true
}

// clickTable selects what was clicked on; its fold folds, its mark keeps or drops, a
// second click opens.
func (m *monitor) clickTable(at tea.Mouse) tea.Cmd {
	now := time.Now()
	twice := m.clicked.x == at.X && m.clicked.y == at.Y && now.Sub(m.clicked.at) < doubleClick
	m.clicked = click{now, at.X, at.Y}
	switch m.table.Click(at.X-m.layout.table.x, at.Y-m.layout.table.y) {
	case table.OnFold:
		it, _ := m.table.Selected()
		m.table.Fold(!it.Folded)
	case table.OnMark:
		return m.toggle()
	case table.OnRow:
		if twice {
			m.clicked = click{}
			m.openDetails()
		}
	}
	return nil
}

// mouseHelp is what the mouse does, for the palette.
var mouseHelp = [][2]string{
	{"click", "select; sort by a column; do what the footer says"},
	{"on a mark", "keep; drop what is kept"},
	{"on ▾ ▸", "fold, unfold"},
	{"twice", "details; fold a group"},
	{"on details", "show all of them beside the table"},
	{"in a dialog", "a click chooses, a second one does it, as enter"},
	{"wheel", "scroll what is under it; choose in a dialog"},
	{"drag", "the divider; text to copy"},
}

// timelineHelp is what it does at a replay's foot.
var timelineHelp = [][2]string{{"on ▶ ‖ ■", "play, pause"}, {"on the bar", "go to that time"}}
