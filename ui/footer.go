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
		said = m.drawSaid(text)
	}
	rows := m.footRows(hints)
	last := len(rows) - 1
	for _, row := range rows[:last] {
		said = append(said, look.Hints(s, row, m.w))
	}
	return said, look.Hints(s, rows[last], m.w)
}

// footRows are the hints of the footer's lines.
func (m *monitor) footRows(hints []look.Hint) [][]look.Hint {
	if m.dialog == nil {
		return [][]look.Hint{hints}
	}
	return look.HintRows(hints, m.w, footLines)
}

// message is what was said last, while it is news; what is typed hides it.
func (m *monitor) message() string {
	if m.dialog == nil && m.behind() == &m.tables.filter {
		return ""
	}
	return m.messages.Current(m.now)
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
