package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

func at(x, y int) tea.Mouse { return tea.Mouse{X: x, Y: y, Button: tea.MouseLeft} }

func (s *scene) clicks(x, y int) { s.send(tea.MouseClickMsg(at(x, y))) }

func (s *scene) turns(button tea.MouseButton, x, y int) {
	s.send(tea.MouseWheelMsg(tea.Mouse{X: x, Y: y, Button: button}))
}

// manyDomains shows d00 to d99, the newest first.
func (s *scene) manyDomains() *scene {
	s.session()
	for i := range 100 {
		feed(s.m().capture.Ledger, noon.Add(time.Duration(100+i)*time.Second), fmt.Sprintf("query[A] d%02d.example from 10.0.0.5", i))
	}
	s.m().table.Refresh(noon.Add(5 * time.Minute))
	return s
}

// shownAt returns the line of the screen.
func (s *scene) shownAt(y int) string { return strings.Split(s.text(), "\n")[y] }

// The wheel moves what is under it, towards the end when it is turned down.
func TestWheel(t *testing.T) {
	s := newScene(t, 120, 40).manyDomains()
	const firstRow = 3
	s.press("g")
	if !strings.Contains(s.shownAt(firstRow), "d99.example") {
		t.Fatalf("the first row is %q", s.shownAt(firstRow))
	}
	s.turns(tea.MouseWheelDown, 10, 10)
	if !strings.Contains(s.shownAt(firstRow), "d96.example") {
		t.Errorf("turned down, the first row is %q", s.shownAt(firstRow))
	}
	s.turns(tea.MouseWheelUp, 10, 10)
	if !strings.Contains(s.shownAt(firstRow), "d99.example") {
		t.Errorf("turned up, the first row is %q", s.shownAt(firstRow))
	}
	screen := s.m().shell.screen
	screen.Write([]byte(strings.Repeat("a line\r\n", 200)))
	screen.Text()
	x := s.m().layout.shell.x + 5
	s.turns(tea.MouseWheelUp, x, 10)
	if screen.Scrolled() != 3 || !strings.Contains(s.shownAt(firstRow), "d99.example") {
		t.Errorf("over the shell it scrolls back %d lines, want 3", screen.Scrolled())
	}
	s.turns(tea.MouseWheelDown, x, 10)
	if screen.Scrolled() != 0 {
		t.Errorf("turned down, the shell is %d lines back", screen.Scrolled())
	}
}

// A click selects a row, sorts by a column, goes to the pane.
func TestClick(t *testing.T) {
	s := newScene(t, 120, 40).manyDomains()
	m := s.m()
	s.press("g")
	s.clicks(10, 5)
	if it, _ := m.table.Selected(); m.nameOf(it) != "d97.example" || !strings.HasPrefix(s.shownAt(5), "▌") {
		t.Errorf("the third row was clicked, selected is %s:\n%s", m.nameOf(it), s.text())
	}
	s.clicks(10, 2)
	if !strings.Contains(s.shownAt(2), "domain↑") {
		t.Errorf("the column's name was clicked, and the heads are %q", s.shownAt(2))
	}
	s.clicks(m.layout.shell.x+5, 10)
	if m.focus != onShell {
		t.Error("a click into the shell doesn't go there")
	}
	s.clicks(10, 5)
	if m.focus != onTable {
		t.Error("a click into the table doesn't go there")
	}
	s.press("e")
	s.clicks(m.layout.shell.x+5, 10)
	if m.focus != onTable {
		t.Error("a click goes through the dialog")
	}
}

// A click on a mark keeps, then drops, on a fold folds, a second one soon opens, and
// the help says so.
func TestClickDoes(t *testing.T) {
	s := newScene(t, 120, 40).manyDomains()
	m := s.m()
	s.press("g")
	name := func() string { it, _ := m.table.Selected(); return m.nameOf(it) }
	for i, want := range []string{"✓ keep", "✗ drop"} {
		if s.clicks(1, 5); !strings.Contains(s.shownAt(5), want) || name() != "d97.example" {
			t.Errorf("click %d on the mark: %q", i+1, s.shownAt(5))
		}
	}
	s.clicks(20, 6)
	m.clicked.at = m.clicked.at.Add(-doubleClick)
	if s.clicks(20, 6); m.dialog != nil {
		t.Error("two clicks a while apart open")
	}
	if s.clicks(20, 6); m.dialog == nil || name() != "d96.example" {
		t.Errorf("two clicks open nothing:\n%s", s.text())
	}
	s.press("esc", "?").types("mouse").wants("Mouse", "on a mark", "keep; drop what is kept", "on ▾ ▸", "in a dialog")
	s = newScene(t, 120, 40).realSession(false).press("t", "g")
	m = s.m()
	x := strings.Index(strings.ReplaceAll(s.shownAt(3), "▌", " "), "▾")
	if s.clicks(x, 3); !strings.Contains(s.shownAt(3), "▸ docker.com") {
		t.Errorf("a click on the fold leaves %q", s.shownAt(3))
	}
	s.clicks(x+4, 3)
	if s.clicks(x+4, 3); !strings.Contains(s.shownAt(3), "▾ docker.com") {
		t.Errorf("two clicks on the folded head leave %q", s.shownAt(3))
	}
}

// Sorting shows the top, by the mouse, too, wherever the table was.
func TestSortingShowsTheTop(t *testing.T) {
	s := newScene(t, 120, 40).realSession(false)
	for _, sort := range []func(){func() { s.press("2") }, func() { s.press("r") }, func() { s.press("s") }, func() { s.clicks(12, 2) }} {
		s.press("G")
		sort()
		if text := s.shownAt(1); strings.Contains(text, "↑") || !strings.HasPrefix(s.shownAt(3), "▌") {
			t.Errorf("sorted, the top is not in view:\n%s", s.text())
		}
	}
}

// The divider follows the mouse, wherever the panes are.
func TestDragDivider(t *testing.T) {
	for _, test := range []struct {
		w, h    int
		swapped bool
		to      tea.Mouse
		want    func(m *monitor) int // where the divider is
		at      int
	}{
		{200, 60, false, at(80, 10), func(m *monitor) int { return m.layout.divider.x }, 79},
		{200, 60, true, at(80, 10), func(m *monitor) int { return m.layout.divider.x }, 79},
		{80, 42, false, at(10, 13), func(m *monitor) int { return m.layout.divider.y }, 13},
		{80, 42, true, at(10, 13), func(m *monitor) int { return m.layout.divider.y }, 13},
	} {
		s := newScene(t, test.w, test.h).session()
		m := s.m()
		if test.swapped {
			s.press("x")
		}
		d := m.layout.divider
		s.send(tea.MouseMotionMsg(test.to))
		if m.layout.divider != d {
			t.Errorf("%+v: the divider moves without being held", test)
		}
		s.clicks(d.x, d.y)
		s.send(tea.MouseMotionMsg(test.to))
		if got := test.want(m); got != test.at {
			t.Errorf("%dx%d, swapped %t: dragged to %d,%d the divider is at %d, want %d", test.w, test.h, test.swapped, test.to.X, test.to.Y, got, test.at)
		}
		s.send(tea.MouseReleaseMsg(test.to))
		s.send(tea.MouseMotionMsg(at(d.x, d.y)))
		if got := test.want(m); got != test.at {
			t.Errorf("%+v: let go, the divider still moves", test)
		}
	}
}

// A drag in the shell selects and copies.
func TestDragCopies(t *testing.T) {
	t.Setenv("TMUX", "")
	s := newScene(t, 120, 40).session()
	m := s.m()
	s.press("tab")
	x, y := m.layout.shell.x, m.layout.shell.y+shellChrome+1
	s.clicks(x, y)
	s.send(tea.MouseMotionMsg(at(x+5, y)))
	_, cmd := s.Update(tea.MouseReleaseMsg(at(x+5, y)))
	sent := false
	for _, one := range cmd().(tea.BatchMsg) {
		msg := one()
		sent = sent || fmt.Sprint(msg) == fmt.Sprint(tea.SetClipboard("README")())
		s.send(msg)
	}
	if !sent || !strings.Contains(s.text(), "sent 1 line to the terminal's clipboard") {
		t.Errorf("sent %v; what is said of it:\n%s", sent, s.text())
	}
}

// Under tmux it is tmux that is asked, and that says whether it was done.
func TestCopyUnderTmux(t *testing.T) {
	bin := t.TempDir()
	took := filepath.Join(bin, "took")
	t.Setenv("TMUX", "/tmp/tmux-0/default,1,0")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, test := range []struct{ exit, says string }{{"0", "copied a.example"}, {"1", "sent a.example to the terminal's clipboard"}} {
		script := "#!/bin/sh\n[ \"$*\" = 'load-buffer -w -' ] && cat >" + took + "\nexit " + test.exit + "\n"
		if err := os.WriteFile(filepath.Join(bin, "tmux"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		said := ""
		switch msg := copies(t.Context(), "a.example", "a.example")().(type) {
		case noteMsg:
			said = string(msg)
		case tea.BatchMsg:
			said = string(msg[1]().(noteMsg))
		}
		if data, err := os.ReadFile(took); err != nil || string(data) != "a.example" || said != test.says {
			t.Errorf("with exit code %s tmux took %q, %v, and it said %q, want %q", test.exit, data, err, said, test.says)
		}
	}
}

// Both panes stay of use, however often the divider is moved.
func TestShareIsBounded(t *testing.T) {
	for key, want := range map[string]int{">": mostShare, "<": leastShare} {
		s := newScene(t, 200, 60).session()
		for range 40 {
			s.press(key)
		}
		if got := s.prefs.Share; got != want {
			t.Errorf("%s: the table has %d%%, want %d%%", key, got, want)
		}
	}
	s := newScene(t, 200, 60).session()
	d := s.m().layout.divider
	s.clicks(d.x, d.y)
	s.send(tea.MouseMotionMsg(at(199, 5)))
	if got := s.m().layout.shell.w; got < 200*(100-mostShare)/100-1 {
		t.Errorf("dragged to the edge, the shell has %d cells", got)
	}
}

// Who zooms a pane and goes to the other one wants to see that.
func TestZoomEndsOnLeaving(t *testing.T) {
	for _, test := range []struct{ zoom, leave string }{{"z", "tab"}, {"Z", "ctrl+]"}} {
		s := newScene(t, 120, 40).session()
		m := s.m()
		s.press(test.zoom)
		if table, shell := m.layout.table.h, m.layout.shell.h; table > 0 && shell > 0 {
			t.Fatalf("%s leaves both panes on the screen", test.zoom)
		}
		s.press(test.leave)
		if table, shell := m.layout.table.h, m.layout.shell.h; table == 0 || shell == 0 || m.zoom != zoomNone {
			t.Errorf("%s and then %s: the table has %d lines, the shell %d", test.zoom, test.leave, table, shell)
		}
	}
}

// lineOf is the line of the screen that has a text.
func (s *scene) lineOf(text string) int {
	s.t.Helper()
	at := slices.IndexFunc(strings.Split(s.text(), "\n"), func(l string) bool { return strings.Contains(l, text) })
	if at < 0 {
		s.t.Fatalf("no line has %q:\n%s", text, s.text())
	}
	return at
}

// clicksOn clicks where a text is on the screen.
func (s *scene) clicksOn(text string) {
	s.t.Helper()
	y := s.lineOf(text)
	before, _, _ := strings.Cut(s.shownAt(y), text)
	s.clicks(len([]rune(before))+1, y)
}

// A click in a dialog chooses, a second one soon does what enter does, and the
// wheel goes up and down, at every size.
func TestMouseChooses(t *testing.T) {
	for _, size := range sizes {
		x := size[0] / 2
		s := newScene(t, size[0], size[1]).session().press(":").types("hide")
		y := s.lineOf("hide what is decided")
		s.clicks(x, y)
		if line := s.shownAt(y); !strings.Contains(line, "▌") {
			t.Errorf("%v: clicked, the line is %q", size, line)
		}
		if s.clicks(x, y); s.m().dialog != nil || !s.m().table.DecidedHidden() {
			t.Errorf("%v: two clicks leave\n%s", size, s.text())
		}

		s = newScene(t, size[0], size[1]).session().press("V")
		s.clicks(x, s.lineOf("names and packets"))
		s.wants("▸ names and packets")
		s.turns(tea.MouseWheelUp, x, 4)
		if s.wants("▸ names"); strings.Contains(s.text(), "▸ names and") {
			t.Errorf("%v: turned up, it is\n%s", size, s.text())
		}

		s = newScene(t, size[0], size[1]).session().press("G", "w")
		if s.turns(tea.MouseWheelUp, x, 4); size[1] > 20 {
			y = s.lineOf("refused")
			s.clicks(x, y)
			s.wants("▸ .com", "top-level domain")
			s.messages = nil
			s.clicks(x, y) // wherever that is now
			s.wants(".com is a top-level domain")
			y = s.lineOf(".archive.ubuntu.com  ")
			s.clicks(x, y)
			if s.clicks(x, y); s.m().dialog != nil {
				t.Errorf("%v: two clicks on a rung leave\n%s", size, s.text())
			}
			s.press("u", "w")
		}
		s.press("esc")

		s.press("e")
		if size[0] > 60 {
			s.clicksOn(" rpz ")
			s.wants("▌rpz")
		}
		s.clicksOn("tab Difference")
		s.wants("no file is there")
	}
}

// tall is a dialog of more lines than there are, and what was clicked on in it.
type tall struct {
	dialog.Dialog
	at int
}

func (d *tall) View(s dialog.Screen) []string {
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	return look.Box(s.Styles, "Tall", lines, 20)
}

func (d *tall) Point(_, y int) (bool, dialog.Result) {
	d.at = y
	return true, nil
}

// Where a box has lost lines for want of room, a click is on the line that is
// seen.
func TestMouseInACutBox(t *testing.T) {
	s := newScene(t, 40, 12).session().press("m")
	d := &tall{Dialog: s.m().dialog}
	s.m().dialog = d
	if s.clicksOn("line 27"); d.at != 28 {
		t.Errorf("a click on line 27, below the frame, is on %d", d.at)
	}
}

// Over the export's file the wheel scrolls that, over the list it chooses a
// format.
func TestWheelInTheExport(t *testing.T) {
	s := newScene(t, 80, 24).session()
	s.m().export.format = "squid"
	s.press("e")
	first := s.shownAt(10)
	s.turns(tea.MouseWheelDown, 60, 12)
	if s.wants("▌squid"); s.shownAt(10) == first {
		t.Errorf("the file isn't scrolled:\n%s", s.text())
	}
	s.turns(tea.MouseWheelDown, 10, 12)
	s.wants("▌json")
}

// Where nothing is shown, the mouse does nothing.
func TestMouseWithoutRows(t *testing.T) {
	s := newScene(t, 80, 24)
	s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dns.log"})
	for y := range 24 {
		s.clicks(3, y)
		s.turns(tea.MouseWheelDown, 3, y)
	}
	if it, ok := s.m().table.Selected(); ok {
		t.Errorf("%+v is selected in an empty table", it)
	}
}
