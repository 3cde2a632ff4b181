package ui

import "lxd-allowlist/ui/look"

// footHints are what can be done here and now, in the dialog or in what has the
// focus.
func (m *monitor) footHints() []look.Hint {
	if m.dialog != nil {
		return m.dialog.Keys().Hints()
	}
	return m.behind().Hints(m.keys, m)
}

// footLines is how many lines the hints of a dialog have at most.
const footLines = 2

// footer returns the keys that do something now, and for a while the last
// message: in front of them where there is room, else above them. A dialog's
// keys are seen nowhere else, so that they have a line more where they want it.
func (m *monitor) footer() (said []string, foot string) {
	s := m.styles
	hints := m.footHints()
	text := m.message()
	switch at := m.saysBeside(text, hints); {
	case text == "":
		said = m.hints.lines(m)
	case at > 0:
		return nil, new(look.Line).Add(s.Key, " ▸ ").Add(s.Strong, text).Pad(at).Cut(at) + look.Hints(s, hints, m.w-at)
	default:
		said = m.drawSaid(text, m.saidPane().w)
	}
	rows := m.footRows(hints)
	last := len(rows) - 1
	for _, row := range rows[:last] {
		said = append(said, look.Hints(s, row, m.w))
	}
	return said, look.Hints(s, rows[last], m.w)
}

// saidPane is where a message stands that has no room beside the hints: at the
// foot of the pane without the focus, for in the other one somebody types, or looks
// at what is selected.
func (m *monitor) saidPane() rect {
	l := m.layout
	switch {
	case m.dialog != nil:
		return rect{0, 1, m.w, m.h - 2}
	case m.message() == "": // hints for who is new here have all the room
	case m.focus == onTable && l.shell.h > 0:
		return l.shell
	case m.focus == onShell && l.table.h > 0:
		t := l.table
		if t.h += l.packets.h; l.details.y > t.y {
			t.h += l.details.h
		}
		return t
	}
	return rect{0, 1, m.w, m.h - 2 - m.timelineHeight()}
}

// saidAt is where so many lines of a message stand, and how many of them there is
// room for. Where there is one pane they stand on top of it if what is worked on
// is near its foot. A dialog, and the table, keep two thirds of their room.
func (m *monitor) saidAt(lines int) rect {
	p := m.saidPane()
	foot := p.y + p.h
	switch {
	case m.dialog != nil:
		lines = min(lines, max(1, m.h/3))
	case m.message() != "" && (m.focus == onShell || p != m.layout.shell):
		lines = min(lines, max(1, p.h/3))
	}
	at := rect{p.x, max(p.y, foot-lines), p.w, min(lines, p.h)}
	if m.dialog != nil || m.layout.divider.w == 1 { // beside it, the other pane has the cursor
		return at
	}
	line := m.layout.table.y + m.table.SelectedLine()
	if m.focus == onShell {
		line = -1
		if c := m.shell.cursor(m.layout.shell); c != nil {
			line = c.Position.Y
		}
	}
	if line < at.y || line >= foot {
		return at
	}
	at.y = p.y + shellChrome
	return at
}

// drawSaidAt puts a message over the lines of the screen. Of what there is no room
// for the messages have the rest.
func (m *monitor) drawSaidAt(lines, said []string) {
	at := m.saidAt(len(said))
	if at.h < len(said) && at.h > 0 {
		rest := new(look.Line).Add(m.styles.Muted, " … ").Add(m.styles.Key, m.keys.Show(rowMessages)).Add(m.styles.Muted, " has all ")
		said[at.h-1] = new(look.Line).Raw(look.Fit(said[at.h-1], at.w-rest.Width())).Join(rest).Cut(at.w)
	}
	look.Overlay(lines, said[:at.h], at.x, at.y, m.w)
}

// footRows are the hints of the footer's lines.
func (m *monitor) footRows(hints []look.Hint) [][]look.Hint {
	if m.dialog == nil {
		return [][]look.Hint{hints}
	}
	return look.HintRows(hints, m.w, footLines)
}

// message is what was said last, while it is news; what is typed hides it, and what
// the header says whole is said once.
func (m *monitor) message() string {
	if m.dialog == nil && m.behind() == &m.tables.filter {
		return ""
	}
	if text := m.messages.Current(m.now); text != m.headed {
		return text
	}
	return ""
}

// saysBeside returns from which cell on there is room for the hints behind a
// message, 0 for nowhere.
func (m *monitor) saysBeside(text string, hints []look.Hint) int {
	if m.dialog != nil {
		return 0 // what it asks is answered by all of them
	}
	at := look.Width(text) + 4
	if m.w-at < look.HintsLeast(hints) {
		return 0
	}
	return max(at, m.w-look.HintsWidth(hints))
}

// hintAt returns the name of the action that the footer has at a cell, "" for
// none.
func (m *monitor) hintAt(x, y int) string {
	hints, w := m.footHints(), m.w
	rows := m.footRows(hints)
	row := len(rows) - m.h + y
	if row < 0 || y >= m.h {
		return ""
	}
	if text := m.message(); text != "" {
		at := m.saysBeside(text, hints)
		x, w = x-at, w-at
	}
	return look.HintAt(rows[row], w, x)
}
