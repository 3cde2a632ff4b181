package ui

import (
	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/look"
)

// prompt asks for one line of text.
type prompt struct {
	title, help string
	input       textinput.Model
	done        func(string) error
	err         error
}

func (m *monitor) ask(title, help, text string, done func(string) error) {
	p := &prompt{title: title, help: help, input: textinput.New(), done: done}
	p.input.Prompt = ""
	p.input.SetValue(text)
	p.input.Focus()
	p.input.CursorEnd()
	m.dialog = p
}

func (p *prompt) update(m *monitor, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	switch {
	case key.Matches(msg, m.keys.Cancel):
		return false, nil
	case key.Matches(msg, m.keys.Accept):
		p.err = p.done(p.input.Value())
		return p.err != nil, nil
	}
	p.err = nil
	p.input, _ = p.input.Update(msg)
	return true, nil
}

func (p *prompt) paste(msg tea.PasteMsg) { p.input, _ = p.input.Update(msg) }

func (p *prompt) view(m *monitor, w, _ int) []string {
	s := m.styles
	inner := min(w-4, 76)
	p.input.SetWidth(inner - 2)
	foot := look.Hints(s, asHints([]key.Binding{m.keys.Accept, m.keys.Cancel}), inner)
	if p.err != nil {
		foot = new(look.Line).Add(s.Bad, p.err.Error()).Cut(inner)
	}
	return look.Box(s, p.title, []string{s.Muted.Render(p.help), "", p.input.View(), "", foot}, inner)
}

// messageLog lists what was said, the last first.
type messageLog struct{ top int }

func (d *messageLog) update(m *monitor, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Cancel, k.Messages, k.Quit, k.Accept):
		return false, nil
	case key.Matches(msg, k.Down):
		d.top++
	case key.Matches(msg, k.Up):
		d.top--
	}
	return true, nil
}

func (d *messageLog) view(m *monitor, w, h int) []string {
	s := m.styles
	inner := min(w-4, 100)
	var lines []string
	for i := len(m.messages) - 1; i >= 0; i-- {
		said := m.messages[i]
		for n, text := range look.Wrap(s.Text, said.text, inner-10) {
			at := ""
			if n == 0 {
				at = said.at.Format("15:04:05")
			}
			lines = append(lines, new(look.Line).Add(s.Muted, at).Pad(9).Cut(9)+text)
		}
	}
	if len(lines) == 0 {
		lines = []string{s.Muted.Render("nothing was said yet")}
	}
	room := max(3, h-6)
	d.top = max(0, min(d.top, len(lines)-room))
	lines = lines[d.top:min(d.top+room, len(lines))]
	foot := look.Hints(s, asHints([]key.Binding{relabel(m.keys.Down, "older"), relabel(m.keys.Cancel, "close")}), inner)
	return look.Box(s, "Messages", append(lines, "", foot), inner)
}
