package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// opening is the phase between a choice and its capture: one attempt to open it.
type opening struct {
	*model
	choice Choice
	steps  []openingStep // what was and is being done, the last one now
	err    error
	top    int // the first line of the error that is seen
	cancel context.CancelFunc

	reports chan stepMsg
}

// openingStep is one thing that is done, with a bar where it is known how far.
type openingStep struct {
	doing string
	done  float64 // 0 to 1, below 0 where it is not known
	begun time.Time
	took  time.Duration // once the next one has begun
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
	return &opening{model: m, choice: c, cancel: func() {}, reports: make(chan stepMsg, 16)}
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

// leave says what has failed, once more, and has the program end with it: on
// the screen it is gone. What waits for an answer has not failed.
func (o *opening) leave() error {
	o.cancel()
	if o.asked() {
		return nil
	}
	return o.err
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
			o.failed = nil
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

// step takes up how far the attempt is. What is told of a step that was left
// behind is late: reports of a launch come in no order.
func (o *opening) step(doing string, done float64) {
	for i, s := range o.steps {
		if s.doing == doing {
			o.steps[i].done = max(s.done, done)
			return
		}
	}
	if n := len(o.steps); n > 0 {
		o.steps[n-1].took = o.now.Sub(o.steps[n-1].begun)
	}
	o.steps = append(o.steps, openingStep{doing: doing, done: done, begun: o.now})
}

// question returns what the user has to decide on, if that is why the attempt
// failed.
func (o *opening) question() (q Question, ok bool) {
	ok = errors.As(o.err, &q)
	return q, ok
}

func (o *opening) asked() bool {
	_, asked := o.question()
	return asked
}

// actions are what can be done now.
func (o *opening) actions() *keys.Table[*opening, tea.Cmd] {
	switch {
	case o.asked():
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
		{Row: keys.Row{Name: rowSuspend}, Can: needsJobs[*opening], Do: suspends[*opening]},
		{Row: keys.Row{Name: "quit"}, Do: (*opening).back},
	}}
}

func failedActions() keys.Table[*opening, tea.Cmd] {
	return keys.Table[*opening, tea.Cmd]{Context: "the opening that failed", Actions: []keys.Action[*opening, tea.Cmd]{
		{Row: keys.Row{Name: rowDown, Hint: "read on"}, Can: (*opening).cut, Do: scrolls(1)},
		{Row: keys.Row{Name: "reload", Hint: "try again"}, Do: (*opening).again},
		{Row: keys.Row{Name: rowUp}, Do: scrolls(-1)},
		{Row: keys.Row{Name: rowCancel, Hint: "back"}, Do: (*opening).back},
		{Row: keys.Row{Name: rowSuspend}, Can: needsJobs[*opening], Do: suspends[*opening]},
		{Row: keys.Row{Name: "quit", Hint: "quit"}, Do: func(*opening) tea.Cmd { return tea.Quit }},
	}}
}

func questionActions() keys.Table[*opening, tea.Cmd] {
	return keys.Table[*opening, tea.Cmd]{Context: "the question", Actions: []keys.Action[*opening, tea.Cmd]{
		{Row: keys.Row{Name: "yes", Hint: "yes"}, Do: (*opening).answer},
		{Row: keys.Row{Name: "no", Hint: "no, a new one"}, Has: needsAlternative, Do: (*opening).refuse},
		{Row: keys.Row{Name: "reload"}, Do: (*opening).again},
		{Row: keys.Row{Name: rowCancel, Hint: "leave it"}, Do: (*opening).back},
		{Row: keys.Row{Name: rowSuspend}, Can: needsJobs[*opening], Do: suspends[*opening]},
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
		if o.leave() != nil {
			o.failed = o.err
		}
		return o.enter(newPicker(o.model))
	}
	return tea.Quit
}

func scrolls(lines int) func(*opening) tea.Cmd {
	return func(o *opening) tea.Cmd {
		o.top = max(0, min(o.top+lines, len(o.says())-o.room()))
		return nil
	}
}

// cut says why there is nothing to scroll to.
func (o *opening) cut() string {
	if o.top+o.room() < len(o.says()) {
		return ""
	}
	return "all of it is seen"
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

// room is how many lines there are between the title and the footer.
func (o *opening) room() int { return o.h - 2 - openingChrome }

// openingChrome is how many lines the title takes.
const openingChrome = 3

// says is why it failed, or what is asked, in lines.
func (o *opening) says() []string {
	if q, asked := o.question(); asked {
		return look.Wrap(o.styles.Warn, q.Question(), o.w-2)
	} else if o.err != nil {
		return look.Wrap(o.styles.Bad, o.err.Error(), o.w-2)
	}
	return nil
}

// draw shows what failed before anything else: steps that have no room are
// counted.
func (o *opening) draw() []string {
	s, room := o.styles, o.room()
	lines := []string{"", s.Strong.Render(" Opening " + o.choice.name()), ""}
	says := o.says()
	says = says[o.top:min(len(says), o.top+room)]
	left := room - len(says)
	gap := len(says) > 0 && left > 1 // the step that failed goes before it
	if gap {
		left--
	}
	first := max(0, len(o.steps)-left)
	if first > 0 && left > 1 {
		first++
		lines = append(lines, s.Muted.Render(fmt.Sprintf(" ✓ %s before", look.Plural(first, "step"))))
	}
	for i := first; i < len(o.steps); i++ {
		lines = append(lines, o.drawStep(s, o.steps[i], i == len(o.steps)-1))
	}
	if gap {
		lines = append(lines, "")
	}
	return append(lines, says...)
}

func (o *opening) drawStep(s *look.Styles, step openingStep, last bool) string {
	var l look.Line
	took := step.took
	switch {
	case last && o.asked():
		l.Add(s.Warn, " ? ").Add(s.Text, step.doing)
	case last && o.err != nil:
		l.Add(s.Bad, " ✗ ").Add(s.Text, step.doing)
	case last:
		l.Add(s.Key, " ▸ ").Add(s.Text, step.doing)
		step.bar(s, &l, o.w)
		took = o.now.Sub(step.begun)
	default:
		l.Add(s.Good, " ✓ ").Add(s.Muted, step.doing)
	}
	if took >= time.Second {
		l.Add(s.Muted, "  "+look.Age(took))
	}
	return l.String()
}

// bar draws how far the step is, on a line of w cells; how long it takes goes
// behind it. The words give way before the number does.
func (step openingStep) bar(s *look.Styles, l *look.Line, w int) {
	if step.done < 0 {
		return
	}
	const most, least, behind = 24, 8, len("  100%") + len("  59m")
	cells := max(least, min(most, w-l.Width()-2-behind))
	if room := w - cells - 2 - behind; l.Width() > room {
		*l = *new(look.Line).Raw(l.Cut(room))
	}
	full := int(min(step.done, 1) * float64(cells))
	l.Add(s.Key, "  "+strings.Repeat("━", full)).Add(s.Muted, strings.Repeat("─", cells-full)+fmt.Sprintf(" %d%%", int(min(step.done, 1)*100)))
}
