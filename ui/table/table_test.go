package table

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func feed(l *capture.Ledger, at time.Time, lines ...string) {
	l.Feed([]byte(strings.Join(lines, "\n")+"\n"), at, false)
}

func ledgerOf(names ...string) *capture.Ledger {
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0"})
	for i, name := range names {
		feed(l, noon.Add(time.Duration(i)*time.Second), "query[A] "+name+" from 10.0.0.5", "reply "+name+" is 192.0.2.1")
	}
	return l
}

// shown returns the names of the lines, heads of groups in brackets.
func shown(t *Table) (names []string) {
	t.ledger.Read(func(r capture.Reader) {
		for i := range t.shown.lines() {
			it := t.shown.at(i)
			if it.way != "" {
				names = append(names, it.way)
				continue
			}
			if it.head != nil {
				names = append(names, fmt.Sprintf("[%s %d %v]", it.head.name, it.head.members, it.head.tally))
				continue
			}
			names = append(names, r.Name(it.id))
		}
	})
	return names
}

// fresh returns a table that sees the ledger for the first time, with the
// settings of t.
func fresh(t *Table) *Table {
	f := New(t.ledger)
	f.want, f.now, f.unfolded = t.want, t.now, t.unfolded
	f.Resize(t.w, t.h+chrome)
	f.remake(stay)
	return f
}

// someName is one of a few that stand in groups of every kind.
func someName(rng *rand.Rand) string {
	n := rng.IntN(30)
	return fmt.Sprintf([]string{"n%d.lxd", "n%d.googleapis.com", "n%d.a.com", "n%d.b.com", "n%d.c.com", "n%d.org"}[rng.IntN(6)], n)
}

// checkStops compares where one can go to with what the lines are.
func checkStops(t *testing.T, table *Table) {
	t.Helper()
	a, n := table.shown, 0
	for line := range a.lines() {
		if got := a.stopsBefore(line); got != n {
			t.Fatalf("%d stops before line %d, want %d", got, line, n)
		}
		it := a.at(line)
		if got := a.find(it); got != line {
			t.Fatalf("line %d is found at %d", line, got)
		}
		if it.way != "" || it.head == nil && !a.known.of(it.id).tally.undecided() || it.head != nil && (!a.folded(it.head) || it.head.tally[tallyNew]+it.head.tally[tallyOut] == 0) {
			continue
		}
		if got := a.stopAt(n); got != line {
			t.Fatalf("stop %d is line %d, want %d", n, got, line)
		}
		n++
	}
	if a.stops() != n || a.stopsBefore(a.lines()) != n {
		t.Fatalf("%d stops, %d before the end, want %d", a.stops(), a.stopsBefore(a.lines()), n)
	}
}

// A table that was kept up is the same as one made anew, and its selection
// doesn't leave its domain while that is shown.
func TestTableKeepsUp(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := capture.NewLedger(capture.Info{Domain: "lxd"})
		table := New(l)
		table.Resize(100, 8+chrome)
		policy := newPolicy()
		for step := range 120 {
			selected, had := table.selected()
			line := table.cursor - table.top
			calm := false
			switch rng.IntN(16) {
			case 15:
				if l.BeginWatch(capture.Packets, noon, "", noon); rng.IntN(2) == 0 {
					table.foldRound(rng.IntN(2) == 0)
				}
				to := netip.AddrPortFrom(web.Addr(), uint16(rng.IntN(5)))
				l.Book().Bypassed(witness.Bypass{Kind: witness.Bare, To: to, Protocol: "tcp", At: noon})
				table.Refresh(noon)
			case 0:
				table.SortBy(rng.IntN(len(columns)))
			case 1:
				table.Move(rng.IntN(9) - 4)
			case 2:
				table.HideDrops(!table.DropsHidden())
			case 3:
				table.input.SetValue([]string{"", "a", "!a", "is:new", "is:out"}[rng.IntN(5)])
				table.refilter()
			case 4:
				table.Group(!table.Grouped())
			case 5:
				table.Fold(rng.IntN(2) == 0)
			case 6:
				if n := table.shown.known.n; n > 0 {
					l.Mark(capture.Mark{Decision: capture.Decision(rng.IntN(3))}, capture.ID(rng.IntN(n)))
				}
				table.Refresh(noon)
			case 7:
				if table.want.policy == nil {
					table.Enforce(policy)
				} else if rng.IntN(3) == 0 {
					table.Enforce(nil)
				}
			case 9:
				table.FoldAll()
			case 8:
				calm = true
				refuse(l, policy, noon.Add(time.Duration(step)*time.Second), someName(rng))
				table.Refresh(noon)
			default:
				calm = true
				for range rng.IntN(4) + 1 {
					feed(l, noon.Add(time.Duration(step)*time.Second), "query[A] "+someName(rng)+" from 10.0.0.5")
				}
				table.Refresh(noon)
			}
			if got, want := shown(table), shown(fresh(table)); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, step %d: the table shows\n%v, made anew\n%v", seed, step, got, want)
			}
			checkStops(t, table)
			now, has := table.selected()
			if calm && had && table.shown.find(selected) >= 0 {
				if !has || !now.same(selected) && table.shown.find(selected) != table.cursor {
					t.Fatalf("seed %d, step %d: new rows moved the selection", seed, step)
				}
				if at := table.cursor - table.top; at != line && table.top > 0 && table.top < table.shown.lines()-table.h {
					t.Fatalf("seed %d, step %d: the selection went from line %d to %d", seed, step, line, at)
				}
			}
			if total := table.Tally().Total(); total != tallyAnew(l) {
				t.Fatalf("seed %d, step %d: the tally has %d domains, there are %d", seed, step, total, tallyAnew(l))
			}
		}
	}
}

func tallyAnew(l *capture.Ledger) (n int) {
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			if r.Domain(capture.ID(id)).Queries > 0 {
				n++
			}
		}
	})
	return n
}

func TestFrozenTableStandsStill(t *testing.T) {
	l := ledgerOf("a.example", "b.example")
	table := New(l)
	table.Resize(80, 10)
	table.Refresh(noon)
	table.Freeze(true)
	feed(l, noon.Add(time.Minute), "query[A] c.example from 10.0.0.5")
	table.Refresh(noon)
	if got := shown(table); !slices.Equal(got, []string{"b.example", "a.example"}) {
		t.Errorf("frozen, it shows %v", got)
	}
	table.Freeze(false)
	table.Refresh(noon)
	if got := shown(table); !slices.Equal(got, []string{"c.example", "b.example", "a.example"}) {
		t.Errorf("thawed, it shows %v", got)
	}
}

func TestRange(t *testing.T) {
	table := New(ledgerOf("a.example", "b.example", "c.example", "d.example"))
	table.Resize(80, 10)
	table.Refresh(noon)
	table.Wake()
	table.Move(1)
	table.from = table.cursor
	table.Move(2)
	ids, ok := table.TakeRange()
	if want := []capture.ID{2, 1, 0}; !ok || !slices.Equal(ids, want) {
		t.Errorf("the range is %v, want %v", ids, want)
	}
	if _, again := table.TakeRange(); again {
		t.Error("the range didn't end with its use")
	}
}

func TestFilter(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, noon, "query[A] www.example.com from 10.0.0.5", "query[HTTPS] cdn.example.net from 10.0.0.6", "query[A] gone.test from 10.0.0.5", "reply gone.test is NXDOMAIN")
	feed(l, noon.Add(-time.Hour), "query[AAAA] old.example.com from 10.0.0.5")
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "web"})
	l.Mark(capture.Mark{Decision: capture.Keep}, 0)
	tests := map[string]string{
		"":                "www cdn gone old",
		"example":         "www cdn old",
		"EXAMPLE com":     "www old",
		"!example":        "gone",
		"example !old":    "www cdn",
		"~^(www|cdn)\\.":  "www cdn",
		"!~^w":            "cdn gone old",
		"is:new":          "cdn old",
		"is:kept":         "www",
		"is:auto":         "gone",
		"!is:auto":        "www cdn old",
		"type:https":      "cdn",
		"result:nxdomain": "gone",
		"from:web":        "cdn",
		"seen:5m":         "www cdn gone",
		"result:no":       "www cdn old",
		"result:by":       "",
		"type:a":          "www gone",
	}
	for _, wrong := range []string{"is:", "is:n", "~(", "colour:red", "foo:bar", "type:htt", "result:maybe", "from:nobody", "from:", "seen:5", "seen:", "state:odd", "!", "example is:odd"} {
		tests[wrong] = ""
	}
	c := (&counting{ledger: l, ctx: t.Context(), now: noon}).make()
	for text, want := range tests {
		f := compileFilter(text, c)
		var got []string
		l.Read(func(r capture.Reader) {
			for id := range r.Len() {
				row := Read(r, capture.ID(id), noon, nil)
				if f.match(candidate{Row: &row}) {
					first, _, _ := strings.Cut(row.Name, ".")
					got = append(got, first)
				}
			}
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%q shows %v, want %s", text, got, want)
		}
		if wrong := want == ""; (f.err != nil) != wrong {
			t.Errorf("%q: error %v", text, f.err)
		}
	}
}

// While a filter is typed its counts follow the domains, and what is completed
// next is what stands next.
func TestCountsFollow(t *testing.T) {
	l := ledgerOf("a.example")
	table := fresh(New(l))
	table.EditFilter()
	table.SetFilter("type:")
	table.Complete() // type:a
	feed(l, noon, "query[AAAA] b.example from 10.0.0.5", "query[AAAA] c.example from 10.0.0.5")
	table.Refresh(noon)
	if n := table.census["is"]["new"]; n != 3 {
		t.Errorf("of is:new there are %d, want 3", n)
	}
	if table.Complete(); table.Filter() != "type:any" {
		t.Errorf("behind type:a, which is second now, is %s", table.Filter())
	}
	table.EndFilter()
	feed(l, noon, "query[A] d.example from 10.0.0.5")
	if table.Refresh(noon); table.census["is"]["new"] != 3 {
		t.Error("it is counted while nobody types")
	}
}

// A domain that is counted leaves nothing for the collector: of a million, that is
// most of what the counts of a filter would cost.
func TestCountingAllocatesLittle(t *testing.T) {
	var lines strings.Builder
	for i := range atOnce {
		fmt.Fprintf(&lines, "query[A] d%d.example from 10.0.0.5\nreply d%[1]d.example is 192.0.2.1\n", i)
	}
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Domain: "lxd"})
	l.BeginWatch(capture.Packets, noon, "", noon) // so that a row may be resolved only
	feed(l, noon, lines.String())
	c := &counting{ledger: l, ctx: t.Context(), now: noon}
	if got := testing.AllocsPerRun(5, func() { c.make() }); got > atOnce/4 {
		t.Errorf("counting %d domains makes %.0f allocations", atOnce, got)
	}
}

func TestFilterMarksWhatMatched(t *testing.T) {
	f := compileFilter("exa ~a.p !www mp", nil)
	if got, want := f.spans(nil, "www.example.com"), [][2]int{{4, 9}}; !reflect.DeepEqual(got, want) {
		t.Errorf("spans %v, want %v", got, want)
	}
}

// disk is a sink that keeps nothing until it is told to.
type disk struct{ number uint32 }

func (d *disk) Changed(capture.ID, bool)      {}
func (d *disk) Decided(c capture.Change)      { d.number = c.Number }
func (d *disk) Stepped(s capture.Step)        { d.number = s.Number }
func (d *disk) Owned(capture.Client)          {}
func (d *disk) Missed(capture.Gap)            {}
func (d *disk) Informed(capture.Info)         {}
func (d *disk) Witnessed(capture.Sight, bool) {}
func (d *disk) Exported(capture.Written)      {}
func (d *disk) Entered(capture.Command)       {}
func (d *disk) Verified(rule.Verified)        {}
func (d *disk) Told()                         {}
func (d *disk) Fault() error                  { return nil }

// A decision that a crash could lose is shown as one, until it is on disk.
func TestUnsavedIsShown(t *testing.T) {
	l := ledgerOf("a.example")
	d := &disk{}
	l.Keep(d)
	table := New(l)
	table.Resize(80, 6)
	row := func() string {
		table.Refresh(noon.Add(time.Hour))
		return strings.TrimSpace(ansi.Strip(table.Draw(look.NewStyles(true), true, nil)[chrome]))[:12]
	}
	for _, step := range []struct {
		do            func()
		before, after string
	}{
		{func() { l.Decide(capture.Drop, 0) }, "… drop", "✗ drop"},
		{func() { l.DecideGroup(capture.Keep, "a.example"); l.Decide(capture.New, 0) }, "… keep", "✓ keep"},
		{func() { l.DecideGroup(capture.New, "a.example") }, "… new", "· new"},
		{func() { l.Undo() }, "… keep", "✓ keep"},
	} {
		step.do()
		if got := row(); !strings.HasPrefix(got, step.before) {
			t.Errorf("before it is on disk the row is %q, want %s", got, step.before)
		}
		l.Kept(d.number)
		if got := row(); !strings.HasPrefix(got, step.after) {
			t.Errorf("on disk, the row is %q, want %s", got, step.after)
		}
	}
}
