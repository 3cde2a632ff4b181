package capture_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"lxd-allowlist/capture"
)

func TestKeepingWhatNoListCanHold(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a'b.example from 10.0.0.5")
	if _, err := l.Mark(capture.Mark{Decision: capture.Keep}, 0); err != capture.ErrUnlistable {
		t.Errorf("Mark = %v, want ErrUnlistable", err)
	}
}

func TestGroup(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.example.net from 10.0.0.5", "query[A] b.example.net from 10.0.0.5", "query[A] c.other.net from 10.0.0.5")
	if _, err := l.Mark(capture.Mark{Decision: capture.Keep}, 1); err != nil {
		t.Fatal(err)
	}
	l.MarkGroup(capture.Mark{Decision: capture.Drop, Reason: "ads"}, "example.net")
	feed(l, "query[A] later.example.net from 10.0.0.5", "query[A] notexample.net from 10.0.0.5")
	for name, want := range map[string]capture.Decision{
		"a.example.net": capture.Drop, "b.example.net": capture.Keep, "c.other.net": capture.New,
		"later.example.net": capture.Drop, "notexample.net": capture.New,
	} {
		if got := find(t, l, name).Decision; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if what := l.Undo(); what != "drop all of example.net (ads)" {
		t.Errorf("undid %q", what)
	}
	if got := find(t, l, "later.example.net").Decision; got != capture.New {
		t.Errorf("after the undo it is %v", got)
	}
	for _, suffix := range []string{"net", "co.uk"} {
		if _, err := l.KeepSuffix(suffix, ""); err == nil {
			t.Errorf("everything below %s may be allowed", suffix)
		}
	}
	if _, err := l.KeepSuffix("example.net", ""); err != nil {
		t.Fatal(err)
	}
	first := l.List(false).Rules[0]
	if first.Name != "example.net" || !first.Suffix {
		t.Errorf("the export begins with %+v, want the suffix rule", first)
	}
}

// What a person wrote stays through every decision but the one to write
// something else, and a suffix rule that is taken back.
func TestReasonsStay(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.example.net from 10.0.0.5", "query[A] b.example.net from 10.0.0.5", "query[A] c.example.net from 10.0.0.5")
	l.Mark(capture.Mark{Decision: capture.Keep, Reason: "ticket 1"}, 0)
	l.Mark(capture.Mark{Decision: capture.Drop, Reason: "ticket 2"}, 1)
	l.MarkGroup(capture.Mark{Decision: capture.Drop, Reason: "the group's"}, "example.net")
	for _, d := range []capture.Decision{capture.Drop, capture.Keep, capture.New, capture.Drop} {
		l.Decide(d, 0, 1, 2)
		l.DecideGroup(d, "example.net")
		for name, want := range map[string]capture.Mark{
			"a.example.net": {Decision: d, Reason: "ticket 1"}, "b.example.net": {Decision: d, Reason: "ticket 2"},
			"c.example.net": {Decision: d}, "group": {Decision: d, Reason: "the group's"},
		} {
			var got capture.Mark
			l.Read(func(r capture.Reader) {
				if id, ok := r.Lookup(name); ok {
					got = r.Domain(id).Mark
				} else {
					got = r.Group("example.net")
				}
			})
			if got != want {
				t.Errorf("after %v for all, %s has %+v, want %+v", d, name, got, want)
			}
		}
	}
	for _, suffix := range []bool{true, false, true} {
		if suffix {
			l.KeepSuffix("example.net", "")
		} else {
			l.DecideGroup(capture.New, "example.net")
		}
		l.Read(func(r capture.Reader) {
			if got := r.Group("example.net"); got.Suffix != suffix || got.Reason != "the group's" {
				t.Errorf("toggled, the group has %+v, want suffix %v", got, suffix)
			}
		})
	}
}

// A group without a decision, if with a reason, leaves its names to the group
// above it.
func TestReasonIsNoDecision(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.b.example from 10.0.0.5")
	l.DecideGroup(capture.Drop, "example")
	l.MarkGroup(capture.Mark{Reason: "to be looked at"}, "b.example")
	if got := find(t, l, "a.b.example"); got.Decision != capture.Drop || got.Rule != capture.ByGroup {
		t.Errorf("got %+v, want it dropped with the group", got)
	}
}

func mark(rng *rand.Rand, l *capture.Ledger) {
	n := 0
	l.Read(func(r capture.Reader) { n = r.Len() })
	if n == 0 {
		return
	}
	ids := []capture.ID{capture.ID(rng.IntN(n))}
	if rng.IntN(3) == 0 {
		ids = append(ids, capture.ID(rng.IntN(n)))
		if ids[0] == ids[1] {
			ids = ids[:1]
		}
	}
	m := capture.Mark{Decision: capture.Decision(rng.IntN(3))}
	if m.Decision != capture.New && rng.IntN(4) == 0 {
		m.Reason = "ticket 4711"
	}
	group := []string{"example", "n1.example", "n2.example"}[rng.IntN(3)]
	switch rng.IntN(8) {
	case 0:
		l.MarkGroup(m, group)
	case 1:
		l.DecideGroup(m.Decision, group)
	case 2:
		l.KeepSuffix(group, m.Reason)
	case 3, 4:
		l.Decide(m.Decision, ids...)
	default:
		l.Mark(m, ids...)
	}
}

func marks(l *capture.Ledger) map[string]capture.Mark {
	all := map[string]capture.Mark{}
	l.Read(func(r capture.Reader) {
		for _, group := range []string{"example", "n1.example", "n2.example"} {
			if m := r.Group(group); m != (capture.Mark{}) {
				all["group "+group] = m
			}
		}
	})
	for _, r := range rows(l) {
		if r.Mark != (capture.Mark{}) {
			all[r.Name] = r.Mark
		}
	}
	return all
}

// Any sequence of events and decisions, undone, leaves no decision; done
// again, all of them.
func TestUndoAllRedoAll(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := capture.NewLedger(capture.Info{})
		for range 60 {
			act(rng, l)
		}
		want := marks(l)
		steps := 0
		for l.Undo() != "" {
			steps++
		}
		if got := marks(l); len(got) != 0 {
			t.Fatalf("seed %d: after undoing all, %v is marked", seed, got)
		}
		for range steps {
			l.Redo()
		}
		if got := marks(l); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: done again got %v, want %v", seed, got, want)
		}
	}
}

// One undo takes back exactly one step.
func TestUndoIsExact(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 2))
		l := capture.NewLedger(capture.Info{})
		feed(l, "query[A] n0.example from 10.0.0.5", "query[A] n1.example from 10.0.0.5")
		for range 30 {
			act(rng, l)
		}
		before := marks(l)
		what, _ := l.Mark(capture.Mark{Decision: capture.Drop, Reason: "this step"}, 0, 1)
		if what == "" {
			continue
		}
		if undone := l.Undo(); undone != what {
			t.Fatalf("seed %d: undid %q, want %q", seed, undone, what)
		}
		if got := marks(l); !reflect.DeepEqual(got, before) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, before)
		}
	}
}
