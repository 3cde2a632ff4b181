package dialog

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Prompt asks for one line of text.
type Prompt struct {
	keys        *keys.Map
	title, help string
	does        string
	to          any
	answered    bool // it was, and nobody has said yet that it failed
	input       textinput.Model
	err         error
}

// NewPrompt asks for a line, beginning with text; does is what becomes of it, for
// the footer. to is handed back with the [Answer]; the prompt stays open until it
// is closed.
func NewPrompt(k *keys.Map, title, help, does, text string, to any) *Prompt {
	p := &Prompt{keys: k, title: title, help: help, does: does, to: to, input: textinput.New()}
	p.input.Prompt = ""
	p.input.SetValue(text)
	p.input.Focus()
	p.input.CursorEnd()
	return p
}

// Begin has a text be there, before which the user types.
func (p *Prompt) Begin(text string) {
	p.input.SetValue(text)
	p.input.CursorStart()
}

// Fail says why the answer can't be taken.
func (p *Prompt) Fail(err error) { p.err, p.answered = err, false }

func (p *Prompt) accept() Result {
	if p.answered {
		return nil
	}
	p.answered = true
	return Answer{p.to, p.input.Value()}
}

var promptKeys = keys.Table[*Prompt, Result]{Context: "a prompt", Typing: true, Actions: []keys.Action[*Prompt, Result]{
	{Row: keys.Row{Name: "accept"}, Says: func(p *Prompt) string { return p.does }, Do: (*Prompt).accept},
	{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: closes[*Prompt]},
}}

// Keys implements [Dialog].
func (p *Prompt) Keys() Live { return promptKeys.On(p.keys, p) }

// Type implements [Dialog].
func (p *Prompt) Type(msg tea.Msg) Result {
	p.err = nil
	p.input, _ = p.input.Update(msg)
	return nil
}

// View implements [Dialog].
func (p *Prompt) View(s Screen) []string {
	inner := min(s.W-4, 76)
	p.input.SetWidth(inner - 2)
	s.Input(&p.input)
	lines := append(look.Wrap(s.Muted, p.help, inner), "", " "+p.input.View())
	if p.err != nil {
		lines = append(append(lines, ""), look.Wrap(s.Bad, p.err.Error(), inner)...)
	}
	return look.Box(s.Styles, p.title, lines, inner)
}
