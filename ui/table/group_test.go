package table

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

func TestGroupOf(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.co.uk":                          "example.co.uk",
		"example.com":                                "example.com",
		"storage.googleapis.com":                     "googleapis.com shared",
		"a.b.googleapis.com":                         "googleapis.com shared",
		"googleapis.com":                             "googleapis.com shared",
		"productionresultssa0.blob.core.windows.net": "blob.core.windows.net shared",
		"cdn.cypress.io.my.lab.example.com":          "my.lab.example.com quiet",
		"my.lab.example.com":                         "my.lab.example.com quiet",
		"other.lab.example.com":                      "example.com",
		"1.2.0.192.in-addr.arpa":                     "in-addr.arpa quiet",
		"archive.ubuntu.com.lxd":                     "lxd",
		"git.corp":                                   "corp",
		"wpad":                                       "wpad",
		"com":                                        "com",
	} {
		group, kind := groupOf(name, "my.lab.example.com")
		if got := strings.TrimSpace(group + " " + [...]string{"", "shared", "quiet"}[kind]); got != want {
			t.Errorf("%s is in %q, want %q", name, got, want)
		}
	}
	if group, kind := groupOf("a.com.lxd", "lxd"); group != "lxd" || kind != quiet {
		t.Errorf("the bridge's own domain is in %q", group)
	}
}

// tree returns a table in groups, as it is drawn.
func tree(t *Table, w int) (lines []string) {
	t.Resize(w, t.shown.lines()+chrome)
	for _, l := range t.Draw(look.NewStyles(true), true, nil)[chrome:] {
		lines = append(lines, strings.Join(strings.Fields(ansi.Strip(l)), " "))
	}
	return lines
}

// One domain is one line, more stand below a head by what is in front of it, and
// groups follow the order: by their newest, by their sums, by their names.
func TestTree(t *testing.T) {
	l := capture.NewLedger(capture.Info{Domain: "lxd"})
	for i, name := range []string{"www.a.com", "b.com", "x.googleapis.com", "cdn.a.com", "y.googleapis.com", "a.com.lxd", "b.com.lxd", "a.com"} {
		at := noon.Add(time.Duration(i) * time.Second)
		feed(l, at, "query[A] "+name+" from 10.0.0.5")
		for range i % 3 {
			feed(l, at, "query[AAAA] "+name+" from 10.0.0.5")
		}
	}
	table := New(l)
	table.Resize(100, 40)
	table.Refresh(noon)
	table.Group(true)
	first := func() (names []string) {
		for _, line := range tree(table, 40) {
			name, _, _ := strings.Cut(line, " ·")
			names = append(names, name)
		}
		return names
	}
	for _, step := range []struct {
		do   func()
		want []string
	}{
		{func() {}, []string{"▾ a.com 3 new", "", "", "", "▸ lxd 2 auto", "▾ googleapis.com shared 2 new", "", "", ""}},
		{func() { table.SortBy(colQueries) }, []string{"▾ googleapis.com shared 2 new", "", "", "▾ a.com 3 new", "", "", "", "▸ lxd 2 auto", ""}},
		{func() { table.SortBy(colDomain) }, []string{"▾ a.com 3 new", "", "", "", "", "▾ googleapis.com shared 2 new", "", "", "▸ lxd 2 auto"}},
		{func() { table.FoldAll() }, []string{"▸ a.com 3 new", "", "▸ googleapis.com shared 2 new", "▸ lxd 2 auto"}},
		{func() { table.FoldAll() }, []string{"▾ a.com 3 new", "", "", "", "", "▾ googleapis.com shared 2 new", "", "", "▸ lxd 2 auto"}},
		{func() { table.Wake(); table.Bottom(); table.Fold(false) }, []string{"▾ a.com 3 new", "", "", "", "", "▾ googleapis.com shared 2 new", "", "", "▾ lxd 2 auto", "–", "–"}},
	} {
		step.do()
		got := first()
		for i := range got {
			if strings.HasPrefix(got[i], "· ") || strings.HasPrefix(got[i], "● ") || strings.HasPrefix(got[i], "▌") {
				got[i] = strings.TrimSpace(strings.TrimPrefix(got[i], "▌"))
			}
			if !strings.ContainsAny(got[i], "▾▸") {
				got[i] = map[bool]string{true: "–"}[strings.HasPrefix(got[i], "–")]
			}
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("the tree is %q, want %q", got, step.want)
		}
	}
	if rows := strings.Join(tree(table, 60), "\n"); !strings.Contains(rows, "new www 1") || !strings.Contains(rows, "new b.com 2") || !strings.Contains(rows, "new a.com 2") {
		t.Errorf("members show what is in front of the head's name, and one alone its whole name:\n%s", rows)
	}
}

// However narrow it is, a head tells how its domains stand.
func TestHeadKeepsItsCount(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	suffix := "a-very-long-registrable-domain-that-fits-nowhere.com"
	for i, name := range []string{"a.", "b.", "c.", "d."} {
		feed(l, noon, "query[A] "+name+suffix+" from 10.0.0.5")
		l.Mark(capture.Mark{Decision: capture.Decision(i % 3)}, capture.ID(i))
	}
	table := New(l)
	table.Resize(100, 40)
	table.Refresh(noon)
	table.Group(true)
	for w := 40; w < 140; w++ {
		head := tree(table, w)[0]
		long, short := strings.Contains(head, "2 new · 1 keep · 1 drop"), strings.HasSuffix(head, "2· 1✓ 1✗")
		if !long && !short || w > 90 && !long {
			t.Errorf("in %d cells the head is %q", w, head)
		}
	}
}

// Who decides about an unfolded group goes on behind it, at the end to the
// first group; who decides about its last row goes on to what follows.
func TestAhead(t *testing.T) {
	table := New(ledgerOf("a.one.com", "b.one.com", "a.two.com", "b.two.com", "single.org"))
	table.Resize(80, 20)
	table.Refresh(noon)
	table.Group(true)
	table.SortBy(colDomain)
	table.Wake()
	for _, step := range []struct {
		from int
		want string
	}{{0, "single.org"}, {2, "single.org"}, {3, "a.two.com"}, {4, "[one.com"}, {6, "a.one.com"}} {
		table.cursor = step.from
		table.Ahead()()
		if got := shown(table)[table.cursor]; !strings.HasPrefix(got, step.want) {
			t.Errorf("from line %d on to %s, want %s of %v", step.from, got, step.want, shown(table))
		}
	}
}

// Who groups is at the line of the group of what was selected, on its place of the
// screen, and who ends that there at what was selected; who comes to groups is at
// the line of the first.
func TestGroupingGoesToTheHead(t *testing.T) {
	names := []string{"one.org", "x.b.com", "y.a.com", "z.b.com", "x.a.com", "w.b.com"}
	selected := func(table *Table) (name string) {
		it, _ := table.Selected()
		table.ledger.Read(func(r capture.Reader) {
			if name = it.Group; name == "" {
				name = r.Name(it.ID)
			}
		})
		return name
	}
	for _, name := range names {
		table := New(ledgerOf(names...))
		table.Resize(60, chrome+4)
		table.Refresh(noon)
		table.Select(name)
		before := table.SelectedLine()
		head, after := name[2:], before
		if name == "one.org" {
			head, after = name, chrome+3
		}
		table.Group(true)
		if got := selected(table); got != head || table.SelectedLine() > after {
			t.Errorf("grouped at %s on line %d, %s is selected on line %d", name, before, got, table.SelectedLine())
		}
		if table.Group(false); selected(table) != name {
			t.Errorf("ungrouped at the head of %s, %s is selected", name, selected(table))
		}
		table.Group(true)
		table.Top()
		table.Move(1) // below b.com
		at := selected(table)
		if table.Group(false); selected(table) != at {
			t.Errorf("ungrouped at %s, %s is selected", at, selected(table))
		}
	}
	table := New(ledgerOf(names...))
	table.Resize(60, chrome+4)
	table.Refresh(noon)
	if table.Group(true); table.SelectedLine() >= 0 {
		t.Error("grouping selects something, and nothing was")
	}
	if table.Move(1); selected(table) != "b.com" {
		t.Errorf("the first key selects %s", selected(table))
	}
	table.Rest()
	table.Scroll(1)
	if table.Move(1); selected(table) != "w.b.com" {
		t.Errorf("with the head out of view the first key selects %s", selected(table))
	}
}
