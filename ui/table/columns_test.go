package table

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"lxd-allowlist/capture"
)

// The columns fit and don't overlap, the mark's glyph is there, names have the
// room that they need before any other column has some, and nothing is where
// no row has anything to show.
func TestArrangeColumns(t *testing.T) {
	for w := 40; w < 300; w++ {
		for sort := range columns {
			for nearly := 1; nearly < 100; nearly += 7 {
				e := extent{nearly: nearly, all: nearly + 10}
				e.empty[colReason] = w%2 == 0
				x, domain, room := 0, 0, w
				shown := make(map[int]int)
				for _, p := range (settings{sort: sort}).arrangeColumns(w, e) {
					if p.x < x || p.w < columns[p.col].room(true) {
						t.Fatalf("width %d: column %s at %d with %d cells comes after %d", w, columns[p.col].name, p.x, p.w, x)
					}
					x = p.x + p.w
					room -= p.w + colGap
					shown[p.col] = p.w
				}
				if domain = shown[colDomain]; x > w || shown[colDecision] == 0 || domain < min(nearly, nameMost, w-6) {
					t.Fatalf("width %d sorted by %s, names of %d: ends at %d, with %v", w, columns[sort].name, nearly, x, shown)
				}
				if e.empty[colReason] && sort != colReason && shown[colReason] > 0 {
					t.Fatalf("width %d: a column that no row fills has %d cells", w, shown[colReason])
				}
				if sort != colReason && shown[colReason] > columns[colReason].least && domain < e.all {
					t.Fatalf("width %d: a name of %d is cut to %d beside a reason of %d", w, e.all, domain, shown[colReason])
				}
				for c := range columns {
					if shown[c] > 0 && c != sort && !columns[c].yields && shown[c] < columns[c].width && shown[colProcess] == columns[colProcess].width && sort != colProcess {
						t.Fatalf("width %d: processes have all their room, and %s has not: %v", w, columns[c].name, shown)
					}
				}
				// What is sorted by, queries and results stay as long as they have a few cells.
				least, stay := 6+max(min(nearly, nameMost), 8), map[int]bool{sort: true, colQueries: true, colResult: true}
				for c := range stay {
					if c != colDecision && c != colDomain {
						least += columns[c].room(true) + colGap
					}
				}
				for c := range stay {
					if w >= least && shown[c] == 0 {
						t.Fatalf("width %d sorted by %s, names of %d: no %s in %v", w, columns[sort].name, nearly, columns[c].name, shown)
					}
				}
				if nearly < 8 && w >= 80 && len(shown) < 6 {
					t.Fatalf("width %d: short names, and yet only %v", w, shown)
				}
			}
		}
	}
}

// A column is there whatever its name's room, and says which digit sorts by it.
func TestLabels(t *testing.T) {
	set := settings{sort: colQueries, descending: true}
	for _, test := range []struct {
		col, w int
		want   string
	}{
		{colDecision, 1, "¹"}, {colDecision, 6, "¹mark"}, {colQueries, 9, "³queries↓"}, {colQueries, 6, "³asks↓"}, {colQueries, 5, "³↓"}, {colResult, 8, "⁵result"},
	} {
		if got := set.label(test.col, test.w); got != test.want {
			t.Errorf("column %d in %d cells is %q, want %q", test.col, test.w, got, test.want)
		}
	}
}

// Of a name that doesn't fit, the middle goes, by label.
func TestCut(t *testing.T) {
	for _, test := range []struct {
		name, want string
		w          int
		spans      [][2]int
	}{
		{"canonical-bos01.cdn.snapcraftcontent.com", "canonical-bos01.…content.com", 28, nil},
		{"archive.ubuntu.com", "archive.ubuntu.com", 18, nil},
		{"a-rather-long-name-for-a-host.with.several.labels.cdn.example.com", "a-rather-long-name…example.com", 30, nil},
		{"productionresultssa0.blob.core.windows.net", "productionresultssa0.…windows.net", 33, nil},
		{"canonical-bos01.cdn.snapcraftcontent.com", "canonica…snapcraftcontent.com", 29, [][2]int{{25, 29}}},
		{strings.Repeat("a", 40) + ".needle." + strings.Repeat("b", 40) + ".com", "…aa.needle.bb…", 14, [][2]int{{41, 47}}},
	} {
		var c cutting
		got := shorten(test.name, c.of(test.name, test.w, test.spans))
		if got != test.want {
			t.Errorf("%s in %d cells is %s, want %s", test.name, test.w, got, test.want)
		}
	}
}

// However names are cut, they fit, what was found in them is there, and no two
// that differ in one place look alike.
func TestCutNames(t *testing.T) {
	label := func(rng *rand.Rand) string {
		b := make([]byte, 1+rng.IntN(14))
		for i := range b {
			b[i] = 'a' + byte(rng.IntN(26))
		}
		return string(b)
	}
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var labels []string
		for range 2 + rng.IntN(4) {
			labels = append(labels, label(rng))
		}
		one := strings.Join(labels, ".") + ".com"
		labels[rng.IntN(len(labels))] = label(rng)
		other := strings.Join(labels, ".") + ".com"
		w := 8 + rng.IntN(30)
		from := rng.IntN(len(one))
		found := [][2]int{{from, min(len(one), from+1+rng.IntN(5))}}
		var c cutting
		c.look(w, []string{one, other}, []int{0, 0}, func(string) [][2]int { return nil })
		is := shorten(one, c.of(one, w, nil))
		if also := shorten(other, c.of(other, w, nil)); is == also && one != other {
			t.Fatalf("%s and %s are both %s", one, other, is)
		}
		marked := shorten(one, c.of(one, w, found))
		for _, got := range []string{is, marked} {
			if n := len([]rune(got)); n > w {
				t.Fatalf("%s takes %d cells of %d", got, n, w)
			}
		}
		if !strings.Contains(marked, one[found[0][0]:found[0][1]]) {
			t.Fatalf("%s is %s: %s was found in it", one, marked, one[found[0][0]:found[0][1]])
		}
	}
}

// Whatever was found in a name, and however often, is seen where there is room for
// it; where whole labels of the middle can go, whole labels go.
func TestCutIsByLabelAndSparesMatches(t *testing.T) {
	whole := 0
	for seed := range uint64(20_000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var labels []string
		for range 2 + rng.IntN(6) {
			labels = append(labels, strings.Repeat(string(rune('a'+rng.IntN(26))), 1+rng.IntN(12)))
		}
		name := strings.Join(labels, ".") + ".com"
		w := 6 + rng.IntN(40)
		var spans [][2]int
		for at := 0; rng.IntN(3) > 0; {
			from := at + 1 + rng.IntN(len(name))
			to := from + 1 + rng.IntN(6)
			if to > len(name) {
				break
			}
			spans, at = append(spans, [2]int{from, to}), to
		}
		var c cutting
		cuts := c.of(name, w, spans)
		got, need := shorten(name, cuts), 2
		if n := len([]rune(got)); n > w {
			t.Fatalf("%s takes %d cells of %d: %s", name, n, w, got)
		}
		for i, s := range spans {
			need += s[1] - s[0] + 1
			for _, cut := range cuts {
				if lost := min(cut.to, s[1]) - max(cut.from, s[0]); lost > 0 && (need <= w || i == 0 && lost > max(0, need-w)) {
					t.Fatalf("%s in %d cells is %s: %s was found in it", name, w, got, name[s[0]:s[1]])
				}
			}
		}
		if byLabel(name, w, spans) {
			whole++
			if len(cuts) != 1 || name[cuts[0].from-1] != '.' || name[cuts[0].to-1] != '.' {
				t.Fatalf("%s in %d cells is %s, with %v found; whole labels could go", name, w, got, spans)
			}
		}
	}
	if whole < 1000 {
		t.Errorf("only %d names had labels to spare", whole)
	}
}

// byLabel reports whether a name can be cut by labels of its middle alone, which
// aren't much more than has to go.
func byLabel(name string, w int, spans [][2]int) bool {
	first, whose := strings.IndexByte(name, '.')+1, len(name)-lastTwo(name)
	for from := first; from < whose; from++ {
		for to := from + 1; to <= whose; to++ {
			more := to - from - (len(name) - w + 1)
			free := len(name) > w && name[from-1] == '.' && name[to-1] == '.' && more >= 0 && more*perByte < 40
			for _, s := range spans {
				free = free && (s[1] <= from || s[0] >= to)
			}
			if free {
				return true
			}
		}
	}
	return false
}

// What the columns need is kept up with the rows.
func TestExtentKeepsUp(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	table := New(l)
	for i := range 100 {
		feed(l, noon, fmt.Sprintf("query[A] %s.example.com from 10.0.0.5", strings.Repeat("x", 1+i/5)))
		feed(l, noon, fmt.Sprintf("query[A] n%d.example.net from 10.0.0.5", i))
	}
	table.Refresh(noon)
	l.Mark(capture.Mark{Decision: capture.Drop, Reason: "no"}, 0)
	table.Refresh(noon)
	if got := table.shown.extent(); got.nearly != 26 || got.all != 32 || got.empty[colReason] || table.shown.domains() != 120 {
		t.Errorf("of %d domains, want 120, the columns need %+v", table.shown.domains(), got)
	}
	table.input.SetValue("example.net")
	table.refilter()
	if got := table.shown.extent(); got.all != 15 || !got.empty[colReason] {
		t.Errorf("filtered, the columns need %+v", got)
	}
}

// Results are told in two cells, each by a sign of its own, and in more by one
// word.
func TestResultsInTwoCells(t *testing.T) {
	signs := make(map[string]string)
	for _, word := range []string{"resolved", "no data", "NXDOMAIN", "SERVFAIL", "REFUSED", "error", "blocked", capture.NoAnswer, capture.NotAllowed} {
		told := make(map[string]bool)
		for w := columns[colResult].tight; w <= columns[colResult].width; w++ {
			got := string(appendResult(nil, word, w))
			told[got] = true
			if n := len([]rune(got)); n > w {
				t.Errorf("%s takes %d cells of %d: %s", word, n, w, got)
			}
			if w == columns[colResult].tight && signs[got] != "" {
				t.Errorf("%s and %s are both %s", word, signs[got], got)
			} else if w == columns[colResult].tight {
				signs[got] = word
			}
		}
		if len(told) > 2 {
			t.Errorf("%s is told as %v", word, told)
		}
	}
}

// A rule's reason that doesn't fit is told by the rule's name, whole.
func TestReasonIsNotCut(t *testing.T) {
	const reason = "in the bridge's own domain lxd"
	d := Row{Verdict: capture.Verdict{Decision: capture.Drop, Rule: capture.Local, Reason: reason}}
	for w, want := range map[int]string{40: reason, 26: "local domain", columns[colReason].least: "local domain"} {
		if got := string(columns[colReason].cell(nil, d, w)); got != want {
			t.Errorf("in %d cells it says %q, want %q", w, got, want)
		}
	}
	for _, rule := range []capture.Rule{capture.Reverse, capture.Local, capture.SpecialUse, capture.SingleLabel, capture.SearchList, capture.Answered,
		capture.AliasOnly, capture.NoSuchName, capture.Elsewhere, capture.Unwanted, capture.Unprintable, capture.Unfit, capture.NotListed} {
		if n := len(rule); n > columns[colReason].least {
			t.Errorf("%q takes %d cells", rule, n)
		}
	}
}

// Who asked is whole before another column, or the longest of the names, has more
// than it needs, and where it is cut its end tells addresses apart.
func TestOwnersAreToldApart(t *testing.T) {
	l := capture.NewLedger(capture.Info{Domain: "lxd"})
	feed(l, noon, "query[A] a.example.com from 127.0.0.13", "query[A] b.example.com from 127.0.0.14", "query[A] c.example.com from 127.0.0.13",
		"query[A] c.example.com from 127.0.0.14", "query[A] an-instance.example.com from 10.87.123.114", "query[AAAA] an-instance.example.com from 10.87.123.114")
	l.Read(func(r capture.Reader) {
		for _, test := range []struct {
			id   capture.ID
			w    int
			want string
		}{
			{0, 12, "127.0.0.13"}, {0, 8, "….0.0.13"}, {1, 8, "….0.0.14"}, {2, 24, "127.0.0.13 127.0.0.14"}, {2, 13, "127.0.0.13 +1"}, {2, 8, "…0.13 +1"},
		} {
			if got := string(appendOwners(nil, r, r.Domain(test.id), test.w)); got != test.want {
				t.Errorf("%v in %d cells: %q, want %q", r.Owners(r.Domain(test.id)), test.w, got, test.want)
			}
		}
	})
	table := New(l)
	table.Refresh(noon)
	for w := 60; w <= 160; w++ {
		table.Resize(w, 10)
		is := widthsOf(table)
		if is[colFrom] > 0 && is[colFrom] < columns[colFrom].width && (is[colQueries] > columns[colQueries].least || is[colResult] > columns[colResult].least) {
			t.Errorf("in %d cells who asked has %d of %d: %v", w, is[colFrom], columns[colFrom].width, is)
		}
	}
	for cut, want := range map[bool]int{true: 12, false: 8} {
		e := extent{rows: 100, nearly: 32, all: 40}
		e.cut[colFrom] = cut
		for _, p := range (settings{sort: colFirst}).arrangeColumns(100, e) {
			if p.col == colFrom && p.w != want {
				t.Errorf("beside a name of 40 cells who asked has %d, want %d", p.w, want)
			}
		}
	}
}
