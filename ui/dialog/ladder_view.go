package dialog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// ladderRungs is how many rungs are seen at least, before what is said of the
// chosen one.
const ladderRungs = 3

// View implements [Dialog]. All is whole where there is room; else a rung is a
// line, then what is said of the chosen one is shortened, and on the lowest
// screens the rungs are those around it.
func (d *Ladder) View(s Screen) []string {
	inner, room := min(s.W-4, 100), s.H-2
	below := d.chosen(s, inner)
	lines := d.drawRungs(s, inner, 0, len(d.rungs), true)
	if len(lines)+1+heightOf(below) > room {
		lines = d.drawRungs(s, inner, 0, len(d.rungs), false)
	}
	if len(lines)+heightOf(below) > room {
		n := min(len(d.rungs), max(ladderRungs, room-leastOf(below)))
		from := max(0, min(d.at-n/2, len(d.rungs)-n))
		lines = d.drawRungs(s, inner, from, from+n, false)
	}
	if len(lines)+heightOf(below) < room {
		lines = append(lines, "")
	}
	return look.Box(s.Styles, "Keep all below a name", append(lines, shorten(s, below, room-len(lines), inner)...), inner)
}

// rungColumns are how many cells a rung's name and what was seen have, and whether
// there is room beside them for what it opens.
type rungColumns struct {
	name, seen int
	opens      bool
}

const (
	rungMark  = 3
	rungShort = 15 // cells: what a rung opens, in a few words
)

func (d *Ladder) columns(inner int, whole bool) (c rungColumns) {
	for i := range d.rungs {
		c.name = max(c.name, look.Width(d.rungs[i].text()))
		c.seen = max(c.seen, look.Width(d.rungs[i].count())+2)
	}
	if whole {
		c.name = min(c.name, inner/2)
	}
	c.opens = rungMark+c.name+c.seen+rungShort <= inner
	return c
}

// count says how many names were seen below the rung.
func (g *rung) count() string {
	switch {
	case g.refused != "":
		return ""
	case g.known:
		return fmt.Sprintf("%d seen", g.seen.Asked)
	}
	return "…"
}

// drawRungs draws rungs, the highest first, whole or each on a line.
func (d *Ladder) drawRungs(s Screen, inner, from, to int, whole bool) (lines []string) {
	d.drawn = make(drawn)
	c := d.columns(inner, whole)
	for i := to - 1; i >= from; i-- {
		for _, line := range d.drawRung(s, i, c, inner, whole) {
			d.drawn[boxTop+len(lines)] = i
			lines = append(lines, line)
		}
	}
	return lines
}

// drawRung says of a rung what was seen and what else it opens.
func (d *Ladder) drawRung(s Screen, i int, c rungColumns, inner int, whole bool) (lines []string) {
	g, l := &d.rungs[i], new(look.Line)
	name, mark := s.Text, ""
	style, says := d.opens(s, g)
	switch {
	case g.refused != "":
		name = s.Drop
	case g.kept != capture.Undecided:
		name = s.Keep
	}
	if i == d.at {
		mark = " ▸"
		if g.refused == "" {
			name = s.Strong
		}
	}
	if l.Add(s.Key, mark).Pad(rungMark); !whole && !c.opens {
		return []string{g.shortly(l, s, name, style, inner)}
	}
	l.Add(name, table.Cut(g.text(), c.name)).Pad(rungMark+c.name).Add(s.Muted, "  ").Cell(s.Muted, g.count(), c.seen-1, false)
	room := inner - l.Width() - 1
	if !whole {
		if look.Width(says) > room {
			says = g.short()
		}
		return []string{l.Add(style, " "+says).Cut(inner)}
	}
	for _, part := range look.Wrap(style, says, room+1) {
		lines = append(lines, new(look.Line).Join(l).Raw(part).Cut(inner))
		l = new(look.Line).Pad(l.Width())
	}
	return lines
}

// shortly draws a rung with what was seen and what it opens at the right, as far as
// its name leaves room: the word for what it opens always has some.
func (g *rung) shortly(l *look.Line, s Screen, name, style look.Style, inner int) string {
	const gap = 2
	word, seen := g.short(), g.count()
	if word == anyOther && seen != "" {
		word = ""
	} else if seen += " "; seen == " " || l.Width()+look.Width(g.text()+seen+word)+gap > inner {
		seen = "" // said of the chosen one
	}
	at := inner - look.Width(seen+word)
	return l.Add(name, table.Cut(g.text(), at-gap-l.Width())).Pad(at).Add(s.Muted, seen).Add(style, word).Cut(inner)
}

// opens says in a few words what a rung opens beyond what was seen, and how that
// looks.
func (d *Ladder) opens(s Screen, g *rung) (look.Style, string) {
	dropped := ""
	if n := g.seen.DroppedAll; n > 0 {
		dropped = ", and " + look.Plural(n, "dropped name")
	}
	switch {
	case g.refused != "":
		return s.Drop, "✗ refused: it " + g.refused
	case g.kept != capture.Undecided:
		return s.Keep, "✓ kept already"
	case g.warning != "":
		return s.Warn, "! " + g.warning + dropped
	case dropped != "":
		return s.Warn, "! any other name" + dropped
	case g.pattern != nil:
		return s.Muted, "any other of this pattern"
	}
	return s.Muted, "any other name below it"
}

// short is what [Ladder.opens] says in [rungShort] cells.
func (g *rung) short() string {
	switch {
	case g.refused != "":
		return "✗ refused"
	case g.kept != capture.Undecided:
		return "✓ kept"
	case strings.HasPrefix(g.warning, "anyone "):
		return "! shared"
	case g.warning != "":
		return "! opens more"
	case g.seen.DroppedAll > 0:
		return fmt.Sprintf("! %d dropped", g.seen.DroppedAll)
	}
	return anyOther
}

// anyOther is all that a rung opens that nothing is to be said of.
const anyOther = "any other"

// said is a thing that is said of the chosen rung.
type said struct {
	worth int // 1 goes first
	least int // lines that it has before rungs do
	lines []string
}

func heightOf(all []said) (n int) {
	for _, s := range all {
		n += len(s.lines)
	}
	return n
}

func leastOf(all []said) (n int) {
	for _, s := range all {
		n += min(s.least, len(s.lines))
	}
	return n
}

// shorten returns as much of what is said as a few lines hold, in its order: what
// is worth most first. What is left out is an ellipsis behind that before it.
func shorten(s Screen, all []said, room, inner int) (lines []string) {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b said) int { return a.worth - b.worth })
	has := make(map[int]int) // lines by worth
	room = max(0, room)
	for least := range 2 {
		for _, f := range order {
			n := min(len(f.lines), room+has[f.worth])
			if least == 0 {
				n = min(n, f.least)
			}
			room -= n - has[f.worth]
			has[f.worth] = n
		}
	}
	for _, f := range all {
		lines = append(lines, f.lines[:has[f.worth]]...)
		if n := len(lines); n > 0 && has[f.worth] < len(f.lines) && !strings.HasSuffix(lines[n-1], ellipsis(s)) {
			lines[n-1] = ansi.Truncate(lines[n-1], inner-2, "") + ellipsis(s)
		}
	}
	return lines
}

func ellipsis(s Screen) string { return s.Muted.Render(" …") }

// chosen says of the chosen rung what was seen and what else it opens.
func (d *Ladder) chosen(s Screen, inner int) (all []said) {
	const head = 9
	g := d.rungs[d.at]
	field := func(name string, style look.Style, text string, worth, least int) {
		f := said{worth: worth, least: least}
		for _, part := range look.Wrap(style, text, inner-head) {
			f.lines = append(f.lines, new(look.Line).Cell(s.Muted, name, head, false).Raw(part).String())
			name = ""
		}
		all = append(all, f)
	}
	if g.refused != "" {
		field("refused", s.Drop, g.rule.Dotted()+" "+g.refused, 3, 2)
	} else {
		if g.known {
			field("seen", s.Text, g.shown(), 5, 0)
			if n := g.seen.DroppedAll; n > 0 {
				field("beware", s.Warn, "it allows what is dropped now: "+look.Few(g.seen.Dropped[:min(n, len(g.seen.Dropped))]), 4, 1)
			}
		}
		opens, style, least := "any other name below "+g.rule.Name+", whoever makes one", s.Text, 2
		if g.pattern != nil {
			opens = "any other name of this pattern, seen or not"
		}
		if g.warning != "" {
			opens, style, least = g.warning, s.Warn, 4 // rungs say no more of it than a sign where there is little room
		}
		field("opens", style, opens, 3, least)
	}
	holds := "for this session"
	if d.always {
		holds = "for always, in your rules file"
	}
	if g.pattern != nil {
		holds += "; an export holds the pattern, or lists what was seen of it if its format has none"
	}
	field("holds", s.Strong, holds, 6, 1)
	if d.no != "" {
		field("pattern", s.Muted, "none: "+d.no, 7, 0)
	}
	l, reason := new(look.Line).Cell(s.Muted, "reason", head+1, false), said{worth: 2, least: 1}
	switch {
	case d.reason.Focused():
		d.reason.SetWidth(inner - head - 2)
		s.Input(&d.reason)
		l.Raw(d.reason.View())
	case d.reason.Value() == "":
		reason = said{worth: 8}
	default:
		l.Add(s.Text, d.reason.Value())
	}
	reason.lines = []string{l.String()}
	all = append(all, reason)
	if d.err != nil {
		lines := look.Wrap(s.Bad, d.err.Error(), inner)
		all = append(all, said{1, len(lines), lines})
	}
	return all
}

// shown names what was seen below the rung: what stands before its name.
func (g *rung) shown() string {
	if g.seen.Asked == 0 {
		return "nothing yet"
	}
	var names []string
	for _, name := range g.seen.Names {
		if g.pattern != nil {
			names = append(names, name)
			continue
		}
		if name == g.rule.Name {
			names = append(names, "itself")
			continue
		}
		names = append(names, strings.TrimSuffix(name, "."+g.rule.Name))
	}
	if rest := g.seen.Asked - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(names, ", ")
}
