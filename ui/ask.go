package ui

import (
	"errors"
	"sync"

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
	m.dialog = dialog.NewPrompt(m.keys, "Reason", "why "+m.nameOf(it)+" is on the list, or not: it stands in the export beside the name; with no text there is none",
		"write it", m.markOf(it).Reason, reasonFor{it})
}

// askRule has the user write a rule that holds in later sessions, too. What nobody
// decided about is kept by it unless something else is typed; of a group, which it
// would open, nothing is said before the user does.
func (m *monitor) askRule() {
	d, name := capture.Keep, ""
	if it, ok := m.table.Selected(); ok && (it.IsDomain() || it.Group != "") {
		m.capture.Ledger.Read(func(r capture.Reader) {
			if it.Group != "" {
				d, name = r.Group(it.Group).Decision, "."+it.Group
				return
			}
			rec := r.Domain(it.ID)
			if name = rec.Name; r.Verdict(rec).Decision == capture.Drop {
				d = capture.Drop
			}
		})
	}
	prompt := dialog.NewPrompt(m.keys, "A rule for always", "it holds in later sessions, too: keep or drop, a name, .name for all below, or ~regexp; # and a reason", "add it", d.String()+" "+name, newRule{})
	if d == capture.New {
		prompt.Begin(" " + name)
	}
	m.dialog = prompt
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
		}, nil})
	case settingFor:
		return m.setSettingTo(m.dialog, to, a.Text)
	case newRule:
		file, d := m.rules, m.dialog
		return func() tea.Msg { return file.add(d, a.Text) }
	}
	return nil
}

type (
	// ruleAddedMsg says what became of a rule that was typed.
	ruleAddedMsg struct {
		of   dialog.Dialog // that it was typed into
		rule capture.UserRule
		err  error
	}
	// rulesChangedMsg says what became of a rule that was taken back, or added
	// again.
	rulesChangedMsg struct{ err error }
)

// rulesFile is the user's rules on disk, of which one change is made at a time.
type rulesFile struct {
	sync.Mutex
	ledger *capture.Ledger
	trial  bool // it stays as it is
}

var errTrial = errors.New("this is a trial, which leaves your rules and settings as they are: a session takes it")

// add adds a rule that was typed.
func (f *rulesFile) add(of dialog.Dialog, text string) ruleAddedMsg {
	msg := ruleAddedMsg{of: of}
	switch msg.rule, msg.err = capture.ParseRule(text); {
	case msg.err == nil && f.trial:
		msg.err = errTrial
	case msg.err == nil:
		msg.err = f.change(msg.rule, session.AppendRule)
	}
	return msg
}

// change changes the file by a rule and has the ledger follow it. A file that
// somebody broke meanwhile stays as it is.
func (f *rulesFile) change(r capture.UserRule, by func(capture.UserRule) error) error {
	f.Lock()
	defer f.Unlock()
	_, err := session.LoadRules()
	if err == nil {
		err = by(r)
	}
	if err != nil {
		return err
	}
	rules, err := session.LoadRules()
	if err == nil {
		f.ledger.SetRules(rules)
	}
	return err
}

// changeRules changes the user's file by a rule that was a step, if one was.
func (m *monitor) changeRules(r *capture.UserRule, by func(capture.UserRule) error) tea.Cmd {
	if r == nil {
		return nil
	}
	file := m.rules
	return func() tea.Msg { return rulesChangedMsg{file.change(*r, by)} }
}

// ruleAdded notes a rule as a step, behind those that aren't done yet.
func (m *monitor) ruleAdded(msg ruleAddedMsg) tea.Cmd {
	open := m.dialog != nil && m.dialog == msg.of
	asked, _ := msg.of.(interface{ Fail(error) })
	switch {
	case msg.err != nil && open && asked != nil:
		asked.Fail(msg.err)
		return nil
	case msg.err != nil:
		m.say(msg.err.Error())
		return nil
	case open:
		m.dialog = nil
	}
	return m.step(step{"adding a rule", false, func(l *capture.Ledger) (string, error) {
		l.Ruled(msg.rule)
		return "rule added: " + msg.rule.Says() + "; " + m.keys.Show("undo") + " takes it back", nil
	}, nil})
}

func (m *monitor) rulesChanged(msg rulesChangedMsg) tea.Cmd {
	if msg.err != nil {
		m.say(msg.err.Error())
	}
	m.table.Refresh(m.clock())
	return m.followed()
}
