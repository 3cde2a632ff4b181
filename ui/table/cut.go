package table

import (
	"slices"
	"strings"
)

// cut is a part of a name that is left out, an ellipsis in its place.
type cut struct{ from, to int }

// Of a name that doesn't fit its end says whose it is and its beginning which
// of theirs: what is left out is in its middle, by label where that can be.
// What a filter found is never in it, nor what tells two names in view apart.
//
//	canonical-bos01.…content.com

// Cut returns a name, or the suffix of a rule with its dot, in w cells at most, as
// the table has it.
func Cut(name string, w int) string {
	if rest, dotted := strings.CutPrefix(name, "."); dotted {
		return "." + Cut(rest, w-1)
	}
	var c cutting
	return shorten(name, c.of(name, w, nil))
}

// cutting is how names are cut, for the rows that are in view.
type cutting struct {
	// apart are places in names that others in view are like but for them.
	apart map[string][]int
	seen  map[string]string // names by how they are shown
	found []cut
}

// look finds the names that would be shown as another one is, w cells wide less
// what each stands in.
func (c *cutting) look(width int, names []string, ins []int, spans func(string) [][2]int) {
	clear(c.apart)
	clear(c.seen)
	for i, name := range names {
		w := width - ins[i]
		if len(name) <= w {
			continue
		}
		is := shorten(name, c.of(name, w, spans(name)))
		other, taken := c.seen[is]
		switch {
		case !taken && c.seen == nil:
			c.seen = map[string]string{is: name}
		case !taken:
			c.seen[is] = name
		case other != name:
			if c.apart == nil {
				c.apart = make(map[string][]int)
			}
			a, b := differ(name, other)
			c.apart[name], c.apart[other] = append(c.apart[name], a), append(c.apart[other], b)
		}
	}
}

// differ returns where two names differ last: names are alike from their ends.
func differ(a, b string) (inA, inB int) {
	for n := range min(len(a), len(b)) {
		if inA, inB = len(a)-1-n, len(b)-1-n; a[inA] != b[inB] {
			return inA, inB
		}
	}
	return max(0, len(a)-len(b)-1), max(0, len(b)-len(a)-1)
}

// shorten returns the name without what is cut.
func shorten(name string, cuts []cut) string {
	var b strings.Builder
	at := 0
	for _, c := range cuts {
		if c.from < c.to {
			b.WriteString(name[at:c.from] + "…")
			at = c.to
		}
	}
	return b.String() + name[at:]
}

// of returns what is left out of a name, in order, so that the rest fits into w
// cells; the spans stay. It is valid until the next call.
func (c *cutting) of(name string, w int, spans [][2]int) []cut {
	if len(name) <= w {
		return nil
	}
	out := len(name) - w + 1
	apart := c.apart[name]
	one := middle{name: name, label: strings.IndexByte(name, '.') + 1, whose: len(name) - lastTwo(name), spans: spans, apart: apart}
	var best cut
	least := -1
	for from := 1; from+out < len(name) && from < w; from++ {
		to := from + out
		for range 2 { // as little as has to go, and up to the next label
			if cost := one.costs(from, to) + (to-from-out)*perByte; least < 0 || cost < least {
				best, least = cut{from, to}, cost
			}
			next := strings.IndexByte(name[to:], '.') + 1
			if to += next; next == 0 || name[from-1] != '.' {
				break
			}
		}
	}
	switch {
	case least < 0: // hardly a cell
		c.found = append(c.found[:0], cut{max(0, w-1), len(name)})
	case least >= mustStay:
		c.around(&one, w)
	default:
		c.found = append(c.found[:0], best)
	}
	return c.found
}

// middle is a name whose middle is to be cut.
type middle struct {
	name  string
	label int // where the first label ends
	whose int // where the last two labels begin
	spans [][2]int
	apart []int
}

// What it costs to leave something out. A byte that is to stay costs more than
// whatever else may be wrong with a cut; one more byte than has to go less than
// half of a label.
const (
	mustStay = 10_000
	perByte  = 3
)

// costs says how bad a cut is.
func (m *middle) costs(from, to int) (cost int) {
	for _, s := range m.spans {
		cost += mustStay * max(0, min(to, s[1])-max(from, s[0]))
	}
	for _, at := range m.apart {
		if at >= from && at < to {
			cost += mustStay
		}
	}
	if from < m.label { // the first label is which of theirs it is
		cost += 200 + m.label - from
	}
	if to > m.whose {
		cost += 100 + (to-m.whose)*perByte
		if strings.IndexByte(m.name[to:], '.') < 0 { // nothing of who it is is left
			cost += 60
		}
	}
	if m.name[from-1] != '.' {
		cost += 60
	}
	if m.name[to-1] != '.' {
		cost += 40
	}
	return cost
}

// around leaves out all but what is to stay and what there is room for beside it:
// one cut would hit that, wherever it is.
func (c *cutting) around(m *middle, w int) {
	keep := make([]bool, len(m.name))
	take := func(from, to int) bool {
		was := slices.Clone(keep[from:to])
		for i := from; i < to; i++ {
			keep[i] = true
		}
		if keptCells(keep) <= w {
			return true
		}
		copy(keep[from:to], was)
		return false
	}
	for _, s := range m.spans {
		for end := s[1]; end > s[0] && !take(s[0], end); end-- { // its beginning at least
		}
	}
	for _, at := range m.apart {
		take(at, at+1)
	}
	take(m.whose, len(m.name))
	take(0, m.label)
	for grown := true; grown; {
		grown = false
		edges := make([]int, 0, 16)
		for i := range keep {
			if !keep[i] && (i > 0 && keep[i-1] || i+1 < len(keep) && keep[i+1]) {
				edges = append(edges, i)
			}
		}
		for _, i := range edges {
			grown = take(i, i+1) || grown
		}
	}
	c.found = c.found[:0]
	for i := 0; i < len(keep); i++ {
		if from := i; !keep[i] {
			for i < len(keep) && !keep[i] {
				i++
			}
			c.found = append(c.found, cut{from, i})
		}
	}
}

// keptCells is how many cells a name takes of which only a part is kept.
func keptCells(keep []bool) (n int) {
	for i, kept := range keep {
		if kept || i == 0 || keep[i-1] {
			n++
		}
	}
	return n
}

// lastTwo returns how long the last two labels of a name are, which says whose
// it is but for some countries'.
func lastTwo(name string) int {
	last := strings.LastIndexByte(name, '.')
	return len(name) - 1 - strings.LastIndexByte(name[:max(0, last)], '.')
}
