package table

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// widthsOf returns how many cells each column has that was drawn.
func widthsOf(t *Table) (widths [len(columns)]int) {
	t.Draw(look.NewStyles(true), true, nil)
	for _, p := range t.places() {
		widths[p.col] = p.w
	}
	return widths
}

// While names come one by one the columns never go to and fro: what they were once
// doesn't come back until there are many more names.
func TestColumnsStandStill(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "testdata", "names"))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(10) {
		names := slices.Collect(strings.Lines(string(data)))
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, w := range []int{40, 60, 80, 100, 120, 200} {
			l := capture.NewLedger(capture.Info{Domain: "lxd"})
			table := New(l)
			table.Resize(w, 40)
			var was [len(columns)]int
			left := make(map[[len(columns)]int]int) // how the columns stood, and until which row
			for i, line := range names {
				f, at := strings.Fields(line), noon.Add(time.Duration(i)*time.Second)
				feed(l, at, "query[A] "+f[0]+" from 10.0.0.5", "reply "+f[0]+" is 192.0.2.1")
				table.Refresh(at)
				is := widthsOf(table)
				if table.needs.rows == i+1 { // told anew
					clear(left)
				} else if is != was {
					left[was] = i
				}
				if until, again := left[is]; again {
					t.Fatalf("seed %d, %d cells: with %d names the columns stand as until %d, %v, and before otherwise, %v", seed, w, i+1, until, is, was)
				}
				was = is
			}
			if table.needs.rows < len(names)/muchMore {
				t.Errorf("seed %d: with %d names the columns stand as with %d", seed, len(names), table.needs.rows)
			}
		}
	}
}

// A column that came up stays, whatever happens to the row that fills it, until the
// table is another one.
func TestColumnsStay(t *testing.T) {
	l := ledgerOf("a.example.com", "b.example.com")
	table := New(l)
	table.Resize(160, 40)
	table.Refresh(noon)
	const long = "much-longer-than-these.example.org"
	bare := widthsOf(table)
	l.Mark(capture.Mark{Decision: capture.Drop, Reason: "no"}, 0)
	feed(l, noon, "query[A] "+long+" from 10.0.0.5")
	table.Refresh(noon)
	with := widthsOf(table)
	if bare[colReason] > 0 || with[colReason] == 0 {
		t.Fatalf("reasons have %d cells without one, %d with one", bare[colReason], with[colReason])
	}
	l.Undo()
	table.Refresh(noon)
	for _, filter := range []string{"a.example", "nothing like it", "", "!" + long} {
		table.SetFilter(filter)
		if got := widthsOf(table); got != with {
			t.Errorf("filtered by %q the columns go from %v to %v", filter, with, got)
		}
	}
	for what, changes := range map[string]func(){
		"resized": func() { table.Resize(159, 40); table.Resize(160, 40) }, "sorted": func() { table.SortBy(colLast); table.SortBy(colFirst) },
		"grouped": func() { table.Group(true); table.Group(false) },
	} {
		table.SetFilter("")
		table.needs = extent{rows: 2, nearly: 40, all: 90}
		table.SetFilter("!" + long)
		if changes(); widthsOf(table) != bare {
			t.Errorf("%s it has the columns %v, not those of its rows, %v", what, widthsOf(table), bare)
		}
	}
}
