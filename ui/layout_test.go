package ui

import (
	"strings"
	"testing"
)

// draw marks each cell of a layout with the first letter of what is there,
// one in so many cells.
func draw(l layout, w, h, every int) string {
	var b strings.Builder
	for y := 0; y < h; y += every {
		for x := 0; x < w; x += every {
			c := byte('.')
			for _, p := range []struct {
				r rect
				c byte
			}{{l.header, 'h'}, {l.footer, 'f'}, {l.table, 't'}, {l.shell, 's'}} {
				if p.r.contains(x, y) {
					if c != '.' {
						c = '!' // two in one place
						continue
					}
					c = p.c
				}
			}
			if l.divider.w == 1 && l.divider.contains(x, y) {
				c = '|'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestArrange(t *testing.T) {
	half := prefs{Share: 50}
	tests := map[string]struct {
		w, h    int
		shell   bool
		zoom    zoom
		prefs   prefs
		drawing string
	}{
		"one above the other": {8, 12, true, zoomNone, half, `
hhhhhhhh
tttttttt
tttttttt
tttttttt
tttttttt
tttttttt
ssssssss
ssssssss
ssssssss
ssssssss
ssssssss
ffffffff`},
		"swapped, with more for the table": {8, 12, true, zoomNone, prefs{Share: 60, Swapped: true}, `
hhhhhhhh
ssssssss
ssssssss
ssssssss
ssssssss
tttttttt
tttttttt
tttttttt
tttttttt
tttttttt
tttttttt
ffffffff`},
		"no shell":        {6, 4, false, zoomNone, half, "\nhhhhhh\ntttttt\ntttttt\nffffff"},
		"zoomed table":    {6, 4, true, zoomTable, half, "\nhhhhhh\ntttttt\ntttttt\nffffff"},
		"zoomed shell":    {6, 4, true, zoomShell, half, "\nhhhhhh\nssssss\nssssss\nffffff"},
		"before any size": {0, 0, true, zoomNone, half, "\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := draw(arrange(test.w, test.h, test.shell, test.zoom, test.prefs), test.w, test.h, 1)
			if want := strings.TrimPrefix(test.drawing, "\n"); strings.TrimSuffix(got, "\n") != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
	wide := arrange(121, 5, true, zoomNone, half)
	row := strings.Split(draw(wide, 121, 5, 1), "\n")[2]
	if want := strings.Repeat("t", 60) + "|" + strings.Repeat("s", 60); row != want {
		t.Errorf("side by side a row is\n%s, want\n%s", row, want)
	}
}

// Whatever the size and the choices, every cell has one owner.
func TestArrangeLeavesNothingOut(t *testing.T) {
	for w := leastWidth; w < 260; w += 7 {
		for h := leastHeight; h < 70; h += 3 {
			for share := leastShare; share <= mostShare; share += 15 {
				for _, swapped := range []bool{false, true} {
					l := arrange(w, h, true, zoomNone, prefs{Share: share, Swapped: swapped})
					if d := draw(l, w, h, 1); strings.ContainsAny(d, ".!") {
						t.Fatalf("%dx%d, share %d, swapped %t:\n%s", w, h, share, swapped, d)
					}
				}
			}
		}
	}
}

// The pane with the focus takes what the one beside it doesn't want, wherever
// it stands, and nothing of what that does.
func TestLend(t *testing.T) {
	for _, test := range []struct {
		w, wants, uses int
		swapped        bool
		to             focus
		table          int
	}{
		{200, 200, 20, false, onTable, 119}, {200, 200, 90, false, onTable, 109}, {200, 200, 20, true, onTable, 119}, {200, 110, 20, false, onTable, 110}, {200, 60, 20, false, onTable, 107},
		{120, 200, 55, false, onTable, 64}, {120, 200, 20, false, onTable, 79}, {120, 200, 50, true, onTable, 69}, {120, 70, 20, false, onTable, 70},
		{120, 50, 20, false, onShell, 50}, {120, 50, 20, true, onShell, 50}, {120, 90, 20, false, onShell, 64}, {200, 60, 20, false, onShell, 107},
		{80, 200, 20, false, onTable, 80},
	} {
		was := arrange(test.w, 40, true, zoomNone, prefs{Share: defaultShare, Swapped: test.swapped})
		is := was.lend(test.to, test.wants, test.uses)
		if is.table.w != test.table || test.w > 80 && is.table.w+is.shell.w+1 != test.w {
			t.Errorf("%+v: the table has %d cells, the shell %d", test, is.table.w, is.shell.w)
		}
		if left, right := is.table, is.shell; test.w > 80 {
			if test.swapped {
				left, right = right, left
			}
			if left.x != 0 || is.divider.x != left.w || right.x != left.w+1 {
				t.Errorf("%+v: the panes don't meet: %+v", test, is)
			}
		}
	}
}
