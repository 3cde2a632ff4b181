package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/table"
)

// focus says which pane takes the keys.
type focus int

const (
	onTable focus = iota
	onShell
)

// monitor is the phase in which a capture is looked at and pruned.
type monitor struct {
	*model
	capture *Capture
	table   *table.Table
	shell   *shellPane
	layout  layout
	// hints are those for who is new here, see hintLines.
	hints  newcomer
	headed string   // the sentence that the header has whole, "" for none
	docked []string // the details as they are drawn, nil for not yet
	group  groupFacts
	zoom   zoom
	focus  focus
	dialog dialog.Dialog // nil while none is open
	export exportSettings
	rules  *rulesFile

	enforcing enforcing
	replay    *replay // nil while nothing is

	begun   time.Time
	unheard string // why no query may have been heard; "" while nobody wondered

	dragging bool // the divider, with the mouse
	clicked  click
	pace     pace
	steps    []step // decisions that are being made, in their order
}

// newMonitor shows a capture; the focus is on its shell, if it has one.
func newMonitor(m *model, c *Capture) *monitor {
	var again *replay
	now := m.now
	if c.Player != nil {
		again = newReplay(m.ctx, c.Player, c.Speed)
		c.Ledger, now = c.Player.To(again.at), again.at
	}
	t := table.New(c.Ledger)
	t.HideDrops(m.prefs.HideDrops)
	t.Refresh(now)
	if m.prefs.Grouped {
		t.Group(true)
	}
	v := &monitor{model: m, capture: c, table: t, replay: again, shell: &shellPane{ctx: m.ctx, open: c.Shell}}
	v.rules = &rulesFile{ledger: c.Ledger, trial: m.opts.Trial}
	v.begun = m.now
	v.export = beginExport(m.opts, c.Ledger)
	if v.shell.exists() {
		v.focus = onShell
	}
	v.tableChanged()
	return v
}

func (m *monitor) start() tea.Cmd {
	cmds := []tea.Cmd{m.awaitLedger(0), m.awaitNotice(), m.arrange(), m.table.Work()}
	if m.replay != nil {
		cmds = append(cmds, m.replay.tick())
	}
	if m.shell.exists() {
		cmds = append(cmds, m.shell.start(m.focus == onShell))
	}
	return tea.Batch(cmds...)
}

func (m *monitor) title() string { return m.capture.Title }

// leave ends the shell and remembers how the screen stood.
func (m *monitor) leave() error {
	m.shell.hangUp()
	m.enforcing.leave()
	m.prefs.Grouped, m.prefs.HideDrops = m.table.Grouped(), m.table.DropsHidden()
	if m.opts.Trial {
		return nil
	}
	return m.prefs.save()
}

func (m *monitor) update(msg tea.Msg) tea.Cmd {
	if _, shell := msg.(screenMsg); !shell {
		m.docked = nil
	}
	open, whole, said := m.dialog != nil, m.whole() != nil, len(m.messages)
	cmd := m.handle(msg)
	if whole != (m.whole() != nil) {
		cmd = tea.Batch(cmd, m.arrange())
	}
	if !open && m.dialog != nil {
		m.messages.Read(said) // they were about what the dialog stands over now
	}
	return tea.Batch(cmd, m.table.Work(), m.lookAtGroup())
}

func (m *monitor) handle(msg tea.Msg) tea.Cmd {
	if m.table.Take(msg) {
		m.tableChanged()
		return nil
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		cmd := m.arrange()
		m.wake()
		return cmd
	case tea.BackgroundColorMsg, tea.ColorProfileMsg, tea.EnvMsg:
		m.table.Restyle()
	case tickMsg:
		m.table.Tick(m.clock())
		m.pace.tick(m.clock(), m.capture.Ledger, m.table.Tally().Total())
		m.hints.tick(m)
		m.wake()
		return m.wonder()
	case unheardMsg:
		m.unheard = string(msg)
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		return m.paste(msg)
	case tea.MouseMsg:
		return m.mouse(msg)
	case noticeMsg:
		m.say(string(msg))
		return m.awaitNotice()
	case ledgerMsg:
		gap := ledgerGap
		if m.capture.Ledger.Pending() > many {
			gap = floodGap
		}
		now := time.Now()
		if m.replay != nil {
			now = m.replay.at
		}
		m.table.Refresh(now)
		m.groupChanged()
		m.tableChanged()
		m.followRefused()
		return tea.Batch(m.awaitLedger(gap), m.ledgerChanged())
	case enforcedMsg, provenMsg, enforcementMsg, outOfForceMsg, endedMsg, wroteReportMsg:
		return m.updateEnforcing(msg)
	case shellOpenedMsg, shellEndedMsg, screenMsg:
		news, cmd := m.shell.update(msg)
		m.takeEntered()
		if news != "" {
			m.say(news)
		}
		return cmd
	case madeMsg, wroteMsg, copiedMsg, noteMsg:
		return m.updateExport(msg)
	case lookedUpMsg:
		if d, ok := m.dialog.(*dialog.Palette); ok && d == msg.of {
			d.Add(msg.items, "")
		}
	case settingSetMsg:
		if said := m.settingSet(msg, &m.dialog); said != "" {
			m.say(said)
		}
		m.table.Restyle()
		if msg.err == nil && msg.name == "format" {
			m.export.format = msg.settings.Format
		}
	case groupSeenMsg:
		m.groupSeen(msg)
	case weighedMsg:
		m.weighed(msg)
	case courseMsg:
		msg.of.Counted(msg.course)
	case replayTickMsg:
		return m.ticks(msg)
	case playedMsg:
		return m.played(msg)
	case ruleAddedMsg:
		return m.ruleAdded(msg)
	case steppedMsg:
		return m.stepped(msg)
	case rulesChangedMsg:
		return m.rulesChanged(msg)
	}
	return nil
}

// tableChanged follows rows that came, moved or went.
func (m *monitor) tableChanged() {
	m.followSelection()
	m.wake()
}

// wake selects a row where the table has the focus from the beginning, once it is
// known which are in view, and nothing newer comes: a log is read from its oldest
// line on.
func (m *monitor) wake() {
	if m.h > 0 && !m.shell.exists() && !m.capture.Live && !m.reading() && m.capture.Ledger.Pending() == 0 {
		m.table.Wake()
	}
}

// reading reports whether what there is, is still being read.
func (m *monitor) reading() bool { return m.capture.Progress != nil && m.capture.Progress() < 1 }

// patience is how long nothing may be heard before the reason is looked for.
const patience = 30 * time.Second

// wonder finds out, once, why nothing was heard for a while.
func (m *monitor) wonder() tea.Cmd {
	if m.capture.Unheard == nil || m.unheard != "" || m.table.Tally().Total() > 0 || m.now.Sub(m.begun) < patience {
		return nil
	}
	m.unheard = "looking for the reason"
	ctx, unheard := m.ctx, m.capture.Unheard
	return func() tea.Msg { return unheardMsg(unheard(ctx)) }
}

// repair has queries logged again.
func (m *monitor) repair() tea.Cmd {
	ctx, repair := m.ctx, m.capture.Repair
	return func() tea.Msg {
		if err := repair(ctx); err != nil {
			return noteMsg("queries are still not logged: " + err.Error())
		}
		return noteMsg("queries are logged again")
	}
}

type (
	ledgerMsg  struct{}
	noticeMsg  string
	unheardMsg string
)

// awaitLedger waits for the ledger to change, after a gap.
func (m *monitor) awaitLedger(gap time.Duration) tea.Cmd {
	ctx := m.ctx
	if m.replay != nil {
		ctx = m.replay.ledger
	}
	return await(ctx, gap, m.capture.Ledger.Wake(), func(struct{}) tea.Msg { return ledgerMsg{} })
}

func (m *monitor) awaitNotice() tea.Cmd {
	return await(m.ctx, ledgerGap, m.capture.Notices, func(s string) tea.Msg { return noticeMsg(s) })
}
