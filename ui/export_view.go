package ui

import (
	"cmp"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/lipgloss/v2"
)

func (d *exportDialog) view(m *model, w, h int) []string {
	s := &m.styles
	inner := min(w-4, 96)
	f := d.formats[d.format]
	t := m.table.tally
	var counts, left, format, meaning, file line
	counts.add(s.strong, plural(len(d.preview.file.Rules), "rule")).add(s.muted, " from ").
		add(s.keep, fmt.Sprintf("%d keep", t.Keep)).add(s.muted, " and ").add(s.text, fmt.Sprintf("%d new", t.New))
	left.add(s.muted, "left out: "+cmp.Or(d.preview.leftOut, "nothing"))
	if n := len(d.preview.file.Refused); n > 0 {
		left.add(s.warn, fmt.Sprintf(" and %d that no list can hold", n))
	}
	format.add(s.muted, "format  ").add(s.key, "‹ ").add(s.strong, f.Name).add(s.key, " ›").add(s.muted, "  "+f.Title)
	if f.Widens != "" {
		meaning.add(s.warn, "        "+f.Widens)
	} else {
		meaning.add(s.muted, "        proven: "+f.Proven)
	}
	file.add(s.muted, "file    ")
	if d.path.Focused() {
		d.path.SetWidth(inner - 10)
		file.b.WriteString(d.path.View())
	} else {
		file.add(s.strong, d.path.Value())
	}
	lines := []string{counts.cut(inner), left.cut(inner), "", format.cut(inner), meaning.cut(inner), file.cut(inner), ""}
	if names := d.preview.overruled; len(names) > 0 {
		lines[2] = new(line).add(s.warn, "dropped, but a suffix rule allows "+strings.Join(names, ", ")).cut(inner)
	}
	lines = append(lines, d.drawPreview(s, inner, max(1, h-len(lines)-6))...)
	wrong := ""
	if d.err != nil && !d.exists {
		wrong = new(line).add(s.bad, d.err.Error()).cut(inner)
	}
	lines = append(lines, wrong, d.foot(m, inner))
	title := "Export"
	if d.quitting {
		title = "Quit"
	}
	return box(s, title, lines, inner)
}

func (d *exportDialog) drawPreview(s *styles, w, room int) []string {
	room = min(room, 20)
	p := d.preview
	switch {
	case p.gen != d.gen:
		return append([]string{s.muted.Render("  making the file…")}, make([]string, room-1)...)
	case p.err != nil:
		return append(wrap(s.bad, p.err.Error(), w), make([]string, max(0, room-1))...)
	}
	text := p.lines
	if d.exists {
		text = d.changes
	}
	d.top = max(0, min(d.top, len(text)-room))
	lines := make([]string, room)
	for i := range lines {
		var l line
		if d.top+i < len(text) {
			l.add(s.rule, "│ ").add(changeStyle(s, d.exists, text[d.top+i]), strings.ReplaceAll(text[d.top+i], "\t", "  "))
		}
		lines[i] = l.cut(w)
	}
	if rest := len(text) - d.top - room; rest > 0 {
		var l line
		lines[room-1] = l.add(s.rule, "│ ").add(s.muted, fmt.Sprintf("… %s more", plural(rest+1, "line"))).cut(w)
	}
	return lines
}

func changeStyle(s *styles, changes bool, text string) lipgloss.Style {
	switch {
	case changes && strings.HasPrefix(text, "+ "):
		return s.keep
	case changes && strings.HasPrefix(text, "- "):
		return s.drop
	}
	return s.text
}

// foot says what can be done now.
func (d *exportDialog) foot(m *model, w int) string {
	s, k := &m.styles, &m.keys
	switch {
	case d.path.Focused():
		return hints(s, []key.Binding{relabel(k.Accept, "done")}, w)
	case d.exists:
		var l line
		l.add(s.warn, "it exists:")
		keys := []key.Binding{relabel(k.Yes, "overwrite"), k.Merge, relabel(k.File, "another name"), k.Cancel}
		return l.b.String() + hints(s, keys, max(0, w-l.w))
	}
	keys := []key.Binding{relabel(k.Accept, "write it"), k.NextFormat, k.File, relabel(k.Cancel, "back")}
	if d.quitting {
		keys = []key.Binding{relabel(k.Accept, "write and quit"), k.NextFormat, k.File, relabel(k.No, "quit only"), relabel(k.Cancel, "back")}
	}
	return hints(s, keys, w)
}
