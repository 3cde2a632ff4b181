package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/table"
)

// keyDecide handles the keys that decide about what is selected.
func (m *monitor) keyDecide(msg tea.KeyPressMsg) (done bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Keep):
		m.mark(capture.Keep)
	case key.Matches(msg, k.Drop):
		m.mark(capture.Drop)
	case key.Matches(msg, k.Clear):
		m.mark(capture.New)
	case key.Matches(msg, k.Toggle):
		m.toggle()
	case key.Matches(msg, k.KeepAll):
		m.decide(capture.Keep, m.table.Shown())
	case key.Matches(msg, k.DropAll):
		m.decide(capture.Drop, m.table.Shown())
	case key.Matches(msg, k.Widen):
		m.widen()
	case key.Matches(msg, k.Reason):
		m.askReason()
	case key.Matches(msg, k.NewRule):
		m.askRule()
	case key.Matches(msg, k.CopyName):
		return true, m.copyName()
	default:
		return false, nil
	}
	return true, nil
}

// mark decides about the range, the selected group or the selected domain.
func (m *monitor) mark(d capture.Decision) {
	if ids, ok := m.table.TakeRange(); ok {
		m.decide(d, ids)
		return
	}
	it, ok := m.table.Selected()
	switch {
	case !ok:
		m.say("no domain is selected: j and k move")
	case it.Group != "":
		m.told(m.capture.Ledger.DecideGroup(d, it.Group), nil)
	default:
		m.decide(d, []capture.ID{it.ID})
	}
}

func (m *monitor) decide(d capture.Decision, ids []capture.ID) {
	what, err := m.capture.Ledger.Decide(d, ids...)
	if d == capture.Drop && what != "" {
		what += m.overruled(ids)
	}
	m.told(what, err)
}

// overruled warns of those among the dropped names that a suffix rule allows
// all the same.
func (m *monitor) overruled(ids []capture.ID) string {
	var names []string
	m.capture.Ledger.Read(func(r capture.Reader) {
		for _, id := range ids {
			if r.Overruled(id) {
				names = append(names, r.Domain(id).Name)
			}
		}
	})
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; beware: a suffix rule allows %s all the same; %s on the domain takes it back", strings.Join(names, ", "), m.keys.Widen.Help().Key)
}

func (m *monitor) told(what string, err error) {
	switch {
	case err != nil:
		m.say(err.Error())
	case what == "":
		m.say("it is already so")
	default:
		m.say(what)
	}
	m.table.Refresh(m.now)
}

// toggle keeps what is dropped and drops what is not.
func (m *monitor) toggle() {
	to := capture.Drop
	if it, ok := m.table.Selected(); ok {
		m.capture.Ledger.Read(func(r capture.Reader) {
			now := capture.New
			if it.Group != "" {
				now = r.Group(it.Group).Decision
			} else {
				now = r.Verdict(r.Domain(it.ID)).Decision
			}
			if now == capture.Drop {
				to = capture.Keep
			}
		})
	}
	m.mark(to)
}

// widen keeps everything below the registrable domain of what is selected, as
// one suffix rule; a second time it takes that back.
func (m *monitor) widen() {
	it, ok := m.table.Selected()
	if !ok {
		m.say("no domain is selected: j and k move")
		return
	}
	name, wide := "", false
	m.capture.Ledger.Read(func(r capture.Reader) {
		if it.Group != "" {
			name = it.Group
		} else {
			name = table.Registrable(r.Domain(it.ID).Name)
		}
		wide = r.Group(name).Suffix
	})
	what, err := m.capture.Ledger.ToggleSuffix(name)
	if warning := (rule.Rule{Name: name, Suffix: true}).Warning(); !wide && err == nil && warning != "" {
		what += ": it " + warning
	}
	m.told(what, err)
}

func (m *monitor) did(verb, what, nothing string) {
	if what == "" {
		m.say(nothing)
		return
	}
	m.say(verb + what)
	m.table.Refresh(m.now)
}

// askReason has the user write why a domain or a group has its decision.
func (m *monitor) askReason() {
	it, ok := m.table.Selected()
	if !ok {
		m.say("no domain is selected: j and k move")
		return
	}
	var name string
	var now capture.Mark
	m.capture.Ledger.Read(func(r capture.Reader) {
		if it.Group != "" {
			name, now = it.Group, r.Group(it.Group)
		} else {
			name, now = r.Domain(it.ID).Name, r.Domain(it.ID).Mark
		}
	})
	m.ask("Reason", "why "+name+" is on the list, or not; it goes into the export", now.Reason, func(text string) error {
		now.Reason = text
		if it.Group != "" {
			m.told(m.capture.Ledger.MarkGroup(now, name), nil)
			return nil
		}
		m.told(m.capture.Ledger.Mark(now, it.ID))
		return nil
	})
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
	m.ask("A rule for always", "keep or drop, a name, .name or ~regexp, # and a reason", text, m.addRule)
}

func (m *monitor) addRule(text string) error {
	r, err := capture.ParseRule(text)
	if err != nil {
		return err
	}
	if err := session.AppendRule(r); err != nil {
		return err
	}
	rules, err := session.LoadRules()
	if err != nil {
		return err
	}
	m.capture.Ledger.SetRules(rules)
	m.table.Refresh(m.now)
	path, err := session.RulesPath()
	m.say("rule added: " + r.Decision.String() + " " + r.Pattern + "; it can be taken back in " + path)
	return err
}

// copyName puts the selected name into the terminal's clipboard.
func (m *monitor) copyName() tea.Cmd {
	it, ok := m.table.Selected()
	if !ok {
		m.say("no domain is selected: j and k move")
		return nil
	}
	var name string
	m.capture.Ledger.Read(func(r capture.Reader) {
		if name = r.Domain(it.ID).Name; it.Group != "" {
			name = it.Group
		}
	})
	m.say("copied " + name)
	return tea.SetClipboard(name)
}
