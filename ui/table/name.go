package table

import (
	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
)

// lookAtNames has names that are cut be told apart from others in view.
func (t *Table) lookAtNames(r capture.Reader, places []place) {
	t.names, t.ins = t.names[:0], t.ins[:0]
	for at := t.top; at < min(t.top+t.h, t.shown.lines()); at++ {
		if it := t.shown.at(at); it.isDomain() {
			name, in := t.nameOf(it.id, r.Name(it.id))
			t.names, t.ins = append(t.names, name), append(t.ins, in)
		}
	}
	for _, p := range places {
		if p.col == colDomain {
			t.cuts.look(p.w, t.names, t.ins, func(name string) [][2]int {
				t.spans = t.want.filter.spans(t.spans[:0], name)
				return t.spans
			})
		}
	}
}

// nameAt is where the names stand.
func nameAt(places []place) int {
	for _, p := range places {
		if p.col == colDomain {
			return p.x
		}
	}
	return 1
}

// keptBelow returns the name of the suffix rule that keeps the row, "" for none.
func (d Row) keptBelow() string {
	if d.Verdict.Decision != capture.Keep || d.Verdict.Rule == capture.ByUser {
		return ""
	}
	return d.r.KeptBelow(d.Domain)
}

// nameOf returns the name that a row shows, and how far to the right: below a
// head it is what stands before the head's.
func (t *Table) nameOf(id capture.ID, name string) (text string, in int) {
	g := t.shown.groupOf(t.shown.known.of(id))
	switch {
	case g == nil || g.members == 1:
		return name, 0
	case len(name) > len(g.name):
		name = name[:len(name)-len(g.name)-1]
	}
	return name, indent
}

// kept stands before a name that is kept by a suffix rule which there is no room
// to name: it is that of the name's part that is underlined.
const kept = "* "

// noteWidth is what stands before the name of a suffix rule behind a name: "  ✓ .".
const noteWidth = 5

// drawName draws a name so that its registrable part stands out and what the
// filter found in it is marked. Where it doesn't fit, it is cut in its middle. The
// suffix rule that keeps it stands behind it, or where that doesn't fit in it.
func (t *Table) drawName(l *look.Line, s *look.Styles, id capture.ID, d Row, p place) {
	front, main := s.Muted, s.Strong
	switch {
	case d.Verdict.Decision == capture.Drop:
		front, main = s.Muted, s.Muted
	case d.Blocked():
		front, main = s.Drop, s.Blocked
	case d.now.Sub(d.First()) < freshFor:
		front, main = s.Fresh, s.FreshStrong
	}
	name, in := t.nameOf(id, d.Name)
	by, keptFrom := d.keptBelow(), len(name)
	note := by != "" && in+len(name)+noteWidth+len(by) <= p.w
	if by != "" && !note {
		keptFrom = len(d.Name) - len(by)
	}
	switch {
	case (rule.Rule{Name: d.Name}).Warning() != "":
		l.Pad(p.x-flagWidth).Add(s.Warn, flag)
	case by != "" && !note:
		l.Pad(p.x-flagWidth).Add(s.Keep, kept)
	}
	l.Pad(p.x + in)
	t.spans = t.want.filter.spans(t.spans[:0], name)
	cut := t.cuts.of(name, p.w-in, t.spans)
	split := 0 // of a prefix all stands out
	if in == 0 {
		split = len(name) - t.registrable(id, name)
	}
	for at := 0; at < len(name); {
		end, style := len(name), main
		if at < split {
			end, style = split, front
		}
		if at >= keptFrom {
			end, style = len(name), s.Kept
		} else {
			end = min(end, keptFrom)
		}
		for _, c := range cut {
			switch {
			case at == c.from && c.from < c.to:
				l.Add(s.Muted, "…")
				at, end = c.to, c.to
			case at < c.from:
				end = min(end, c.from)
			}
		}
		for _, m := range t.spans {
			if at >= m[0] && at < m[1] {
				end, style = min(end, m[1]), s.Match
			} else if at < m[0] {
				end = min(end, m[0])
			}
		}
		if at < end {
			l.Add(style, name[at:end])
			at = end
		}
	}
	if note {
		l.Add(s.Keep, "  ✓ ."+by)
	}
	l.Pad(p.x + p.w)
}

// registrable returns how long the registrable domain of a name is.
func (t *Table) registrable(id capture.ID, name string) int {
	k := t.shown.known.of(id)
	if t.job == nil { // which reads it
		return k.registrableOf(name)
	}
	is := *k
	return is.registrableOf(name)
}
