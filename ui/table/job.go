package table

import (
	"context"
	"runtime"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
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

	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
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
	if !j.look(a) {
		return nil
	}
	if kept, ok := j.keptOrder(a); ok {
		if kept == nil {
			return nil
		}
		a.rows.fill(kept)
		return a
	}
	var shown, blocked []capture.ID
	for id := range capture.ID(j.most) {
		switch k := a.known.of(id); {
		case k.shown && k.blocked:
			blocked = append(blocked, id)
		case k.shown:
			shown = append(shown, id)
		}
	}
	if a.grouped && !j.group(a, shown) {
		return nil
	}
	if !a.inOrder(j.ctx, shown, a.descending) || !a.inOrder(j.ctx, blocked, true) {
		return nil
	}
	if a.grouped {
		a.fillGroups(shown)
	} else {
		a.rows.fill(shown)
	}
	a.front.fill(blocked)
	return a
}

// look finds out how the domains stand, and counts them.
func (j *job) look(a *arrangement) bool {
	step := atOnce * lanes()
	if j.base != nil {
		step *= 4 // a look costs less
	}
	all := make([]lane, lanes())
	for begin := 0; begin < j.most; begin += step {
		if j.ctx.Err() != nil {
			return false
		}
		j.ledger.Read(func(r capture.Reader) {
			sideBySide(min(step, j.most-begin), worthLanes, func(n, from, to int) {
				l := &all[n]
				for id := capture.ID(begin + from); id < capture.ID(begin+to); id++ {
					k := a.known.of(id)
					if j.base != nil {
						*k = *j.base.known.of(id)
						j.again(a, k, r, id, l)
					} else {
						r.Fill(&l.d, id)
						*k = a.standing(&Row{Domain: &l.d, Verdict: r.Verdict(&l.d), id: id, r: r, now: j.now, policy: a.policy})
					}
					l.count(k, 1)
				}
				l.giveKeys(a)
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
	d capture.Domain
	// text has the keys of domains that are made anew, side by side: a million
	// texts of their own are what the collector would work on.
	text []byte
	keys []keyEnd
}

// keyEnd is where the key of a domain ends in the text.
type keyEnd struct {
	id  capture.ID
	end int
}

// giveKeys gives the domains their keys.
func (l *lane) giveKeys(a *arrangement) {
	text, begin := string(l.text), 0
	for _, k := range l.keys {
		a.known.of(k.id).key = sortKey{text: text[begin:k.end]}
		begin = k.end
	}
	l.text, l.keys = l.text[:0], l.keys[:0]
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
			if a.known.of(id).shown {
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
		for id := range capture.ID(j.most) {
			if a.known.of(id).shown && !j.base.known.of(id).shown {
				fresh = append(fresh, id)
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
	d := &l.d
	k.group, k.shown = nil, false
	if k.tally == tallyNone {
		return
	}
	rekeyed := a.sort != j.base.sort
	row := Row{Domain: d, id: id, r: r, now: j.now}
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
		l.text = appendDomainOrder(l.text, d.Name, k.registrableOf(d.Name))
		l.keys = append(l.keys, keyEnd{id, len(l.text)})
	} else if rekeyed {
		k.key = columns[a.sort].key(row)
	}
	k.shown = !a.hides.leavesOut(k.decision()) && a.filter.match(candidate{Row: row})
}

// group gives the shown domains their groups.
func (j *job) group(a *arrangement, shown []capture.ID) bool {
	var same map[*group]*group // as the base's
	if j.base != nil && j.base.grouped {
		same = make(map[*group]*group, len(j.base.groups))
	}
	for part := range slices.Chunk(shown, atOnce) {
		if j.ctx.Err() != nil {
			return false
		}
		j.ledger.Read(func(r capture.Reader) {
			own := r.Info().Domain
			for _, id := range part {
				k := a.known.of(id)
				var was *group
				if same != nil {
					if was = j.base.known.of(id).group; was != nil {
						k.group = same[was]
					}
				}
				if k.group == nil {
					k.group = a.groupFor(r.Name(id), own)
				}
				if was != nil {
					same[was] = k.group
				}
				k.group.members++
				k.group.tally[k.tally]++
				k.group.sum += k.key.num
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
func (a *arrangement) fillGroups(shown []capture.ID) {
	heads := make([]*group, 0, len(a.groups))
	ends := make(map[*group]int, len(a.groups)) // where the next of a group's goes
	all := make([]capture.ID, len(shown))
	at := 0
	for _, g := range a.groups {
		heads = append(heads, g)
		ends[g] = at
		at += g.members
	}
	for _, id := range shown {
		g := a.known.of(id).group
		all[ends[g]] = id
		ends[g]++
	}
	for _, g := range heads {
		part := all[ends[g]-g.members : ends[g]]
		if g.only = part[0]; g.members > 1 {
			g.list = a.newRows()
			g.list.fill(part)
		}
		a.rekey(g)
	}
	slices.SortFunc(heads, a.compareGroups)
	a.heads.fill(heads)
}
