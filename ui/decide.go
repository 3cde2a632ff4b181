package ui

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// step is something done to the ledger that the user is told of.
type step struct {
	doing string // "dropping 12000 domains"
	many  bool   // it takes its time: it is done away from the event loop
	do    func(*capture.Ledger) (what string, err error)
	// then is what follows from it once it is done, nil for nothing. What it
	// returns ends with a rulesChangedMsg.
	then func() tea.Cmd
}

type steppedMsg struct {
	what string
	err  error
}

// manyDomains is how many domains are decided about within the event loop.
const manyDomains = 1000

// step does a step as soon as those before it are done.
func (m *monitor) step(s step) tea.Cmd {
	if m.steps = append(m.steps, s); len(m.steps) > 1 {
		return nil
	}
	return m.nextStep()
}

func (m *monitor) nextStep() tea.Cmd {
	if len(m.steps) == 0 {
		return nil
	}
	next, ledger := m.steps[0], m.capture.Ledger
	if next.many {
		m.say(next.doing + "…")
		return func() tea.Msg {
			what, err := next.do(ledger)
			return steppedMsg{what, err}
		}
	}
	what, err := next.do(ledger)
	return m.stepped(steppedMsg{what, err})
}

// stepped has what follows from a step that was done be done before the next.
func (m *monitor) stepped(msg steppedMsg) tea.Cmd {
	m.told(msg.what, msg.err)
	if then := m.steps[0].then; then != nil && msg.err == nil {
		if cmd := then(); cmd != nil {
			return cmd
		}
	}
	return m.followed()
}

// followed goes on behind a step of which all is done.
func (m *monitor) followed() tea.Cmd {
	m.steps = m.steps[1:]
	return m.nextStep()
}

func (m *monitor) told(what string, err error) {
	before, shown := m.table.Tally().Undecided(), m.table.Undecided()
	m.table.Refresh(m.clock())
	switch {
	case err != nil:
		m.say(err.Error())
	case what == "":
		m.say("it is already so")
	default:
		m.say(what + m.finishes(before, shown))
	}
	m.followSelection()
}

// large reports whether there are so many domains that a step which nobody
// knows the size of may take its time.
func (m *monitor) large() bool { return m.table.Tally().Total() > 20*manyDomains }

// judge says what to decide, once the steps before are done.
type judge func(*capture.Ledger) capture.Decision

// always judges without a look.
func always(d capture.Decision) judge {
	return func(*capture.Ledger) capture.Decision { return d }
}

var deciding = map[capture.Decision]string{capture.Keep: "keeping ", capture.Drop: "dropping ", capture.New: "unmarking "}

// mark decides about the range, the selected group or the selected domain; then
// is as a step has it.
func (m *monitor) mark(doing string, as judge, then func() tea.Cmd) tea.Cmd {
	if ids, ok := m.table.TakeRange(); ok {
		return m.decide(doing, as, ids, then)
	}
	it, _ := m.table.Selected()
	if it.Way != "" {
		at, _ := m.wayOf(it.Way).Endpoint()
		return m.step(step{doing + at.String(), false, func(l *capture.Ledger) (string, error) { return l.DecideAddress(as(l), at) }, then})
	}
	if it.Group == "" {
		return m.decide(doing, as, []capture.ID{it.ID}, then)
	}
	return m.step(step{"deciding about all of " + it.Group, m.large(), func(l *capture.Ledger) (string, error) {
		return l.DecideGroup(as(l), it.Group), nil
	}, then})
}

// markOn is mark, and goes on to what nobody has decided about.
func (m *monitor) markOn(d capture.Decision) tea.Cmd {
	if it, _ := m.table.Selected(); m.opts.Settings.Stay || it.Way != "" && !m.table.Ranging() {
		return m.mark(deciding[d], always(d), nil)
	}
	goOn := m.table.Ahead()
	return m.mark(deciding[d], always(d), func() tea.Cmd {
		goOn()
		m.followSelection()
		return nil
	})
}

// next goes to what nobody has decided about.
func (m *monitor) next(step int) {
	if !m.table.Next(step) {
		m.say("all that is shown is decided")
	}
}

func (m *monitor) decide(doing string, as judge, ids []capture.ID, then func() tea.Cmd) tea.Cmd {
	warn := "; beware: a suffix rule allows %s all the same; " + m.keys.Show(rowWiden) + " on the domain takes it back"
	return m.step(step{doing + look.Plural(len(ids), "domain"), len(ids) > manyDomains, func(l *capture.Ledger) (string, error) {
		d := as(l)
		what, err := l.Decide(d, ids...)
		if names := overruled(l, ids); d == capture.Drop && what != "" && len(names) > 0 {
			what += fmt.Sprintf(warn, look.Few(names))
		}
		return what, err
	}, then})
}

// overruled returns those among the domains that a person dropped and that a
// suffix rule allows all the same.
func overruled(l *capture.Ledger, ids []capture.ID) (names []string) {
	for part := range slices.Chunk(ids, manyDomains) {
		l.Read(func(r capture.Reader) {
			for _, id := range part {
				if r.Overruled(id) {
					names = append(names, r.Name(id))
				}
			}
		})
	}
	return names
}

// toggle keeps what is not kept, and drops what is: who points at what is new
// wants it first of all.
func (m *monitor) toggle() tea.Cmd {
	it, _ := m.table.Selected()
	return m.mark("toggling ", func(l *capture.Ledger) capture.Decision {
		var now capture.Decision
		l.Read(func(r capture.Reader) {
			if it.Group != "" {
				now = r.Group(it.Group).Decision
			} else {
				now = r.Verdict(r.Domain(it.ID)).Decision
			}
		})
		if now == capture.Keep {
			return capture.Drop
		}
		return capture.Keep
	}, nil)
}

// undo takes back the last decision, and a rule of the user's file with it.
func (m *monitor) undo() tea.Cmd {
	return m.move("undoing", false, session.RemoveRule, func(l *capture.Ledger) string { return did("undid: ", l.Undo(), "nothing to undo") })
}

func (m *monitor) redo() tea.Cmd {
	return m.move("doing again", true, session.AppendRule, func(l *capture.Ledger) string { return did("did again: ", l.Redo(), "nothing to redo") })
}

// move undoes or redoes. Only when its turn has come is it known whether that
// is about a rule, and only when it is done does the file follow.
func (m *monitor) move(doing string, redo bool, file func(capture.UserRule) error, do func(*capture.Ledger) string) tea.Cmd {
	var rule *capture.UserRule
	return m.step(step{doing, m.large(), func(l *capture.Ledger) (string, error) {
		rule = l.NextRule(redo)
		return do(l), nil
	}, func() tea.Cmd { return m.changeRules(rule, file) }})
}

func did(verb, what, nothing string) string {
	if what == "" {
		return nothing
	}
	return verb + what
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
	switch {
	case it.Group != "":
		return it.Group
	case it.Way != "":
		return table.WayText(m.wayOf(it.Way))
	}
	m.capture.Ledger.Read(func(r capture.Reader) { name = r.Name(it.ID) })
	return name
}

// droppedByRule returns why a rule dropped a name, "" where none did.
func (m *monitor) droppedByRule(name string) (reason string) {
	m.capture.Ledger.Read(func(r capture.Reader) {
		if id, ok := r.Lookup(name); ok {
			if v := r.Verdict(r.Domain(id)); table.ByRule(v) || v.Rule == capture.ByFile && v.Decision == capture.Drop {
				reason = cmp.Or(v.Reason, string(v.Rule))
			}
		}
	})
	return reason
}

// believe has NXDOMAIN drop names, or not: a filter says it of names that there
// are.
func (m *monitor) believe() tea.Cmd {
	return m.step(step{"deciding about NXDOMAIN", m.large(), func(l *capture.Ledger) (string, error) {
		doubted := false
		l.Read(func(r capture.Reader) { doubted = r.Filters() != "" })
		if doubted {
			l.SetTrust(capture.TrustIt)
			return "NXDOMAIN is believed: names that got nothing else are dropped", nil
		}
		l.SetTrust(capture.DoubtIt)
		return "NXDOMAIN is not believed: it drops no name", nil
	}, nil})
}

// copyName puts the selected name into the terminal's clipboard.
func (m *monitor) copyName() tea.Cmd {
	it, _ := m.table.Selected()
	name := m.nameOf(it)
	return copies(m.ctx, name, name)
}
