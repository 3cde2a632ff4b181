package table

import (
	"math"
	"slices"
)

// Gaps between two columns, and before the domains, where a [flag] may stand.
const (
	colGap  = 2
	nameGap = 1 + flagWidth
)

// nameMost is the room that names have before any other column has some: those
// who own a domain can make them long, and let nothing else be seen.
const nameMost = 48

// noteRoom is what names have more of where no column has a use for it: the
// suffix rule that keeps one stands behind it.
const noteRoom = noteWidth + 16

// stateBeside is the least room of the names that leaves some to the state.
const stateBeside = 25

// place is a column and where it stands in the row.
type place struct{ col, x, w int }

// extent is what the shown rows need: of the names so many cells for nearly all
// and for each, which columns no row fills, and which have too little in their
// least for more rows than a few.
type extent struct {
	rows        int
	nearly, all int
	empty, cut  [len(columns)]bool
}

// and returns what rows need that come and go below somebody's eyes, beside those
// whose need was known: what these had, and more where that has to be. So columns
// stand still, but for when there are many more rows: a few early names say little
// of what most of them need.
func (e extent) and(o extent) extent {
	switch {
	case o.rows == 0 && e.rows > 0:
		return e
	case o.rows >= e.rows*muchMore:
		return o
	}
	e.nearly = max(e.nearly, o.nearly) // and none to spare: it may be another column's last cell
	if o.all > e.all {
		e.all = (o.all + nameSpare - 1) / nameSpare * nameSpare
	}
	for c := range e.empty {
		e.empty[c] = e.empty[c] && o.empty[c]
		e.cut[c] = e.cut[c] || o.cut[c]
	}
	return e
}

// muchMore is how many times the rows there have to be for their need to be told
// anew. nameSpare is to how many cells the need of the longest name is rounded up,
// so that the next one may be longer.
const (
	muchMore  = 4
	nameSpare = 8
)

// arrangeColumns returns the columns that earn their place in a row of that
// width, from left to right. The names never give way: they have what nearly
// all of them need first, but for the state while a list is enforced, and what
// each needs before another column has more than its least; the others shrink,
// those that yield before the rest, or go. The first of these is the one that the
// rows are sorted by.
func (set settings) arrangeColumns(width int, e extent) []place {
	widths := map[int]int{colDecision: columns[colDecision].least} // the glyph stays
	room := width - 2 - widths[colDecision] - nameGap              // a cell of margin on each side
	if need := set.column(colResult).least + colGap; set.policy != nil && room-need >= stateBeside {
		widths[colResult] = set.column(colResult).least // how rows stand is why one looks
		room -= need
	}
	names := max(1, min(room, max(min(e.nearly, nameMost), columns[colDomain].least)))
	room -= names
	tightly := set.tightly(room)
	order := slices.Clone(byWorth)
	if set.sort != colDecision { // its glyph is there
		order = slices.Insert(order, 0, set.sort)
	}
	if set.policy != nil {
		order = slices.Insert(order, 1, colProcess) // whose try it was that failed
	}
	grow := func(c, more int) {
		if more <= room {
			widths[c] += more
			room -= more
		}
	}
	for _, c := range order {
		of := set.column(c)
		least := of.room(tightly)
		switch {
		case c == colDecision && widths[c] < of.width:
			grow(c, of.width-of.least)
		case widths[c] == 0 && c != colDomain && !(e.empty[c] && c != set.sort) && least+colGap <= room:
			widths[c] = least
			room -= least + colGap
		}
	}
	if i := slices.Index(order, colReason); i > 0 { // who asked says more in four cells than the reason
		order = append(slices.Delete(order, i, i+1), colReason)
	}
	if tightly {
		for _, c := range order {
			if of := set.column(c); widths[c] > 0 {
				grow(c, max(0, of.least-widths[c]))
			}
		}
	}
	take := func(c, most int) {
		more := max(0, min(room, most-widths[c]))
		widths[c] += more
		room -= more
	}
	widths[colDomain] = names
	whole := func(c int) { // others show a sign for a word, these a part of one
		if widths[c] > 0 && e.cut[c] {
			take(c, set.column(c).width)
		}
	}
	whole(colFrom)
	take(colDomain, min(e.all, nameMost))
	whole(colTypes)
	for _, yields := range []bool{false, true} {
		for _, c := range order {
			if c == colReason { // no name is cut for a reason that has its least
				take(colDomain, e.all)
			}
			if c != colDomain && widths[c] > 0 && set.column(c).yields == yields {
				grow(c, set.column(c).width-widths[c])
			}
		}
	}
	take(colDomain, e.all)
	if widths[colReason] > 0 {
		take(colReason, columns[colReason].width)
	}
	take(colDomain, min(e.all, nameMost)+noteRoom)
	if widths[colReason] > 0 {
		take(colReason, math.MaxInt)
	}
	row := make([]place, 0, len(widths))
	x := 1
	for c := range columns {
		if w := widths[c]; w > 0 {
			if c == colDomain {
				x += nameGap - colGap
			}
			row = append(row, place{c, x, w})
			x += w + colGap
		}
	}
	return row
}

// tightly reports whether columns have to shrink to next to nothing in so much
// room, so that what the rows are sorted by, queries and results stay.
func (set settings) tightly(room int) bool {
	for c := range columns {
		if c == set.sort && c != colDecision && c != colDomain || c == colQueries || c == colResult && set.policy == nil {
			room -= set.column(c).least + colGap
		}
	}
	return room < 0
}

// room is the least that the column shrinks to.
func (c *column) room(tightly bool) int {
	if tightly && c.tight > 0 {
		return c.tight
	}
	return c.least
}

// Wants returns the width in which the table has room for all that its rows
// have to show.
func (t *Table) Wants() int {
	e := t.shown.extent()
	w := 2 + nameGap - colGap + min(e.all, nameMost)
	for c := range columns {
		if c == colDomain {
			w += colGap
		} else if !e.empty[c] {
			w += t.want.column(c).width + colGap
		}
	}
	return w - colGap
}

// Roomy is the width in which a table has room for all columns but a witness's,
// whatever its rows have to show.
var Roomy = func() int {
	w := 2 + nameGap - 2*colGap + nameMost
	for c := range columns {
		if c != colDomain && !columns[c].yields {
			w += columns[c].width + colGap
		}
	}
	return w + colGap
}()
