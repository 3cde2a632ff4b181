package ui

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
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

// leave says why there was nothing to choose from, or what failed last.
func (p *picker) leave() error { return cmp.Or(p.err, p.failed) }

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

func pickerActions() keys.Table[*picker, tea.Cmd] {
	to := func(at func(*picker) int) func(*picker) tea.Cmd {
		return func(p *picker) tea.Cmd {
			p.at = max(0, min(at(p), len(p.choices)-1))
			return nil
		}
	}
	quit := func(*picker) tea.Cmd { return tea.Quit }
	return keys.Table[*picker, tea.Cmd]{Context: "the list of instances", Actions: []keys.Action[*picker, tea.Cmd]{
		{Row: keys.Row{Name: rowUp, Hint: "up"}, Do: to(func(p *picker) int { return p.at - 1 })},
		{Row: keys.Row{Name: rowDown, Hint: "down"}, Do: to(func(p *picker) int { return p.at + 1 })},
		{Row: keys.Row{Name: "top"}, Do: to(func(*picker) int { return 0 })},
		{Row: keys.Row{Name: "bottom"}, Do: to(func(p *picker) int { return len(p.choices) - 1 })},
		{Row: keys.Row{Name: rowAccept, Hint: "watch it"}, Can: (*picker).unwatchable, Do: (*picker).choose},
		{Row: keys.Row{Name: "reload", Hint: "read again"}, Do: (*picker).start},
		{Row: keys.Row{Name: "quit", Hint: "quit"}, Do: quit},
		{Row: keys.Row{Name: rowCancel}, Do: quit},
	}}
}

func (p *picker) key(msg tea.KeyPressMsg) tea.Cmd {
	o := p.tables.picker.Press(p.keys, msg.String(), p)
	p.said = o.Why
	return o.Of
}

// unwatchable says why what is selected can't be watched.
func (p *picker) unwatchable() string {
	if p.at >= len(p.choices) {
		return "there is no instance to watch"
	}
	if c := p.choices[p.at]; c.Problem != "" {
		return c.Instance + " can't be watched: " + c.Problem
	}
	return ""
}

func (p *picker) choose() tea.Cmd { return p.enter(newOpening(p.model, p.choices[p.at])) }

func (p *picker) lines() []string {
	return p.frame(p.draw(), p.tables.picker.Hints(p.keys, p))
}

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
		l.Add(s.Muted, p.keys.Show(rowAccept)+" starts it")
	}
	return l.Pad(w).Cut(w)
}
