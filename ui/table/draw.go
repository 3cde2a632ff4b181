package table

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
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
	case byRule(d.Verdict):
		return "– auto"
	case d.Verdict.Decision == capture.Drop && saved:
		return "✗ drop"
	case d.Verdict.Decision == capture.Drop:
		return "… drop"
	case d.Blocked():
		return "▣ new"
	case !saved:
		return "… new"
	case d.now.Sub(d.First()) < freshFor:
		return "● new"
	}
	return "· new"
}

// Draw returns the pane's lines, the title first. An empty table shows the
// lines of why, which say what could be done about that.
func (t *Table) Draw(s *look.Styles, focused bool, why []string) []string {
	lines := []string{t.title(s, focused)}
	places := t.want.arrangeColumns(t.w)
	lines = append(lines, t.head(s, places))
	if t.drawn == nil {
		t.drawn = t.drawRows(s, places, focused)
	}
	lines = append(lines, t.drawn...)
	if t.shown.domains() == 0 {
		t.explain(s, lines, why)
	}
	return lines
}

func (t *Table) title(s *look.Styles, focused bool) string {
	total := t.shown.tally.Total()
	info := fmt.Sprint(total)
	if n := t.shown.domains(); n != total {
		info = fmt.Sprintf("%d of %d", n, total)
	}
	above := min(t.top, t.shown.front.total(items))
	if t.top > above {
		info += fmt.Sprintf("  ↑ %d more", t.top-above)
	}
	if below := t.shown.lines() - t.top - t.h; below > 0 {
		info += fmt.Sprintf("  ↓ %d more", below)
	}
	if t.from >= 0 {
		info += fmt.Sprintf(", %d selected", max(t.from, t.cursor)-min(t.from, t.cursor)+1)
	}
	l := look.Title(s, focused, "Domains", info)
	if above > 0 {
		l.Add(s.Blocked, fmt.Sprintf("  ↑ %d blocked", above))
	}
	if t.want.hideDrops {
		l.Add(s.Warn, " dropped hidden")
	}
	if busy := t.Busy(); busy != "" {
		l.Add(s.Warn, " "+busy)
	}
	if t.frozen {
		l.Add(s.Warn, fmt.Sprintf(" frozen, %d changed", t.ledger.Pending()))
	}
	if t.Editing() || t.want.filter.text != "" {
		l.Add(s.Key, "  /").Add(s.Text, "")
		if t.Editing() {
			l.Raw(t.input.View())
		} else {
			l.Add(s.Match, t.want.filter.text)
		}
		if t.want.filter.err != nil {
			l.Add(s.Bad, " "+t.want.filter.err.Error())
		}
	}
	return look.FinishTitle(s, focused, l, t.w)
}

func (t *Table) head(s *look.Styles, places []place) string {
	var l look.Line
	for _, p := range places {
		c := t.want.column(p.col)
		style, name := s.Muted, c.name
		if p.col == t.want.sort {
			style = s.Strong
			name += map[bool]string{false: "↑", true: "↓"}[t.want.descending]
		}
		l.Pad(p.x).Cell(style, name, p.w, c.right)
	}
	return l.Pad(t.w).String()
}

func (t *Table) drawRows(s *look.Styles, places []place, focused bool) []string {
	lines := make([]string, t.h)
	t.ledger.Read(func(r capture.Reader) {
		for i := range lines {
			at := t.top + i
			if at >= t.shown.lines() {
				lines[i] = strings.Repeat(" ", t.w)
				continue
			}
			selected := t.selecting && at == t.cursor
			l := t.begin(s, selected, selected && focused || t.inRange(at))
			if it := t.shown.at(at); it.head != nil {
				lines[i] = t.drawHead(l, s, it.head, r.Group(it.head.name))
			} else {
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

// drawHead draws the line above a group: its name, what a person decided
// about all of it, and how its domains stand.
func (t *Table) drawHead(l *look.Line, s *look.Styles, h *group, m capture.Mark) string {
	l.Pad(1).Add(s.Muted, map[bool]string{true: "▸ ", false: "▾ "}[t.shown.folded(h)]).Add(s.Strong, h.name)
	switch {
	case m.Decision == capture.Keep && m.Suffix:
		l.Add(s.Keep, "  ✓ keep *."+h.name)
	case m.Decision == capture.Keep:
		l.Add(s.Keep, "  ✓ keep all")
	case m.Decision == capture.Drop:
		l.Add(s.Drop, "  ✗ drop all")
	}
	between := "  "
	for _, part := range []struct {
		n     int
		style look.Style
		word  string
	}{
		{h.tally[tallyNew], s.Text, "new"}, {h.tally[tallyKeep], s.Keep, "keep"},
		{h.tally[tallyDropByUser], s.Drop, "drop"}, {h.tally[tallyDrop], s.Muted, "auto"},
	} {
		if part.n > 0 {
			l.Add(s.Muted, between).Add(part.style, fmt.Sprintf("%d %s", part.n, part.word))
			between = " · "
		}
	}
	return l.Pad(t.w).Cut(t.w)
}

func (t *Table) drawRow(l *look.Line, s *look.Styles, places []place, id capture.ID, d Row) string {
	for _, p := range places {
		l.Pad(p.x)
		c := t.want.column(p.col)
		if p.col == colDomain {
			t.drawName(l, s, id, d, p.w)
			continue
		}
		style := s.Muted
		switch p.col {
		case colDecision:
			style = d.MarkStyle(s)
		case colResult:
			style = d.resultStyle(s)
		}
		t.cell = c.cell(t.cell[:0], d)
		l.CellOf(style, t.cell, p.w, c.right)
	}
	return l.Pad(t.w).String()
}

// keptBelow returns the name of the suffix rule that keeps the row, "" for none.
func (d Row) keptBelow() string {
	if d.Verdict.Decision != capture.Keep || d.Verdict.Rule == capture.ByUser {
		return ""
	}
	return d.r.KeptBelow(d.Domain)
}

// MarkStyle is how [Row.Mark] looks.
func (d Row) MarkStyle(s *look.Styles) look.Style {
	switch {
	case d.Verdict.Decision == capture.Keep:
		return s.Keep
	case byRule(d.Verdict):
		return s.Muted
	case d.Verdict.Decision == capture.Drop:
		return s.Drop
	case d.Blocked():
		return s.Blocked
	case d.now.Sub(d.First()) < recentFor:
		return s.Fresh
	}
	return s.Text
}

// resultStyle is how what stands in the result's column looks.
func (d Row) resultStyle(s *look.Styles) look.Style {
	if d.policy == nil {
		return d.ResultStyle(s)
	}
	state, _, _ := d.State()
	return StateStyle(s, state)
}

// ResultStyle is how the answer's outcome looks.
func (d Row) ResultStyle(s *look.Styles) look.Style {
	switch d.ResultWord() {
	case "", "resolved", "no data":
		return s.Muted
	}
	return s.Warn
}

// flag stands before a name that opens more than itself: a way round the list,
// or what anyone puts there. Details say what.
const (
	flag      = "! "
	flagWidth = len(flag)
)

// drawName draws a name so that its registrable part stands out and what the
// filter found in it is marked. Where it doesn't fit, it loses its front: the
// end says whose it is.
func (t *Table) drawName(l *look.Line, s *look.Styles, id capture.ID, d Row, w int) {
	name, cut := d.Domain.Name, 0
	open := rule.Rule{Name: name}.Warning() != ""
	room := w
	if open && w > flagWidth {
		room -= flagWidth
	}
	if len(name) > room {
		cut = len(name) - room + 1
	}
	front, main := s.Muted, s.Strong
	switch {
	case d.Verdict.Decision == capture.Drop:
		front, main = s.Muted, s.Muted
	case d.Blocked():
		front, main = s.Drop, s.Blocked
	case d.now.Sub(d.First()) < freshFor:
		front, main = s.Fresh, s.FreshStrong
	}
	begin := l.Width()
	if open && w > flagWidth {
		l.Add(s.Warn, flag)
	}
	if cut > 0 {
		l.Add(s.Muted, "…")
	}
	split := len(name) - t.registrable(id, name)
	t.spans = t.want.filter.spans(t.spans[:0], name)
	for at := cut; at < len(name); {
		end, style := len(name), main
		if at < split {
			end, style = split, front
		}
		for _, m := range t.spans {
			if at >= m[0] && at < m[1] {
				end, style = min(end, m[1]), s.Match
			} else if at < m[0] {
				end = min(end, m[0])
			}
		}
		l.Add(style, name[at:end])
		at = end
	}
	if by := d.keptBelow(); by != "" && l.Width()+len(by)+5 <= begin+w {
		l.Add(s.Keep, "  ✓ ."+by)
	}
	l.Pad(begin + w)
}

// registrable returns how long the registrable domain of a name is, which takes
// longer to find out than to draw the row.
func (t *Table) registrable(id capture.ID, name string) int {
	k := t.shown.known.of(id)
	if k.registrable == 0 {
		k.registrable = uint8(min(len(Registrable(name)), math.MaxUint8))
	}
	return int(k.registrable)
}

// explain writes into the middle of the pane.
func (t *Table) explain(s *look.Styles, lines, text []string) {
	middle := chrome + max(0, t.h-len(text))/2
	for i, words := range text {
		if middle+i < len(lines) {
			words = ansi.Truncate(words, t.w, "…")
			var l look.Line
			lines[middle+i] = l.Pad((t.w-look.Width(words))/2).Add(s.Muted, words).Pad(t.w).String()
		}
	}
}
