package dialog

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Course is how a session went: when names came up, and what was entered.
type Course struct {
	keys    *keys.Map
	counted bool
	at      int // of the commands, from the last

	Begin, End time.Time
	Ended      bool        // the end is the session's, and not now
	News       []time.Time // when each name came up, in order
	LastNew    time.Time   // zero for never
	Commands   []Entered
	Since      int // lines that were entered since the last new name
}

// Entered is a command, and how many names came up between it and the next.
type Entered struct {
	At   time.Time
	Line string
	News int
}

// NewCourse shows a course, once it was [Course.Counted].
func NewCourse(k *keys.Map) *Course { return &Course{keys: k} }

// Counted takes the course.
func (d *Course) Counted(c Course) {
	c.keys, c.counted = d.keys, true
	*d = c
}

var courseKeys = keys.Table[*Course, Result]{Context: "how the session went", Actions: []keys.Action[*Course, Result]{
	{Row: keys.Row{Name: "accept", Hint: "its names"}, Can: (*Course).none, Do: func(d *Course) Result { return OfCommand{d.selected().Line} }},
	{Row: keys.Row{Name: "up"}, Do: func(d *Course) Result { return d.move(-1) }},
	{Row: keys.Row{Name: "down", Beside: "up"}, Can: (*Course).none, Says: func(d *Course) string { return choosing(len(d.Commands)) }, Do: func(d *Course) Result { return d.move(1) }},
	{Row: keys.Row{Name: "course"}, Do: closes[*Course]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Course]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Course]},
}}

func (d *Course) none() string {
	if !d.counted {
		return "it is still being counted"
	}
	if len(d.Commands) == 0 {
		return "no command was entered in the shell"
	}
	return ""
}

func (d *Course) selected() Entered { return d.Commands[len(d.Commands)-1-d.at] }

func (d *Course) move(n int) Result {
	d.at = max(0, min(d.at+n, len(d.Commands)-1))
	return nil
}

// Keys implements [Dialog].
func (d *Course) Keys() Live { return courseKeys.On(d.keys, d) }

// Type implements [Dialog].
func (d *Course) Type(tea.Msg) Result { return nil }

const courseTitle = "New names a minute"

// View implements [Dialog].
func (d *Course) View(s Screen) []string {
	inner := min(s.W-4, 120)
	if !d.counted {
		return look.Box(s.Styles, courseTitle, look.Wrap(s.Muted, "counting…", inner), inner)
	}
	graph := 4
	if s.H < 16 {
		graph = 1
	}
	lines := d.graph(s, inner, graph)
	text := "no name came up yet"
	if !d.LastNew.IsZero() {
		text = "nothing new for " + look.Age(d.End.Sub(d.LastNew))
		if look.Age(d.End.Sub(d.LastNew)) == "now" {
			text = "new just now"
		}
		if d.Ended {
			text = "at its end: " + text
		}
		text += fmt.Sprintf(", %s: a count, no promise", cmp.Or(map[int]string{0: "no command since"}[d.Since], look.Plural(d.Since, "command")))
	}
	lines = append(lines, look.Wrap(s.Strong, text, inner)...)
	if s.H >= 20 {
		lines = append(lines, look.Wrap(s.Muted, "What was not used has asked for nothing: an update, a certificate that expires, a job of the night.", inner)...)
	}
	lines = append(lines, "")
	room := max(1, s.H-4-len(lines))
	top := max(0, d.at-room+1)
	end, title := min(len(d.Commands), top+room), courseTitle
	if more := len(d.Commands) - end; more > 0 {
		title += fmt.Sprintf("  ↓ %d more", more)
	}
	for i := top; i < end; i++ {
		c := d.Commands[len(d.Commands)-1-i]
		var l look.Line
		sign, mark, style := s.Muted, "┴", s.Text // as in the graph
		if i == d.at {
			sign, mark, style = s.Key, "▲", s.Strong
		}
		l.Add(sign, mark+" ").Add(s.Muted, d.clock(c.At, "15:04:05")+"  ")
		news := new(look.Line).Add(s.Muted, " → ").Add(s.Fresh, fmt.Sprintf("%d new", c.News))
		width := min(look.Width(c.Line), max(1, inner-l.Width()-news.Width()))
		l.Cell(style, c.Line, width, false).Join(news)
		lines = append(lines, l.Cut(inner))
	}
	if len(d.Commands) == 0 {
		lines = append(lines, look.Wrap(s.Muted, "no command was entered in the shell here", inner)...)
	}
	return look.Box(s.Styles, title, lines, inner)
}

// clock writes a time, with its day where the session has several.
func (d *Course) clock(at time.Time, form string) string {
	if d.End.Sub(d.Begin) > 24*time.Hour {
		form = "01-02 15:04"
	}
	return at.Format(form)
}

// minuteCells is how wide a minute is at most: one or two aren't a wall.
const minuteCells = 8

// graph draws the names a minute over the session in some rows, the commands
// below them and the time below these. Where there are more minutes than cells,
// a cell is several of them; its height is the most of one minute.
func (d *Course) graph(s Screen, w, rows int) []string {
	minutes := make([]uint64, int(max(0, d.End.Sub(d.Begin))/time.Minute)+1)
	all := w
	w = min(w, minuteCells*len(minutes))
	minuteOf := func(at time.Time) int { return max(0, min(int(at.Sub(d.Begin)/time.Minute), len(minutes)-1)) }
	for _, at := range d.News {
		minutes[minuteOf(at)]++
	}
	cellOf := func(minute int) int { return minute * w / max(w, len(minutes)) }
	if len(minutes) < w { // wider ones
		cellOf = func(minute int) int { return minute * w / len(minutes) }
	}
	cells := make([]uint64, w)
	most := uint64(0)
	for m, n := range minutes {
		for c := cellOf(m); c < max(cellOf(m)+1, min(cellOf(m+1), w)); c++ {
			cells[c] = max(cells[c], n)
		}
		most = max(most, n)
	}
	bars := []rune(" ▁▂▃▄▅▆▇█")
	var lines []string
	for row := rows - 1; row >= 0; row-- {
		var b strings.Builder
		for _, n := range cells {
			level := int(n*uint64(rows)*8/max(1, most)) - row*8
			if n > 0 && row == 0 {
				level = max(level, 1)
			}
			b.WriteRune(bars[max(0, min(level, 8))])
		}
		lines = append(lines, s.Fresh.Render(b.String()))
	}
	marks := []rune(strings.Repeat("─", all))
	for _, c := range d.Commands {
		marks[min(cellOf(minuteOf(c.At)), w-1)] = '┴'
	}
	if len(d.Commands) > 0 {
		marks[min(cellOf(minuteOf(d.selected().At)), w-1)] = '▲'
	}
	begin, end := d.clock(d.Begin, "15:04"), d.clock(d.End, "15:04")
	label := fmt.Sprintf("at most %d a minute", most)
	if len(label) > max(all-w-2, w-len(begin)-len(end)-4) { // the room behind the times, or between them
		label = fmt.Sprintf("≤%d/min", most)
	}
	behind := w+2+look.Width(label) <= all
	scale := new(look.Line).Add(s.Muted, begin)
	if !behind {
		scale.Pad((w-look.Width(label))/2).Add(s.Muted, label)
	}
	if w > scale.Width()+len(end) {
		scale.Pad(w-len(end)).Add(s.Muted, end)
	}
	if behind {
		scale.Add(s.Muted, "  "+label)
	}
	return append(lines, s.Muted.Render(string(marks)), scale.Cut(all))
}
