package table

import (
	"cmp"
	"context"
	"slices"
	"strings"
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

// entry is a shown domain while it is sorted.
type entry struct {
	key sortKey
	id  capture.ID
}

// arrange returns the arrangement, nil if the job was cancelled.
func (j *job) arrange() *arrangement {
	a := newArrangement(j.settings)
	if !j.drain() {
		return nil
	}
	if !j.frozen { // what comes from now on is a change
		j.ledger.Read(func(r capture.Reader) { j.most = r.Len() })
	}
	a.known.grow(j.most)
	var shown, blocked []entry
	for begin := 0; begin < j.most; begin += atOnce {
		if j.ctx.Err() != nil {
			return nil
		}
		j.ledger.Read(func(r capture.Reader) {
			own := r.Info().Domain
			for id := begin; id < min(begin+atOnce, j.most); id++ {
				d := r.Domain(capture.ID(id))
				k := a.stand(r, d, j.now)
				a.count(k, 1)
				switch {
				case k.shown && k.blocked:
					blocked = append(blocked, entry{key: k.key, id: capture.ID(id)})
				case k.shown:
					shown = append(shown, entry{key: k.key, id: capture.ID(id)})
					if a.grouped {
						k.group = a.groupFor(d.Name, own)
						k.group.members++
						k.group.tally[k.tally]++
						k.group.sum += k.key.num
					}
				}
				*a.known.of(capture.ID(id)) = k
			}
		})
	}
	if !sorted(j.ctx, shown, before(a.descending)) || !sorted(j.ctx, blocked, before(true)) {
		return nil
	}
	if a.grouped {
		a.fillGroups(shown)
	} else {
		a.rows.fill(ids(shown))
	}
	a.front.fill(ids(blocked))
	return a
}

func ids(entries []entry) []capture.ID {
	list := make([]capture.ID, len(entries))
	for i, e := range entries {
		list[i] = e.id
	}
	return list
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
func (a *arrangement) fillGroups(shown []entry) {
	heads := make([]*group, 0, len(a.groups))
	ends := make(map[*group]int, len(a.groups)) // where the next of a group's goes
	all := make([]capture.ID, len(shown))
	at := 0
	for _, g := range a.groups {
		heads = append(heads, g)
		ends[g] = at
		at += g.members
	}
	for _, e := range shown {
		g := a.known.of(e.id).group
		all[ends[g]] = e.id
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

// before returns the order of entries; see compare.
func before(descending bool) func(x, y entry) int {
	turn := 1
	if descending {
		turn = -1
	}
	return func(x, y entry) int {
		c := cmp.Compare(x.key.num, y.key.num)
		if c == 0 {
			c = strings.Compare(x.key.text, y.key.text)
		}
		if c == 0 {
			c = cmp.Compare(x.id, y.id)
		}
		return turn * c
	}
}

// sortPart is how many entries are sorted between two looks at the context.
const sortPart = 1 << 15

// sorted sorts the entries, unless the context ends.
func sorted(ctx context.Context, entries []entry, compare func(x, y entry) int) bool {
	for part := range slices.Chunk(entries, sortPart) {
		if ctx.Err() != nil {
			return false
		}
		slices.SortFunc(part, compare)
	}
	from, to := entries, make([]entry, len(entries))
	for width := sortPart; width < len(entries); width *= 2 {
		for begin := 0; begin < len(entries); begin += 2 * width {
			if ctx.Err() != nil {
				return false
			}
			middle, end := min(begin+width, len(entries)), min(begin+2*width, len(entries))
			merge(to[begin:end], from[begin:middle], from[middle:end], compare)
		}
		from, to = to, from
	}
	copy(entries, from)
	return true
}

func merge(to, a, b []entry, compare func(x, y entry) int) {
	for i := range to {
		if len(b) == 0 || len(a) > 0 && compare(a[0], b[0]) <= 0 {
			to[i], a = a[0], a[1:]
		} else {
			to[i], b = b[0], b[1:]
		}
	}
}
