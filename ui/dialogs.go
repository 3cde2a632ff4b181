package ui

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/table"
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
	case dialog.Answer:
		return m.answered(r)
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

func (m *monitor) openHelp() {
	sections := m.tables.table.Sections(m.keys, m, nil)
	filter := keys.Section{Title: "In the filter", Lines: []keys.Line{
		{Key: m.keys.Show("complete"), Does: "complete it, with counts", Now: true},
		{Key: m.keys.Show(rowUp), Does: "recall one", Now: true},
	}}
	for _, words := range table.FilterHelp {
		filter.Lines = append(filter.Lines, keys.Line{Key: words[0], Does: words[1], Now: true})
	}
	mouse := keys.Section{Title: "The mouse"}
	for _, words := range mouseHelp {
		mouse.Lines = append(mouse.Lines, keys.Line{Key: words[0], Does: words[1], Now: true})
	}
	m.dialog = dialog.NewHelp(m.keys, append(sections, filter, mouse))
}

func (m *monitor) openMessages() { m.dialog = dialog.NewMessages(m.keys, &m.messages) }
