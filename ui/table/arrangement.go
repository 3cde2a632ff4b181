package table

import (
	"cmp"
	"maps"
	"math"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
)

// settings say which domains are shown and in which order.
type settings struct {
	sort       int // a column
	descending bool
	filter     filter
	hides      hides
	grouped    bool
	folds
	// policy says what a list that is enforced lets through; nil while none is.
	policy *verify.Policy
}

// folds say which groups are folded: all or none, but for those that the user
// has folded otherwise.
type folds struct {
	all     bool
	flipped map[string]bool
}

func (f folds) clone() folds { return folds{f.all, maps.Clone(f.flipped)} }

// arrangement is what settings make of the domains: those shown, in order, by
// themselves or in groups. Blocked ones, see stand, are above all others. It is
// kept up by work that grows with what changed, whatever else there is.
type arrangement struct {
	settings
	compareID func(x, y capture.ID) int // once for all sequences of rows
	weighID   func(capture.ID) weight

	known memory
	texts texts
	front seq[capture.ID] // blocked, the newest first
	rows  seq[capture.ID]
	round round
	counts

	groups map[string]*group // by name; those without members too
	byN    []*group          // the same, by their numbers less 1
	heads  seq[*group]       // those with members, which have their rows

	d   capture.Domain // scratch
	row Row            // of d
}

// tallied is where a domain is counted in the tally.
type tallied uint8

const (
	tallyNone tallied = iota
	tallyKeep
	tallyNew
	tallyOut // new, and left out: see [Row.Out]
	tallyDrop
	tallyDropByUser
	tallies
)

// newArrangement returns one of no domains.
func newArrangement(s settings) *arrangement {
	a := &arrangement{settings: s, groups: make(map[string]*group)}
	a.compareID, a.weighID = a.compare, a.weigh
	a.front = seq[capture.ID]{compare: a.compareBlocked, weigh: a.weighID}
	a.rows = *a.newRows()
	a.heads = seq[*group]{compare: a.compareGroups, weigh: (*group).weight}
	return a
}

func (a *arrangement) newRows() *seq[capture.ID] {
	return &seq[capture.ID]{compare: a.compareID, weigh: a.weighID}
}

// compare is the order of the rows: by the sorted column, by age.
func (a *arrangement) compare(x, y capture.ID) int {
	c := a.compareKeys(x, y)
	if a.descending {
		return -c
	}
	return c
}

func (a *arrangement) compareKeys(x, y capture.ID) int {
	return cmp.Or(a.keyOf(a.known.of(x)).compare(a.keyOf(a.known.of(y))), cmp.Compare(x, y))
}

// weigh counts a row, and whether nobody has decided about it.
func (a *arrangement) weigh(id capture.ID) weight {
	w := weight{items: 1}
	if a.known.of(id).tally.undecided() {
		w[openStops] = 1
	}
	return w
}

// compareBlocked is the order of blocked rows.
func (a *arrangement) compareBlocked(x, y capture.ID) int {
	return -a.compareKeys(x, y)
}

// put takes up how a domain is now.
func (a *arrangement) put(r capture.Reader, id capture.ID, now time.Time) {
	a.known.grow(r.Len())
	k := a.known.of(id)
	r.Fill(&a.d, id)
	a.row = Row{Domain: &a.d, Verdict: r.Verdict(&a.d), id: id, r: r, now: now, policy: a.policy}
	is, key := a.standing(&a.row)
	moved := key != a.keyOf(k)
	a.count(k, -1)
	a.count(&is, 1)
	if k.shown && (!is.shown || moved || is.blocked != k.blocked) {
		a.takeOut(id)
	}
	if k.shown && is.tally != k.tally {
		a.recount(id, is.tally)
	}
	k.tally, k.blocked, k.late, k.odd, k.name = is.tally, is.blocked, is.late, is.odd, is.name
	if moved {
		a.setKey(k, key)
	}
	if is.shown && !k.shown {
		a.putIn(r, id)
	}
}

// recount has a row that stays where it is count as decided, or not.
func (a *arrangement) recount(id capture.ID, to tallied) {
	k := a.known.of(id)
	set := func() { k.tally = to }
	g := a.groupOf(k)
	switch {
	case k.blocked:
		a.front.reweigh(id, set)
	case g == nil:
		a.rows.reweigh(id, set)
	default:
		a.refit(g, func() {
			g.tally[k.tally]--
			g.tally[to]++
			if g.members > 1 {
				g.list.reweigh(id, set)
			} else {
				set()
			}
		})
	}
}

// standing returns how a domain stands, but for its group, and its key.
func (a *arrangement) standing(row *Row) (k known, key sortKey) {
	d, v := row.Domain, row.Verdict
	k.tally = tallyOf(d, v)
	if k.tally == tallyNone {
		return k, key
	}
	first := firstRefused(a.policy, d, v)
	k.blocked, k.late = !first.IsZero(), allowedLate(a.policy, d, v)
	k.shown = !a.hides.leavesOut(v.Decision) && a.filter.match(candidate{Row: row})
	k.name = uint8(min(len(d.Name), math.MaxUint8))
	key = sortKey{num: first.UnixNano()}
	if !k.blocked {
		key = a.column(a.sort).key(*row)
	}
	for c := range columns {
		if filled, fits := columns[c].filled, columns[c].fits; filled != nil && !filled(*row) || fits != nil && !fits(*row) {
			k.odd |= 1 << c
		}
	}
	return k, key
}

func (a *arrangement) putIn(r capture.Reader, id capture.ID) {
	k := a.known.of(id)
	k.shown = true
	switch {
	case k.blocked:
		a.front.insert(id)
	case a.grouped:
		g := a.groupFor(r.Name(id), r.Info().Domain)
		a.change(g, func() { a.join(g, id) })
	default:
		a.rows.insert(id)
	}
}

func (a *arrangement) takeOut(id capture.ID) {
	k := a.known.of(id)
	k.shown = false
	switch g := a.groupOf(k); {
	case k.blocked:
		a.front.remove(id)
	case g != nil:
		a.change(g, func() { a.leave(g, id) })
	default:
		a.rows.remove(id)
	}
}

// undecided reports whether nobody has decided about the domain.
func (t tallied) undecided() bool { return t == tallyNew || t == tallyOut }

func tallyOf(d *capture.Domain, v capture.Verdict) tallied {
	switch {
	case d.Queries == 0:
		return tallyNone
	case v.Decision == capture.Keep:
		return tallyKeep
	case v.Decision == capture.New && d.Unlisted:
		return tallyOut
	case v.Decision == capture.New:
		return tallyNew
	case !ByRule(v):
		return tallyDropByUser
	}
	return tallyDrop
}

// item is a line of the table: a domain or the head of a group.
type item struct {
	id   capture.ID
	head *group // nil for a domain
	way  string // instead of a domain: a way round, by its [WayKey], or [roundHead]
}

// isDomain reports whether the line is a domain's.
func (it item) isDomain() bool { return it.head == nil && it.way == "" }

func (it item) same(o item) bool {
	if it.head != nil && o.head != nil {
		return it.head.name == o.head.name
	}
	return it == o
}

// lines returns how many lines there are, at the one at a place, find the place
// of one: of a domain whose group is folded that of the group, below 0 of what
// isn't shown. Blocked rows come first, ways round last.
func (a *arrangement) lines() int { return a.domainLines() + a.round.lines() }

func (a *arrangement) domainLines() int {
	blocked := a.front.total(items)
	if a.grouped {
		return blocked + a.heads.total(a.lineMeasure())
	}
	return blocked + a.rows.total(items)
}

// ends returns behind which line none can be selected: that nothing went round is
// no line to be on.
func (a *arrangement) ends() int {
	if len(a.round.ways) == 0 {
		return a.domainLines()
	}
	return a.lines()
}

func (a *arrangement) at(line int) item {
	if n := a.domainLines(); line >= n {
		return a.round.at(line - n)
	}
	blocked := a.front.total(items)
	if line < blocked {
		id, _ := a.front.at(line, items)
		return item{id: id}
	}
	line -= blocked
	if !a.grouped {
		id, _ := a.rows.at(line, items)
		return item{id: id}
	}
	g, part := a.heads.at(line, a.lineMeasure())
	switch {
	case g.members == 1:
		return item{id: g.only}
	case part == 0:
		return item{head: g}
	}
	id, _ := g.list.at(part-1, items)
	return item{id: id}
}

func (a *arrangement) find(it item) int {
	if it.way != "" {
		if line := a.round.find(it.way); line >= 0 {
			return a.domainLines() + line
		}
		return -1
	}
	blocked := a.front.total(items)
	g := it.head
	if g == nil {
		if int(it.id) >= a.known.n || !a.known.of(it.id).shown {
			return -1
		}
		if a.isBlocked(it) {
			return a.front.upTo(it.id, items)
		}
		g = a.groupOf(a.known.of(it.id))
	} else if g = a.groups[g.name]; !a.grouped || g == nil || g.members == 0 {
		return -1
	}
	if !a.grouped {
		return blocked + a.rows.upTo(it.id, items)
	}
	line := blocked + a.heads.upTo(g, a.lineMeasure())
	if it.head != nil || g.members == 1 || a.folded(g) {
		return line
	}
	return line + 1 + g.list.upTo(it.id, items)
}

// stopsBefore returns how many lines before one nobody has decided about: rows,
// and groups that are folded. stopAt returns the line of such a one.
func (a *arrangement) stopsBefore(line int) int {
	blocked := a.front.total(items)
	if line <= blocked {
		return line
	}
	if line >= a.domainLines() {
		return a.stops()
	}
	it := a.at(line)
	if !a.grouped {
		return blocked + a.rows.upTo(it.id, openStops)
	}
	g := it.head
	if g == nil {
		g = a.groupOf(a.known.of(it.id))
	}
	n := blocked + a.heads.upTo(g, a.stopMeasure())
	if it.head == nil && g.members > 1 {
		n += g.list.upTo(it.id, openStops)
	}
	return n
}

func (a *arrangement) stopAt(n int) int {
	blocked := a.front.total(items)
	if n < blocked {
		return n
	}
	n -= blocked
	if !a.grouped {
		id, _ := a.rows.at(n, openStops)
		return a.find(item{id: id})
	}
	g, part := a.heads.at(n, a.stopMeasure())
	if g.members == 1 || a.folded(g) {
		return a.find(item{head: g})
	}
	id, _ := g.list.at(part, openStops)
	return a.find(item{id: id})
}

// stops returns how many lines nobody has decided about.
func (a *arrangement) stops() int {
	blocked := a.front.total(items)
	if a.grouped {
		return blocked + a.heads.total(a.stopMeasure())
	}
	return blocked + a.rows.total(openStops)
}

// isBlocked reports whether a line is a blocked row.
func (a *arrangement) isBlocked(it item) bool {
	return it.isDomain() && int(it.id) < a.known.n && a.known.of(it.id).blocked
}

// domains returns how many domains are shown.
func (a *arrangement) domains() (n int) {
	for _, of := range a.sizes {
		n += of
	}
	return n
}

// appendAll appends the shown domains in their order, those of folded groups too.
func (a *arrangement) appendAll(list []capture.ID) []capture.ID {
	list = a.front.appendTo(list, 0, a.front.total(items))
	if !a.grouped {
		return a.rows.appendTo(list, 0, a.rows.total(items))
	}
	for _, g := range a.heads.appendTo(nil, 0, a.heads.total(items)) {
		list = a.membersOf(g, list)
	}
	return list
}

// extent returns what the shown domains need of the columns.
func (a *arrangement) extent() (e extent) {
	e.rows, e.nearly, e.all = a.domains(), a.sizes.within(nearlyAll), a.sizes.within(100)
	for c, n := range a.odd {
		if columns[c].fits != nil {
			e.cut[c] = n*100 > e.rows*(100-nearlyAll)
		} else {
			e.empty[c] = n == e.rows && (n > 0 || columns[c].yields)
		}
	}
	return e
}
