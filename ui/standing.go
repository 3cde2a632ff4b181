package ui

import (
	"fmt"
	"path/filepath"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// titleLeast is what the header shows at least of a title that it cuts.
const titleLeast = 12

// standing is what the header says in so much room beside what is new: the title,
// the enforced list, how the domains stand and how much is decided. Each of these
// but the counts is shorter where there is less room.
type standing struct {
	title, badge, right *look.Line
	whole               bool // there is room for all of the alarm
	counted             bool // and for how the domains stand
}

// standing has words go first, then the bar, then all of the title but the
// instance's name or a log's; then the alarm is short, and then what is said of the
// enforced list. That something may be missing goes before how the domains stand.
func (m *monitor) standing(room, alarm, short int) standing {
	t := m.table.Tally()
	full, name := new(look.Line).Add(m.styles.Strong, " "+m.capture.Title), new(look.Line).Add(m.styles.Strong, " "+filepath.Base(m.subject()))
	words, glyphs, end := m.tally(t, false), m.tally(t, true), new(look.Line).Add(m.styles.Muted, " ")
	with := func(how progress, tally *look.Line) *look.Line { return m.decided(t, how).Join(tally) }
	// Made one by one: nearly always the first fits.
	ways := func(yield func(title, right *look.Line) bool) {
		_ = yield(full, with(bar, words)) &&
			yield(full, with(bar, glyphs)) && yield(full, with(worded, glyphs)) && yield(full, with(bare, glyphs)) &&
			yield(name, with(bar, glyphs)) && yield(name, with(worded, glyphs)) && yield(name, with(bare, glyphs))
	}
	badge, shortBadge, least := m.badge()
	for _, badge := range []*look.Line{badge, shortBadge} {
		for _, is := range []int{alarm, short} {
			for title, right := range ways {
				if title.Width()+badge.Width()+right.Width()+is <= room {
					return standing{title, badge, right, is == alarm, true}
				}
			}
		}
	}
	for _, badge := range []*look.Line{shortBadge, least} {
		for _, right := range []*look.Line{with(bare, glyphs), glyphs, with(bare, end)} {
			if most := room - badge.Width() - short - right.Width(); most >= min(name.Width(), titleLeast) {
				return standing{title: new(look.Line).Raw(name.Cut(min(most, name.Width()))), badge: badge, right: right}
			}
		}
	}
	return standing{title: full, badge: least, right: new(look.Line)}
}

// tally says how the domains stand, in glyphs where words don't fit.
func (m *monitor) tally(t capture.Tally, short bool) *look.Line {
	s, l := m.styles, new(look.Line).Add(m.styles.Muted, " ")
	for i, part := range []struct {
		n           int
		style       look.Style
		word, glyph string
	}{{t.New, s.Text, " new", "·"}, {t.Out, s.Warn, " out", "□"}, {t.Keep, s.Keep, " keep", "✓"}, {t.DropByUser, s.Drop, " drop", "✗"}, {t.DropByRule, s.Muted, " auto", "–"}} {
		if part.glyph == "□" && part.n == 0 {
			continue // there is none but under a list
		}
		between, word := " · ", part.word
		if short {
			between, word = " ", part.glyph
		}
		if i == 0 {
			between = " "
		}
		l.Add(s.Muted, between).Add(part.style, fmt.Sprint(part.n, word))
	}
	return l.Add(s.Muted, " ")
}

// progress is how the header says how much is decided.
type progress int

const (
	bare   progress = iota // 24/135
	worded                 // decided 24/135
	bar                    // decided 24/135 ▓░░░░░
)

// decided says how much of what rules leave to a person is decided, and plainly
// when that is all.
func (m *monitor) decided(t capture.Tally, how progress) *look.Line {
	s, l := m.styles, new(look.Line)
	if t.Total() == 0 {
		return l
	}
	of := t.Total() - t.DropByRule
	n := of - t.Undecided()
	l.Add(s.Muted, " ")
	if n == of {
		return l.Add(s.Good, map[progress]string{bare: fmt.Sprintf("%d/%d ✓", n, of), worded: " all decided ✓", bar: " nothing left to decide"}[how])
	}
	if how >= worded {
		l.Add(s.Muted, " decided ")
	}
	if l.Add(s.Text, fmt.Sprintf("%d/%d", n, of)); how == bar {
		const cells = 6
		l.Add(s.Good, " "+look.Progress(n, of, cells))
	}
	return l
}

// finishes says, once something was decided, that nothing is left to decide, or
// nothing that is shown; before is how many there were before, of all and of what is
// shown.
func (m *monitor) finishes(before, shown int) string {
	switch left := m.table.Tally().Undecided(); {
	case before > 0 && left == 0:
		return "; nothing is left to decide: " + m.keys.Show("export") + " exports the list"
	case shown > 0 && m.table.Undecided() == 0 && left > 0:
		return "; all that is shown is decided, and " + fmt.Sprint(left) + " more not"
	}
	return ""
}
