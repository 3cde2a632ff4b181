package table

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/export/rule/psl"
	"lxd-allowlist/ui/look"
)

// column is one of the table's columns: how it sorts, what it shows and how
// much room it wants.
type column struct {
	name  string
	short string // the name where there is no room for it, "" for none
	// width is what the column has where there is room, least what it shrinks
	// to before others go, tight what it shrinks to before it goes itself; 0 for
	// no less than least.
	width, least, tight int
	// worth is the order in which columns are given room, from 1 on.
	worth int
	// yields says that it shrinks before the others do, and isn't there while
	// there are no rows.
	yields bool
	right  bool
	// descending is the direction that a person wants first.
	descending bool
	// sums says that groups are ordered by what their rows' keys come to; by
	// that of their first row otherwise.
	sums bool
	key  func(Row) sortKey
	// filled reports whether the row has anything to show: a column that no row
	// fills goes. Nil where all have.
	filled func(Row) bool
	// fits reports whether all that the row has to show has room in the column's
	// least. Nil for it has, or isn't asked: a column that has filled has no fits.
	fits func(Row) bool
	// cell appends what the row shows in so many cells; what is longer is cut.
	cell func(b []byte, d Row, w int) []byte
	// style is how that looks; nil for muted.
	style func(Row, *look.Styles) look.Style
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
	id      capture.ID
	r       capture.Reader
	now     time.Time
	policy  *verify.Policy
}

// Read returns the row of a domain as it is at a time, under the policy of a
// list that is enforced, nil for none.
func Read(r capture.Reader, id capture.ID, now time.Time, p *verify.Policy) Row {
	d := r.Domain(id)
	return Row{Domain: d, Verdict: r.Verdict(d), id: id, r: r, now: now, policy: p}
}

// Out reports whether the row, undecided, is left out of the list: it came up
// while one was enforced that didn't allow it.
func (d Row) Out() bool { return d.Verdict.Decision == capture.New && d.Unlisted }

// Why is the verdict with what there is to say of it: of a row that is left out,
// why it is.
func (d Row) Why() capture.Verdict {
	if d.Out() {
		return d.r.Listed(d.Domain)
	}
	return d.Verdict
}

// Seen is what a witness saw of the domain.
func (d Row) Seen() capture.Seen { return d.r.Witnessed(d.id) }

func appendTypes(b []byte, d *capture.Domain) []byte {
	for i, t := range d.Types {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, t.Type...)
	}
	return b
}

// appendOwners appends who asked, in so many cells: of several the first and how
// many there are beside, and of what still is too long the end, which tells
// addresses of one network apart.
//
//	web 10.0.0.14
//	web +1
//	…0.0.13
func appendOwners(b []byte, r capture.Reader, d *capture.Domain, w int) []byte {
	var few [4]string
	names, begin := r.AppendOwners(few[:0], d), len(b)
	for i, name := range names {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, name...)
	}
	if len(b)-begin <= w {
		return b
	}
	b, rest := b[:begin], ""
	if more := len(names) - 1; more > 0 {
		rest = " +" + strconv.Itoa(more)
	}
	name := names[0]
	if over := look.Width(name) + len(rest) - w; over > 0 {
		name = ansi.TruncateLeft(name, over+1, "…")
	}
	return append(append(b, name...), rest...)
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
	colProcess
	colConnected
)

var columns = [...]column{
	colDecision: {name: "mark", width: markWidth, least: 1, worth: 3,
		key: func(d Row) sortKey {
			return sortKey{num: int64(d.Verdict.Decision), text: string(d.Why().Rule)}
		},
		cell:  func(b []byte, d Row, w int) []byte { return appendMark(b, d.Mark(), w) },
		style: Row.MarkStyle},
	colDomain: {name: "domain", width: 8, least: 8,
		key: func(d Row) sortKey {
			return sortKey{text: domainOrder(d.Name, len(Registrable(d.Name)))}
		},
	},
	colQueries: {name: "queries", short: "asks", width: 9, least: 5, tight: 3, worth: 1, right: true, descending: true, sums: true,
		key: func(d Row) sortKey {
			return sortKey{num: int64(d.Queries)}
		},
		cell: func(b []byte, d Row, w int) []byte {
			if w < 5 {
				return look.AppendShortCount(b, d.Queries)
			}
			return look.AppendCount(b, uint64(d.Queries))
		}},
	colTypes: {name: "types", width: 12, least: typesLeast, worth: 6,
		key: func(d Row) sortKey {
			return sortKey{text: string(appendTypes(nil, d.Domain))}
		},
		fits: func(d Row) bool {
			var few [16]byte
			return len(appendTypes(few[:0], d.Domain)) <= typesLeast
		},
		cell: func(b []byte, d Row, _ int) []byte { return appendTypes(b, d.Domain) }},
	colResult: {name: "result", width: len(capture.NotAllowed), least: 8, tight: 2, worth: 2,
		key: func(d Row) sortKey {
			return sortKey{text: d.ResultWord()}
		},
		cell:  func(b []byte, d Row, w int) []byte { return appendResult(b, d.ResultWord(), w) },
		style: Row.ResultStyle},
	colFrom: {name: "from", width: 12, least: fromLeast, worth: 9,
		key: func(d Row) sortKey {
			return sortKey{text: string(appendOwners(nil, d.r, d.Domain, math.MaxInt))}
		},
		fits: func(d Row) bool {
			var few [16]byte
			return len(appendOwners(few[:0], d.r, d.Domain, math.MaxInt)) <= fromLeast
		},
		cell: func(b []byte, d Row, w int) []byte { return appendOwners(b, d.r, d.Domain, w) }},
	colFirst: {name: "first", width: 7, least: 7, tight: 4, worth: 10, right: true, descending: true,
		key: func(d Row) sortKey {
			return sortKey{num: d.First().UnixNano()}
		},
		cell: func(b []byte, d Row, _ int) []byte { return look.AppendAge(b, d.now.Sub(d.First())) }},
	colLast: {name: "last", width: 6, least: 6, tight: 4, worth: 7, right: true, descending: true,
		key: func(d Row) sortKey {
			return sortKey{num: d.Last().UnixNano()}
		},
		cell: func(b []byte, d Row, _ int) []byte { return look.AppendAge(b, d.now.Sub(d.Last())) }},
	colReason: {name: "why", width: 26, least: 16, worth: 8,
		key: func(d Row) sortKey {
			return sortKey{text: d.Why().Reason}
		},
		filled: func(d Row) bool { return d.Why().Reason != "" },
		cell: func(b []byte, d Row, w int) []byte {
			v := d.Why()
			if ByRule(v) && look.Width(v.Reason) > w { // details have the reason whole
				return append(b, v.Rule...)
			}
			return append(b, v.Reason...)
		}},
	colProcess: {name: "process", width: 34, least: 12, worth: 4, yields: true,
		key: func(d Row) sortKey {
			s := d.Seen()
			return sortKey{text: string(appendActors(nil, d.r, s.Actors, s.Others, math.MaxInt))}
		},
		filled: func(d Row) bool { return len(d.Seen().Actors) > 0 },
		cell: func(b []byte, d Row, w int) []byte {
			s := d.Seen()
			return appendActors(b, d.r, s.Actors, s.Others, w)
		}},
	colConnected: {name: "connected", width: 26, least: len(OnlyResolved), worth: 5, yields: true, descending: true, sums: true,
		key:    connections,
		filled: func(d Row) bool { return len(d.Seen().Ports) > 0 || d.r.OnlyResolved(d.id) },
		cell:   appendConnected,
		style: func(d Row, s *look.Styles) look.Style {
			if len(d.Seen().Ports) == 0 {
				return s.Text
			}
			return s.Muted
		}},
}

// The least of columns that say whether it is enough.
const (
	typesLeast = 7 // "A AAAA"
	fromLeast  = 8
)

// byWorth is the order in which columns are given room.
var byWorth = func() (order []int) {
	for c := range columns {
		if columns[c].worth > 0 {
			order = append(order, c)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(columns[a].worth, columns[b].worth) })
	return order
}()

// markWidth holds any mark.
const markWidth = 6

// appendMark appends a mark, or only its glyph.
func appendMark(b []byte, mark string, w int) []byte {
	if w < markWidth {
		mark, _, _ = strings.Cut(mark, " ")
	}
	return append(b, mark...)
}

// resultGlyphs stand for results where there is little room, resultSigns for the
// others where there is hardly any.
var (
	resultGlyphs = map[string]string{
		"resolved": "✓", "NXDOMAIN": "NX", capture.NoAnswer: "–", capture.NotAllowed: "NA",
	}
	resultSigns = map[string]string{
		"blocked": "✗", "no data": "ND", "SERVFAIL": "SF", "REFUSED": "RF", "error": "ER",
	}
)

func appendResult(b []byte, word string, w int) []byte {
	if short := resultGlyphs[word]; short != "" && w < len(capture.NotAllowed) {
		word = short
	}
	if sign := resultSigns[word]; sign != "" && w < len(word) {
		word = sign
	}
	return append(b, word...)
}

// domainOrder is a key that brings names of one registrable domain together,
// each below its parent: "example.com" before "www.example.com". registrable is
// how many bytes of the name that domain is.
func domainOrder(name string, registrable int) string {
	return string(appendDomainOrder(make([]byte, 0, len(name)+1), name, registrable))
}

func appendDomainOrder(key []byte, name string, registrable int) []byte {
	key = append(key, name[len(name)-registrable:]...)
	for sub := strings.TrimSuffix(name[:len(name)-registrable], "."); sub != ""; {
		dot := strings.LastIndexByte(sub, '.')
		key = append(append(key, 0), sub[dot+1:]...)
		sub = sub[:max(0, dot)]
	}
	return key
}

// Registrable returns the part of the name that somebody registered: one
// label more than its public suffix. A name that has none is returned whole.
func Registrable(name string) string {
	if d, ok := psl.PlusOne(name); ok {
		return d
	}
	return name
}
