package ui

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
)

// tableChrome is how many lines stand above the table's rows: the title and
// the names of the columns.
const tableChrome = 2

// A domain that was first asked for a moment ago stands out, and less so
// after a while.
const (
	freshFor  = 6 * time.Second
	recentFor = 30 * time.Second
)

func decisionCell(d rowData) string {
	switch {
	case d.verdict.Decision == capture.Keep:
		return "✓ keep"
	case byRule(d.verdict):
		return "– auto"
	case d.verdict.Decision == capture.Drop:
		return "✗ drop"
	case d.now.Sub(d.first) < freshFor:
		return "● new"
	}
	return "· new"
}

// draw returns the pane's lines, the title first.
func (t *table) draw(s *styles, focused bool, waiting string) []string {
	lines := []string{t.title(s, focused)}
	places := arrangeColumns(t.w, t.sort)
	lines = append(lines, t.head(s, places))
	if t.view == nil {
		t.view = t.drawRows(s, places, focused)
	}
	lines = append(lines, t.view...)
	if len(t.rows) == 0 {
		t.explainEmpty(s, lines, waiting)
	}
	return lines
}

func (t *table) title(s *styles, focused bool) string {
	info := fmt.Sprint(t.tally.Total())
	if n := len(t.rows); n != t.tally.Total() {
		info = fmt.Sprintf("%d of %d", n, t.tally.Total())
	}
	if t.top > 0 {
		info += fmt.Sprintf("  ↑ %d more", t.top)
	}
	if below := t.len() - t.top - t.h; below > 0 {
		info += fmt.Sprintf("  ↓ %d more", below)
	}
	if t.from >= 0 {
		info += fmt.Sprintf(", %d selected", max(t.from, t.cursor)-min(t.from, t.cursor)+1)
	}
	l := titleLine(s, focused, "Domains", info)
	if t.hideDrops {
		l.add(s.warn, " dropped hidden")
	}
	if t.frozen {
		l.add(s.warn, fmt.Sprintf(" frozen, %d changed", t.ledger.Pending()))
	}
	if t.editing() || t.filter.text != "" {
		l.add(s.key, "  /").add(s.text, "")
		if t.editing() {
			l.b.WriteString(t.input.View())
			l.w += width(t.input.View())
		} else {
			l.add(s.match, t.filter.text)
		}
		if t.filter.err != nil {
			l.add(s.bad, " "+t.filter.err.Error())
		}
	}
	return finishTitle(s, focused, l, t.w)
}

func (t *table) head(s *styles, places []place) string {
	var l line
	for _, p := range places {
		c := columns[p.col]
		style, name := s.muted, c.name
		if p.col == t.sort {
			style = s.strong
			name += map[bool]string{false: "↑", true: "↓"}[t.descending]
		}
		l.pad(p.x).cell(style, name, p.w, c.right)
	}
	return l.pad(t.w).String()
}

func (t *table) drawRows(s *styles, places []place, focused bool) []string {
	lines := make([]string, t.h)
	t.ledger.Read(func(r capture.Reader) {
		for i := range lines {
			at := t.top + i
			if at >= t.len() {
				lines[i] = strings.Repeat(" ", t.w)
				continue
			}
			selected := t.selecting && at == t.cursor
			l := t.begin(s, selected, selected && focused || t.inRange(at))
			if it := t.at(at); it.head != nil {
				lines[i] = t.drawHead(l, s, it.head, r.Group(it.head.name))
			} else {
				lines[i] = t.drawRow(l, s, places, read(r, it.id, t.now))
			}
		}
	})
	return lines
}

// begin starts a line of the table with the marker of the cursor.
func (t *table) begin(s *styles, selected, bright bool) *line {
	l := &line{}
	if selected {
		l.add(s.key, map[bool]string{true: "▌", false: "│"}[bright])
	} else if bright {
		l.add(s.key, "┊")
	}
	if bright {
		l.background = s.selection
	}
	return l
}

// drawHead draws the line above a group: its name, what a person decided
// about all of it, and how its domains stand.
func (t *table) drawHead(l *line, s *styles, h *groupHead, m capture.Mark) string {
	l.pad(1).add(s.muted, map[bool]string{true: "▸ ", false: "▾ "}[h.folded]).add(s.strong, h.name)
	switch {
	case m.Decision == capture.Keep && m.Suffix:
		l.add(s.keep, "  ✓ keep *."+h.name)
	case m.Decision == capture.Keep:
		l.add(s.keep, "  ✓ keep all")
	case m.Decision == capture.Drop:
		l.add(s.drop, "  ✗ drop all")
	}
	between := "  "
	for _, part := range []struct {
		n     int
		style lipgloss.Style
		word  string
	}{{h.new, s.text, "new"}, {h.keep, s.keep, "keep"}, {h.drop, s.drop, "drop"}, {h.auto, s.muted, "auto"}} {
		if part.n > 0 {
			l.add(s.muted, between).add(part.style, fmt.Sprintf("%d %s", part.n, part.word))
			between = " · "
		}
	}
	return l.pad(t.w).cut(t.w)
}

func (t *table) drawRow(l *line, s *styles, places []place, d rowData) string {
	for _, p := range places {
		l.pad(p.x)
		switch p.col {
		case colDomain:
			t.drawName(l, s, d, p.w)
		case colDecision:
			l.cell(decisionStyle(s, d), decisionCell(d), p.w, false)
		case colResult:
			l.cell(resultStyle(s, d.result), d.result, p.w, false)
		default:
			l.cell(s.muted, columns[p.col].cell(d), p.w, columns[p.col].right)
		}
	}
	return l.pad(t.w).String()
}

func decisionStyle(s *styles, d rowData) lipgloss.Style {
	switch {
	case d.verdict.Decision == capture.Keep:
		return s.keep
	case byRule(d.verdict):
		return s.muted
	case d.verdict.Decision == capture.Drop:
		return s.drop
	case d.now.Sub(d.first) < recentFor:
		return s.fresh
	}
	return s.text
}

func resultStyle(s *styles, result string) lipgloss.Style {
	switch result {
	case "", "resolved", "no data":
		return s.muted
	}
	return s.warn
}

// drawName draws a name so that its registrable part stands out and what the
// filter found in it is marked. Where it doesn't fit, it loses its front: the
// end says whose it is.
func (t *table) drawName(l *line, s *styles, d rowData, w int) {
	name, cut := d.name, 0
	if len(name) > w {
		cut = len(name) - w + 1
	}
	front, main := s.muted, s.strong
	switch {
	case d.verdict.Decision == capture.Drop:
		front, main = s.muted, s.muted
	case d.now.Sub(d.first) < freshFor:
		front, main = s.fresh, s.fresh.Bold(true)
	}
	begin := l.w
	if cut > 0 {
		l.add(s.muted, "…")
	}
	split := len(name) - len(registrable(name))
	matched := t.filter.spans(name)
	for at := cut; at < len(name); {
		end, style := len(name), main
		if at < split {
			end, style = split, front
		}
		for _, m := range matched {
			if at >= m[0] && at < m[1] {
				end, style = min(end, m[1]), s.match
			} else if at < m[0] {
				end = min(end, m[0])
			}
		}
		l.add(style, name[at:end])
		at = end
	}
	l.pad(begin + w)
}

// explainEmpty says in the table why it is empty and what to do.
func (t *table) explainEmpty(s *styles, lines []string, waiting string) {
	text := []string{waiting}
	switch {
	case t.filter.text != "":
		text = []string{"no domain matches the filter", "esc clears it"}
	case t.hideDrops && t.tally.Total() > 0:
		text = []string{"everything is dropped, and hidden", "h shows it"}
	case waiting == "":
		text = []string{"no domain was asked for"}
	}
	middle := tableChrome + max(0, t.h-len(text))/2
	for i, words := range text {
		if middle+i < len(lines) {
			words = ansi.Truncate(words, t.w, "…")
			var l line
			lines[middle+i] = l.pad((t.w-width(words))/2).add(s.muted, words).pad(t.w).String()
		}
	}
}
