package capture_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/capture"
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

// What became of a name, in the words that an export has, and the rule that
// drops it, "" for none.
func TestResultsAndRules(t *testing.T) {
	for _, c := range []struct {
		name, answer, result string
		rule                 capture.Rule
	}{
		{"www.ubuntu.com", "", "no answer", ""},
		{"www.ubuntu.com", "reply www.ubuntu.com is 192.0.2.1", "resolved", ""},
		{"www.ubuntu.com", "cached www.ubuntu.com is NXDOMAIN", "NXDOMAIN", capture.NoSuchName},
		{"www.ubuntu.com", "config www.ubuntu.com is NXDOMAIN", "blocked by dnsmasq's configuration: NXDOMAIN", ""},
		{"www.ubuntu.com", "config www.ubuntu.com is 0.0.0.0", "blocked by dnsmasq's configuration", ""},
		{"www.ubuntu.com", "reply www.ubuntu.com is ::", "blocked by the upstream", ""},
		{"www.ubuntu.com", "gravity blocked www.ubuntu.com is NXDOMAIN", "blocked by gravity: NXDOMAIN", ""},
		{"www.ubuntu.com", "exactly denied www.ubuntu.com is 0.0.0.0", "blocked by an exact rule", ""},
		{"www.ubuntu.com", "regex blacklisted www.ubuntu.com is 0.0.0.0", "blocked by a regex rule", ""},
		{"www.ubuntu.com", "special domain www.ubuntu.com is NXDOMAIN", "blocked by special domain: NXDOMAIN", ""},
		{"www.ubuntu.com", "Rate-limiting www.ubuntu.com is REFUSED", "blocked by rate-limiting: REFUSED", ""},
		{"www.ubuntu.com", "config www.ubuntu.com is 10.0.0.9", "resolved", capture.Answered},
		{"www.ubuntu.com", "/etc/hosts www.ubuntu.com is 10.0.0.9", "resolved", capture.Answered},
		{"c2.fleet", "DHCP c2.fleet is 10.0.0.9", "resolved", capture.Answered},
		{"c3.fleet", "config c3.fleet is NXDOMAIN", "blocked by dnsmasq's configuration: NXDOMAIN", capture.Answered},
		{"c2.lxd", "config c2.lxd is NXDOMAIN", "NXDOMAIN", capture.Local},
		{"localhost", "config localhost is 127.0.0.1", "resolved", capture.SpecialUse},
		{"db", "reply db is 192.0.2.1", "resolved", capture.SingleLabel},
		{"nas.local", "", "no answer", capture.SpecialUse},
		{"_dns.resolver.arpa", "", "no answer", capture.SpecialUse},
		{"lb._dns-sd._udp.lan", "", "no answer", capture.SpecialUse},
		{"_http._tcp.deb.debian.org", "", "no answer", ""},
		{"host.test", "reply host.test is 192.0.2.1", "resolved", ""},
		{"seen.ubuntu.com.corp.example", "reply seen.ubuntu.com.corp.example is 192.0.2.1", "resolved", capture.SearchList},
		{"other.ubuntu.com.corp.example", "", "no answer", ""},
		{"db.corp.example", "", "no answer", ""},
	} {
		l := capture.NewLedger(capture.Info{Domain: "lxd", Search: []string{"corp.example"}})
		feed(l, "query[A] seen.ubuntu.com from 10.0.0.5", "query[A] "+c.name+" from 10.0.0.5", c.answer)
		result := ""
		l.Read(func(r capture.Reader) {
			id, _ := r.Lookup(c.name)
			result = r.Domain(id).Result()
		})
		if got := find(t, l, c.name).Rule; got != c.rule || result != c.result {
			t.Errorf("%s, %s: %q and rule %q, want %q and %q", c.name, c.answer, result, got, c.result, c.rule)
		}
	}
}

func TestLedgerDropsWhatOnlyOthersAskedFor(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	feed(l, "query[A] mine.example from 10.0.0.5", "query[A] theirs.example from 10.0.0.6", "query[A] both.example from 10.0.0.5", "query[A] both.example from 10.0.0.6")
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "other"})
	for name, rule := range map[string]capture.Rule{"mine.example": capture.Undecided, "theirs.example": capture.Elsewhere, "both.example": capture.Undecided} {
		if got := find(t, l, name).Rule; got != rule {
			t.Errorf("%s: rule %q, want %q", name, got, rule)
		}
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
		if _, err := l.ToggleSuffix(suffix); err == nil {
			t.Errorf("everything below %s may be allowed", suffix)
		}
	}
	if _, err := l.ToggleSuffix("example.net"); err != nil {
		t.Fatal(err)
	}
	first := l.List(false).Rules[0]
	if first.Name != "example.net" || !first.Suffix {
		t.Errorf("the export begins with %+v, want the suffix rule", first)
	}
}

// What a person wrote stays through every decision but the one to write
// something else, and a second ToggleSuffix takes the first back.
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
		l.ToggleSuffix("example.net")
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

// keeper is a sink that keeps nothing, and tells the steps.
type keeper struct{ decided chan uint32 }

func (k *keeper) Changed(capture.ID, bool) {}
func (k *keeper) Decided(c capture.Change) { k.decided <- c.Number }
func (k *keeper) Stepped(s capture.Step)   { k.decided <- s.Number }
func (k *keeper) Owned(capture.Client)     {}
func (k *keeper) Missed(capture.Gap)       {}
func (k *keeper) Informed(capture.Info)    {}
func (k *keeper) Exported(capture.Written) {}
func (k *keeper) Told()                    {}
func (k *keeper) Fault() error             { return nil }

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

// Below counts what a look at all names would.
func TestBelow(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	var all []string
	for i, name := range []string{"example", "a.example", "b.a.example", "c.b.a.example", "xa.example", "a.example.net", "co.uk", "x.co.uk", "y.x.co.uk"} {
		feed(l, "query[A] "+name+" from 10.0.0.5")
		all = append(all, name)
		for _, of := range append(all, "uk", "nothing.example") {
			want, got := 0, 0
			for _, n := range all {
				if strings.HasSuffix(n, "."+of) {
					want++
				}
			}
			l.Read(func(r capture.Reader) { got = r.Below(of) })
			if got != want {
				t.Errorf("after %d names, %d are below %s, want %d", i+1, got, of, want)
			}
		}
	}
}

// An upstream that denies most names is a filter's, and its NXDOMAIN drops
// nothing, until a person says otherwise. What a search list makes of names
// speaks against nobody.
func TestUpstreamThatFilters(t *testing.T) {
	kept := func(l *capture.Ledger) (n int) {
		for _, r := range l.List(false).Rules {
			if strings.HasPrefix(r.Name, "denied") {
				n++
			}
		}
		return n
	}
	l := capture.NewLedger(capture.Info{})
	for i := range 30 {
		name := fmt.Sprintf("name%d.ubuntu.com", i)
		feed(l, "query[A] "+name+".corp.lan from 10.0.0.5", "reply "+name+".corp.lan is NXDOMAIN", "query[A] "+name+" from 10.0.0.5", "reply "+name+" is 192.0.2.1")
		if i < 25 {
			feed(l, fmt.Sprintf("query[A] denied%d.ubuntu.com from 10.0.0.5", i), fmt.Sprintf("reply denied%d.ubuntu.com is NXDOMAIN", i))
		}
	}
	if n := kept(l); n != 0 || l.List(false).Doubts != nil {
		t.Errorf("of an upstream that answers most names, %d denied ones are kept and %q is doubted", n, l.List(false).Doubts)
	}
	for i := range 10 {
		feed(l, fmt.Sprintf("query[A] denied-too%d.ubuntu.com from 10.0.0.5", i), fmt.Sprintf("reply denied-too%d.ubuntu.com is NXDOMAIN", i))
	}
	if n := kept(l); n != 35 || !strings.Contains(strings.Join(l.List(false).Doubts, ""), "most names were answered so") {
		t.Errorf("of one that denies most, %d are kept and %q is doubted", n, l.List(false).Doubts)
	}
	l.SetTrust(capture.TrustIt)
	if n := kept(l); n != 0 || l.List(false).Doubts != nil {
		t.Errorf("trusted by a person, %d are kept and %q is doubted", n, l.List(false).Doubts)
	}
	l.SetTrust(capture.DoubtIt)
	if n := kept(l); n != 35 {
		t.Errorf("doubted by a person, %d are kept", n)
	}
	probed := capture.NewLedger(capture.Info{})
	feed(probed, "query[A] denied.ubuntu.com from 10.0.0.5", "reply denied.ubuntu.com is NXDOMAIN")
	if n := kept(probed); n != 0 {
		t.Errorf("before the probe, %d are kept", n)
	}
	probed.UpstreamFilters("it denies example.com")
	if n := kept(probed); n != 1 || !strings.Contains(strings.Join(probed.List(false).Doubts, ""), "it denies example.com") {
		t.Errorf("after the probe, %d are kept and %q is doubted", n, probed.List(false).Doubts)
	}
}

// What is wanted of a log: by client and time, line by line; of what is there
// already, by name.
func TestOnly(t *testing.T) {
	day := func(clock string) time.Time {
		at, err := capture.ParseTime("2026-11-24 "+clock, noon)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	log := ""
	for i, from := range []string{"10.0.0.5", "10.0.0.6", "10.1.0.7", "fd00::5"} {
		log += fmt.Sprintf("Nov 24 %02d:00:00 dnsmasq[1]: query[A] n%d.ubuntu.com from %s\n", 9+i, i, from)
		log += fmt.Sprintf("Nov 24 %02d:00:00 dnsmasq[1]: query[A] all.ubuntu.com from %s\n", 9+i, from)
	}
	for _, c := range []struct {
		only           capture.Only
		names          string
		queriesOfAll   uint32
		namesOfSession string
	}{
		{capture.Only{}, "n0 all n1 n2 n3", 4, "n0 all n1 n2 n3"},
		{capture.Only{From: "10.0.0.6"}, "n1 all", 1, "all n1"},
		{capture.Only{From: "10.0.0.0/24"}, "n0 all n1", 2, "n0 all n1"},
		{capture.Only{From: "fd00::/8"}, "n3 all", 1, "all n3"},
		{capture.Only{From: "web"}, "", 0, "all n1"},
		{capture.Only{Since: day("10:00")}, "n1 all n2 n3", 3, "all n1 n2 n3"},
		{capture.Only{Since: day("10:00"), Until: day("11:00")}, "n1 all n2", 2, "all n1 n2"},
	} {
		l := capture.NewLedger(capture.Info{})
		l.Limit(c.only)
		l.Feed([]byte(log), noon, true)
		kept := capture.NewLedger(capture.Info{})
		kept.Feed([]byte(log), noon, true)
		kept.SetOwners(map[string]string{"10.0.0.6": "web"})
		kept.Limit(c.only)
		for want, l := range map[string]*capture.Ledger{"log " + c.names: l, "session " + c.namesOfSession: kept} {
			got, _, _ := strings.Cut(want, " ")
			for _, r := range rows(l) {
				if r.Rule == capture.Undecided {
					got += " " + strings.TrimSuffix(r.Name, ".ubuntu.com")
				}
				if r.Name == "all.ubuntu.com" && strings.HasPrefix(want, "log") && r.Queries != c.queriesOfAll {
					t.Errorf("%+v: it was asked for %d times, want %d", c.only, r.Queries, c.queriesOfAll)
				}
			}
			if got != strings.TrimSpace(want) {
				t.Errorf("%+v: got %q, want %q", c.only, got, want)
			}
		}
	}
	for text, want := range map[string]string{"2h": "10:00", "10:30": "10:30", "2026-11-24T09:00:00Z": "09:00", "2026-11-24": "00:00", "soon": ""} {
		at, err := capture.ParseTime(text, noon)
		if err == nil && at.UTC().Format("15:04") != want || err != nil && want != "" {
			t.Errorf("%s is %v, %v, want %s", text, at, err, want)
		}
	}
}

func TestLeftOut(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	if list := l.List(false); list.LeftOut != "" || list.Overruled != nil {
		t.Errorf("of nothing, %q is left out and %v overruled", list.LeftOut, list.Overruled)
	}
	feed(l, "query[A] a.example.net from 10.0.0.5", "query[A] b.example.net from 10.0.0.5",
		"query[A] gone.example from 10.0.0.5", "reply gone.example is NXDOMAIN")
	l.ToggleSuffix("example.net")
	l.Mark(capture.Mark{Decision: capture.Drop}, 1)
	list := l.List(false)
	got, overruled := list.LeftOut, list.Overruled
	if want := "1 with NXDOMAIN only"; got != want || !slices.Equal(overruled, []string{"b.example.net"}) {
		t.Errorf("left out are %q and overruled %v, want %q and b.example.net", got, overruled, want)
	}
}

func TestUserRules(t *testing.T) {
	rules, err := capture.ReadRules(strings.NewReader(`# my rules
keep .ubuntu.com   # apt mirrors
drop ~^x[0-9]+\.   # telemetry

drop one.example
`))
	if err != nil {
		t.Fatal(err)
	}
	l := capture.NewLedger(capture.Info{})
	for _, name := range []string{"archive.ubuntu.com", "ubuntu.com", "x12.example", "one.example", "a.one.example", "notubuntu.com"} {
		feed(l, "query[A] "+name+" from 10.0.0.5")
	}
	l.SetRules(rules)
	for name, want := range map[string]string{
		"archive.ubuntu.com": "keep apt mirrors", "ubuntu.com": "keep apt mirrors", "x12.example": "drop telemetry",
		"one.example": "drop one.example", "a.one.example": "new ", "notubuntu.com": "new ",
	} {
		l.Read(func(r capture.Reader) {
			id, _ := r.Lookup(name)
			if v := r.Verdict(r.Domain(id)); v.Decision.String()+" "+v.Reason != want {
				t.Errorf("%s: %+v, want %q", name, v, want)
			}
		})
	}
	for _, bad := range []string{"keep", "allow a.example", "keep a b", "drop ~(", "keep *.example", "drop ."} {
		if _, err := capture.ReadRules(strings.NewReader("\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: %v, want an error of line 2", bad, err)
		}
	}
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
		l.ToggleSuffix(group)
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
