package ui

import (
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
)

// Grants that are offered.
var grantTimes = []struct {
	name, says string
	lasts      time.Duration // below 0 for one try
}{
	{"once", "for its next try, all that it begins within some seconds; that goes on to its own end", -1},
	{"5 minutes", "and refused again after that", 5 * time.Minute},
	{"this run", "until the list is out of force; it doesn't come on the list", 0},
}

func needsRefused(m *monitor) string {
	p := m.enforcing.policy()
	if p == nil {
		return "no list is enforced: " + m.keys.Show(rowVerify) + " does that"
	}
	if p.Learning {
		return "nothing is refused: " + m.keys.Show("keep") + " keeps what is needed"
	}
	name := m.selectedName()
	if name == "" {
		return "no domain is selected: " + m.keys.Show(rowUp) + " and " + m.keys.Show(rowDown) + " move"
	}
	if _, listed := p.Rule(name); listed {
		return "the list allows " + name
	}
	if reason := m.droppedByRule(name); reason != "" {
		return name + " is dropped by a rule: " + reason + "; " + m.keys.Show("keep") + " keeps it"
	}
	return ""
}

// askGrant asks for how long a refused name is to be let through.
func (m *monitor) askGrant() {
	name := m.selectedName()
	var options []dialog.Option
	for _, g := range grantTimes {
		options = append(options, dialog.Option{Name: g.name, Says: g.says})
	}
	m.dialog = dialog.NewChoice(m.keys, "Let it through", name+" is let through for a time, and stays undecided. Where packets are refused its connections end with a time, or when it is dropped.", options, grantFor{name})
}

func (m *monitor) grant(name string, which int) {
	if m.enforcing.of == nil {
		m.say("nothing is enforced any more")
		return
	}
	p, g, now := m.enforcing.of.Policy, grantTimes[which], time.Now()
	how := "for " + g.name
	switch {
	case g.lasts < 0:
		p.GrantOnce(name, now)
		how = "for one try"
	case g.lasts == 0:
		p.Grant(name, 0, now)
		how = "while the list is enforced"
	default:
		p.Grant(name, g.lasts, now)
	}
	m.table.Restyle()
	m.say(name + " is let through " + how)
}

// selectedName is the selected domain's, "" for none.
func (m *monitor) selectedName() (name string) {
	if it, ok := m.table.Selected(); ok && it.IsDomain() {
		m.capture.Ledger.Read(func(r capture.Reader) { name = r.Name(it.ID) })
	}
	return name
}
