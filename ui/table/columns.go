package table

import (
	"cmp"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
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
	key        func(Row) sortKey
	// cell appends what the row shows.
	cell func([]byte, Row) []byte
}

// sortKey orders rows by a number, then a text.
type sortKey struct {
	num  int64
	text string
}

func (a sortKey) compare(b sortKey) int {
	return cmp.Or(cmp.Compare(a.num, b.num), strings.Compare(a.text, b.text))
}

// Row is what a row shows, while the ledger is held.
type Row struct {
	*capture.Domain
	Verdict capture.Verdict
	r       capture.Reader
	now     time.Time
	policy  *verify.Policy
}

// Read returns the row of a domain as it is at a time, under the policy of a
// list that is enforced, nil for none.
func Read(r capture.Reader, id capture.ID, now time.Time, p *verify.Policy) Row {
	d := r.Domain(id)
	return Row{Domain: d, Verdict: r.Verdict(d), r: r, now: now, policy: p}
}

func appendTypes(b []byte, d *capture.Domain) []byte {
	for i, t := range d.Types {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, t.Type...)
	}
	return b
}

func appendOwners(b []byte, r capture.Reader, d *capture.Domain) []byte {
	for i, name := range r.Owners(d) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, name...)
	}
	return b
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
		key: func(d Row) sortKey {
			return sortKey{num: int64(d.Verdict.Decision), text: string(d.Verdict.Rule)}
		},
		cell: func(b []byte, d Row) []byte { return append(b, d.Mark()...) }},
	colDomain: {name: "domain",
		key: func(d Row) sortKey {
			return sortKey{text: domainOrder(d.Domain.Name)}
		},
	},
	colQueries: {name: "queries", width: 8, right: true, descending: true,
		key: func(d Row) sortKey {
			return sortKey{num: int64(d.Queries)}
		},
		cell: func(b []byte, d Row) []byte { return look.AppendCount(b, uint64(d.Queries)) }},
	colTypes: {name: "types", width: 12,
		key: func(d Row) sortKey {
			return sortKey{text: string(appendTypes(nil, d.Domain))}
		},
		cell: func(b []byte, d Row) []byte { return appendTypes(b, d.Domain) }},
	colResult: {name: "result", width: len(capture.NotAllowed),
		key: func(d Row) sortKey {
			return sortKey{text: d.ResultWord()}
		},
		cell: func(b []byte, d Row) []byte { return append(b, d.ResultWord()...) }},
	colFrom: {name: "from", width: 12,
		key: func(d Row) sortKey {
			return sortKey{text: string(appendOwners(nil, d.r, d.Domain))}
		},
		cell: func(b []byte, d Row) []byte { return appendOwners(b, d.r, d.Domain) }},
	colFirst: {name: "first", width: 6, right: true, descending: true,
		key: func(d Row) sortKey {
			return sortKey{num: d.First().UnixNano()}
		},
		cell: func(b []byte, d Row) []byte { return look.AppendAge(b, d.now.Sub(d.First())) }},
	colLast: {name: "last", width: 6, right: true, descending: true,
		key: func(d Row) sortKey {
			return sortKey{num: d.Last().UnixNano()}
		},
		cell: func(b []byte, d Row) []byte { return look.AppendAge(b, d.now.Sub(d.Last())) }},
	colReason: {name: "why", width: 24,
		key: func(d Row) sortKey {
			return sortKey{text: d.Verdict.Reason}
		},
		cell: func(b []byte, d Row) []byte { return append(b, d.Verdict.Reason...) }},
}

// byWorth is the order in which columns are given room.
var byWorth = []int{colQueries, colResult, colTypes, colLast, colReason, colFrom, colFirst}

// Widths of the domain column: below the first no further column is worth it,
// above the second a wide reason is.
const (
	domainLeast = 25
	domainGood  = 56
)

// gap between two columns.
const colGap = 2

// place is a column and where it stands in the row.
type place struct{ col, x, w int }

// arrangeColumns returns the columns that earn their place in a row of that
// width, from left to right: the one that the rows are sorted by does first,
// and the state.
func (set settings) arrangeColumns(width int) []place {
	room := width - 2 // a cell of margin on each side
	shown := map[int]int{}
	first := []int{colDecision, set.sort}
	if set.policy != nil {
		first = []int{colDecision, colResult, set.sort}
	}
	for _, c := range append(first, byWorth...) {
		if _, ok := shown[c]; ok || c == colDomain {
			continue
		}
		need := set.column(c).width + colGap
		if room-need < domainLeast {
			continue
		}
		shown[c] = set.column(c).width
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
