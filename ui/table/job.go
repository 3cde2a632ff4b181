package table

import (
	"context"
	"runtime"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash/lanes"
)

// job makes an arrangement anew, for other settings or because too much has
// changed. A large one is made away from the event loop, which shows the old
// one meanwhile.
type job struct {
	settings
	ledger *capture.Ledger
	// base is the arrangement that is shown: what it knows of the domains is
	// not found out again. Nil where that doesn't hold under these settings.
	base   *arrangement
	most   int // how many domains it is about
	frozen bool
	now    time.Time
	show   view

	// flags are the domains': what is asked of each in an order that isn't that of
	// their IDs lies in a core's cache.
	flags []flags

	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
}

// flags are what is known of a domain, in the bits of a byte.
type flags uint8

const (
	flagUndecided flags = 1 << iota
	flagShown
	flagBlocked
)

func (k *known) flags() (f flags) {
	if k.tally.undecided() {
		f |= flagUndecided
	}
	if k.shown {
		f |= flagShown
	}
	if k.blocked {
		f |= flagBlocked
	}
	return f
}

// weigh is what [arrangement.weigh] says of some domains together.
func (j *job) weigh(part []capture.ID) weight {
	undecided := 0
	for _, id := range part {
		undecided += int(j.flags[id] & flagUndecided)
	}
	return weight{items: len(part), openStops: undecided}
}

// view is what is shown of an arrangement that was made anew.
type view uint8

const (
	stay view = iota // what was there
	home             // the top, if what was selected isn't shown any more
	top              // the top: the order is another
)

// Done is a message for [Table.Take]: what came of a command of [Table.Work].
type Done struct {
	job  *job
	made *arrangement
}

// atOnce is how many domains are taken up, or read from the ledger, at once:
// in a few milliseconds, for whoever else wants the screen or the ledger waits.
const atOnce = 1000

// inline is up to how many domains an arrangement is made within the event
// loop; a variable for the tests.
var inline = 8 * atOnce

// bulk is how many changes of n domains are worth making all anew.
func bulk(n int) int { return max(inline/4, n/8) }

// work returns the job as a command.
func (j *job) work() tea.Msg {
	if made := j.arrange(); made != nil {
		return Done{j, made}
	}
	return nil
}

// arrange returns the arrangement, nil if the job was cancelled.
func (j *job) arrange() *arrangement {
	a := newArrangement(j.settings)
	if j.base == nil && !j.drain() {
		return nil
	}
	if !j.frozen && j.base == nil { // what comes from now on is a change
		j.ledger.Read(func(r capture.Reader) { j.most = r.Len() })
	}
	a.known.grow(j.most)
	if j.base != nil && a.sort == j.base.sort {
		a.texts = j.base.texts.shared()
	}
	if !j.look(a) {
		return nil
	}
	if kept, ok := j.keptOrder(a); ok {
		if kept == nil {
			return nil
		}
		a.rows.fill(kept, j.weigh)
		return a
	}
	shown := make([]capture.ID, 0, a.domains())
	var blocked []capture.ID
	for id, f := range j.flags {
		switch {
		case f&(flagShown|flagBlocked) == flagShown|flagBlocked:
			blocked = append(blocked, capture.ID(id))
		case f&flagShown != 0:
			shown = append(shown, capture.ID(id))
		}
	}
	if a.grouped && !j.group(a, shown) {
		return nil
	}
	if !a.inOrder(j.ctx, shown, a.descending) || !a.inOrder(j.ctx, blocked, true) {
		return nil
	}
	if a.grouped {
		j.fillGroups(a, shown)
	} else {
		a.rows.fill(shown, j.weigh)
	}
	a.front.fill(blocked, j.weigh)
	return a
}

// look finds out how the domains stand, and counts them.
func (j *job) look(a *arrangement) bool {
	step := atOnce * lanes.Count()
	if j.base != nil {
		step *= 4 // a look costs less
	}
	j.flags = make([]flags, j.most)
	all := make([]lane, lanes.Count())
	for begin := 0; begin < j.most; begin += step {
		if j.ctx.Err() != nil {
			return false
		}
		j.ledger.Read(func(r capture.Reader) {
			lanes.Do(partOfTable, min(step, j.most-begin), worthLanes, func(n, from, to int) {
				l := &all[n]
				l.row = Row{Domain: &l.d, r: r, now: j.now, policy: a.policy}
				for id := capture.ID(begin + from); id < capture.ID(begin+to); id++ {
					k := a.known.of(id)
					if j.base != nil {
						*k = *j.base.known.of(id)
						j.again(a, k, r, id, l)
					} else {
						r.Fill(&l.d, id)
						var key sortKey
						l.row.Verdict, l.row.id = r.Verdict(&l.d), id
						*k, key = a.standing(&l.row)
						l.setKey(a, k, key)
					}
					l.count(k, 1)
					j.flags[id] = k.flags()
				}
				l.giveNames(a)
			})
		})
	}
	for n := range all {
		a.counts.add(&all[n].counts)
	}
	return true
}

// lane is what one lane of a look needs, and counts.
type lane struct {
	counts
	d   capture.Domain
	row Row // of d
	// text has the texts of names side by side, and named are the domains that
	// have them.
	text  []byte
	named []*known
	// texts are where texts of other columns are, last the last of them.
	texts  map[string]textAt
	last   string
	lastAt textAt
}

// setKey is [arrangement.setKey], which other lanes are waited for in at texts
// alone that are new to the lane.
func (l *lane) setKey(a *arrangement, k *known, key sortKey) {
	k.num, k.text = key.num, textAt{}
	if key.text == "" {
		return
	}
	if a.sort == colDomain {
		k.text = textAt{begin: uint32(len(l.text)), n: uint32(len(key.text))}
		l.text, l.named = append(l.text, key.text...), append(l.named, k)
		return
	}
	if key.text != l.last {
		at, met := l.texts[key.text]
		if !met {
			if l.texts == nil {
				l.texts = make(map[string]textAt)
			}
			at, key.text = a.texts.add(key.text, true)
			l.texts[key.text] = at
		}
		l.last, l.lastAt = key.text, at
	}
	k.text = l.lastAt
}

// giveNames adds the texts of names to the others.
func (l *lane) giveNames(a *arrangement) {
	if len(l.named) == 0 {
		return
	}
	page := a.texts.addPage(string(l.text))
	for _, k := range l.named {
		k.text.page = page
	}
	l.text, l.named = l.text[:0], l.named[:0]
}

// keptOrder returns the shown domains in the order of the base, if that holds for
// nearly all of them: the column is the same, and all but a few were shown there.
// It returns nil where the context has ended.
func (j *job) keptOrder(a *arrangement) (order []capture.ID, ok bool) {
	if j.base == nil || a.grouped || j.base.grouped || a.sort != j.base.sort {
		return nil, false
	}
	const most = 8 // a part of them is new
	n := a.domains()
	order = make([]capture.ID, 0, n)
	for i, c := range j.base.rows.chunks {
		for _, id := range c.items {
			if j.flags[id]&flagShown != 0 {
				order = append(order, id)
			}
		}
		if i%(breath/chunkMost) == 0 {
			runtime.Gosched()
		}
	}
	if n-len(order) > n/most {
		return nil, false
	}
	if a.descending != j.base.descending {
		slices.Reverse(order)
	}
	if len(order) < n {
		fresh := make([]capture.ID, 0, n-len(order))
		for id, f := range j.flags {
			if f&flagShown != 0 && !j.base.known.of(capture.ID(id)).shown {
				fresh = append(fresh, capture.ID(id))
			}
		}
		if !a.inOrder(j.ctx, fresh, a.descending) {
			return nil, true
		}
		all := make([]capture.ID, n)
		merge(all, order, fresh, a.compareID)
		order = all
	}
	if j.ctx.Err() != nil {
		return nil, true
	}
	return order, true
}

// again brings what the base knows of a domain to other settings. What has
// changed since is still to come from the ledger.
func (j *job) again(a *arrangement, k *known, r capture.Reader, id capture.ID, l *lane) {
	d, row := &l.d, &l.row
	k.group, k.shown = 0, false
	if k.tally == tallyNone {
		return
	}
	rekeyed := a.sort != j.base.sort
	row.id, row.Verdict = id, capture.Verdict{}
	switch {
	case a.filter.facts || rekeyed && a.sort != colDomain:
		r.Fill(d, id)
		if a.filter.facts || a.sort == colDecision || a.sort == colReason {
			row.Verdict = r.Verdict(d)
		}
	case rekeyed || len(a.filter.terms) > 0:
		d.Name = r.Name(id)
	}
	if rekeyed && a.sort == colDomain {
		begin := len(l.text)
		l.text = appendDomainOrder(l.text, d.Name, k.registrableOf(d.Name))
		k.num, k.text = 0, textAt{begin: uint32(begin), n: uint32(len(l.text) - begin)}
		l.named = append(l.named, k)
	} else if rekeyed {
		l.setKey(a, k, columns[a.sort].key(*row))
	}
	k.shown = !a.hides.leavesOut(k.decision()) && a.filter.match(candidate{Row: row})
}

// group gives the shown domains their groups.
func (j *job) group(a *arrangement, shown []capture.ID) bool {
	var same []groupN // as the base's, by their numbers
	if j.base != nil && j.base.grouped {
		same = make([]groupN, len(j.base.byN)+1)
	}
	for part := range slices.Chunk(shown, atOnce) {
		if j.ctx.Err() != nil {
			return false
		}
		j.ledger.Read(func(r capture.Reader) {
			own := r.Info().Domain
			for _, id := range part {
				k := a.known.of(id)
				var was groupN
				if same != nil {
					was = j.base.known.of(id).group
					k.group = same[was]
				}
				if k.group == 0 {
					k.group = a.groupFor(r.Name(id), own).n
				}
				if was != 0 {
					same[was] = k.group
				}
				g := a.groupOf(k)
				g.members++
				g.tally[k.tally]++
				g.sum += k.num
			}
		})
	}
	return true
}

// drain takes from the ledger what has changed: all of it is read now. Of a
// frozen table the ledger goes on to count it.
func (j *job) drain() bool {
	for n := j.ledger.Pending(); n > 0 && !j.frozen; n -= atOnce {
		if j.ctx.Err() != nil {
			return false
		}
		j.ledger.RefreshSome(atOnce, func(capture.Reader, []capture.ID) {})
	}
	return true
}

// fillGroups gives the groups their rows, and puts them in order.
func (j *job) fillGroups(a *arrangement, shown []capture.ID) {
	heads := make([]*group, 0, len(a.groups))
	ends := make([]int, len(a.byN)+1) // where the next of a group's goes
	all := make([]capture.ID, len(shown))
	at := 0
	for _, g := range a.byN {
		heads = append(heads, g)
		ends[g.n] = at
		at += g.members
	}
	for _, id := range shown {
		g := a.known.of(id).group
		all[ends[g]] = id
		ends[g]++
	}
	for _, g := range heads {
		part := all[ends[g.n]-g.members : ends[g.n]]
		if g.only = part[0]; g.members > 1 {
			g.list = a.newRows()
			g.list.fill(part, j.weigh)
		}
		a.rekey(g)
	}
	slices.SortFunc(heads, a.compareGroups)
	a.heads.fill(heads, a.heads.sum)
}
