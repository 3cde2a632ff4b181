package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/table"
)

// mark decides about the range, the selected group or the selected domain.
func (m *monitor) mark(d capture.Decision) {
	if ids, ok := m.table.TakeRange(); ok {
		m.decide(d, ids)
		return
	}
	if it, _ := m.table.Selected(); it.Group != "" {
		m.told(m.capture.Ledger.DecideGroup(d, it.Group), nil)
	} else {
		m.decide(d, []capture.ID{it.ID})
	}
}

// markOf returns what a person said of a domain or a group.
func (m *monitor) markOf(it table.Selection) (mark capture.Mark) {
	m.capture.Ledger.Read(func(r capture.Reader) {
		if it.Group != "" {
			mark = r.Group(it.Group)
		} else {
			mark = r.Domain(it.ID).Mark
		}
	})
	return mark
}

// nameOf returns the name of a domain or a group.
func (m *monitor) nameOf(it table.Selection) (name string) {
	if it.Group != "" {
		return it.Group
	}
	m.capture.Ledger.Read(func(r capture.Reader) { name = r.Domain(it.ID).Name })
	return name
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
	return fmt.Sprintf("; beware: a suffix rule allows %s all the same; %s on the domain takes it back", strings.Join(names, ", "), m.keys.Show(rowWiden))
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
	it, _ := m.table.Selected()
	var now capture.Decision
	m.capture.Ledger.Read(func(r capture.Reader) {
		if it.Group != "" {
			now = r.Group(it.Group).Decision
		} else {
			now = r.Verdict(r.Domain(it.ID)).Decision
		}
	})
	if now == capture.Drop {
		m.mark(capture.Keep)
	} else {
		m.mark(capture.Drop)
	}
}

// widen keeps everything below the registrable domain of what is selected, as
// one suffix rule; a second time it takes that back.
func (m *monitor) widen() {
	it, _ := m.table.Selected()
	it.Group = table.Registrable(m.nameOf(it))
	wide := m.markOf(it).Suffix
	what, err := m.capture.Ledger.ToggleSuffix(it.Group)
	if warning := (rule.Rule{Name: it.Group, Suffix: true}).Warning(); !wide && err == nil && warning != "" {
		what += ": " + warning
	}
	m.told(what, err)
}

func (m *monitor) undo() tea.Cmd {
	r := m.capture.Ledger.NextRule(false)
	m.did("undid: ", m.capture.Ledger.Undo(), "nothing to undo")
	return m.changeRules(r, session.RemoveRule)
}

func (m *monitor) redo() tea.Cmd {
	r := m.capture.Ledger.NextRule(true)
	m.did("did again: ", m.capture.Ledger.Redo(), "nothing to redo")
	return m.changeRules(r, session.AppendRule)
}

func (m *monitor) did(verb, what, nothing string) {
	if what == "" {
		m.say(nothing)
		return
	}
	m.say(verb + what)
	m.table.Refresh(m.now)
}

// copyName puts the selected name into the terminal's clipboard.
func (m *monitor) copyName() tea.Cmd {
	it, _ := m.table.Selected()
	name := m.nameOf(it)
	m.say("copied " + name)
	return tea.SetClipboard(name)
}
