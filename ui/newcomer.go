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
	hintTimes = 5  // in all sessions
	hintLines = 4  // of the screen
	hintCells = 30 // a key and what it does
	hintKey   = 9
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

// lines draws what can be done now, as far as there is room.
func (n *newcomer) lines(m *monitor) (lines []string) {
	if !n.shown || m.dialog != nil || m.focus != onTable {
		return nil
	}
	s := m.styles
	lines = append(lines, look.FinishTitle(s, false, look.Title(s, false, "Keys", "while you pause; "+m.keys.Show("help")+" lists all"), m.w))
	l, columns, done := new(look.Line), max(1, m.w/hintCells), 0
	for _, a := range m.tables.table.Lines(m.keys, m) {
		if a.Why != "" || a.Section == "Move" {
			continue
		}
		l.Pad(done%columns*hintCells).Cell(s.Key, " "+a.Key, hintKey, false).Add(s.Muted, " ").Cell(s.Text, a.Does, hintCells-hintKey-2, false)
		if done++; done%columns == 0 {
			if lines = append(lines, l.Cut(m.w)); len(lines) > hintLines {
				break
			}
			l = new(look.Line)
		}
	}
	return lines
}
