package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// away has arrangements of more than so many domains made away from the event
// loop.
func away(t *testing.T, most int) {
	was := inline
	inline = most
	t.Cleanup(func() { inline = was })
}

// finish gives the table all that is still to be done for it.
func finish(table *Table) {
	for {
		table.Refresh(noon)
		cmd := table.Work()
		if cmd == nil && table.ledger.Pending() == 0 {
			return
		}
		if cmd != nil {
			table.Take(cmd())
		}
	}
}

// Whatever comes between a job's begin and its end, the table shows in the end
// what it would if it were made anew.
func TestTableKeepsUpWithJobs(t *testing.T) {
	for seed := range uint64(40) {
		away(t, 0)
		rng := rand.New(rand.NewPCG(seed, 2))
		l := capture.NewLedger(capture.Info{Domain: "lxd"})
		table := New(l)
		table.Resize(100, 8+chrome)
		var coming []tea.Msg // done, and not heard of yet
		for step := range 200 {
			switch rng.IntN(11) {
			case 0:
				table.SortBy(rng.IntN(len(columns)))
			case 1:
				table.Move(rng.IntN(9) - 4)
			case 2:
				table.HideDrops(!table.DropsHidden())
			case 3:
				table.input.SetValue([]string{"", "a", "!a", "is:new", "~^n1"}[rng.IntN(5)])
				table.refilter()
			case 4:
				table.Group(!table.Grouped())
			case 5:
				table.Fold(rng.IntN(2) == 0)
			case 6:
				table.FoldAll()
			case 7:
				if cmd := table.Work(); cmd != nil {
					coming = append(coming, cmd())
				}
			case 8:
				table.Freeze(!table.Frozen())
			case 9:
				if len(coming) > 0 {
					table.Take(coming[0])
					coming = coming[1:]
				}
			default:
				for range rng.IntN(4) + 1 {
					feed(l, noon.Add(time.Duration(step)*time.Second), "query[A] "+someName(rng)+" from 10.0.0.5")
				}
				l.Decide(capture.Decision(rng.IntN(3)), 0)
				table.Refresh(noon)
			}
		}
		for _, msg := range coming {
			table.Take(msg)
		}
		table.Freeze(false)
		finish(table)
		away(t, 1000)
		if got, want := shown(table), shown(fresh(table)); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: the table shows\n%v, made anew\n%v", seed, got, want)
		}
		if table.Busy() != "" || table.Tally() != fresh(table).Tally() {
			t.Fatalf("seed %d: it is %q, and the tally is %v, want %v", seed, table.Busy(), table.Tally(), fresh(table).Tally())
		}
	}
}

// What an arrangement takes over of the order that was there is in the order that
// it would have if it were made anew.
func TestTheOrderIsKept(t *testing.T) {
	away(t, 0)
	rng := rand.New(rand.NewPCG(5, 6))
	l := capture.NewLedger(capture.Info{})
	table := New(l)
	table.Resize(100, 8+chrome)
	for i := range 400 {
		feed(l, noon.Add(time.Duration(rng.IntN(100))*time.Second), fmt.Sprintf("query[A] n%d.d%d.example from 10.0.0.5", rng.IntN(900), i%7))
	}
	for id := range capture.ID(30) {
		l.Decide(capture.Drop, id*9)
	}
	finish(table)
	filter := func(text string) func() {
		return func() { table.input.SetValue(text); table.refilter() }
	}
	for i, change := range []func(){
		table.Reverse, table.Reverse, filter("n1"), filter("n12"), table.Reverse, filter(""),
		func() { table.HideDrops(true) }, table.Reverse, func() { table.HideDrops(false) }, // few come back
		func() { table.SortBy(colDomain) }, table.Reverse, func() { table.HideDecided(true) }, func() { table.HideDecided(false) },
		func() { table.SortBy(colQueries) }, filter("!d1"), filter("!d1 !n77"), filter("!d1"), table.Reverse,
	} {
		change()
		finish(table)
		away(t, 1000)
		if got, want := shown(table), shown(fresh(table)); len(want) == 0 || !slices.Equal(got, want) {
			t.Fatalf("after change %d the table shows\n%v, made anew\n%v", i, got, want)
		}
		away(t, 0)
	}
}

// While another order is worked out the old one is shown, with a mark, and
// what was begun before is not shown any more.
func TestTheOldOrderIsShownMeanwhile(t *testing.T) {
	table := New(ledgerOf("a.example", "c.example", "b.example"))
	table.Resize(80, 10)
	table.Refresh(noon)
	finish(table)
	old := shown(table)
	away(t, 0)
	table.SortBy(colQueries)
	first := table.Work()
	if again := table.Work(); again != nil {
		t.Error("the same work is handed out twice")
	}
	if got := shown(table); !slices.Equal(got, old) || table.Busy() != "sorting…" {
		t.Errorf("meanwhile %v is shown, %q", got, table.Busy())
	}
	table.SortBy(colDomain)
	if msg := first(); msg != nil {
		t.Errorf("the work that nobody wants any more comes to %T", msg)
	}
	last := table.Work()
	table.Take(last())
	if got := shown(table); !slices.Equal(got, []string{"a.example", "b.example", "c.example"}) || table.Busy() != "" {
		t.Errorf("then %v is shown, %q", got, table.Busy())
	}
}

// A sort that is not wanted any more ends within a part of it.
func TestSortedEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	entries := make([]ranked, 3*sortPart)
	for i := range entries {
		entries[i].key = uint64(len(entries) - i)
	}
	var compared atomic.Int64
	by := func(x, y ranked) int {
		if compared.Add(1) == 10 {
			cancel()
		}
		return int(x.key) - int(y.key)
	}
	if sorted(ctx, entries, by) || compared.Load() > 40*sortPart {
		t.Errorf("it ended after %d comparisons", compared.Load())
	}
	if !sorted(t.Context(), entries, by) || !slices.IsSortedFunc(entries, by) {
		t.Error("it isn't sorted")
	}
}

// A great many changes at once, and more than one refresh takes up, all show.
func TestManyChanges(t *testing.T) {
	for _, n := range []int{atOnce + 10, 3 * atOnce, 12 * atOnce} {
		l := capture.NewLedger(capture.Info{})
		table := New(l)
		table.Resize(80, 10)
		for i := range n {
			feed(l, noon, fmt.Sprintf("query[A] d%d.example from 10.0.0.5", i))
		}
		table.Refresh(noon)
		finish(table)
		if got := table.Tally().Total(); got != n || table.shown.lines() != n {
			t.Errorf("%d domains: %d are counted and %d shown", n, got, table.shown.lines())
		}
		for i := range n { // what is known of the first is no base for so many more
			feed(l, noon, fmt.Sprintf("query[A] later%d.example from 10.0.0.5", i))
		}
		table.Refresh(noon)
		finish(table)
		if got := table.Tally().Total(); got != 2*n {
			t.Errorf("of twice %d domains %d are counted", n, got)
		}
	}
}

// However keys are sorted, by digits or as texts, the order is that of compare.
func TestInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n, key := range []func(i int) sortKey{
		func(int) sortKey { return sortKey{num: int64(rng.Uint64())} },
		func(int) sortKey { return sortKey{num: noon.UnixNano() + rng.Int64N(1e12)} },
		func(int) sortKey { return sortKey{num: int64(rng.IntN(3)), text: []string{"", "b", "a"}[rng.IntN(3)]} },
		func(i int) sortKey { return sortKey{text: fmt.Sprintf("example%d.com\x00host", rng.IntN(i+1))} },
		func(i int) sortKey { return sortKey{num: int64(rng.IntN(2)), text: fmt.Sprint("é", rng.IntN(i+1))} },
		func(i int) sortKey { return sortKey{text: "example.com\x00host"[:rng.IntN(12)] + fmt.Sprint(i)} },
		func(i int) sortKey {
			return sortKey{text: fmt.Sprintf("%c.longer-than-16.example\x00%d", 'a'+rng.IntN(2), rng.IntN(i+1))}
		},
	} {
		for _, descending := range []bool{false, true} {
			a := newArrangement(settings{descending: descending})
			ids := make([]capture.ID, 3*sortPart+rng.IntN(sortPart))
			a.known.grow(len(ids))
			for i := range ids {
				ids[i] = capture.ID(i)
				a.setKey(a.known.of(ids[i]), key(i))
			}
			if !a.inOrder(t.Context(), ids, descending) || !slices.IsSortedFunc(ids, a.compare) {
				t.Errorf("keys of kind %d, descending %t, aren't in order", n, descending)
			}
		}
	}
}
