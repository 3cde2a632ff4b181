package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// opening is the phase between a choice and its capture: one attempt to open it.
type opening struct {
	*model
	choice Choice
	steps  []string // what was and is being done, the last one now
	done   float64  // of the last step: 0 to 1, below 0 where it is not known
	err    error
	cancel context.CancelFunc

	reports chan stepMsg
}

// Each message says of which attempt it is.
type (
	stepMsg struct {
		of    *opening
		doing string
		done  float64
	}
	openedMsg struct {
		of      *opening
		capture *Capture
		err     error
	}
	// answeredMsg says that what stood in the way of an attempt is gone.
	answeredMsg struct{ of *opening }
)

func newOpening(m *model, c Choice) *opening {
	return &opening{model: m, choice: c, done: -1, cancel: func() {}, reports: make(chan stepMsg, 16)}
}

// start tries to open the capture.
func (o *opening) start() tea.Cmd {
	ctx, cancel := context.WithCancel(o.ctx)
	o.cancel = cancel
	report := func(doing string, done float64) {
		select {
		case o.reports <- stepMsg{o, doing, done}:
		case <-ctx.Done():
		}
	}
	run := func() tea.Msg {
		defer close(o.reports)
		capture, err := o.opts.Backend.Open(ctx, o.choice, report)
		return openedMsg{o, capture, err}
	}
	return tea.Batch(run, o.awaitStep())
}

func (o *opening) awaitStep() tea.Cmd {
	return await(o.ctx, ledgerGap, o.reports, func(s stepMsg) tea.Msg { return s })
}

func (o *opening) cursor() *tea.Cursor { return nil }
func (o *opening) title() string       { return "" }

func (o *opening) leave() error {
	o.cancel()
	return nil
}

func (o *opening) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case stepMsg:
		if msg.of == o {
			o.step(msg.doing, msg.done)
			return o.awaitStep()
		}
	case openedMsg:
		switch {
		case msg.of != o:
		case msg.err != nil:
			o.err = msg.err
		default:
			return o.enter(newMonitor(o.model, msg.capture))
		}
	case answeredMsg:
		if msg.of == o {
			return o.again()
		}
	case tea.KeyPressMsg:
		return o.key(msg)
	}
	return nil
}

func (o *opening) step(doing string, done float64) {
	if n := len(o.steps); n == 0 || o.steps[n-1] != doing {
		o.steps = append(o.steps, doing)
	}
	o.done = done
}

// question returns what the user has to decide on, if that is why the attempt
// failed.
func (o *opening) question() (q Question, ok bool) {
	ok = errors.As(o.err, &q)
	return q, ok
}

// actions are what can be done now.
func (o *opening) actions() *keys.Table[*opening, tea.Cmd] {
	switch _, asked := o.question(); {
	case asked:
		return &o.tables.question
	case o.err != nil:
		return &o.tables.failed
	}
	return &o.tables.opening
}

func (o *opening) key(msg tea.KeyPressMsg) tea.Cmd {
	return o.actions().Press(o.keys, msg.String(), o).Of
}

func openingActions() keys.Table[*opening, tea.Cmd] {
	return keys.Table[*opening, tea.Cmd]{Context: "the opening", Actions: []keys.Action[*opening, tea.Cmd]{
		{Row: keys.Row{Name: rowCancel, Hint: "cancel"}, Do: (*opening).back},
		{Row: keys.Row{Name: "quit"}, Do: (*opening).back},
	}}
}

func failedActions() keys.Table[*opening, tea.Cmd] {
	return keys.Table[*opening, tea.Cmd]{Context: "the opening that failed", Actions: []keys.Action[*opening, tea.Cmd]{
		{Row: keys.Row{Name: "reload", Hint: "try again"}, Do: (*opening).again},
		{Row: keys.Row{Name: rowCancel, Hint: "back"}, Do: (*opening).back},
		{Row: keys.Row{Name: "quit"}, Do: (*opening).back},
	}}
}

func questionActions() keys.Table[*opening, tea.Cmd] {
	return keys.Table[*opening, tea.Cmd]{Context: "the question", Actions: []keys.Action[*opening, tea.Cmd]{
		{Row: keys.Row{Name: "yes", Hint: "yes"}, Do: (*opening).answer},
		{Row: keys.Row{Name: "no", Hint: "no, a new one"}, Has: needsAlternative, Do: (*opening).refuse},
		{Row: keys.Row{Name: "reload"}, Do: (*opening).again},
		{Row: keys.Row{Name: rowCancel, Hint: "back"}, Do: (*opening).back},
		{Row: keys.Row{Name: "quit"}, Do: (*opening).back},
	}}
}

func needsAlternative(o *opening) string {
	if q := Alternative(nil); errors.As(o.err, &q) {
		return ""
	}
	return "there is nothing to go on with but by yes"
}

// back ends the attempt: back to the list, where the choice came from there and
// failed, else out.
func (o *opening) back() tea.Cmd {
	o.cancel()
	if o.err != nil && o.opts.Choice == nil {
		return o.enter(&picker{model: o.model})
	}
	return tea.Quit
}

func (o *opening) again() tea.Cmd { return o.enter(newOpening(o.model, o.choice)) }

// answer does what the user agreed to and tries again.
func (o *opening) answer() tea.Cmd {
	q, _ := o.question()
	o.err = nil
	return func() tea.Msg {
		if err := q.Answer(o.ctx); err != nil {
			return openedMsg{of: o, err: err}
		}
		return answeredMsg{o}
	}
}

// refuse tries again without what the user refused.
func (o *opening) refuse() tea.Cmd {
	var q Alternative
	errors.As(o.err, &q)
	q.Refuse()
	return o.again()
}

func (o *opening) lines() []string { return o.frame(o.draw(), o.actions().Hints(o.keys, o)) }

func (o *opening) draw() []string {
	s := o.styles
	lines := []string{"", s.Strong.Render(" Opening " + o.choice.Instance), ""}
	for i, step := range o.steps {
		var l look.Line
		switch last := i == len(o.steps)-1; {
		case last && o.err != nil:
			l.Add(s.Bad, " ✗ ").Add(s.Text, step)
		case last:
			l.Add(s.Key, " ▸ ").Add(s.Text, step)
			o.bar(s, &l)
		default:
			l.Add(s.Good, " ✓ ").Add(s.Muted, step)
		}
		lines = append(lines, l.String())
	}
	if o.err == nil {
		return lines
	}
	lines = append(lines, "")
	var q Question
	if errors.As(o.err, &q) {
		return append(lines, look.Wrap(s.Warn, q.Question(), o.w-2)...)
	}
	return append(lines, look.Wrap(s.Bad, o.err.Error(), o.w-2)...)
}

// bar draws how far the step is.
func (o *opening) bar(s *look.Styles, l *look.Line) {
	if o.done < 0 {
		return
	}
	const cells = 24
	full := int(min(o.done, 1) * cells)
	l.Add(s.Key, "  "+strings.Repeat("━", full)).Add(s.Muted, strings.Repeat("─", cells-full)+fmt.Sprintf(" %d%%", int(o.done*100)))
}
