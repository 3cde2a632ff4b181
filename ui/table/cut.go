package table

import "strings"

// cut is a part of a name that is left out, an ellipsis in its place.
type cut struct{ from, to int }

// Of a name that doesn't fit its end says whose it is and its beginning which
// of theirs: what is left out is in its middle, by label where that can be.
// What a filter found is never in it, nor what tells two names in view apart.
//
//	canonical-bos01.…content.com

// cutting is how names are cut, for the rows that are in view.
type cutting struct {
	// apart are places in names that others in view are like but for them.
	apart map[string][]int
	seen  map[string]string // names by how they are shown
	found [2]cut
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
	best, least := 0, -1
	for from := 1; from+out < len(name) && from < w; from++ {
		if cost := costs(name, from, from+out, spans, apart); least < 0 || cost < least {
			best, least = from, cost
		}
	}
	c.found = [2]cut{{best, best + out}}
	if least < 0 { // hardly a cell
		c.found[0] = cut{max(0, w-1), len(name)}
	}
	if least >= mustStay {
		// One cut hits what is to stay, wherever it is: that stands alone.
		var begin, end int
		if len(spans) > 0 {
			begin, end = spans[0][0], spans[0][1]
		} else {
			begin, end = apart[0], apart[0]+1
		}
		room := max(1, w-2)
		from := max(0, min(begin-max(0, room-(end-begin))/2, len(name)-room))
		c.found = [2]cut{{0, from}, {from + room, len(name)}}
	}
	return c.found[:]
}

// mustStay is what it costs to leave out a byte that is to stay; whatever else
// may be wrong with a cut costs less.
const mustStay = 10_000

// costs says how bad a cut is.
func costs(name string, from, to int, spans [][2]int, apart []int) (cost int) {
	for _, s := range spans {
		cost += mustStay * max(0, min(to, s[1])-max(from, s[0]))
	}
	for _, at := range apart {
		if at >= from && at < to {
			cost += mustStay
		}
	}
	label := strings.IndexByte(name, '.') + 1
	if from < label { // the first label is which of theirs it is
		cost += 200 + label - from
	}
	if whose := lastTwo(name); to > len(name)-whose {
		cost += 100 + to - (len(name) - whose)
	}
	if name[from-1] != '.' {
		cost += 60
	}
	if name[to-1] != '.' {
		cost += 40
	}
	return cost
}

// lastTwo returns how long the last two labels of a name are, which says whose
// it is but for some countries'.
func lastTwo(name string) int {
	last := strings.LastIndexByte(name, '.')
	return len(name) - 1 - strings.LastIndexByte(name[:max(0, last)], '.')
}
