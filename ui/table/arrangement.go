package table

import (
	"cmp"
	"maps"
	"math"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
)

// settings say which domains are shown and in which order.
type settings struct {
	sort       int // a column
	descending bool
	filter     filter
	hideDrops  bool
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
// themselves or below a line for their registrable domain. Blocked ones, see
// stand, are above all others. It is kept up by work that grows with what
// changed, whatever else there is.
type arrangement struct {
	settings
	known   memory
	front   seq[capture.ID] // blocked, the newest first
	rows    seq[capture.ID]
	tally   capture.Tally
	blocked int // shown or not
	sizes   sizes
	empty   [len(columns)]int // how many of the shown have nothing for a column

	groups map[string]*group // by name; those without members too
	heads  seq[*group]       // those with members
}

// tallied is where a domain is counted in the tally.
type tallied uint8

const (
	tallyNone tallied = iota
	tallyKeep
	tallyNew
	tallyDrop
	tallyDropByUser
	tallies
)

// newArrangement returns one of no domains.
func newArrangement(s settings) *arrangement {
	a := &arrangement{settings: s, groups: make(map[string]*group)}
	one := func(capture.ID) weight { return weight{items: 1} }
	a.front = seq[capture.ID]{compare: a.compareBlocked, weigh: one}
	a.rows = seq[capture.ID]{compare: a.compare, weigh: one}
	a.heads = seq[*group]{compare: func(a, b *group) int { return strings.Compare(a.name, b.name) }, weigh: (*group).weight}
	return a
}

// compare is the order of the rows: by group, by the sorted column, by age.
func (a *arrangement) compare(x, y capture.ID) int {
	if g, h := a.known.of(x).group, a.known.of(y).group; g != h {
		return strings.Compare(g.name, h.name)
	}
	c := cmp.Or(a.known.of(x).key.compare(a.known.of(y).key), cmp.Compare(x, y))
	if a.descending {
		return -c
	}
	return c
}

// compareBlocked is the order of blocked rows.
func (a *arrangement) compareBlocked(x, y capture.ID) int {
	return -cmp.Or(a.known.of(x).key.compare(a.known.of(y).key), cmp.Compare(x, y))
}

// put takes up how a domain is now.
func (a *arrangement) put(r capture.Reader, id capture.ID, now time.Time) {
	a.known.grow(r.Len())
	k, d := a.known.of(id), r.Domain(id)
	is := a.stand(r, d, now)
	a.count(*k, -1)
	a.count(is, 1)
	if k.shown && (!is.shown || is.key != k.key || is.blocked != k.blocked) {
		a.takeOut(id)
	}
	wasTallied := k.tally
	k.tally, k.blocked, k.empty, k.name = is.tally, is.blocked, is.empty, is.name
	switch {
	case k.shown && k.group != nil:
		k.group.tally[wasTallied]--
		k.group.tally[k.tally]++
	case is.shown && !k.shown:
		k.key = is.key
		a.putIn(id, d)
	}
}

// stand returns how a domain stands, but for its group.
func (a *arrangement) stand(r capture.Reader, d *capture.Domain, now time.Time) (k known) {
	v := r.Verdict(d)
	k.tally = tallyOf(d, v)
	first := firstRefused(a.policy, d, v)
	k.blocked = !first.IsZero()
	k.shown = d.Queries > 0 && !(a.hideDrops && v.Decision == capture.Drop) && a.filter.match(candidate{r, d, v, now, a.policy})
	if !k.shown {
		return k
	}
	k.name = uint8(min(len(d.Name), math.MaxUint8))
	row := Row{Domain: d, Verdict: v, r: r, now: now, policy: a.policy}
	k.key = sortKey{num: first.UnixNano()}
	if !k.blocked {
		k.key = a.column(a.sort).key(row)
	}
	for c := range columns {
		if filled := columns[c].filled; filled != nil && !filled(row) {
			k.empty |= 1 << c
		}
	}
	return k
}

func (a *arrangement) putIn(id capture.ID, d *capture.Domain) {
	k := a.known.of(id)
	k.shown = true
	if k.blocked {
		a.front.insert(id)
		return
	}
	if a.grouped {
		g := a.group(Registrable(d.Name))
		k.group = g
		g.tally[k.tally]++
		if g.members == 0 {
			g.members = 1
			a.heads.insert(g)
		} else {
			a.heads.reweigh(g, func() { g.members++ })
		}
	}
	a.rows.insert(id)
}

func (a *arrangement) takeOut(id capture.ID) {
	k := a.known.of(id)
	k.shown = false
	if k.blocked {
		a.front.remove(id)
		return
	}
	a.rows.remove(id)
	if g := k.group; g != nil {
		g.tally[k.tally]--
		if g.members == 1 {
			a.heads.remove(g)
			g.members = 0
		} else {
			a.heads.reweigh(g, func() { g.members-- })
		}
		k.group = nil
	}
}

func tallyOf(d *capture.Domain, v capture.Verdict) tallied {
	switch {
	case d.Queries == 0:
		return tallyNone
	case v.Decision == capture.Keep:
		return tallyKeep
	case v.Decision == capture.New:
		return tallyNew
	case !byRule(v):
		return tallyDropByUser
	}
	return tallyDrop
}

func (a *arrangement) count(k known, n int) {
	if k.blocked {
		a.blocked += n
	}
	if k.shown {
		a.sizes[k.name] += n
		for c := range a.empty {
			a.empty[c] += n * int(k.empty>>c&1)
		}
	}
	switch k.tally {
	case tallyKeep:
		a.tally.Keep += n
	case tallyNew:
		a.tally.New += n
	case tallyDrop:
		a.tally.DropByRule += n
	case tallyDropByUser:
		a.tally.DropByUser += n
	}
}

// item is a line of the table: a domain or the head of a group.
type item struct {
	id   capture.ID
	head *group // nil for a domain
}

func (it item) same(o item) bool {
	if it.head != nil && o.head != nil {
		return it.head.name == o.head.name
	}
	return it == o
}

// lines returns how many lines there are, at the one at a place, find the place
// of one: of a domain whose group is folded that of the group, below 0 of what
// isn't shown. Blocked rows come first.
func (a *arrangement) lines() int {
	blocked := a.front.total(items)
	if a.grouped {
		return blocked + a.heads.total(a.linesOf)
	}
	return blocked + a.rows.total(items)
}

func (a *arrangement) at(line int) item {
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
	g, part := a.heads.at(line, a.linesOf)
	if part == 0 {
		return item{head: g}
	}
	id, _ := a.rows.at(a.heads.upTo(g, members)+part-1, items)
	return item{id: id}
}

func (a *arrangement) find(it item) int {
	blocked := a.front.total(items)
	g := it.head
	if g == nil {
		if int(it.id) >= a.known.n || !a.known.of(it.id).shown {
			return -1
		}
		if a.isBlocked(it) {
			return a.front.upTo(it.id, items)
		}
		g = a.known.of(it.id).group
	} else if g = a.groups[g.name]; !a.grouped || g == nil || g.members == 0 {
		return -1
	}
	switch {
	case !a.grouped:
		return blocked + a.rows.upTo(it.id, items)
	case it.head != nil || a.folded(g):
		return blocked + a.heads.upTo(g, a.linesOf)
	}
	return blocked + a.heads.upTo(g, a.linesOf) + 1 + a.rows.upTo(it.id, items) - a.heads.upTo(g, members)
}

// isBlocked reports whether a line is a blocked row.
func (a *arrangement) isBlocked(it item) bool {
	return it.head == nil && int(it.id) < a.known.n && a.known.of(it.id).blocked
}

// domains returns how many domains are shown.
func (a *arrangement) domains() int { return a.front.total(items) + a.rows.total(items) }

// extent returns what the shown domains need of the columns.
func (a *arrangement) extent() (e extent) {
	e.nearly, e.all = a.sizes.within(nearlyAll), a.sizes.within(100)
	for c, n := range a.empty {
		e.empty[c] = n > 0 && n == a.domains()
	}
	return e
}
