package table

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
)

func newPolicy(names ...string) *verify.Policy {
	var rules []rule.Rule
	for _, n := range names {
		rules = append(rules, rule.Rule{Name: n})
	}
	return verify.New(rules, func(string) bool { return false })
}

// refuse has a name refused, as an enforcement does.
func refuse(l *capture.Ledger, p *verify.Policy, at time.Time, names ...string) {
	from := netip.AddrFrom4([4]byte{10, 0, 0, 5})
	for _, name := range names {
		p.Asked(verify.Query{At: at, Name: name, Type: "A", From: from, Refused: true})
		l.Denied(name, "A", from, at)
	}
}

func find(l *capture.Ledger, name string) (id capture.ID, ok bool) {
	l.Read(func(r capture.Reader) { id, ok = r.Lookup(name) })
	return id, ok
}

// A word that another state's has in it means itself alone; a part of one means
// all that have it.
func TestFilterByState(t *testing.T) {
	l := ledgerOf("used.example", "unused.example")
	p := newPolicy("used.example", "unused.example")
	p.Asked(verify.Query{At: noon, Name: "used.example", Type: "A"})
	refuse(l, p, noon.Add(time.Minute), "x.example")
	table := New(l)
	table.Resize(100, 20)
	table.Refresh(noon)
	table.Enforce(p)
	for filter, want := range map[string][]string{
		"state:used": {"used.example"}, "state:unused": {"unused.example"}, "state:use": {"unused.example", "used.example"}, "!state:used": {"unused.example", "x.example"},
		"state:blocked": {"x.example"}, "state:would-block": nil, "state:block": {"x.example"},
	} {
		table.SetFilter(filter)
		got := shown(table)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s shows %v, want %v", filter, got, want)
		}
	}
	table.SetFilter("is:unused")
	if err := table.FilterError(); err == nil || !strings.Contains(err.Error(), "state:unused") {
		t.Errorf("is:unused: %v", err)
	}
}

// Where nothing is refused a name that would be has its number of times while there
// is room for it.
func TestWouldBlock(t *testing.T) {
	l := ledgerOf("a.example")
	p := newPolicy("a.example")
	p.Learning = true
	feed(l, noon, "query[A] x.example from 10.0.0.5")
	for range 1000 {
		p.Asked(verify.Query{At: noon, Name: "x.example", Type: "A", WouldRefuse: true})
	}
	id, _ := find(l, "x.example")
	l.Read(func(r capture.Reader) {
		for width, want := range map[int]string{learningColumn.width: "would block ×999+", learningColumn.least: "would block"} {
			if got := string(settings{policy: p}.column(colResult).cell(nil, Read(r, id, noon, p), width)); got != want {
				t.Errorf("in %d cells: %q, want %q", width, got, want)
			}
		}
	})
}

// What is refused and undecided stands above all others, the newest first,
// whatever the order, the groups and how often it is asked for again.
func TestBlockedStandAboveAll(t *testing.T) {
	l := ledgerOf("a.example", "b.example")
	p := newPolicy("a.example", "b.example")
	table := New(l)
	table.Resize(100, 20)
	table.Refresh(noon)
	table.Enforce(p)
	refuse(l, p, noon.Add(time.Minute), "x.example")
	refuse(l, p, noon.Add(2*time.Minute), "c.example", "x.example")
	refuse(l, p, noon.Add(3*time.Minute), "localhost") // dropped by a rule: it is to be refused
	table.Refresh(noon)
	for col := range columns {
		for range 2 {
			if got := shown(table); !slices.Equal(got[:2], []string{"c.example", "x.example"}) || len(got) != 5 {
				t.Errorf("sorted by %s, it shows %v", columns[col].name, got)
			}
			table.Reverse()
		}
		table.SortBy(col)
	}
	table.Group(true)
	if got := shown(table); !slices.Equal(got[:2], []string{"c.example", "x.example"}) || strings.Contains(strings.Join(got, " "), "[c.example") {
		t.Errorf("in groups, it shows %v", got)
	}
	table.Top()
	table.Fold(true)
	table.FoldAll()
	if got := shown(table); !slices.Equal(got[:2], []string{"c.example", "x.example"}) || slices.Contains(got, "a.example") {
		t.Errorf("folded, it shows %v", got)
	}
	if got := table.Blocked(); got != 2 {
		t.Errorf("%d are blocked, want 2", got)
	}
	table.Enforce(nil)
	if got := shown(table); got[0] == "c.example" || table.Blocked() != 0 {
		t.Errorf("when nothing is enforced any more, it shows %v, %d blocked", got, table.Blocked())
	}
}

// What came up under a list that didn't allow it, and is undecided, isn't in the
// list: it doesn't look like what is, also when nothing is enforced any more.
func TestOut(t *testing.T) {
	l := ledgerOf("a.example", "b.example")
	p := newPolicy("a.example", "b.example")
	refuse(l, p, noon.Add(time.Minute), "x.example", "y.example", "b.example")
	table := New(l)
	table.Resize(120, 20)
	table.Refresh(noon)
	marks := func(want ...string) {
		t.Helper()
		var got []string
		for _, line := range table.Draw(look.NewStyles(true), true, nil)[chrome:] {
			if f := strings.Fields(ansi.Strip(line)); len(f) > 2 {
				got = append(got, strings.Join(append(f[:3:3], f[len(f)-1]), " "))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the rows are %q, want %q", got, want)
		}
	}
	marks("● new a.example now", "● new b.example now", "□ out x.example allowed", "□ out y.example allowed") // why: not allowed
	if got := table.Tally(); got.New != 2 || got.Out != 2 || got.Undecided() != 4 || got.Total() != 4 {
		t.Errorf("the tally is %+v", got)
	}
	table.Enforce(p)
	if got := shown(table)[:2]; !slices.Equal(got, []string{"y.example", "x.example"}) {
		t.Errorf("above stand %v", got)
	}
	table.Wake()
	table.Top()
	if line := ansi.Strip(table.Draw(look.NewStyles(true), true, nil)[chrome]); !strings.HasPrefix(line, "▌▣ out") {
		t.Errorf("the first row is %q", line)
	}
	table.Enforce(nil)
	table.Group(true)
	if got := ansi.Strip(strings.Join(table.Draw(look.NewStyles(true), true, nil), "\n")); !strings.Contains(got, "example  2 new · 2 out") {
		t.Errorf("in groups:\n%s", got)
	}
	table.Group(false)
	for filter, want := range map[string][]string{"is:out": {"x.example", "y.example"}, "is:new": {"a.example", "b.example"}} {
		table.SetFilter(filter)
		got := shown(table)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s shows %v, want %v", filter, got, want)
		}
	}
	table.ClearFilter()
	id, _ := find(l, "x.example")
	l.Decide(capture.Keep, id)
	table.Refresh(noon)
	if got := table.Tally(); got.Out != 1 || got.Keep != 1 {
		t.Errorf("with one of them kept the tally is %+v", got)
	}
}

// A decision about a blocked row leaves its line to the next one; a new one
// above moves nothing.
func TestBlockedAreDecidedOneByOne(t *testing.T) {
	l := ledgerOf("a.example", "b.example")
	p := newPolicy("a.example", "b.example")
	table := New(l)
	table.Resize(100, 20)
	table.Refresh(noon)
	table.Enforce(p)
	refuse(l, p, noon.Add(time.Minute), "x.example")
	refuse(l, p, noon.Add(2*time.Minute), "y.example")
	table.Refresh(noon)
	table.Rest()
	table.Wake()
	for i, want := range []string{"y.example", "x.example", "y.example"} { // decided, y is the newest of the others
		var got string
		l.Read(func(r capture.Reader) {
			it, _ := table.Selected()
			got = r.Name(it.ID)
		})
		if got != want {
			t.Fatalf("decision %d is about %s, want %s: %v", i, got, want, shown(table))
		}
		if i == 1 { // it comes between the look and the key
			refuse(l, p, noon.Add(3*time.Minute), "z.example")
		}
		id, _ := find(l, want)
		l.Decide(capture.Decision(i%2+1), id)
		table.Refresh(noon)
	}
	if !table.Select("z.example") || table.cursor != 0 || table.Select("nobody.example") {
		t.Errorf("z.example can't be selected, or nobody can: line %d", table.cursor)
	}
}

func TestStates(t *testing.T) {
	l := ledgerOf("used.example", "unused.example", "gone.example", "localhost", "sub.wide.example")
	list := []rule.Rule{{Name: "used.example"}, {Name: "unused.example"}, {Name: "wide.example", Suffix: true}}
	p := verify.New(append(list, rule.Rule{Name: "back.example"}), func(string) bool { return false })
	p.Set(list, noon)
	asks := func(name string) { p.Asked(verify.Query{At: noon, Name: name, Type: "A"}) }
	asks("used.example")
	asks("other.wide.example")
	refuse(l, p, noon, "blocked.example", "blocked.example", "late.example", "expected.example", "granted.example", "often.example", "back.example")
	for range 1000 {
		refuse(l, p, noon, "often.example")
	}
	p.Grant("granted.example", time.Minute, noon)
	for name, d := range map[string]capture.Decision{"late.example": capture.Keep, "back.example": capture.Keep, "expected.example": capture.Drop} {
		id, _ := find(l, name)
		l.Decide(d, id)
	}
	p.Set(append(list, rule.Rule{Name: "late.example"}, rule.Rule{Name: "back.example"}), noon)
	want := map[string]string{
		"used.example": "used", "unused.example": "unused", "gone.example": "not listed", "localhost": "", "sub.wide.example": "used",
		"blocked.example": "blocked ×2", "late.example": "allowed late", "expected.example": "expected ×1", "granted.example": "let through",
		"often.example": "blocked ×999+", "back.example": "allowed late",
	}
	table := New(l)
	table.Resize(120, 20)
	table.Refresh(noon)
	table.Enforce(p)
	rows := ansi.Strip(strings.Join(table.Draw(look.NewStyles(true), true, nil), "\n"))
	l.Read(func(r capture.Reader) {
		for name, word := range want {
			id, _ := r.Lookup(name)
			if got := string(stateColumn.cell(nil, Read(r, id, noon, p), stateWidth)); got != word {
				t.Errorf("%s is %q, want %q", name, got, word)
			}
			if !strings.Contains(rows, word) {
				t.Errorf("%q is not in\n%s", word, rows)
			}
			f := compileFilter("state:"+dashed(strings.Fields(cmp.Or(word, "late"))[0]), nil)
			under, without := Read(r, id, noon, p), Read(r, id, noon, nil)
			if f.match(candidate{Row: &under}) != (word != "") || f.match(candidate{Row: &without}) {
				t.Errorf("%s: the filter %s", name, f.text)
			}
		}
	})
}
