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

var nameKeys = keys.Table[*fileName, Result]{Context: "the file's name", Typing: true, Actions: []keys.Action[*fileName, Result]{
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

// press takes a key while the name is typed, and reports whether it is.
func (n *fileName) press(k *keys.Map, msg tea.KeyPressMsg) bool {
	if !n.Focused() {
		return false
	}
	if o := nameKeys.Press(k, msg.String(), n); !o.Bound {
		n.Model, _ = n.Update(msg)
	}
	return true
}

func (n *fileName) paste(msg tea.PasteMsg) {
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

// foot says what can be done while the name is typed.
func (n *fileName) foot(s Screen, k *keys.Map, w int) string {
	return look.Hints(s.Styles, nameKeys.Hints(k, n), w)
}

// line draws the name in w cells.
func (n *fileName) line(s Screen, w int) string {
	l := new(look.Line).Add(s.Muted, "file    ")
	if n.Focused() {
		n.SetWidth(w - 10)
		return l.Raw(n.View()).Cut(w)
	}
	return l.Add(s.Strong, n.Value()).Cut(w)
}
