package dialog

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

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
	drawn       drawn

	cut    bool // there was no room for all of what will happen
	whole  bool // that alone is shown
	scroll      // its lines
}

// Option is one of the things.
type Option struct {
	Name string
	Says string // what comes of it
	Text string // what will happen then; "" for the choice's text
}

// NewChoice asks for one of the options, of which the first is selected. to is
// handed back with what was [Chosen].
func NewChoice(k *keys.Map, title, text string, options []Option, to any) *Choice {
	return &Choice{keys: k, title: title, text: text, options: options, to: to}
}

// Begin selects another option than the first.
func (d *Choice) Begin(at int) { d.at = at }

var choiceKeys = keys.Table[*Choice, Result]{Context: "a choice", Actions: []keys.Action[*Choice, Result]{
	{Row: keys.Row{Name: "accept", Hint: "do it"}, Do: func(d *Choice) Result { return Chosen{d.to, d.at} }},
	{Row: keys.Row{Name: "up"}, Do: func(d *Choice) Result { return d.move(-1) }},
	{Row: keys.Row{Name: "down", Beside: "up"}, Says: func(d *Choice) string { return choosing(len(d.options)) }, Do: func(d *Choice) Result { return d.move(1) }},
	{Row: keys.Row{Name: "whole-text", Keys: []string{"tab"}, Help: "all that will happen", Hint: "read it all"}, Can: (*Choice).isWhole, Do: (*Choice).turn},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Choice]},
	{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: closes[*Choice]},
}}

// choiceTextKeys are live while what will happen is read.
var choiceTextKeys = keys.Table[*Choice, Result]{Context: "the text of a choice", Actions: []keys.Action[*Choice, Result]{
	{Row: keys.Row{Name: "whole-text", Hint: "choose"}, Do: (*Choice).turn},
	{Row: keys.Row{Name: "up"}, Do: func(d *Choice) Result { d.top--; return nil }},
	{Row: keys.Row{Name: "down", Beside: "up"}, Says: (*Choice).scrolls, Do: func(d *Choice) Result { d.top++; return nil }},
	{Row: keys.Row{Name: "accept"}, Do: (*Choice).turn},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Choice]},
	{Row: keys.Row{Name: "cancel", Hint: "back"}, Do: (*Choice).turn},
}}

func (d *Choice) turn() Result {
	d.whole, d.top = !d.whole, 0
	return nil
}

// isWhole says why there is no more to read.
func (d *Choice) isWhole() string {
	if d.cut {
		return ""
	}
	return "all that will happen is shown"
}

func (d *Choice) move(n int) Result {
	d.at = max(0, min(d.at+n, len(d.options)-1))
	return nil
}

// Keys implements [Dialog].
func (d *Choice) Keys() Live {
	if d.whole {
		return choiceTextKeys.On(d.keys, d)
	}
	return choiceKeys.On(d.keys, d)
}

// Type implements [Dialog].
func (d *Choice) Type(tea.Msg) Result { return nil }

// View implements [Dialog].
func (d *Choice) View(s Screen) []string {
	inner := min(s.W-4, 84)
	if d.whole {
		d.drawn = nil
		o := d.options[d.at]
		text := append(look.Wrap(s.Muted, o.Says, inner), look.Wrap(s.Text, cmp.Or(o.Text, d.text), inner)...)
		title, lines := d.scrolled(o.Name, text, s.H-2)
		return look.Box(s.Styles, title, lines, inner)
	}
	width := 0
	for _, o := range d.options {
		width = max(width, look.Width(o.Name))
	}
	lines := d.drawText(s, inner)
	options, of := d.drawOptions(s, inner, width)
	d.cut = false
	if over := len(lines) + 1 + len(options) + 2 - s.H; over > 0 { // what may be chosen goes before what it is about
		options, of = d.drawBriefly(s, inner, max(1, s.H-2-2-len(d.options)))
		if room := max(1, s.H-3-len(options)); room < len(lines) {
			rest := strings.Join(lines[room:], "")
			if lines = lines[:room]; strings.TrimSpace(ansi.Strip(rest)) != "" { // and not the room for another option's text
				d.cut = true
				lines[room-1] = ansi.Truncate(lines[room-1], inner-2, "") + ellipsis(s)
			}
		}
	}
	d.drawn = make(drawn)
	for i, option := range of {
		d.drawn[boxTop+len(lines)+1+i] = option
	}
	return look.Box(s.Styles, d.title, append(append(lines, ""), options...), inner)
}

// drawText says what will happen, on as many lines as that takes for any of the
// options: these stay where they are.
func (d *Choice) drawText(s Screen, inner int) (lines []string) {
	most := 0
	for i, o := range d.options {
		text := look.Wrap(s.Text, cmp.Or(o.Text, d.text), inner)
		if most = max(most, len(text)); i == d.at {
			lines = text
		}
	}
	for len(lines) < most {
		lines = append(lines, "")
	}
	return lines
}

// drawOptions draws the options, what is said of each beside it on as many
// lines as it takes. of has the option of each line.
func (d *Choice) drawOptions(s Screen, inner, width int) (lines []string, of []int) {
	for i, o := range d.options {
		name, mark := s.Text, "   "
		if i == d.at {
			name, mark = s.Strong, " ▸ "
		}
		says := look.Wrap(s.Muted, o.Says, inner-width-5)
		if len(says) == 0 {
			says = []string{""}
		}
		for n, text := range says {
			var l look.Line
			if n == 0 {
				l.Add(s.Key, mark).Add(name, o.Name)
			}
			lines, of = append(lines, l.Pad(width+4).Raw(text).Cut(inner)), append(of, i)
		}
	}
	return lines, of
}

// drawBriefly draws the options' names, and what is said of the chosen one below
// it, on so many lines at most.
func (d *Choice) drawBriefly(s Screen, inner, most int) (lines []string, of []int) {
	for i, o := range d.options {
		of = append(of, i)
		if i != d.at {
			lines = append(lines, new(look.Line).Pad(3).Add(s.Text, o.Name).Cut(inner))
			continue
		}
		lines = append(lines, new(look.Line).Add(s.Key, " ▸ ").Add(s.Strong, o.Name).Cut(inner))
		says := look.Wrap(s.Muted, o.Says, inner-4)
		if len(says) > most {
			d.cut = true
			says = append(says[:most-1], ansi.Truncate(says[most-1], inner-6, "")+ellipsis(s))
		}
		for _, text := range says {
			lines, of = append(lines, "    "+text), append(of, i)
		}
	}
	return lines, of
}
