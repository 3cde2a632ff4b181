package dialog

import (
	"cmp"
	"fmt"
	"strings"

	"lxd-allowlist/ui/look"
)

// verifiedWidth is that of the word beside what came of enforcing the list.
const verifiedWidth = len("verified")

// View implements [Dialog].
func (d *Export) View(s Screen) []string {
	inner := min(s.W-4, 96)
	f := d.formats[d.format]
	t := d.made.Tally
	var counts, left, format, meaning look.Line
	counts.Add(s.Strong, look.Plural(len(d.made.File.Rules), "rule")).Add(s.Muted, " from ").
		Add(s.Keep, fmt.Sprintf("%d keep", t.Keep)).Add(s.Muted, " and ").Add(s.Text, fmt.Sprintf("%d new", t.New))
	left.Add(s.Muted, "left out: "+cmp.Or(d.made.LeftOut, "nothing"))
	if n := len(d.made.File.Refused); n > 0 {
		left.Add(s.Warn, fmt.Sprintf(" and %d that no list can hold", n))
	}
	format.Add(s.Muted, "format  ").Add(s.Key, "‹ ").Add(s.Strong, f.Name).Add(s.Key, " ›").Add(s.Muted, "  "+f.Title)
	if f.Widens != "" {
		meaning.Add(s.Warn, "        "+f.Widens)
	} else {
		meaning.Add(s.Muted, "        proven: "+f.Proven)
	}
	lines := []string{counts.Cut(inner), left.Cut(inner)}
	if names := d.made.Overruled; len(names) > 0 {
		lines = append(lines, new(look.Line).Add(s.Warn, "dropped, but a suffix rule allows "+look.Few(names)).Cut(inner))
	}
	if text := d.made.Verified; text != "" {
		for i, part := range look.Wrap(s.Text, text, inner-verifiedWidth) {
			head := map[bool]string{true: "verified"}[i == 0]
			lines = append(lines, new(look.Line).Cell(s.Muted, head, verifiedWidth, false).Raw(part).Cut(inner))
		}
	}
	lines = append(lines, "", format.Cut(inner), meaning.Cut(inner), d.path.line(s, inner), "")
	lines = append(lines, d.drawPreview(s, inner, max(1, s.H-len(lines)-6))...)
	wrong := ""
	if d.err != nil && !d.exists {
		wrong = new(look.Line).Add(s.Bad, d.err.Error()).Cut(inner)
	}
	lines = append(lines, wrong, d.foot(s, inner))
	title := "Export"
	if d.quitting {
		title = "Quit"
	}
	return look.Box(s.Styles, title, lines, inner)
}

func (d *Export) drawPreview(s Screen, w, room int) []string {
	room = min(room, 20)
	switch {
	case d.made.Gen != d.gen:
		return append([]string{s.Muted.Render("  making the file…")}, make([]string, room-1)...)
	case d.made.Err != nil:
		return append(look.Wrap(s.Bad, d.made.Err.Error(), w), make([]string, max(0, room-1))...)
	}
	text := d.made.Lines
	if d.exists {
		text = d.changes
	}
	d.top = max(0, min(d.top, len(text)-room))
	lines := make([]string, room)
	for i := range lines {
		var l look.Line
		if d.top+i < len(text) {
			l.Add(s.Rule, "│ ").Add(changeStyle(s.Styles, d.exists, text[d.top+i]), strings.ReplaceAll(text[d.top+i], "\t", "  "))
		}
		lines[i] = l.Cut(w)
	}
	if rest := len(text) - d.top - room; rest > 0 {
		var l look.Line
		lines[room-1] = l.Add(s.Rule, "│ ").Add(s.Muted, fmt.Sprintf("… %s more", look.Plural(rest+1, "line"))).Cut(w)
	}
	return lines
}

func changeStyle(s *look.Styles, changes bool, text string) look.Style {
	switch {
	case changes && strings.HasPrefix(text, "+ "):
		return s.Keep
	case changes && strings.HasPrefix(text, "- "):
		return s.Drop
	}
	return s.Text
}

// foot says what can be done now.
func (d *Export) foot(s Screen, w int) string {
	if d.path.Focused() {
		return d.path.foot(s, d.keys, w)
	}
	var l look.Line
	if d.exists {
		l.Add(s.Warn, "it exists:")
	}
	return l.String() + look.Hints(s.Styles, d.actions().Hints(d.keys, d), max(0, w-l.Width()))
}
