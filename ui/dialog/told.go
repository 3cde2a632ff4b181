package dialog

import (
	"cmp"
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

	whole bool // what is selected is shown so
	w     int  // cells that a command has on a line
}

// NewToldLog shows what told returns, as it grows.
func NewToldLog(k *keys.Map, told func() []Told) *ToldLog {
	return &ToldLog{keys: k, told: told, all: told()}
}

var toldKeys = keys.Table[*ToldLog, Result]{Context: "what LXD was told", Actions: []keys.Action[*ToldLog, Result]{
	{Row: keys.Row{Name: "copy-name", Hint: "copy it"}, Can: (*ToldLog).none, Do: func(d *ToldLog) Result {
		return Copy{d.all[len(d.all)-1-d.at].Command, "the command"}
	}},
	{Row: keys.Row{Name: "accept"}, Says: (*ToldLog).unfolds, Do: func(d *ToldLog) Result { d.whole = !d.whole; return nil }},
	{Row: keys.Row{Name: "copy-list", Hint: "copy all"}, Can: (*ToldLog).none, Do: (*ToldLog).copyAll},
	{Row: keys.Row{Name: "up"}, Do: func(d *ToldLog) Result { return d.move(-1) }},
	{Row: keys.Row{Name: "down", Beside: "up"}, Says: func(d *ToldLog) string { return choosing(len(d.all)) }, Do: func(d *ToldLog) Result { return d.move(1) }},
	{Row: keys.Row{Name: "told"}, Do: closes[*ToldLog]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*ToldLog]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*ToldLog]},
}}

func (d *ToldLog) none() string {
	if len(d.all) == 0 {
		return "LXD was told nothing yet"
	}
	return ""
}

func (d *ToldLog) unfolds() string {
	switch {
	case d.whole:
		return "shorten it"
	case d.none() == "" && len(atSpaces(d.all[len(d.all)-1-d.at].Command, cmp.Or(d.w, 60))) > briefly:
		return "all of it"
	}
	return ""
}

func (d *ToldLog) move(n int) Result {
	d.whole = false
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

// briefly is how many lines a command has that isn't shown whole, and toldHead how
// many cells its time has, beside the cell that it is selected by.
const (
	briefly  = 2
	toldHead = 10
)

// View implements [Dialog].
func (d *ToldLog) View(s Screen) []string {
	inner := min(s.W-4, 120)
	now := d.told()
	if n := len(now) - len(d.all); n > 0 && d.at > 0 {
		d.at += n // what is selected stays that
	}
	d.all, d.w = now, inner-toldHead-1
	room := max(3, s.H-4)
	var lines []string
	begin, end := 0, 0
	for i := range d.all {
		t := d.all[len(d.all)-1-i]
		most := briefly
		if i == d.at {
			begin = len(lines)
			if d.whole {
				most = room
			}
		}
		parts := t.draw(s, d.w, most)
		for n, part := range parts {
			var l look.Line
			if i == d.at {
				l.Add(s.Key, "▌")
			}
			l.Pad(1)
			if n == 0 {
				l.Add(s.Muted, t.At.Format("15:04:05"))
			}
			lines = append(lines, l.Pad(toldHead).Raw(part).Cut(inner))
		}
		if i == d.at {
			end = len(lines)
		}
	}
	if len(lines) == 0 {
		lines = []string{s.Muted.Render("nothing yet")}
	}
	top := max(0, end-room)
	if begin < top {
		top = begin
	}
	lines = lines[top:min(len(lines), top+room)]
	title := "What LXD was told"
	if inner > 60 {
		title += ", as commands of lxc that do the same"
	}
	return look.Box(s.Styles, title, lines, inner)
}

// draw returns a command in w cells, on so many lines at most, and below it why it
// was refused.
func (t *Told) draw(s Screen, w, most int) (lines []string) {
	style := s.Text
	var why []string
	if t.Failed != "" {
		style = s.Muted
		why = atSpaces("refused: "+t.Failed, w)
	}
	command, behind := atSpaces(t.Command, w), ""
	if len(command) > most {
		command, behind = command[:most], ellipsis(s)
		command[most-1] = ansi.Truncate(command[most-1], w-look.Width(behind), "")
	}
	for _, part := range command {
		lines = append(lines, style.Render(part))
	}
	lines[len(lines)-1] += behind
	for _, part := range why {
		lines = append(lines, s.Warn.Render(part))
	}
	return lines
}

// atSpaces breaks a command into lines of w cells at most: at spaces, for a word
// in two is another word; within one that is longer than a line.
func atSpaces(text string, w int) (lines []string) {
	line := ""
	for i, word := range strings.Split(text, " ") {
		if i > 0 && look.Width(line)+1+look.Width(word) <= w {
			line += " " + word
			continue
		}
		if i > 0 {
			lines = append(lines, line)
		}
		parts := strings.Split(ansi.Hardwrap(word, w, true), "\n")
		lines = append(lines, parts[:len(parts)-1]...)
		line = parts[len(parts)-1]
	}
	return append(lines, line)
}
