package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/look"
)

// picker is the phase in which an instance is chosen.
type picker struct {
	*model
	loading bool
	choices []Choice
	err     error
	at      int
	said    string // why the choice can't be taken
}

type choicesMsg struct {
	choices []Choice
	err     error
}

func (p *picker) start() tea.Cmd {
	p.loading = true
	return func() tea.Msg {
		choices, err := p.opts.Backend.Choices(p.ctx)
		return choicesMsg{choices, err}
	}
}

func (p *picker) cursor() *tea.Cursor { return nil }
func (p *picker) title() string       { return "" }
func (p *picker) leave() error        { return nil }

func (p *picker) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case choicesMsg:
		p.loaded(msg)
	case tea.KeyPressMsg:
		return p.key(msg)
	}
	return nil
}

// loaded takes up the list; the first one that can be chosen is selected.
func (p *picker) loaded(msg choicesMsg) {
	p.loading, p.choices, p.err = false, msg.choices, msg.err
	p.at = 0
	for i, c := range p.choices {
		if c.Problem == "" {
			p.at = i
			break
		}
	}
}

func (p *picker) key(msg tea.KeyPressMsg) tea.Cmd {
	k := &p.keys
	p.said = ""
	switch {
	case key.Matches(msg, k.Quit, k.Cancel):
		return tea.Quit
	case key.Matches(msg, k.Up):
		p.at--
	case key.Matches(msg, k.Down):
		p.at++
	case key.Matches(msg, k.Top):
		p.at = 0
	case key.Matches(msg, k.Bottom):
		p.at = len(p.choices) - 1
	case key.Matches(msg, k.Reload):
		return p.start()
	case key.Matches(msg, k.Accept) && len(p.choices) > 0:
		c := p.choices[p.at]
		if c.Problem != "" {
			p.said = c.Instance + " can't be watched: " + c.Problem
			return nil
		}
		return p.enter(newOpening(p.model, c))
	}
	p.at = max(0, min(p.at, len(p.choices)-1))
	return nil
}

func (p *picker) hints() []key.Binding {
	k := &p.keys
	return []key.Binding{k.Up, k.Down, relabel(k.Accept, "watch it"), relabel(k.Reload, "read again"), k.Quit}
}

func (p *picker) lines() []string { return p.frame(p.draw(), p.hints()) }

func (p *picker) draw() []string {
	s := p.styles
	var l look.Line
	lines := []string{"", l.Add(s.Strong, " Which instance?").Add(s.Muted, "  its bridge logs DNS queries until you quit").String(), ""}
	switch {
	case p.loading:
		return append(lines, s.Muted.Render(" asking LXD…"))
	case p.err != nil:
		return append(lines, look.Wrap(s.Bad, p.err.Error(), p.w-2)...)
	case len(p.choices) == 0:
		return append(lines, look.Wrap(s.Text, "There is no instance yet. `lxd-allowlist --launch ubuntu:24.04` makes one that is removed at the end.", p.w-2)...)
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
	room := p.h - 2 - len(lines) - 2
	first := max(0, p.at-room+1)
	for i := first; i < len(p.choices) && i < first+room; i++ {
		lines = append(lines, p.drawChoice(s, p.choices[i], i == p.at, name, network, p.w))
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
