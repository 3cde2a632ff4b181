package dialog

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Help lists every key, and the filter's language; what is typed searches it.
type Help struct {
	keys     *keys.Map
	sections []keys.Section
	search   textinput.Model
	top      int
	more     bool // there is something to scroll to
}

// NewHelp returns the help on what is in the sections.
func NewHelp(k *keys.Map, sections []keys.Section) *Help {
	d := &Help{keys: k, sections: sections, search: textinput.New()}
	d.search.Prompt = ""
	d.search.Placeholder = "type to search"
	d.search.Focus()
	return d
}

var helpKeys = keys.Table[*Help, Result]{Context: "the help", Typing: true, Actions: []keys.Action[*Help, Result]{
	{Row: keys.Row{Name: "page-up"}, Do: scrolls(-10)},
	{Row: keys.Row{Name: "page-down"}, Do: scrolls(10)},
	{Row: keys.Row{Name: "up"}, Do: scrolls(-1)},
	{Row: keys.Row{Name: "down", Hint: "more", Beside: "up"}, Can: (*Help).rest, Do: scrolls(1)},
	{Row: keys.Row{Name: "accept"}, Do: closes[*Help]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Help]},
}}

// idleHelpKeys are live while nothing is searched for.
var idleHelpKeys = keys.Table[*Help, Result]{Context: "the help while nothing is typed", Actions: []keys.Action[*Help, Result]{
	{Row: keys.Row{Name: "help"}, Do: closes[*Help]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Help]},
}}

func scrolls(n int) func(*Help) Result {
	return func(d *Help) Result { d.top += n; return nil }
}

func (d *Help) rest() string {
	if d.more {
		return ""
	}
	return "all of it is shown"
}

// Press implements [Dialog].
func (d *Help) Press(msg tea.KeyPressMsg) Result {
	if d.search.Value() == "" {
		if o := idleHelpKeys.Press(d.keys, msg.String(), d); o.Bound {
			return o.Of
		}
	}
	if o := helpKeys.Press(d.keys, msg.String(), d); o.Bound {
		return o.Of
	}
	d.search, _ = d.search.Update(msg)
	d.top = 0
	return nil
}

// Paste implements [Dialog].
func (d *Help) Paste(msg tea.PasteMsg) { d.search, _ = d.search.Update(msg) }

// helpKeyWidth is the room for a key's name, helpColumn for a key and what it
// does.
const (
	helpKeyWidth = 12
	helpColumn   = 38
)

// blocks returns what the search leaves of the help: titles and lines.
func (d *Help) blocks(s Screen) (blocks [][]string) {
	want := strings.ToLower(d.search.Value())
	for _, sec := range d.sections {
		block := []string{s.Strong.Render(sec.Title)}
		for _, l := range sec.Lines {
			if strings.Contains(strings.ToLower(sec.Title+" "+l.Key+" "+l.Does), want) {
				block = append(block, helpLine(s, l))
			}
		}
		if len(block) > 1 {
			blocks = append(blocks, append(block, ""))
		}
	}
	return blocks
}

// columnsOf puts the blocks side by side, each into the shortest column.
func columnsOf(blocks [][]string, n int) []string {
	cols := make([][]string, n)
	height := 0
	for _, b := range blocks {
		at := 0
		for i := range cols {
			if len(cols[i]) < len(cols[at]) {
				at = i
			}
		}
		cols[at] = append(cols[at], b...)
		height = max(height, len(cols[at]))
	}
	lines := make([]string, height)
	for i := range lines {
		for _, c := range cols {
			text := ""
			if i < len(c) {
				text = c[i]
			}
			lines[i] += look.Fit(text, helpColumn)
		}
	}
	return lines
}

// View implements [Dialog].
func (d *Help) View(s Screen) []string {
	n := max(1, min(3, (s.W-4)/helpColumn))
	inner := min(n*helpColumn, s.W-4)
	body := columnsOf(d.blocks(s), n)
	room := max(3, s.H-7)
	d.more = len(body) > room
	if len(body) == 0 {
		body = []string{s.Muted.Render("nothing has that name")}
	}
	body = scrolled(body, &d.top, room)
	d.search.SetWidth(inner - 4)
	lines := []string{s.Key.Render("/ ") + d.search.View(), ""}
	foot := look.Hints(s.Styles, helpKeys.Hints(d.keys, d), inner)
	return look.Box(s.Styles, "Keys", append(append(lines, body...), "", foot), inner)
}

// helpLine draws a key and what it does; what can't be done now steps back.
func helpLine(s Screen, h keys.Line) string {
	style, does := s.Key, s.Text
	if !h.Now {
		style, does = s.Muted, s.Muted
	}
	var l look.Line
	return l.Add(style, h.Key).Pad(max(helpKeyWidth, look.Width(h.Key)+1)).Add(does, h.Does).Cut(helpColumn)
}
