package ui

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
)

// do does what a dialog wants done.
func (m *monitor) do(r dialog.Result) tea.Cmd {
	switch r := r.(type) {
	case dialog.Close:
		m.dialog = nil
	case dialog.Quit:
		return tea.Quit
	case dialog.Act:
		cmd := m.act(r.Name)
		m.followSelection()
		return cmd
	case dialog.Next:
		m.table.MoveToDomain(r.Step)
		m.followSelection()
	case dialog.Say:
		m.say(r.Text)
	case dialog.Picked:
		return m.picked(r.To)
	case dialog.Weigh:
		return m.weigh(r)
	case dialog.Widen:
		return m.widen(r)
	case dialog.Answer:
		return m.answered(r)
	case dialog.OfCommand:
		m.filterCommand(r.Line)
	case dialog.Copy:
		return copies(m.ctx, r.Text, r.What)
	case dialog.Chosen:
		return m.chosen(r)
	case dialog.WriteReport:
		return m.writeReport(r)
	case dialog.Make:
		return m.makeFile(r)
	case dialog.Write:
		return m.writeFile(r)
	}
	return nil
}

// openDetails shows the selected domain, or folds the selected group.
func (m *monitor) openDetails() {
	it, _ := m.table.Selected()
	if it.Group != "" {
		m.table.Fold(!it.Folded)
		return
	}
	m.dialog = dialog.NewDetails(m.keys, m.capture.Ledger, m.opts.Lists, m.enforcing.policy(), it.ID)
}

// followSelection has the details show what is selected: a key there is about
// that. Where no domain is, there is nothing left to show.
func (m *monitor) followSelection() {
	d, ok := m.dialog.(*dialog.Details)
	if !ok {
		return
	}
	if it, ok := m.table.Selected(); ok && it.Group == "" {
		d.Show(it.ID)
		return
	}
	m.dialog = nil
}

func (m *monitor) openMessages() { m.dialog = dialog.NewMessages(m.keys, &m.messages) }

func (m *monitor) openTold() { m.dialog = dialog.NewToldLog(m.keys, m.capture.Told) }
