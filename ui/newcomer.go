package ui

import (
	"time"

	"lxd-allowlist/ui/look"
)

// newcomer shows who pauses at the table what its keys do, above the footer,
// until the next key. Who was shown that a few times knows where to look it up.
type newcomer struct {
	last  time.Time // when a key was pressed at the table; zero for not yet
	shown bool
}

const (
	hintPause = 4 * time.Second
	hintTimes = 5 // in all sessions
	hintLines = 4 // of the screen
)

func (n *newcomer) pressed(m *monitor) {
	n.shown = false
	if n.last = m.now; m.focus != onTable {
		n.last = time.Time{}
	}
}

func (n *newcomer) tick(m *monitor) {
	resting := m.focus == onTable && m.dialog == nil && !m.table.Editing()
	if n.shown || !resting || n.last.IsZero() || m.now.Sub(n.last) < hintPause || m.prefs.Hinted >= hintTimes {
		return
	}
	n.shown = true
	m.prefs.Hinted++
}

// lines draws what can be done now, as far as there is room: column by column,
// each as wide as it has to be.
func (n *newcomer) lines(m *monitor) []string {
	if !n.shown || m.dialog != nil || m.focus != onTable {
		return nil
	}
	s := m.styles
	var hints []look.Hint
	for _, a := range m.tables.table.Lines(m.keys, m) {
		if a.Why == "" && !a.Each && a.Section != "Move" {
			hints = append(hints, look.Hint{Key: a.Key, Does: a.Does})
		}
	}
	rows := make([]look.Line, min(hintLines, len(hints)))
	for at := 0; len(hints) > 0; {
		column := hints[:min(hintLines, len(hints))]
		key, does := 0, 0
		for _, h := range column {
			key, does = max(key, look.Width(h.Key)), max(does, look.Width(h.Does))
		}
		if at += key + does + len("   "); at > m.w && rows[0].Width() > 0 {
			break
		}
		for i, h := range column {
			rows[i].Pad(at-key-does-2).Cell(s.Key, h.Key, key, false).Add(s.Text, " "+h.Does)
		}
		at++
		hints = hints[len(column):]
	}
	lines := []string{look.FinishTitle(s, false, look.Title(s, false, "Keys", "while you pause; "+m.keys.Show("help")+" lists all"), m.w)}
	for i := range rows {
		lines = append(lines, rows[i].Cut(m.w))
	}
	return lines
}
