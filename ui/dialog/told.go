package dialog

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Told is one thing that LXD was told to do.
type Told struct {
	At      time.Time
	Command string // of lxc, that does the same
	Failed  string // why LXD refused it; "" where it did not
}

// ToldLog lists what LXD was told, the last first.
type ToldLog struct {
	keys *keys.Map
	told func() []Told
	all  []Told // as last drawn
	at   int    // of all, from its end
}

// NewToldLog shows what told returns, as it grows.
func NewToldLog(k *keys.Map, told func() []Told) *ToldLog {
	return &ToldLog{keys: k, told: told, all: told()}
}

var toldKeys = keys.Table[*ToldLog, Result]{Context: "what LXD was told", Actions: []keys.Action[*ToldLog, Result]{
	{Row: keys.Row{Name: "copy-name", Hint: "copy it"}, Can: (*ToldLog).none, Do: func(d *ToldLog) Result {
		return Copy{d.all[len(d.all)-1-d.at].Command, "the command"}
	}},
	{Row: keys.Row{Name: "copy-list", Hint: "copy all"}, Can: (*ToldLog).none, Do: (*ToldLog).copyAll},
	{Row: keys.Row{Name: "up"}, Do: func(d *ToldLog) Result { return d.move(-1) }},
	{Row: keys.Row{Name: "down", Hint: "choose", Beside: "up"}, Do: func(d *ToldLog) Result { return d.move(1) }},
	{Row: keys.Row{Name: "told"}, Do: closes[*ToldLog]},
	{Row: keys.Row{Name: "accept"}, Do: closes[*ToldLog]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*ToldLog]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*ToldLog]},
}}

func (d *ToldLog) none() string {
	if len(d.all) == 0 {
		return "LXD was told nothing yet"
	}
	return ""
}

func (d *ToldLog) move(n int) Result {
	d.at = max(0, min(d.at+n, len(d.all)-1))
	return nil
}

// copyAll copies all that LXD did, the first first.
func (d *ToldLog) copyAll() Result {
	var lines []string
	for _, t := range d.all {
		if t.Failed == "" {
			lines = append(lines, t.Command)
		}
	}
	return Copy{strings.Join(lines, "\n") + "\n", look.Plural(len(lines), "command")}
}

// Keys implements [Dialog].
func (d *ToldLog) Keys() Live { return toldKeys.On(d.keys, d) }

// Type implements [Dialog].
func (d *ToldLog) Type(tea.Msg) Result { return nil }

// View implements [Dialog].
func (d *ToldLog) View(s Screen) []string {
	inner := min(s.W-4, 120)
	now := d.told()
	if n := len(now) - len(d.all); n > 0 && d.at > 0 {
		d.at += n // what is selected stays that
	}
	d.all = now
	var lines []string
	begin, end := 0, 0
	for i := range d.all {
		t := d.all[len(d.all)-1-i]
		style := s.Text
		text := t.Command
		if t.Failed != "" {
			style, text = s.Muted, text+"  # refused: "+t.Failed
		}
		if i == d.at {
			begin = len(lines)
		}
		// Anywhere, since a command has few places to break at.
		for n, part := range strings.Split(ansi.Hardwrap(text, inner-11, true), "\n") {
			var l look.Line
			if i == d.at {
				l.Add(s.Key, "▌")
			}
			l.Pad(1)
			if n == 0 {
				l.Add(s.Muted, t.At.Format("15:04:05"))
			}
			lines = append(lines, l.Pad(10).Cut(10)+style.Render(part))
		}
		if i == d.at {
			end = len(lines)
		}
	}
	if len(lines) == 0 {
		lines = []string{s.Muted.Render("nothing yet")}
	}
	room := max(3, s.H-4)
	top := max(0, end-room)
	if begin < top {
		top = begin
	}
	lines = lines[top:min(len(lines), top+room)]
	return look.Box(s.Styles, "What LXD was told", lines, inner)
}
