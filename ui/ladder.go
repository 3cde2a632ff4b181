package ui

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
)

// weighedMsg is what was seen below the rungs of a ladder.
type weighedMsg struct {
	of       *dialog.Ladder
	seen     []capture.Evidence
	siblings []string
}

// openLadder asks from where on down all names are to be kept.
func (m *monitor) openLadder() tea.Cmd {
	it, _ := m.table.Selected()
	name := m.nameOf(it)
	var d *dialog.Ladder
	var wants dialog.Result
	m.capture.Ledger.Read(func(r capture.Reader) { d, wants = dialog.NewLadder(m.keys, r, name) })
	m.dialog = d
	return m.do(wants)
}

// weigh finds out what was seen below names, away from the screen: there may be
// many.
func (m *monitor) weigh(w dialog.Weigh) tea.Cmd {
	d, _ := m.dialog.(*dialog.Ladder)
	ledger := m.capture.Ledger
	return func() tea.Msg { return weighedMsg{d, ledger.Evidence(w.Above), ledger.Siblings(w.Name)} }
}

func (m *monitor) weighed(msg weighedMsg) {
	if d, ok := m.dialog.(*dialog.Ladder); ok && d == msg.of {
		m.capture.Ledger.Read(func(r capture.Reader) { d.Weighed(r, msg.seen, msg.siblings) })
	}
}

// widen keeps a name and all below it as one suffix rule, or the names of a
// pattern, or takes that back.
func (m *monitor) widen(w dialog.Widen) tea.Cmd {
	if w.Always {
		text := "keep ." + w.Name
		if w.Pattern != "" {
			text = "keep ~" + w.Pattern
		}
		if w.Reason != "" {
			text += " # " + w.Reason
		}
		file, d := m.rules, m.dialog
		return func() tea.Msg { return file.add(d, text) }
	}
	m.dialog = nil
	return m.step(step{"deciding about all of " + w.Name, m.large(), func(l *capture.Ledger) (string, error) {
		if w.Back {
			return l.DecideGroup(capture.New, w.Name), nil
		}
		keep := l.KeepSuffix
		if w.Pattern != "" {
			keep = l.KeepPattern
		}
		what, err := keep(w.Name, w.Reason)
		if w.Warning != "" && what != "" {
			what += ": " + w.Warning
		}
		return what, err
	}, nil})
}
