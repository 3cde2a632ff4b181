package dialog

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Choice says in a few sentences what will happen, and asks which of a few
// things it is to be.
type Choice struct {
	keys        *keys.Map
	title, text string
	options     []Option
	at          int
	to          any
}

// Option is one of the things.
type Option struct {
	Name string
	Says string // what comes of it
}

// NewChoice asks for one of the options, of which the first is selected. to is
// handed back with what was [Chosen].
func NewChoice(k *keys.Map, title, text string, options []Option, to any) *Choice {
	return &Choice{keys: k, title: title, text: text, options: options, to: to}
}

var choiceKeys = keys.Table[*Choice, Result]{Context: "a choice", Actions: []keys.Action[*Choice, Result]{
	{Row: keys.Row{Name: "accept", Hint: "do it"}, Do: func(d *Choice) Result { return Chosen{d.to, d.at} }},
	{Row: keys.Row{Name: "up"}, Do: func(d *Choice) Result { return d.move(-1) }},
	{Row: keys.Row{Name: "down", Hint: "choose", Beside: "up"}, Do: func(d *Choice) Result { return d.move(1) }},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Choice]},
	{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: closes[*Choice]},
}}

func (d *Choice) move(n int) Result {
	d.at = max(0, min(d.at+n, len(d.options)-1))
	return nil
}

// Keys implements [Dialog].
func (d *Choice) Keys() Live { return choiceKeys.On(d.keys, d) }

// Type implements [Dialog].
func (d *Choice) Type(tea.Msg) Result { return nil }

// View implements [Dialog].
func (d *Choice) View(s Screen) []string {
	inner := min(s.W-4, 84)
	width := 0
	for _, o := range d.options {
		width = max(width, look.Width(o.Name))
	}
	lines := append(look.Wrap(s.Text, d.text, inner), "")
	for i, o := range d.options {
		name := s.Text
		mark := "   "
		if i == d.at {
			name, mark = s.Strong, " ▸ "
		}
		// What is said of it stands beside the name, on as many lines as it takes.
		for n, text := range look.Wrap(s.Muted, o.Says, inner-width-5) {
			var l look.Line
			if n == 0 {
				l.Add(s.Key, mark).Add(name, o.Name)
			}
			lines = append(lines, l.Pad(width+4).Raw(text).Cut(inner))
		}
	}
	return look.Box(s.Styles, d.title, lines, inner)
}
