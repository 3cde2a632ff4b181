package ui

import (
	"context"
	"fmt"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/dialog"
)

// stage is how far the enforcing of a list is.
type stage uint8

const (
	stageOff stage = iota
	stageStarting
	stageProving  // it is in force, and not known to be yet
	stageProven   // what it refuses was tried, and was refused
	stageUnproven // and was not
	stageEnding
)

// enforcing is a list that is in force, and what came of the last that was.
type enforcing struct {
	stage stage
	level verify.Level
	of    *Enforcement // nil while none is in force

	// last is the query that was refused last, until when it is said beside
	// the shell.
	last      verify.Query
	lastUntil time.Time
	// packets are the latest of the places that packets were refused to.
	packets []verify.PacketState
	places  int

	// report is what came of the last one, nil before the first has ended.
	report  *verify.Report
	summary dialog.Summary

	cancel context.CancelFunc // of what begins
	busy   sync.WaitGroup     // what changes the host
}

type (
	enforcedMsg struct {
		of  *Enforcement
		err error
	}
	provenMsg struct {
		of     *Enforcement
		proven bool
		why    string
	}
	// enforcementMsg says that something happened under an enforcement.
	enforcementMsg struct {
		of      *Enforcement
		packets []verify.PacketState
		places  int
	}
	// outOfForceMsg says that a list is out of force, whoever did that.
	outOfForceMsg struct{ of *Enforcement }
	endedMsg      struct {
		of      *Enforcement
		report  verify.Report
		summary dialog.Summary
		err     error
	}
)

// policy returns that of the list that is in force, nil while none is.
func (e *enforcing) policy() *verify.Policy {
	if e.of == nil {
		return nil
	}
	return e.of.Policy
}

// work does what changes the host; quitting waits for it, so that it begins
// whether or not the program still runs commands.
func (e *enforcing) work(do func() tea.Msg) tea.Cmd {
	done := make(chan tea.Msg, 1)
	var told tea.Msg
	e.busy.Go(crash.Guarded("a change of what is in force", func() { told = do() }, func() { done <- told }))
	return func() tea.Msg { return <-done }
}

// leave returns when nothing of it changes the host any more. What is in force
// then is the capture's to end.
func (e *enforcing) leave() {
	if e.cancel != nil {
		e.cancel()
	}
	e.busy.Wait()
}

// What a choice is about.
type (
	verifyChoice struct{}
	grantFor     struct{ name string }
)

// verify asks how the list is to be enforced, or ends that.
func (m *monitor) verify() tea.Cmd {
	switch m.enforcing.stage {
	case stageOff:
		m.askVerify()
	case stageStarting:
		m.say(m.enforcing.words().starting)
	case stageEnding:
		m.say(m.enforcing.words().ending)
	default:
		return m.relax()
	}
	return nil
}

func (m *monitor) askVerify() {
	t := m.table.Tally()
	list := fmt.Sprintf("this list of %d new and %d kept domains", t.New, t.Keep)
	inForce := "T" + list[1:] + " is put in force for " + m.subject() + ", and nobody else on the bridge. "
	if t.New+t.Keep == 0 {
		inForce = "No domain is kept or new: but for what suffix rules allow, everything is refused. " + inForce
	}
	refuses := fmt.Sprintf(" Use the application again. What else it asks for is refused and arrives here at once; %s allows it. ", m.keys.Show("keep"))
	ends := fmt.Sprintf("Connections that are open are reset, dnsmasq isn't restarted. %s ends it and reports.", m.keys.Show(rowVerify))
	options := []dialog.Option{ // in the order of the levels
		{Name: "names", Says: "names outside of the list don't resolve, whichever resolver is asked",
			Text: inForce + "Other names have no answer." + refuses + ends},
		{Name: "names and packets", Says: "nor does a packet leave that goes elsewhere than to an allowed name's addresses, or to one that is kept itself: no other bare addresses, no DNS over HTTPS or TLS",
			Text: inForce + "It reaches nothing else." + refuses + ends},
		{Name: "learn", Says: "nothing is refused: what the list would block is marked and reported",
			Text: "Nothing is refused: what " + m.subject() + " asks for is held against " + list + ". Use the application again. " +
				fmt.Sprintf("What the list would block is marked, and stands on top for %s or %s. ", m.keys.Show("keep"), m.keys.Show("drop")) + ends},
	}
	if r := m.enforcing.report; r != nil {
		at := r.Ended.Format("15:04")
		options = append(options, dialog.Option{Name: "the last report", Says: "look at it again: " + r.Headline() + ", " + at,
			Text: "Nothing begins: what came of it when that ended at " + at + " is shown again, and can be written to a file."})
	}
	m.dialog = dialog.NewChoice(m.keys, "Enforce the list", "", options, verifyChoice{})
}

// subject names whom the capture is about.
func (m *monitor) subject() (name string) {
	m.capture.Ledger.Read(func(r capture.Reader) { name = r.Info().Instance })
	if name == "" {
		name = m.capture.Title
	}
	return name
}

// chosen does what was chosen.
func (m *monitor) chosen(c dialog.Chosen) tea.Cmd {
	m.dialog = nil
	switch to := c.To.(type) {
	case verifyChoice:
		if level := verify.Level(c.At); level <= verify.Learn {
			return m.enforce(level)
		}
		m.openReport()
	case filterChoice:
		return m.useFilter(c.At)
	case grantFor:
		m.grant(to.name, c.At)
	case settingFor:
		return m.chooseSetting(to, c.At)
	}
	return nil
}

// enforce puts the list in force.
func (m *monitor) enforce(level verify.Level) tea.Cmd {
	e := &m.enforcing
	if e.stage != stageOff {
		return nil
	}
	e.stage, e.level = stageStarting, level
	m.say(e.words().starting)
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(m.ctx)
	enforce := m.capture.Enforce
	return e.work(func() tea.Msg {
		of, err := enforce(ctx, level)
		return enforcedMsg{of, err}
	})
}

func (m *monitor) updateEnforcing(msg tea.Msg) tea.Cmd {
	e := &m.enforcing
	switch msg := msg.(type) {
	case enforcedMsg:
		return m.enforced(msg)
	case provenMsg:
		if msg.of == e.of && (e.stage == stageProving || e.stage == stageProven) {
			m.proved(msg)
		}
	case enforcementMsg:
		if msg.of == e.of {
			e.packets, e.places = msg.packets, msg.places
			m.followRefused()
			if e.packetLines(m.layout.table.h+m.layout.packets.h) != m.layout.packets.h {
				return tea.Batch(m.awaitEnforcement(), m.arrange())
			}
			return m.awaitEnforcement()
		}
	case outOfForceMsg:
		if msg.of == e.of && e.stage != stageEnding {
			m.say(e.words().over)
			return m.outOfForce()
		}
	case endedMsg:
		return m.ended(msg)
	case wroteReportMsg:
		m.wroteReport(msg)
	}
	return nil
}

func (m *monitor) enforced(msg enforcedMsg) tea.Cmd {
	e := &m.enforcing
	if msg.err != nil {
		e.stage = stageOff
		m.say(msg.err.Error())
		return nil
	}
	e.stage, e.of = stageProving, msg.of
	e.last, e.lastUntil, e.packets, e.places = verify.Query{}, time.Time{}, nil, 0
	m.table.Enforce(msg.of.Policy)
	m.say(e.words().inForce + ": use the application again")
	if m.focus == onShell {
		m.table.Rest()
	}
	ctx, of := m.ctx, msg.of
	prove := func() tea.Msg {
		p := provenMsg{of: of, proven: of.Prove(ctx)}
		if !p.proven {
			p.why = whyUnproven(of.Report())
		}
		return p
	}
	out := func() tea.Msg {
		select {
		case <-of.Done:
			return outOfForceMsg{of}
		case <-ctx.Done():
			return nil
		}
	}
	fallen := func() tea.Msg {
		select {
		case <-of.Fallen:
			return provenMsg{of: of, why: whyUnproven(of.Report())}
		case <-of.Done:
		case <-ctx.Done():
		}
		return nil
	}
	return tea.Batch(prove, out, fallen, m.awaitEnforcement())
}

// whyUnproven says what was tried last in vain.
func whyUnproven(r verify.Report) string {
	for i := len(r.Proofs) - 1; i >= 0; i-- {
		if p := r.Proofs[i]; !p.Proven {
			return fmt.Sprintf("tried %s: %s", p.Tried, p.Why)
		}
	}
	return "nothing was tried"
}

func (m *monitor) proved(msg provenMsg) {
	if msg.proven {
		m.enforcing.stage = stageProven
		m.say("proven: " + m.enforcing.words().proven)
		return
	}
	m.enforcing.stage = stageUnproven
	m.say("that " + m.enforcing.words().claim + " is not proven: " + msg.why)
}

// packetsShown is how many places of refused packets are shown beside the
// table.
const packetsShown = 3

// enforcementGap is the least time between two looks at what happened under an
// enforcement; a name that was refused comes by the ledger, sooner.
const enforcementGap = 50 * time.Millisecond

func (m *monitor) awaitEnforcement() tea.Cmd {
	of := m.enforcing.of
	return await(m.ctx, enforcementGap, of.Wake, func(struct{}) tea.Msg {
		msg := enforcementMsg{of: of}
		msg.packets, msg.places = of.Packets.Latest(packetsShown)
		return msg
	})
}

// blockedLife is how long a refused name is said beside the shell.
const blockedLife = 8 * time.Second

// followRefused follows what was refused last, and how rows stand.
func (m *monitor) followRefused() {
	e := &m.enforcing
	if e.of == nil {
		return
	}
	m.table.Restyle()
	if q := e.of.Policy.Last(); q.Name != "" && q != e.last {
		e.last, e.lastUntil = q, m.now.Add(blockedLife)
	}
}

// refusedLately returns the query that was refused last, while that is news and
// nobody decided about its name.
func (m *monitor) refusedLately() (q verify.Query, news bool) {
	e := &m.enforcing
	if e.of == nil || !m.now.Before(e.lastUntil) {
		return q, false
	}
	_, listed := e.of.Policy.Rule(e.last.Name)
	_, _, granted := e.of.Policy.Granted(e.last.Name, m.now)
	return e.last, !listed && !granted
}

// relax takes the list out of force and makes the report.
func (m *monitor) relax() tea.Cmd {
	e := &m.enforcing
	e.stage = stageEnding
	m.say("trying once more whether " + e.words().claim + ", and ending it…")
	ctx, of := context.WithoutCancel(m.ctx), e.of
	return e.work(func() tea.Msg {
		msg := endedMsg{of: of, err: of.Stop(ctx)}
		msg.report = of.Report()
		msg.summary = dialog.Summarise(&msg.report)
		return msg
	})
}

// outOfForce goes back to learning.
func (m *monitor) outOfForce() tea.Cmd {
	e := &m.enforcing
	e.stage, e.of, e.packets, e.places = stageOff, nil, nil, 0
	m.table.Enforce(nil)
	m.followSelection()
	return m.arrange()
}

func (m *monitor) ended(msg endedMsg) tea.Cmd {
	e := &m.enforcing
	if msg.of != e.of {
		return nil
	}
	r := msg.report
	e.report, e.summary = &r, msg.summary
	m.capture.Ledger.Verified(r.Result())
	cmd := m.outOfForce()
	said := string(r.Verdict)
	if msg.err != nil {
		said = msg.err.Error()
	}
	// Over what somebody types into, a report would take what is meant for that.
	if m.dialog != nil || m.focus == onShell || m.table.Editing() {
		m.say(fmt.Sprintf("%s; %s in the table shows the report", said, m.keys.Show(rowVerify)))
		return tea.Batch(cmd, m.ledgerChanged())
	}
	if msg.err != nil {
		m.say(said)
	}
	m.openReport()
	return cmd
}
