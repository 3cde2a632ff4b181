package ui

import (
	"image"
	"os"
	"strconv"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
)

// printed has a program print something on a fresh shell, and returns the screen
// as cells.
func (s *scene) printed(output string) *uv.Buffer {
	screen := s.m().shell.screen
	screen.Reset()
	screen.Write([]byte(output))
	screen.Text() // all of it is drawn now
	b := uv.NewScreenBuffer(s.w, s.h)
	lines := s.lines()
	if len(lines) != s.h {
		s.t.Errorf("the screen has %d lines, want %d", len(lines), s.h)
	}
	uv.NewStyledString(strings.Join(lines, "\n")).Draw(b, image.Rect(0, 0, s.w, s.h))
	return b.Buffer
}

// imitations are what programs may print to look like this one or to write
// beyond their pane: the corpus of ui/term, the screen itself, with a dialog and
// without, from all corners, and characters of doubtful width at the edges.
func imitations(t *testing.T, corpus string, w, h int) (all []string) {
	t.Helper()
	for line := range strings.Lines(corpus) {
		if output, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			all = append(all, output)
		}
	}
	if len(all) == 0 {
		t.Fatal("the corpus is empty")
	}
	s := newScene(t, w, h).session()
	table := strings.Join(s.lines(), "\r\n")
	dialog := strings.Join(s.press("q").lines(), "\r\n")
	for _, begin := range []string{"\x1b[2J\x1b[H", "\x1b[?1049h\x1b[H", "\x1b[999;999H", "\x1b[-9;-9H\x1b[999A\x1b[999D", "\x1b[?6h\x1b[2;3r\x1b[999A", "\x1b[?7l\x1b[H"} {
		all = append(all, begin+table, begin+dialog)
	}
	for _, edge := range []string{"日", "\u0301x", "❤\ufe0f", "👩\u200d🚀", "🇩", "\u202ex", "\u0e33", "\t", "\u00ad", "\u1100\u1161"} {
		all = append(all, strings.Repeat(edge, w*h), "\x1b[999C"+edge+"\x1b[H"+edge+"\x1b[999;999H"+edge)
	}
	return all
}

// No cell outside its pane is a program's, whatever it prints: neither those of
// the table, header, footer and the pane's title, nor those of a dialog.
func TestNothingIsDrawnOutsideThePane(t *testing.T) {
	corpus, err := os.ReadFile("term/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{40, 12}, {130, 30}} {
		all := imitations(t, string(corpus), size[0], size[1])
		for name, keys := range map[string][]string{
			"table": nil, "swapped": {"x"}, "shell": {"tab"}, "zoomed": {"Z"}, "palette": {"?"}, "quit": {"q"},
		} {
			s := newScene(t, size[0], size[1]).session()
			s.m().shell.shell = newFakeShell()
			s.press(keys...)
			if dialog := name == "palette" || name == "quit"; dialog != (s.m().dialog != nil) {
				t.Fatalf("%v, %s: a dialog is open: %t", size, name, !dialog)
			}
			pane := s.m().layout.shell
			pane.y, pane.h = pane.y+shellChrome, pane.h-shellChrome
			// What two fillings of the pane differ in is the pane's.
			before, other := s.printed(strings.Repeat("x", pane.w*pane.h)), s.printed(strings.Repeat("y", pane.w*pane.h))
			var outside []image.Point
			for y := range s.h {
				for x := range s.w {
					if before.CellAt(x, y).Equal(other.CellAt(x, y)) {
						outside = append(outside, image.Pt(x, y))
					} else if !pane.contains(x, y) {
						t.Errorf("%v, %s: cell %d, %d is the program's, outside of %+v", size, name, x, y, pane)
					}
				}
			}
			if most := s.w*s.h - pane.w*pane.h; s.m().dialog == nil && len(outside) != most {
				t.Errorf("%v, %s: %d cells aren't the pane's, want %d", size, name, len(outside), most)
			}
			for _, output := range all {
				after := s.printed(output)
				for _, at := range outside {
					if was, is := before.CellAt(at.X, at.Y), after.CellAt(at.X, at.Y); !was.Equal(is) {
						t.Errorf("%v, %s: %.40q makes cell %v %q, which was %q", size, name, output, at, is.Content, was.Content)
						break
					}
				}
				if c := s.m().cursor(); c != nil && !pane.contains(c.X, c.Y) {
					t.Errorf("%v, %s: %.40q has the cursor at %d, %d", size, name, output, c.X, c.Y)
				}
			}
		}
	}
}
