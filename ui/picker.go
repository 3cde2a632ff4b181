package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/ui/look"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// picker lists the instances to choose from.
type picker struct {
	loading bool
	choices []Choice
	err     error
	cursor  int
	said    string // why the choice can't be taken
}

type choicesMsg struct {
	choices []Choice
	err     error
}

func (m *model) loadChoices() tea.Cmd {
	return func() tea.Msg {
		choices, err := m.opts.Backend.Choices(m.ctx)
		return choicesMsg{choices, err}
	}
}

// loaded takes up the list; the first one that can be chosen is selected.
func (p *picker) loaded(msg choicesMsg) {
	p.loading, p.choices, p.err = false, msg.choices, msg.err
	p.cursor = 0
	for i, c := range p.choices {
		if c.Problem == "" {
			p.cursor = i
			break
		}
	}
}

func (p *picker) key(m *model, msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	p.said = ""
	switch {
	case key.Matches(msg, k.Quit, k.Cancel):
		return tea.Quit
	case key.Matches(msg, k.Up):
		p.cursor--
	case key.Matches(msg, k.Down):
		p.cursor++
	case key.Matches(msg, k.Top):
		p.cursor = 0
	case key.Matches(msg, k.Bottom):
		p.cursor = len(p.choices) - 1
	case key.Matches(msg, k.Reload):
		p.loading = true
		return m.loadChoices()
	case key.Matches(msg, k.Accept) && len(p.choices) > 0:
		c := p.choices[p.cursor]
		if c.Problem != "" {
			p.said = c.Instance + " can't be watched: " + c.Problem
			return nil
		}
		return m.open(c)
	}
	p.cursor = max(0, min(p.cursor, len(p.choices)-1))
	return nil
}

func (p *picker) hints(k *keyMap) []key.Binding {
	return []key.Binding{k.Up, k.Down, relabel(k.Accept, "watch it"), relabel(k.Reload, "read again"), k.Quit}
}

func (p *picker) draw(m *model) []string {
	s := m.styles
	var l look.Line
	lines := []string{"", l.Add(s.Strong, " Which instance?").Add(s.Muted, "  its bridge logs DNS queries until you quit").String(), ""}
	switch {
	case p.loading:
		return append(lines, s.Muted.Render(" asking LXD…"))
	case p.err != nil:
		return append(lines, look.Wrap(s.Bad, p.err.Error(), m.w-2)...)
	case len(p.choices) == 0:
		return append(lines, look.Wrap(s.Text, "There is no instance yet. `lxd-allowlist --launch ubuntu:24.04` makes one that is removed at the end.", m.w-2)...)
	}
	name, network := len("instance"), len("network")
	for _, c := range p.choices {
		name, network = max(name, len(c.Instance)), max(network, len(c.Network))
	}
	name, network = min(name, 30), min(network, 20)
	var head look.Line
	head.Pad(2).Cell(s.Muted, "instance", name, false).Pad(name+4).Cell(s.Muted, "state", 9, false).
		Pad(name+15).Cell(s.Muted, "network", network, false)
	lines = append(lines, head.String())
	room := m.h - 2 - len(lines) - 2
	first := max(0, p.cursor-room+1)
	for i := first; i < len(p.choices) && i < first+room; i++ {
		lines = append(lines, p.drawChoice(s, p.choices[i], i == p.cursor, name, network, m.w))
	}
	if p.said != "" {
		lines = append(lines, "", s.Warn.Render(" "+p.said))
	}
	return lines
}

func (p *picker) drawChoice(s *look.Styles, c Choice, selected bool, name, network, w int) string {
	var l look.Line
	style, state := s.Strong, s.Good
	if c.Problem != "" {
		style = s.Muted
	}
	if c.Status != "Running" {
		state = s.Muted
	}
	if selected {
		l.Add(s.Key, "▌")
		l.Select(s)
	}
	l.Pad(2).Cell(style, c.Instance, name, false).Pad(name+4).Cell(state, strings.ToLower(c.Status), 9, false).
		Pad(name+15).Cell(s.Text, c.Network, network, false).Pad(name + network + 17)
	switch {
	case c.Problem != "":
		l.Add(s.Warn, c.Problem)
	case c.Stopped:
		l.Add(s.Muted, "enter starts it")
	}
	return l.Pad(w).Cut(w)
}

// opening is the time between a choice and its capture.
type opening struct {
	choice  Choice
	steps   []string // what was and is being done, the last one now
	done    float64  // of the last step: 0 to 1, below 0 where it is not known
	err     error
	cancel  context.CancelFunc
	reports chan stepMsg
}

type (
	stepMsg struct {
		doing string
		done  float64
	}
	openedMsg struct {
		capture *Capture
		err     error
	}
)

// open begins the capture on an instance.
func (m *model) open(c Choice) tea.Cmd {
	ctx, cancel := context.WithCancel(m.ctx)
	o := &opening{choice: c, done: -1, cancel: cancel, reports: make(chan stepMsg, 16)}
	m.picker, m.opening = nil, o
	report := func(doing string, done float64) {
		select {
		case o.reports <- stepMsg{doing, done}:
		case <-ctx.Done():
		}
	}
	run := func() tea.Msg {
		defer close(o.reports)
		capture, err := m.opts.Backend.Open(ctx, c, report)
		return openedMsg{capture, err}
	}
	return tea.Batch(run, o.await(m))
}

func (o *opening) await(m *model) tea.Cmd {
	return await(m.ctx, ledgerGap, o.reports, func(s stepMsg) tea.Msg { return s })
}

func (m *model) updateOpening(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case choicesMsg:
		if m.picker != nil {
			m.picker.loaded(msg)
		}
	case stepMsg:
		if m.opening != nil {
			m.opening.step(msg)
			return m.opening.await(m)
		}
	case openedMsg:
		if msg.err == nil {
			return m.begin(msg.capture)
		}
		if m.opening != nil {
			m.opening.err = msg.err
		}
	}
	return nil
}

func (o *opening) step(msg stepMsg) {
	if n := len(o.steps); n == 0 || o.steps[n-1] != msg.doing {
		o.steps = append(o.steps, msg.doing)
	}
	o.done = msg.done
}

// keyBefore handles keys while there is no capture yet.
func (m *model) keyBefore(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case m.picker != nil:
		return m.picker.key(m, msg)
	case m.opening != nil:
		return m.opening.key(m, msg)
	case key.Matches(msg, m.keys.Quit):
		return tea.Quit
	}
	return nil
}

func (o *opening) key(m *model, msg tea.KeyPressMsg) tea.Cmd {
	var q Question
	switch {
	case key.Matches(msg, m.keys.Quit, m.keys.Cancel):
		o.cancel()
		if o.err != nil && m.opts.Choice == nil {
			m.opening, m.picker = nil, &picker{loading: true}
			return m.loadChoices()
		}
		return tea.Quit
	case errors.As(o.err, &q) && key.Matches(msg, m.keys.Yes):
		o.err = nil
		o.step(stepMsg{"putting the bridge back", -1})
		return func() tea.Msg {
			if err := q.Answer(m.ctx); err != nil {
				return openedMsg{err: err}
			}
			return reopenMsg{o.choice}
		}
	case o.err != nil && key.Matches(msg, m.keys.Reload):
		return m.open(o.choice)
	}
	return nil
}

// reopenMsg asks to try a choice again: what stood in its way is gone.
type reopenMsg struct{ choice Choice }

func (o *opening) hints(k *keyMap) []key.Binding {
	var q Question
	switch {
	case errors.As(o.err, &q):
		return []key.Binding{k.Yes, relabel(k.Cancel, "back")}
	case o.err != nil:
		return []key.Binding{relabel(k.Reload, "try again"), relabel(k.Cancel, "back")}
	}
	return []key.Binding{k.Cancel}
}

func (o *opening) draw(m *model) []string {
	s := m.styles
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
		return append(lines, look.Wrap(s.Warn, q.Question(), m.w-2)...)
	}
	return append(lines, look.Wrap(s.Bad, o.err.Error(), m.w-2)...)
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
