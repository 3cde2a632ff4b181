package ui

import (
	"strings"

	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// help lists every key, and the filter's language; what is typed searches it.
type help struct {
	search textinput.Model
	top    int
}

func newHelp() *help {
	d := &help{search: textinput.New()}
	d.search.Prompt = ""
	d.search.Placeholder = "type to search"
	d.search.Focus()
	return d
}

func (d *help) update(m *monitor, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Cancel, k.Accept), d.search.Value() == "" && key.Matches(msg, k.Help, k.Quit):
		return false, nil
	case msg.Code == tea.KeyDown:
		d.top++
	case msg.Code == tea.KeyUp:
		d.top--
	case msg.Code == tea.KeyPgDown:
		d.top += 10
	case msg.Code == tea.KeyPgUp:
		d.top -= 10
	default:
		d.search, _ = d.search.Update(msg)
		d.top = 0
	}
	return true, nil
}

func (d *help) paste(msg tea.PasteMsg) { d.search, _ = d.search.Update(msg) }

// helpKeyWidth is the room for a key's name, helpColumn for a key and what it
// does.
const (
	helpKeyWidth = 12
	helpColumn   = 38
)

// blocks returns what the search leaves of the help: titles and lines.
func (d *help) blocks(m *monitor) (blocks [][]string) {
	s := m.styles
	want := strings.ToLower(d.search.Value())
	add := func(title string, lines [][2]string) {
		block := []string{s.Strong.Render(title)}
		for _, l := range lines {
			if strings.Contains(strings.ToLower(title+" "+l[0]+" "+l[1]), want) {
				block = append(block, helpLine(s, l[0], l[1]))
			}
		}
		if len(block) > 1 {
			blocks = append(blocks, append(block, ""))
		}
	}
	for _, sec := range m.keys.sections() {
		var lines [][2]string
		for _, b := range sec.keys {
			lines = append(lines, [2]string{b.Help().Key, b.Help().Desc})
		}
		add(sec.title, lines)
	}
	add("In the filter", table.FilterHelp)
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

func (d *help) view(m *monitor, w, h int) []string {
	s := m.styles
	n := max(1, min(3, (w-4)/helpColumn))
	inner := n * helpColumn
	body := columnsOf(d.blocks(m), n)
	room := max(3, h-7)
	d.top = max(0, min(d.top, len(body)-room))
	rest := len(body) - d.top - room
	if len(body) > room {
		body = body[d.top : d.top+room]
	} else if len(body) == 0 {
		body = []string{s.Muted.Render("nothing has that name")}
	}
	foot := []key.Binding{relabel(m.keys.Cancel, "close")}
	if rest > 0 || d.top > 0 {
		foot = append([]key.Binding{bind(nil, "↑/↓", "more")}, foot...)
	}
	d.search.SetWidth(inner - 4)
	lines := []string{s.Key.Render("/ ") + d.search.View(), ""}
	return look.Box(s, "Keys", append(append(lines, body...), "", look.Hints(s, asHints(foot), inner)), inner)
}

func helpLine(s *look.Styles, k, does string) string {
	var l look.Line
	return l.Add(s.Key, k).Pad(max(helpKeyWidth, look.Width(k)+1)).Add(s.Text, does).Cut(helpColumn)
}
