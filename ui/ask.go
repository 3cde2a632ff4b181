package ui

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/table"
)

// What a prompt is about.
type (
	reasonFor struct{ table.Selection }
	newRule   struct{}
)

// askReason has the user write why a domain or a group has its decision.
func (m *monitor) askReason() {
	it, _ := m.table.Selected()
	m.dialog = dialog.NewPrompt(m.keys, "Reason", "why "+m.nameOf(it)+" is on the list, or not; it goes into the export",
		m.markOf(it).Reason, reasonFor{it})
}

// askRule has the user write a rule that holds in later sessions, too.
func (m *monitor) askRule() {
	text := "drop "
	if it, ok := m.table.Selected(); ok {
		m.capture.Ledger.Read(func(r capture.Reader) {
			switch {
			case it.Group != "":
				text += "." + it.Group
			case r.Verdict(r.Domain(it.ID)).Decision == capture.Keep:
				text = "keep " + r.Domain(it.ID).Name
			default:
				text += r.Domain(it.ID).Name
			}
		})
	}
	m.dialog = dialog.NewPrompt(m.keys, "A rule for always", "keep or drop, a name, .name or ~regexp, # and a reason", text, newRule{})
}

// answered takes what was typed into a prompt.
func (m *monitor) answered(a dialog.Answer) tea.Cmd {
	switch to := a.To.(type) {
	case reasonFor:
		m.dialog = nil
		mark := m.markOf(to.Selection)
		mark.Reason = a.Text
		return m.step(step{"writing the reason", to.Group != "" && m.large(), func(l *capture.Ledger) (string, error) {
			if to.Group != "" {
				return l.MarkGroup(mark, to.Group), nil
			}
			return l.Mark(mark, to.ID)
		}})
	case newRule:
		prompt, _ := m.dialog.(*dialog.Prompt)
		ledger := m.capture.Ledger
		return func() tea.Msg { return addRule(ledger, prompt, a.Text) }
	}
	return nil
}

// ruleAddedMsg says what became of a rule that was typed.
type ruleAddedMsg struct {
	of   *dialog.Prompt
	rule capture.UserRule
	path string
	err  error
}

// addRule writes a rule to the user's file and has the ledger follow it.
func addRule(l *capture.Ledger, of *dialog.Prompt, text string) ruleAddedMsg {
	msg := ruleAddedMsg{of: of}
	var rules []capture.UserRule
	if msg.rule, msg.err = capture.ParseRule(text); msg.err == nil {
		msg.err = session.AppendRule(msg.rule)
	}
	if msg.err == nil {
		rules, msg.err = session.LoadRules()
	}
	if msg.err == nil {
		l.SetRules(rules)
		msg.path, msg.err = session.RulesPath()
	}
	return msg
}

func (m *monitor) ruleAdded(msg ruleAddedMsg) {
	prompt, ok := m.dialog.(*dialog.Prompt)
	open := ok && prompt == msg.of
	switch {
	case msg.err != nil && open:
		prompt.Fail(msg.err)
		return
	case msg.err != nil:
		m.say(msg.err.Error())
		return
	case open:
		m.dialog = nil
	}
	m.say("rule added: " + msg.rule.Decision.String() + " " + msg.rule.Pattern + "; it can be taken back in " + msg.path)
	m.table.Refresh(m.now)
}
