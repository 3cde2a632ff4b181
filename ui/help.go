package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// help lists every key, and the filter's language.
type help struct{ top int }

func newHelp(*model) *help { return &help{} }

func (d *help) update(m *model, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Cancel, k.Help, k.Quit, k.Accept):
		return false, nil
	case key.Matches(msg, k.Down):
		d.top++
	case key.Matches(msg, k.Up):
		d.top--
	case key.Matches(msg, k.PageDown):
		d.top += 10
	case key.Matches(msg, k.PageUp):
		d.top -= 10
	}
	return true, nil
}

// helpKeyWidth is the room for a key's name, helpColumn for a key and what it
// does.
const (
	helpKeyWidth = 12
	helpColumn   = 38
)

func (d *help) view(m *model, w, h int) []string {
	s := &m.styles
	cols := max(1, min(3, (w-4)/helpColumn))
	columns := make([][]string, cols)
	put := func(block []string) { // into the shortest column, so that the box is low
		at := 0
		for i := range columns {
			if len(columns[i]) < len(columns[at]) {
				at = i
			}
		}
		columns[at] = append(columns[at], append(block, "")...)
	}
	for _, sec := range m.keys.sections() {
		var block []string
		block = append(block, s.strong.Render(sec.title))
		for _, b := range sec.keys {
			block = append(block, helpLine(s, b.Help().Key, b.Help().Desc))
		}
		put(block)
	}
	block := []string{s.strong.Render("In the filter")}
	for _, f := range filterHelp {
		block = append(block, helpLine(s, f[0], f[1]))
	}
	put(block)
	var body []string
	for i := 0; ; i++ {
		var b strings.Builder
		some := false
		for _, c := range columns {
			text := ""
			if i < len(c) {
				text, some = c[i], true
			}
			b.WriteString(fit(text, helpColumn))
		}
		if !some {
			break
		}
		body = append(body, b.String())
	}
	room := max(3, h-4)
	d.top = max(0, min(d.top, len(body)-room))
	if len(body) > room {
		body = body[d.top : d.top+room]
	}
	body = append(body, hints(s, []key.Binding{relabel(m.keys.Down, "more"), relabel(m.keys.Cancel, "close")}, cols*helpColumn))
	return box(s, "Keys", body, cols*helpColumn)
}

func helpLine(s *styles, k, does string) string {
	var l line
	return l.add(s.key, k).pad(max(helpKeyWidth, width(k)+1)).add(s.text, does).cut(helpColumn)
}
