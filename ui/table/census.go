package table

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/capture/verify"
)

// census is how many domains there are for each value of a filter's keys:
// "result", "nxdomain".
type census map[string]map[string]int

// counting makes a census, of many domains away from the event loop.
type counting struct {
	ledger *capture.Ledger
	policy *verify.Policy
	now    time.Time
	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
}

// Counted is a message for [Table.Take]: a census that was made.
type Counted struct {
	of   *counting
	made census
}

// count has a census be made: what is there to be filtered by has changed.
func (t *Table) count() {
	if t.counting != nil {
		t.counting.cancel()
	}
	c := &counting{ledger: t.ledger, policy: t.want.policy, now: t.now}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if t.counting = c; t.shown.known.n <= inline {
		t.counted(Counted{c, c.make()})
	}
}

// recount is after how long at the least many domains are counted anew.
const recount = time.Second

// countAnew has the counts of a filter that is being typed follow the domains.
func (t *Table) countAnew() {
	since := t.now.Sub(t.countedAt)
	if t.Editing() && t.counting == nil && (t.shown.known.n <= inline || since < 0 || since >= recount) {
		t.count()
	}
}

func (t *Table) counted(done Counted) {
	if done.of != t.counting {
		return
	}
	t.counting.cancel()
	was := completions(t.completed.base, t.census)
	t.counting, t.census, t.countedAt, t.drawn = nil, done.made, done.of.now, nil
	if at := t.completed.nth; at >= 0 && at < len(was) { // they may stand in another order
		t.completed.nth = slices.IndexFunc(completions(t.completed.base, t.census), func(c completion) bool { return c.text == was[at].text })
	}
	if f := t.compile(t.want.filter.text); (f.err == nil) != (t.want.filter.err == nil) {
		t.want.filter = f
		t.remake(home)
	}
}

// make returns the census, what there is of it if it was cancelled.
func (c *counting) make() census {
	all := make(census)
	for _, k := range filterKeys {
		all[k.name] = make(map[string]int)
	}
	parts := make([]enumerator, lanes.Count())
	for n := range parts {
		parts[n].begin()
	}
	step := 4 * atOnce * lanes.Count() // each costs little
	for begin, most := 0, step; begin < most; begin += step {
		if c.ctx.Err() != nil {
			return all
		}
		c.ledger.Read(func(r capture.Reader) {
			most = r.Len()
			lanes.Do(partOfTable, min(step, most-begin), worthLanes, func(n, from, to int) {
				l := &parts[n]
				l.row = Row{Domain: &l.d, r: r, now: c.now, policy: c.policy}
				l.choose()
				for id := capture.ID(begin + from); id < capture.ID(begin+to); id++ {
					if r.Fill(&l.d, id); l.d.Queries > 0 {
						l.row.Verdict, l.row.id = r.Verdict(&l.d), id
						l.count(&l.row)
					}
				}
			})
		})
	}
	for n := range parts {
		for i := range parts[n].by {
			parts[n].by[i].into(all[filterKeys[i].name])
		}
	}
	c.ledger.Read(func(r capture.Reader) {
		ways, _, _ := r.Bypasses()
		for _, b := range ways {
			actorNames(r, b.Actors, func(name string) { all["by"][dashed(name)]++ })
			if b.To.IsValid() {
				portValues([]capture.Port{{Number: b.To.Port(), Protocol: b.Protocol}}, func(port string) { all["port"][port]++ })
			}
		}
	})
	return all
}

// enumerator makes a part of a census.
type enumerator struct {
	d   capture.Domain
	row Row      // of d
	of  []int    // those of filterKeys that are counted
	by  []values // of each of filterKeys
	add []func(string)
}

func (e *enumerator) begin() {
	e.by, e.add = make([]values, len(filterKeys)), make([]func(string), len(filterKeys))
	for i := range e.by {
		e.add[i] = e.by[i].add
	}
}

// choose has those keys be counted that any row may have a value of.
func (e *enumerator) choose() {
	e.of = e.of[:0]
	for i, k := range filterKeys {
		if k.values != nil && (k.some == nil || k.some(e.row.r, e.row.policy)) {
			e.of = append(e.of, i)
		}
	}
}

// values counts values of a key, as they are. Domains that follow one another
// often have the same, which costs no look into the map.
type values struct {
	times map[string]int
	last  string
	n     int // of last that times hasn't
}

func (e *enumerator) count(d *Row) {
	for _, i := range e.of {
		filterKeys[i].values(d, e.add[i])
	}
}

func (v *values) add(value string) {
	if value != v.last {
		v.flush()
		v.last = value
	}
	v.n++
}

func (v *values) flush() {
	if v.times == nil {
		v.times = make(map[string]int)
	}
	if v.n > 0 {
		v.times[v.last] += v.n
	}
	v.n = 0
}

func (v *values) into(all map[string]int) {
	v.flush()
	for value, n := range v.times {
		all[dashed(value)] += n
	}
}

// dashed is how a value is written in a filter, where blanks stand between
// terms: "no-answer".
func dashed(value string) string { return strings.ReplaceAll(strings.ToLower(value), " ", "-") }

// completion is what a filter may go on with, and how many domains that has; -1
// for a key.
type completion struct {
	text string
	n    int
}

// completions returns what the last word of a filter may become: keys, or the
// values of its key, those that most domains have first.
func completions(text string, c census) (all []completion) {
	word := text[strings.LastIndexByte(text, ' ')+1:]
	word = strings.TrimPrefix(word, "!")
	name, value, tagged := strings.Cut(word, ":")
	for _, k := range filterKeys {
		switch {
		case !tagged && strings.HasPrefix(k.name, name) && !strings.HasPrefix(word, "~"):
			all = append(all, completion{k.name + ":", -1})
		case tagged && k.name == name:
			counts := maps.Clone(c[name])
			if counts == nil {
				counts = make(map[string]int)
			}
			for _, v := range k.always {
				counts[v] += 0
			}
			for v, n := range counts {
				if strings.Contains(v, strings.ToLower(value)) {
					all = append(all, completion{name + ":" + v, n})
				}
			}
		}
	}
	if tagged {
		slices.SortFunc(all, func(a, b completion) int { return cmp.Or(b.n-a.n, strings.Compare(a.text, b.text)) })
	}
	return all
}

// Complete completes what is typed of the filter; again, it takes the next that
// it may become.
func (t *Table) Complete() {
	if text := t.input.Value(); text != t.completed.last || text == "" {
		t.completed.base, t.completed.nth = text, -1
	}
	all := completions(t.completed.base, t.census)
	if len(all) == 0 {
		return
	}
	if len(all) == 1 && t.completed.nth == 0 { // a key that is whole: its values
		t.completed.base, t.completed.nth = t.completed.last, -1
		all = completions(t.completed.base, t.census)
	}
	t.completed.nth = (t.completed.nth + 1) % len(all)
	base := t.completed.base
	begin := strings.LastIndexByte(base, ' ') + 1
	if strings.HasPrefix(base[begin:], "!") {
		begin++
	}
	t.completed.last = base[:begin] + all[t.completed.nth].text
	t.SetFilter(t.completed.last)
}
