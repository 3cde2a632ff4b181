package dialog

import (
	"cmp"
	"fmt"
	"strings"

	"lxd-allowlist/ui/look"
)

const (
	// verifiedWidth is that of the word beside what came of enforcing the list.
	verifiedWidth = len("verified")
	// formatsWidth is that of the list of formats, and listLeast from how many
	// cells on there is one beside the file.
	formatsWidth = 22
	listLeast    = 70
	leftOutLines = 3
)

// View implements [Dialog].
func (d *Export) View(s Screen) []string {
	inner := min(s.W-4, 150)
	w, listed := inner, inner >= listLeast
	if listed {
		w -= formatsWidth + 3
	}
	wrong := d.drawWrong(s, w)
	lines := d.drawHead(s, w, s.H-2-len(wrong)-fileLeast, listed)
	d.tabs, d.listed, d.drawn = boxTop+len(lines)-1, listed, make(drawn)
	room := max(1, s.H-len(lines)-2)
	if !listed {
		room = min(room, 20)
	}
	lines = append(lines, d.drawFile(s, w, max(1, room-len(wrong)))...)
	lines = append(lines, wrong...)
	if listed {
		list := d.drawFormats(s, len(lines))
		bar := s.Rule.Render(" │ ")
		for i := range lines {
			lines[i] = list[i] + bar + lines[i]
		}
	}
	title := "Export"
	if d.quitting {
		title = "Quit"
	}
	return look.Box(s.Styles, title, lines, inner)
}

// drawFormats draws the list of formats with the chosen one in view.
func (d *Export) drawFormats(s Screen, h int) []string {
	lines := make([]string, h)
	s.Input(&d.search)
	d.search.SetWidth(formatsWidth - 3)
	lines[0] = look.Fit(s.Key.Render("/ ")+d.search.View(), formatsWidth)
	at := 0
	for i, f := range d.found {
		if f.index == d.format {
			at = i
		}
	}
	room := h - 1
	top := max(0, min(at-room/2, len(d.found)-room))
	const hintLeast = 3 // lines: the chosen one stands above the last of them
	if rest := len(d.found) - top - room; rest > 0 && room >= hintLeast {
		room--
		lines[h-1] = new(look.Line).Add(s.Muted, fmt.Sprintf(" ↓ %d more", rest+1)).Cut(formatsWidth)
	}
	for i := range room {
		l := new(look.Line)
		if n := top + i; n < len(d.found) {
			f := d.found[n]
			d.drawn[boxTop+1+i] = f.index
			style := s.Text
			if f.index == d.format {
				l.Add(s.Key, "▌").Select(s.Styles)
				style = s.Strong
			}
			l.Pad(1)
			addFound(l, s, style, d.formats[f.index].Name, 0, f.bytes, formatsWidth-1)
		} else if i == 0 {
			l.Add(s.Muted, " no such format")
		}
		lines[i+1] = l.Cut(formatsWidth)
	}
	return lines
}

// fileLeast is how many lines of the file are seen, whatever is said above it.
const fileLeast = 2

// drawHead says what goes into the file, and where that goes, on so many lines at
// most.
func (d *Export) drawHead(s Screen, w, room int, listed bool) []string {
	f := d.formats[d.format]
	var format look.Line
	switch {
	case listed:
		format.Add(s.Strong, f.Title)
	case d.search.Focused():
		s.Input(&d.search)
		d.search.SetWidth(formatsWidth - 3)
		format.Add(s.Key, "/ ").Raw(look.Fit(d.search.View(), formatsWidth-2)).Add(s.Strong, d.matched())
	default:
		format.Add(s.Muted, "format  ").Add(s.Strong, f.Name).Add(s.Muted, "  "+f.Title)
	}
	var all []said
	wrapped := func(worth int, style look.Style, text string) {
		lines := look.Wrap(style, text, w+1)
		for i := range lines {
			lines[i] = strings.Replace(lines[i], " ", "", 1) // the margin
		}
		all = append(all, said{worth, 1, lines})
	}
	all = append(all, said{1, 1, []string{format.String()}})
	if f.Widens != "" {
		wrapped(5, s.Warn, f.Widens)
	} else {
		wrapped(10, s.Muted, "proven: "+f.Proven)
	}
	all = append(all, said{4, 1, d.drawCounts(s, w)})
	wrapped(9, s.Muted, "left out: "+cmp.Or(d.made.LeftOut, "nothing"))
	if left := &all[len(all)-1]; len(left.lines) > leftOutLines { // the file, and the command line, tell the rest
		left.lines = left.lines[:leftOutLines]
	}
	if refused := d.made.File.Refused; len(refused) > 0 {
		names := make([]string, len(refused))
		for i, r := range refused {
			names[i] = r.Rule.String()
		}
		wrapped(6, s.Warn, fmt.Sprintf("and %d that can't be in it: %s: %s", len(names), look.Few(names), refused[0].Why()))
	}
	if names := d.made.Overruled; len(names) > 0 {
		wrapped(7, s.Warn, "dropped, but a wider rule allows "+look.Few(names))
	}
	if text := d.made.Verified; text != "" {
		verified := said{worth: 8, least: 1}
		for i, part := range look.Wrap(s.Text, text, w-verifiedWidth) {
			head := map[bool]string{true: "verified"}[i == 0]
			verified.lines = append(verified.lines, new(look.Line).Cell(s.Muted, head, verifiedWidth, false).Raw(part).String())
		}
		all = append(all, verified)
	}
	all = append(all, said{2, 1, []string{d.path.line(s, w)}}, said{3, 1, []string{d.drawTabs(s, w)}})
	lines := shorten(s, all, room, w)
	for i := range lines {
		lines[i] = look.Fit(lines[i], w)
	}
	return lines
}

// matched names the format that was found, where no list of them is seen.
func (d *Export) matched() string {
	if len(d.found) == 0 {
		return " no such format"
	}
	return " " + d.formats[d.format].Name
}

// kindWords are what rules of a kind are called, one of them and several.
var kindWords = []struct{ kind, one, many string }{
	{"exact", "name", "names"}, {"suffix", "suffix", "suffixes"}, {"pattern", "pattern", "patterns"}, {"address", "address", "addresses"},
}

// drawCounts says how many rules there are and what they come from: of which
// kinds, too, where they aren't a name each.
func (d *Export) drawCounts(s Screen, w int) []string {
	t, n := d.made.Tally, len(d.made.File.Rules)
	rules := new(look.Line).Add(s.Strong, look.Plural(n, "rule"))
	if d.made.Kinds["exact"] < n {
		var kinds []string
		for _, k := range kindWords {
			switch n := d.made.Kinds[k.kind]; n {
			case 0:
			case 1:
				kinds = append(kinds, "1 "+k.one)
			default:
				kinds = append(kinds, fmt.Sprintf("%d %s", n, k.many))
			}
		}
		rules.Add(s.Text, ": "+strings.Join(kinds, ", "))
	}
	from := new(look.Line).Add(s.Muted, "from ").Add(s.Keep, fmt.Sprintf("%d keep", t.Keep)).Add(s.Muted, " and ").Add(s.Text, fmt.Sprintf("%d new", t.New))
	if rules.Width()+1+from.Width() > w {
		return []string{rules.String(), from.String()}
	}
	return []string{rules.Add(s.Text, " ").Join(from).String()}
}

// drawTabs draws what can be looked at, the file and what it changes, and the key
// that turns to the other: a narrow footer has no room for it.
func (d *Export) drawTabs(s Screen, w int) string {
	l := new(look.Line)
	for _, tab := range []struct {
		name  string
		shown bool
	}{{"File", !d.changes}, {"Difference", d.changes}} {
		if l.Add(s.Rule, "─ "); tab.shown {
			l.Add(s.TitleFocused, tab.name).Add(s.Rule, " ")
		} else {
			l.Add(s.Key, d.keys.Show("difference")).Add(s.Title, " "+tab.name).Add(s.Rule, " ")
		}
	}
	switch t := &d.made.There; {
	case d.made.Gen != d.gen || d.made.Err != nil || d.empty():
	case t.Unreadable != nil:
		l.Add(s.Warn, "unreadable ")
	case !t.Exists:
		l.Add(s.Muted, "a new file ")
	default:
		gone := t.gone()
		l.Add(s.Keep, fmt.Sprintf("+%d", len(t.Changes)-gone)).Add(s.Muted, " ").Add(s.Drop, fmt.Sprintf("−%d", gone)).Add(s.Rule, " ")
	}
	if n := w - l.Width(); n > 0 {
		l.Add(s.Rule, strings.Repeat("─", n))
	}
	return l.Cut(w)
}

// drawFile draws the file, or what it changes, in so many lines.
func (d *Export) drawFile(s Screen, w, room int) []string {
	lines := make([]string, room)
	fill := func(with []string) []string {
		for i := range lines {
			if i < len(with) {
				lines[i] = look.Fit(with[i], w)
			} else {
				lines[i] = strings.Repeat(" ", w)
			}
		}
		return lines
	}
	n, line := len(d.made.Lines), d.fileLine
	switch t := &d.made.There; {
	case d.made.Gen != d.gen:
		return fill([]string{s.Muted.Render("making the file…")})
	case d.made.Err != nil:
		return fill(look.Wrap(s.Bad, d.made.Err.Error(), w))
	case d.empty():
		text := "no name is on the list: there is nothing to write"
		if t.Exists {
			text += "; " + d.path.Value() + " stays as it is"
		}
		return fill(look.Wrap(s.Text, text, w))
	case d.changes && t.Unreadable != nil:
		return fill(look.Wrap(s.Warn, d.unreadable()+". It can't be merged; overwriting replaces all of it.", w))
	case d.changes && len(t.Changes) == 0:
		return fill(look.Wrap(s.Text, map[bool]string{true: "it holds the same rules", false: "no file is there yet: all rules are new"}[t.Exists], w))
	case d.changes:
		n, line = len(t.Changes), d.changeLine
	}
	d.room = room
	d.top = max(0, min(d.top, n-room))
	for i := range lines {
		l := new(look.Line)
		if d.top+i < n {
			line(s, l, d.top+i)
		}
		lines[i] = l.Cut(w)
	}
	if rest := n - d.top - room; rest > 0 {
		lines[room-1] = new(look.Line).Add(s.Muted, fmt.Sprintf("… %s more: %s", look.Plural(rest+1, "line"), d.keys.Show("page-down"))).Cut(w)
	}
	return lines
}

func (d *Export) fileLine(s Screen, l *look.Line, i int) {
	l.Add(s.Text, strings.ReplaceAll(d.made.Lines[i], "\t", "  "))
}

func (d *Export) changeLine(s Screen, l *look.Line, i int) {
	c := d.made.There.Changes[i]
	l.Add(map[bool]look.Style{true: s.Drop, false: s.Keep}[c.Gone], c.String())
}

// drawWrong says why the file wasn't written, or asks whether to overwrite
// another.
func (d *Export) drawWrong(s Screen, w int) []string {
	switch {
	case d.exists:
		return []string{new(look.Line).Add(s.Warn, "it exists: overwrite it?").Cut(w)}
	case d.err != nil:
		lines := look.Wrap(s.Bad, d.err.Error(), w)
		for i := range lines {
			lines[i] = look.Fit(lines[i], w)
		}
		return lines
	}
	return nil
}
