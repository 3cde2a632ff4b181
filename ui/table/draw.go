package table

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// chrome is how many lines stand above the table's rows: the title and the
// names of the columns.
const chrome = 2

// A domain that was first asked for a moment ago stands out, and less so
// after a while.
const (
	freshFor  = 6 * time.Second
	recentFor = 30 * time.Second
)

// Mark is the decision in force, with a glyph that tells it without colours, or
// that it is not on disk yet: a crash could lose it.
func (d Row) Mark() string {
	saved := d.r.Saved(d.Domain)
	switch {
	case d.Verdict.Decision == capture.Keep && saved:
		return "✓ keep"
	case d.Verdict.Decision == capture.Keep:
		return "… keep"
	case ByRule(d.Verdict):
		return "– auto"
	case d.Verdict.Decision == capture.Drop && saved:
		return "✗ drop"
	case d.Verdict.Decision == capture.Drop:
		return "… drop"
	case d.Blocked() && d.Out():
		return "▣ out"
	case d.Blocked():
		return "▣ new"
	case !saved:
		return "… new"
	case d.Out():
		return "□ out"
	case d.now.Sub(d.First()) < freshFor:
		return "● new"
	}
	return "· new"
}

// Draw returns the pane's lines, the title first. An empty table shows the
// lines of why, which say what could be done about that.
func (t *Table) Draw(s *look.Styles, focused bool, why []string) []string {
	lines := []string{t.title(s, focused)}
	t.needs = t.needs.and(t.shown.extent())
	places := t.places()
	if t.Editing() {
		lines = append(lines, t.offer(s))
	} else {
		lines = append(lines, t.head(s, places))
	}
	if t.drawn == nil {
		t.drawn = t.drawRows(s, places, focused)
	}
	lines = append(lines, t.drawn...)
	if t.shown.domains() == 0 {
		t.explain(s, lines, why)
	}
	return lines
}

// places is where the columns stand.
func (t *Table) places() []place { return t.want.arrangeColumns(t.w, t.needs) }

// title says how many rows there are and which: the filter that is typed is seen,
// whatever else there is no room for.
func (t *Table) title(s *look.Styles, focused bool) string {
	var filter look.Line
	if t.Editing() || t.want.filter.text != "" {
		filter.Add(s.Key, "  /")
		if t.Editing() {
			s.Input(&t.input)
			filter.Raw(t.input.View())
		} else {
			filter.Add(s.Match, t.want.filter.text)
		}
		if t.want.filter.err != nil { // the empty table says why
			filter.Add(s.Bad, " ?")
		}
	}
	var l *look.Line
	for _, whole := range []int{allOfTitle, withoutPlace, countAlone} {
		if l = t.titleInfo(s, focused, whole); l.Width()+filter.Width() <= t.w {
			break
		}
	}
	if left := t.w - l.Width(); t.Editing() && filter.Width() > left {
		typed := t.input // where its cursor is
		typed.SetWidth(max(1, left-len("  /")-len(" ?")))
		typed.SetCursor(typed.Position())
		filter = *new(look.Line).Add(s.Key, "  /").Raw(typed.View())
	}
	return look.FinishTitle(s, focused, l.Join(&filter), t.w)
}

// How much of the title there is room for: all, all but where in the rows the view
// is, or how many rows there are.
const (
	allOfTitle = iota
	withoutPlace
	countAlone
)

// titleInfo begins the title.
func (t *Table) titleInfo(s *look.Styles, focused bool, whole int) *look.Line {
	total := t.shown.tally.Total()
	info := fmt.Sprint(total)
	if n := t.shown.domains(); n != total {
		info = fmt.Sprintf("%d of %d", n, total)
	}
	above := min(t.top, t.shown.front.total(items))
	more := func(n int) string {
		if t.shown.grouped { // and not all of them are domains
			return look.Plural(n, "line")
		}
		return fmt.Sprint(n, " more")
	}
	if whole == allOfTitle && t.top > above {
		info += "  ↑ " + more(t.top-above)
	}
	if below := t.shown.lines() - t.top - t.h; whole == allOfTitle && below > 0 {
		info += "  ↓ " + more(below)
	}
	if t.from >= 0 {
		info += fmt.Sprintf(", %d selected", max(t.from, t.cursor)-min(t.from, t.cursor)+1)
	}
	l := look.Title(s, focused, "Domains", info)
	if whole == countAlone {
		return l
	}
	if above > 0 {
		l.Add(s.Blocked, fmt.Sprintf("  ↑ %d %s", above, t.want.policy.Word()))
	}
	says := []string{map[hides]string{drops: "dropped hidden", decided: "decided hidden"}[t.want.hides], t.Busy(), ""}
	if t.frozen {
		says[2] = fmt.Sprintf("frozen, %d changed", t.ledger.Pending())
	}
	for _, text := range says {
		if text != "" {
			l.Add(s.Muted, ", ").Add(s.Warn, text)
		}
	}
	return l
}

// numbers stand before the names of the columns that the digits choose; 0
// and = do so behind 9.
var numbers = [...]string{"¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹", "⁰", "⁼"}

// label is the name of a column with its number and the order, in so many
// cells.
func (set settings) label(col, w int) string {
	c, number, order := set.column(col), "", ""
	if col < len(numbers) {
		number = numbers[col]
	}
	if col == set.sort {
		order = map[bool]string{false: "↑", true: "↓"}[set.descending]
	}
	for _, name := range []string{number + c.name + order, number + c.short + order, number + order, number} {
		if look.Width(name) <= w {
			return name
		}
	}
	return ""
}

// offer draws what the filter that is typed may go on with, in place of the
// columns' names.
func (t *Table) offer(s *look.Styles) string {
	l := new(look.Line).Pad(1)
	base, nth := t.input.Value(), -1
	if base == t.completed.last && base != "" {
		base, nth = t.completed.base, t.completed.nth
		if len(completions(base, t.census)) == 1 && strings.HasSuffix(t.completed.last, ":") {
			base, nth = t.completed.last, -1 // a key that is whole: its values
		}
	}
	for i, c := range completions(base, t.census) {
		style := s.Text
		if i == nth {
			style = s.Match
		}
		if l.Add(style, c.text); c.n >= 0 {
			l.Add(s.Muted, " "+fmt.Sprint(c.n))
		}
		l.Add(s.Muted, "  ")
	}
	return l.Cut(t.w)
}

func (t *Table) head(s *look.Styles, places []place) string {
	var l look.Line
	for _, p := range places {
		style := s.Muted
		if p.col == t.want.sort {
			style = s.Strong
		}
		l.Pad(p.x).Cell(style, t.want.label(p.col, p.w), p.w, t.want.column(p.col).right)
	}
	return l.Pad(t.w).String()
}

func (t *Table) drawRows(s *look.Styles, places []place, focused bool) []string {
	lines := make([]string, t.h)
	t.ledger.Read(func(r capture.Reader) {
		t.lookAtNames(r, places)
		for i := range lines {
			at := t.top + i
			if at >= t.shown.lines() {
				lines[i] = strings.Repeat(" ", t.w)
				continue
			}
			selected := t.selecting && at == t.cursor
			l := t.begin(s, selected, selected && focused || t.inRange(at))
			switch it := t.shown.at(at); {
			case it.way == roundHead:
				lines[i] = t.drawRound(l, s, nameAt(places))
			case it.way != "":
				lines[i] = t.drawWay(l, s, r, it.way, nameAt(places))
			case it.head != nil:
				lines[i] = t.drawHead(l, s, places, it.head, r.Group(it.head.name))
			default:
				lines[i] = t.drawRow(l, s, places, it.id, Read(r, it.id, t.now, t.want.policy))
			}
		}
	})
	return lines
}

// begin starts a line of the table with the marker of the cursor.
func (t *Table) begin(s *look.Styles, selected, bright bool) *look.Line {
	l := t.line.Reset()
	if selected {
		l.Add(s.Key, map[bool]string{true: "▌", false: "│"}[bright])
	} else if bright {
		l.Add(s.Key, "┊")
	}
	if bright {
		l.Select(s)
	}
	return l
}

// drawHead draws the line above a group: its name, what a person decided about
// all of it, and how its domains stand. Where there is no room, the words go
// and then the name's middle; how they stand is always told.
func (t *Table) drawHead(l *look.Line, s *look.Styles, places []place, h *group, m capture.Mark) string {
	l.Pad(nameAt(places)-flagWidth).Add(s.Muted, map[bool]string{true: "▸ ", false: "▾ "}[t.shown.folded(h)])
	room := t.w - l.Width() - 1
	rest := headRest(l.Another(), s, h, m, false)
	if len(h.name)+rest.Width() > room {
		rest = headRest(l.Another(), s, h, m, true)
	}
	name := h.name
	if w := max(1, room-rest.Width()); len(name) > w {
		name = shorten(name, t.cuts.of(name, w, nil))
	}
	return l.Add(s.Strong, name).Join(rest).Pad(t.w).Cut(t.w)
}

// headRest is what stands behind a group's name.
func headRest(l *look.Line, s *look.Styles, h *group, m capture.Mark, short bool) *look.Line {
	words := func(style look.Style, glyph, more string) {
		if short {
			more = ""
		}
		l.Add(style, "  "+glyph+more)
	}
	if h.kind == shared && !short {
		l.Add(s.Warn, "  shared")
	}
	switch {
	case m.Decision == capture.Keep && m.Suffix:
		words(s.Keep, "✓", " keep *."+h.name)
	case m.Decision == capture.Keep:
		words(s.Keep, "✓", " keep all")
	case m.Decision == capture.Drop:
		words(s.Drop, "✗", " drop all")
	}
	between := "  "
	for _, part := range []struct {
		n           int
		style       look.Style
		word, glyph string
	}{
		{h.tally[tallyNew], s.Text, " new", "·"}, {h.tally[tallyOut], s.Warn, " out", "□"}, {h.tally[tallyKeep], s.Keep, " keep", "✓"},
		{h.tally[tallyDropByUser], s.Drop, " drop", "✗"}, {h.tally[tallyDrop], s.Muted, " auto", "–"},
	} {
		word := part.word
		if short {
			word = part.glyph
		}
		if part.n > 0 {
			l.Add(s.Muted, between).Add(part.style, fmt.Sprint(part.n, word))
			if between = " · "; short {
				between = " "
			}
		}
	}
	return l
}

func (t *Table) drawRow(l *look.Line, s *look.Styles, places []place, id capture.ID, d Row) string {
	for _, p := range places {
		if p.col == colDomain {
			t.drawName(l, s, id, d, p)
			continue
		}
		c, style := t.want.column(p.col), s.Muted
		if c.style != nil {
			style = c.style(d, s)
		}
		t.cell = c.cell(t.cell[:0], d, p.w)
		l.Pad(p.x).CellOf(style, t.cell, p.w, c.right)
	}
	return l.Pad(t.w).String()
}

// MarkStyle is how [Row.Mark] looks.
func (d Row) MarkStyle(s *look.Styles) look.Style {
	switch {
	case d.Verdict.Decision == capture.Keep:
		return s.Keep
	case ByRule(d.Verdict):
		return s.Muted
	case d.Verdict.Decision == capture.Drop:
		return s.Drop
	case d.Blocked():
		return s.Blocked
	case d.Out():
		return s.Warn
	case d.now.Sub(d.First()) < recentFor:
		return s.Fresh
	}
	return s.Text
}

// ResultStyle is how the answer's outcome looks.
func (d Row) ResultStyle(s *look.Styles) look.Style {
	switch d.ResultWord() {
	case "", "resolved", "no data":
		return s.Muted
	case "blocked":
		return s.Drop
	}
	return s.Warn
}

// flag stands before a name that opens more than itself: a way round the list,
// or what anyone puts there. Details say what.
const (
	flag      = "! "
	flagWidth = len(flag)
)

// indent is how far the names below a head stand to the right of it.
const indent = 2

// explain writes into the middle of the pane.
func (t *Table) explain(s *look.Styles, lines, text []string) {
	middle := chrome + max(t.shown.lines()+1, (t.h-len(text))/2)
	for i, words := range text {
		if middle+i < len(lines) {
			words = ansi.Truncate(words, t.w, "…")
			var l look.Line
			lines[middle+i] = l.Pad((t.w-look.Width(words))/2).Add(s.Muted, words).Pad(t.w).String()
		}
	}
}
