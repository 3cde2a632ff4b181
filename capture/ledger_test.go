package capture_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// row is a domain as the tests compare it.
type row struct {
	Name      string
	Decision  capture.Decision
	Rule      capture.Rule
	Queries   uint32
	Types     string
	Outcome   string
	Addresses string
	Chain     string
	Owners    string
	First     time.Time
	Last      time.Time
	Mark      capture.Mark
}

func rows(l *capture.Ledger) []row {
	var all []row
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			d := r.Domain(capture.ID(id))
			v := r.Verdict(d)
			types := map[string]uint32{}
			for _, t := range d.Types {
				types[t.Type] = t.Count
			}
			all = append(all, row{
				Name: d.Name, Decision: v.Decision, Rule: v.Rule, Queries: d.Queries, Types: fmt.Sprint(types),
				Outcome: d.Outcomes.String(), Addresses: fmt.Sprint(d.Addresses), Chain: strings.Join(r.Chain(d), " "),
				Owners: strings.Join(r.Owners(d), " "), First: d.First().UTC(), Last: d.Last().UTC(), Mark: d.Mark,
			})
		}
	})
	return all
}

func find(t *testing.T, l *capture.Ledger, name string) row {
	t.Helper()
	for _, r := range rows(l) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("the ledger has no %q; it has %v", name, rows(l))
	return row{}
}

func feed(l *capture.Ledger, lines ...string) {
	l.Feed([]byte(strings.Join(lines, "\n")+"\n"), noon, false)
}

func TestLedger(t *testing.T) {
	const q = "10.0.0.5/4000 "
	tests := map[string]struct {
		log  []string
		want row
	}{
		"a resolved name": {
			[]string{"1 " + q + "query[A] A.Example from 10.0.0.5", "1 " + q + "reply A.Example is 192.0.2.1"},
			row{Name: "a.example", Queries: 1, Types: "map[A:1]", Outcome: "resolved", Addresses: "[192.0.2.1]", Owners: "10.0.0.5"},
		},
		"counts by type": {
			[]string{"query[A] a.example from 10.0.0.5", "query[AAAA] a.example from 10.0.0.5", "query[A] a.example from 10.0.0.6"},
			row{Name: "a.example", Queries: 3, Types: "map[A:2 AAAA:1]", Addresses: "[]", Owners: "10.0.0.5 10.0.0.6"},
		},
		"a chain of aliases": {
			[]string{
				"1 " + q + "query[A] a.example from 10.0.0.5",
				"1 " + q + "reply a.example is <CNAME>", "1 " + q + "reply b.example is <CNAME>", "1 " + q + "reply c.example is 192.0.2.1",
			},
			row{Name: "a.example", Queries: 1, Types: "map[A:1]", Outcome: "resolved", Addresses: "[192.0.2.1]", Chain: "b.example c.example", Owners: "10.0.0.5"},
		},
		"an alias alone is dropped": {
			[]string{"query[A] x.example from 10.0.0.5", "reply x.example is <CNAME>", "reply a.example is 192.0.2.1"},
			row{Name: "a.example", Decision: capture.Drop, Rule: capture.AliasOnly, Types: "map[]", Outcome: "resolved", Addresses: "[192.0.2.1]"},
		},
		"an answer between those of another": {
			[]string{
				"1 " + q + "query[A] a.example from 10.0.0.5", "2 " + q + "query[A] b.example from 10.0.0.5",
				"1 " + q + "reply a.example is <CNAME>", "2 " + q + "reply b.example is 192.0.2.1",
			},
			row{Name: "a.example", Queries: 1, Types: "map[A:1]", Outcome: "resolved", Addresses: "[]", Owners: "10.0.0.5"},
		},
		"no such name": {
			[]string{"query[A] a.example from 10.0.0.5", "reply a.example is NXDOMAIN"},
			row{Name: "a.example", Decision: capture.Drop, Rule: capture.NoSuchName, Queries: 1, Types: "map[A:1]", Outcome: "NXDOMAIN", Addresses: "[]", Owners: "10.0.0.5"},
		},
		"no such name at first": {
			[]string{"query[A] a.example from 10.0.0.5", "reply a.example is NXDOMAIN", "query[A] a.example from 10.0.0.5", "reply a.example is 192.0.2.1"},
			row{Name: "a.example", Queries: 2, Types: "map[A:2]", Outcome: "resolved", Addresses: "[192.0.2.1]", Owners: "10.0.0.5"},
		},
		"an error without a name": {
			[]string{
				"7 " + q + "query[A] a.example from 10.0.0.5", "8 " + q + "query[A] b.example from 10.0.0.5",
				"7 " + q + "reply error is SERVFAIL",
			},
			row{Name: "a.example", Queries: 1, Types: "map[A:1]", Outcome: "SERVFAIL", Addresses: "[]", Owners: "10.0.0.5"},
		},
		"a reverse lookup": {
			[]string{"query[PTR] 1.2.0.192.in-addr.arpa from 10.0.0.5", "reply 192.0.2.1 is a.example"},
			row{Name: "1.2.0.192.in-addr.arpa", Decision: capture.Drop, Rule: capture.Reverse, Queries: 1, Types: "map[PTR:1]", Addresses: "[]", Owners: "10.0.0.5"},
		},
		"the bridge's own domain": {
			[]string{"query[A] dnstest.lxd from 10.0.0.5", "config dnstest.lxd is 10.0.0.5"},
			row{Name: "dnstest.lxd", Decision: capture.Drop, Rule: capture.Local, Queries: 1, Types: "map[A:1]", Outcome: "resolved", Addresses: "[10.0.0.5]", Owners: "10.0.0.5"},
		},
		"unprintable": {
			[]string{"query[A] <name unprintable> from 10.0.0.5"},
			row{Name: "<name unprintable>", Decision: capture.Drop, Rule: capture.Unprintable, Queries: 1, Types: "map[A:1]", Addresses: "[]", Owners: "10.0.0.5"},
		},
		"unfit": {
			[]string{"query[A] a'b.example from 10.0.0.5"},
			row{Name: "a'b.example", Decision: capture.Drop, Rule: capture.Unfit, Queries: 1, Types: "map[A:1]", Addresses: "[]", Owners: "10.0.0.5"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := capture.NewLedger(capture.Info{Instance: "dnstest", Domain: "lxd"})
			feed(l, test.log...)
			got := find(t, l, test.want.Name)
			test.want.First, test.want.Last = noon, noon
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestLedgerCanaryLeavesNoTrace(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	seen := l.Expect("canary.lxd")
	feed(l, "query[A] canary.lxd from 10.0.0.1", "config canary.lxd is NXDOMAIN", "query[AAAA] canary.lxd from 10.0.0.1")
	select {
	case <-seen:
	default:
		t.Error("the canary was not seen")
	}
	if got := rows(l); len(got) != 0 {
		t.Errorf("the ledger has %v", got)
	}
	l.Overlook("example.com")
	feed(l, "query[A] example.com from 10.0.0.1", "query[A] example.com from 10.0.0.5")
	if got := find(t, l, "example.com"); got.Queries != 1 || got.Owners != "10.0.0.5" {
		t.Errorf("of two queries of which one is ours, the ledger has %+v", got)
	}
}

// keeper is a sink that keeps nothing, and tells the steps.
type keeper struct{ decided chan uint32 }

func (k *keeper) Changed(capture.ID, bool)      {}
func (k *keeper) Decided(c capture.Change)      { k.decided <- c.Number }
func (k *keeper) Stepped(s capture.Step)        { k.decided <- s.Number }
func (k *keeper) Owned(capture.Client)          {}
func (k *keeper) Missed(capture.Gap)            {}
func (k *keeper) Informed(capture.Info)         {}
func (k *keeper) Witnessed(capture.Sight, bool) {}
func (k *keeper) Exported(capture.Written)      {}
func (k *keeper) Entered(capture.Command)       {}
func (k *keeper) Verified(rule.Verified)        {}
func (k *keeper) Told()                         {}
func (k *keeper) Fault() error                  { return nil }

// Everything that two goroutines may do at once, under the race detector.
func TestConcurrently(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	l.Expect("canary.example")
	s := &keeper{decided: make(chan uint32, 4096)}
	l.Keep(s)
	var wg, keeping sync.WaitGroup
	keeping.Go(func() {
		for step := range s.decided {
			l.Kept(step)
		}
	})
	for seed := range uint64(4) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 5))
			for range 200 {
				act(rng, l)
				l.EndOfLog(noon, true)
				l.SetOwners(map[string]string{"10.0.0.1": "dnstest"})
				l.List(rng.IntN(2) == 0)
				l.Refresh(func(r capture.Reader, ids []capture.ID) {
					for _, id := range ids {
						r.Verdict(r.Domain(id))
						r.Below(r.Domain(id).Name)
						r.Overruled(id)
						r.Saved(r.Domain(id))
						r.Record(id)
					}
				})
			}
		})
	}
	wg.Wait()
	if l.Undo(); len(rows(l)) == 0 {
		t.Error("the ledger is empty")
	}
	close(s.decided)
	keeping.Wait()
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			if d := r.Domain(capture.ID(id)); !r.Saved(d) {
				t.Errorf("%s is not saved", d.Name)
			}
		}
	})
}

// A list holds a decision about many domains wholly or not at all, though
// others get at the ledger while either is being made.
func TestListIsOfOneMoment(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	const n = 30_000
	ids := make([]capture.ID, n)
	var log strings.Builder
	for i := range ids {
		ids[i] = capture.ID(i)
		fmt.Fprintf(&log, "query[A] n%d.example from 10.0.0.5\n", i)
	}
	l.Feed([]byte(log.String()), noon, false)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, decide := range []func(){
		func() { l.Decide(capture.Drop, ids...) }, func() { l.Decide(capture.Keep, ids...) }, func() { l.Undo() },
	} {
		wg.Go(func() {
			for ctx.Err() == nil {
				decide()
			}
		})
	}
	for range 20 {
		if got := len(l.List(false).Rules); got != 0 && got != n {
			t.Errorf("the list has %d of %d domains", got, n)
		}
		if text := l.List(false).LeftOut; text != "" && text != fmt.Sprintf("%d by you", n) {
			t.Errorf("left out are %s", text)
		}
	}
	stop()
	wg.Wait()
}

// randomLine is a line of a log with few names, so that they meet.
func randomLine(rng *rand.Rand) string {
	name := fmt.Sprintf("n%d.example", rng.IntN(12))
	serial := rng.IntN(20) + 1
	prefix := fmt.Sprintf("%d 10.0.0.%d/40 ", serial, rng.IntN(3))
	switch rng.IntN(8) {
	case 0:
		return prefix + "reply " + name + " is <CNAME>"
	case 1:
		return prefix + "reply " + name + " is 192.0.2." + fmt.Sprint(rng.IntN(9))
	case 2:
		return prefix + "reply " + name + " is NXDOMAIN"
	case 3:
		return prefix + "reply error is SERVFAIL"
	}
	client := rng.IntN(3)
	return fmt.Sprintf("%d 10.0.0.%d/40 query[%s] %s from 10.0.0.%d", serial, client, []string{"A", "AAAA", "HTTPS"}[rng.IntN(3)], name, client)
}

// act does something at random: log lines, a mark, an undo, a redo.
func act(rng *rand.Rand, l *capture.Ledger) {
	switch rng.IntN(6) {
	case 0, 1:
		for range rng.IntN(5) + 1 {
			feed(l, randomLine(rng))
		}
	case 2:
		l.Undo()
	case 3:
		l.Redo()
	default:
		mark(rng, l)
	}
}

// Refresh hands over every record that changed, and no other.
func TestRefreshIsComplete(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 3))
	l := capture.NewLedger(capture.Info{})
	seen := map[string]row{}
	for range 400 {
		act(rng, l)
		var changed []string
		l.Refresh(func(r capture.Reader, ids []capture.ID) {
			for _, id := range ids {
				changed = append(changed, r.Domain(id).Name)
			}
		})
		now := rows(l)
		for _, name := range changed {
			for _, r := range now {
				if r.Name == name {
					seen[name] = r
				}
			}
		}
		for _, r := range now {
			if seen[r.Name] != r {
				t.Fatalf("%s changed unsaid: known %+v, is %+v", r.Name, seen[r.Name], r)
			}
		}
	}
}

// A list without evidence has the same rules, and still says of which names
// there are none: the root of a suffix rule depends on it.
func TestBareListHasTheSameRules(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.example from 10.0.0.5", "reply a.example is 192.0.2.1", "query[A] b.example from 10.0.0.5", "reply b.example is NXDOMAIN")
	for _, all := range []bool{false, true} {
		list, bare := l.List(all).Rules, l.BareList(all).Rules
		if len(list) == 0 || len(list) != len(bare) {
			t.Fatalf("%d rules, and %d without evidence", len(list), len(bare))
		}
		for i := range list {
			if list[i].Name != bare[i].Name || list[i].Absent() != bare[i].Absent() {
				t.Errorf("%+v is %+v without evidence", list[i], bare[i])
			}
		}
	}
}

// A clock that is set, back or forward, in the log or for lines without a time,
// loses nothing, and no name was seen for the last time before the first.
func TestClockThatIsSet(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	for n, clock := range []string{"11:00:00", "23:00:00", "02:59:59", "02:00:00", "11:59:59"} {
		stamp := "Nov 24 " + clock + " dnsmasq[1]: "
		l.Feed([]byte(fmt.Sprintf("%squery[A] again.example from 192.0.2.5\n%[1]squery[A] log%d.example from 192.0.2.5\n", stamp, n)), noon, true)
	}
	for n, at := range []time.Duration{time.Minute, -9 * time.Hour, 20 * 365 * 24 * time.Hour, -40 * 365 * 24 * time.Hour, time.Hour} {
		l.Feed([]byte(fmt.Sprintf("query[A] again.example from 192.0.2.5\nquery[A] clock%d.example from 192.0.2.5\n", n)), noon.Add(at), false)
	}
	all := rows(l)
	if len(all) != 11 {
		t.Errorf("there are %d names, want 11", len(all))
	}
	for _, r := range all {
		want := row{Queries: 1, First: r.Last, Last: r.First}
		if r.Name == "again.example" {
			want = row{Queries: 10, First: noon.Add(-40 * 365 * 24 * time.Hour), Last: noon.Add(20 * 365 * 24 * time.Hour)}
		}
		if r.Queries != want.Queries || !r.First.Equal(want.First) || !r.Last.Equal(want.Last) {
			t.Errorf("%s was asked for %d times, from %v to %v", r.Name, r.Queries, r.First, r.Last)
		}
	}
	if list := l.List(false); len(list.Rules) != 11 || len(list.Doubts) != 0 {
		t.Errorf("of the list %d names are left, and it doubts %q", len(list.Rules), list.Doubts)
	}
}

// What a log that was truncated or replaced has lost with it is counted: a line
// that never got its end, and queries by their serials.
func TestLostWithALog(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	const before = "dnsmasq[1]: 1 192.0.2.5/53 query[A] a.example from 192.0.2.5\ndnsmasq[1]: 2 192.0.2.5/53 query[A] b.exa"
	l.Feed([]byte(before), noon, false)
	l.ResetLog()
	l.ResetLog() // once is enough
	l.Feed([]byte("dnsmasq[1]: 7 192.0.2.5/53 query[A] c.example from 192.0.2.5\n"), noon, false)
	l.Read(func(r capture.Reader) {
		if c := r.Counts(); c.Queries != 2 || c.Losses.Cut != 1 || c.Losses.Serials != 5 {
			t.Errorf("it counts %+v", c)
		}
	})
}
