package table

import (
	"cmp"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// column is one of the table's columns: how it sorts, what it shows and how
// much room it wants.
type column struct {
	name  string
	width int // 0 for the one that takes what is left
	right bool
	// descending is the direction that a person wants first.
	descending bool
	key        func(capture.Reader, *capture.Domain, capture.Verdict) sortKey
	cell       func(Row) string
}

// sortKey orders rows by a number, then a text.
type sortKey struct {
	num  int64
	text string
}

func (a sortKey) compare(b sortKey) int {
	return cmp.Or(cmp.Compare(a.num, b.num), strings.Compare(a.text, b.text))
}

// Row is what a row shows: a copy, taken while the ledger is held.
type Row struct {
	name        string
	Verdict     capture.Verdict
	queries     uint32
	types       string
	result      string
	from        string
	first, last time.Time
	now         time.Time
}

// Read returns the row of a domain as it is at a time.
func Read(r capture.Reader, id capture.ID, now time.Time) Row {
	d := r.Domain(id)
	return Row{
		name: d.Name, Verdict: r.Verdict(d), queries: d.Queries,
		types: types(d), result: d.Outcomes.String(), from: strings.Join(r.Owners(d), " "),
		first: d.First(), last: d.Last(), now: now,
	}
}

func types(d *capture.Domain) string {
	words := make([]string, len(d.Types))
	for i, t := range d.Types {
		words[i] = t.Type
	}
	return strings.Join(words, " ")
}

// The columns, in the order in which they stand.
const (
	colDecision = iota
	colDomain
	colQueries
	colTypes
	colResult
	colFrom
	colFirst
	colLast
	colReason
)

var columns = [...]column{
	colDecision: {name: "mark", width: 6,
		key: func(_ capture.Reader, _ *capture.Domain, v capture.Verdict) sortKey {
			return sortKey{num: int64(v.Decision), text: string(v.Rule)}
		},
		cell: Row.Mark},
	colDomain: {name: "domain",
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{text: domainOrder(d.Name)}
		},
		cell: func(d Row) string { return d.name }},
	colQueries: {name: "queries", width: 8, right: true, descending: true,
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{num: int64(d.Queries)}
		},
		cell: func(d Row) string { return look.Count(uint64(d.queries)) }},
	colTypes: {name: "types", width: 12,
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{text: types(d)}
		},
		cell: func(d Row) string { return d.types }},
	colResult: {name: "result", width: 8,
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{text: d.Outcomes.String()}
		},
		cell: func(d Row) string { return d.result }},
	colFrom: {name: "from", width: 12,
		key: func(r capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{text: strings.Join(r.Owners(d), " ")}
		},
		cell: func(d Row) string { return d.from }},
	colFirst: {name: "first", width: 6, right: true, descending: true,
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{num: d.First().UnixNano()}
		},
		cell: func(d Row) string { return look.Age(d.now.Sub(d.first)) }},
	colLast: {name: "last", width: 6, right: true, descending: true,
		key: func(_ capture.Reader, d *capture.Domain, _ capture.Verdict) sortKey {
			return sortKey{num: d.Last().UnixNano()}
		},
		cell: func(d Row) string { return look.Age(d.now.Sub(d.last)) }},
	colReason: {name: "why", width: 24,
		key: func(_ capture.Reader, _ *capture.Domain, v capture.Verdict) sortKey {
			return sortKey{text: v.Reason}
		},
		cell: func(d Row) string { return d.Verdict.Reason }},
}

// byWorth is the order in which columns are given room.
var byWorth = []int{colQueries, colResult, colTypes, colLast, colReason, colFrom, colFirst}

// Widths of the domain column: below the first no further column is worth it,
// above the second a wide reason is.
const (
	domainLeast = 26
	domainGood  = 56
)

// gap between two columns.
const colGap = 2

// place is a column and where it stands in the row.
type place struct{ col, x, w int }

// arrangeColumns returns the columns that earn their place in a row of that
// width, from left to right: the one that the rows are sorted by does first.
func arrangeColumns(width, sort int) []place {
	room := width - 2 // a cell of margin on each side
	shown := map[int]int{}
	for _, c := range append([]int{colDecision, sort}, byWorth...) {
		if _, ok := shown[c]; ok || c == colDomain {
			continue
		}
		need := columns[c].width + colGap
		if room-need < domainLeast {
			continue
		}
		shown[c] = columns[c].width
		room -= need
	}
	if _, ok := shown[colReason]; ok && room > domainGood {
		shown[colReason] += room - domainGood
		room = domainGood
	}
	shown[colDomain] = max(room, 1)
	var row []place
	x := 1
	for c := range columns {
		if w, ok := shown[c]; ok {
			row = append(row, place{c, x, w})
			x += w + colGap
		}
	}
	return row
}

// domainOrder is a key that brings names of one registrable domain together,
// each below its parent: "example.com" before "www.example.com".
func domainOrder(name string) string {
	labels := strings.Split(Registrable(name), ".")
	sub := strings.Split(name, ".")
	sub = sub[:len(sub)-len(labels)]
	var b strings.Builder
	b.WriteString(strings.Join(labels, "."))
	for i := len(sub) - 1; i >= 0; i-- {
		b.WriteByte('\x00')
		b.WriteString(sub[i])
	}
	return b.String()
}

// Registrable returns the part of the name that somebody registered: one
// label more than its public suffix. A name that has none is returned whole.
func Registrable(name string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return d
	}
	return name
}
