package dialog

import (
	"cmp"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// fileName is the name of a file that a dialog writes.
type fileName struct {
	textinput.Model
	preset string // what it is while nobody typed another
}

func newFileName(path, preset string) fileName {
	n := fileName{Model: textinput.New(), preset: preset}
	n.Prompt = ""
	n.SetValue(cmp.Or(path, preset))
	return n
}

var nameKeys = keys.Table[*fileName, Result]{Context: "the report's name", Typing: true, Actions: []keys.Action[*fileName, Result]{
	{Row: keys.Row{Name: "accept", Hint: "done"}, Do: (*fileName).typed},
	{Row: keys.Row{Name: "cancel"}, Do: (*fileName).typed},
}}

// follow has another preset. A name that nobody typed follows.
func (n *fileName) follow(preset string) {
	if n.Value() == n.preset {
		n.SetValue(preset)
	}
	n.preset = preset
}

func (n *fileName) edit() {
	n.Focus()
	n.CursorEnd()
}

// enter takes what is typed or pasted, while the name is.
func (n *fileName) enter(msg tea.Msg) {
	if n.Focused() {
		n.Model, _ = n.Update(msg)
	}
}

// typed ends the typing.
func (n *fileName) typed() Result {
	n.Blur()
	if n.Value() == "" {
		n.SetValue(n.preset)
	}
	return nil
}

// line draws the name in w cells.
func (n *fileName) line(s Screen, w int) string {
	l := new(look.Line).Add(s.Muted, "file    ")
	if n.Focused() {
		n.SetWidth(w - 10)
		s.Input(&n.Model)
		return l.Raw(n.View()).Cut(w)
	}
	return l.Add(s.Strong, n.Value()).Cut(w)
}
