package ui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
)

// testdata is where it is wherever a test works.
var testdata, _ = filepath.Abs("testdata")

var update = flag.Bool("update", false, "write the goldens anew")

func (s *scene) golden(name string) {
	s.t.Helper()
	if m, ok := s.phase.(*monitor); ok {
		m.table.Restyle()
	}
	lines := s.lines()
	if len(lines) != s.h {
		s.t.Errorf("%s: %d lines, want %d", name, len(lines), s.h)
	}
	var b strings.Builder
	for i, l := range lines {
		if w := ansi.StringWidth(l); w != s.w {
			s.t.Errorf("%s: line %d has %d cells, want %d: %q", name, i, w, s.w, ansi.Strip(l))
		}
		b.WriteString(strings.TrimRight(ansi.Strip(l), " ") + "\n")
	}
	path := filepath.Join(testdata, fmt.Sprintf("%s-%dx%d.golden", name, s.w, s.h))
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if b.String() != string(want) {
		s.t.Errorf("%s is\n%swant\n%s(go test ./ui -update writes it anew)", path, b.String(), want)
	}
}

// scenes are what the goldens show.
func scenes() map[string]func(*scene) {
	return map[string]func(*scene){
		"not-logging": func(s *scene) {
			s.session()
			s.m().capture.Logging = func() (string, time.Time) { return "raw.dnsmasq was changed by ubuntu", noon }
		},
		"names":        func(s *scene) { s.realSession(false) },
		"tree":         func(s *scene) { s.realSession(false).press("t", "g") },
		"tree-folded":  func(s *scene) { s.realSession(true).press("t", "T", "g") },
		"names-beside": func(s *scene) { s.realSession(true) },
		"table":        func(s *scene) { s.session() },
		"waiting":      func(s *scene) { s.waitingForQueries() },
		"filter":       func(s *scene) { s.session().press("/").types("ubu") },
		"filter-wrong": func(s *scene) { s.session().press("/").types("~(") },
		"no-match":     func(s *scene) { s.session().press("/").types("xyz").press("enter") },
		"grouped":      func(s *scene) { s.session().press("t", "T", "g", "right") },
		"marked":       func(s *scene) { s.session().press("a", "j", "d"); s.messages = nil },
		"range":        func(s *scene) { s.session().press("g", "v", "j", "j") },
		"ladder":       func(s *scene) { s.session().press("G", "w") },
		"ladder-pattern": func(s *scene) {
			s.asked("eu-west-1.cdn.example.com", "us-east-1.cdn.example.com", "eu-central-1.cdn.example.com", "www.cdn.example.com").selects("eu-west-1.cdn.example.com").press("w", "down", "down", "down")
		},
		"ladder-refused": func(s *scene) {
			s.session().press("G", "w", "up", "up", "up", "up", "up", "up", "tab", "n").types("ticket 4711").press("enter")
		},
		"palette":        func(s *scene) { s.session().press(":").types("exp sq") },
		"export":         func(s *scene) { s.session(); s.m().export.options.Reproducible = true; s.press("e", "/").types("sq") },
		"export-changes": func(s *scene) { s.export("gone.example\narchive.ubuntu.com\nthird.example\n").press("tab") },
		"export-foreign": func(s *scene) {
			s.session()
			s.m().export.format = "json"
			s.export("# somebody's own {\n").press("enter")
		},
		"said-long": func(s *scene) {
			s.session().say(strings.Repeat("a long sentence that says what happened, to what, and what to do next; ", 3))
		},
		"details":         func(s *scene) { s.session().press("G", "enter") },
		"said-keys":       func(s *scene) { s.session().press("j"); s.messages = nil; s.Update(tickMsg(s.now.Add(hintPause))) },
		"dock-side":       func(s *scene) { s.session().press("z", "G") },
		"dock-group":      func(s *scene) { s.session().press("t", "G", "left") },
		"help":            func(s *scene) { s.session().press("?") },
		"reason":          func(s *scene) { s.session().press("n").types("why") },
		"quit":            func(s *scene) { s.session().press("q") },
		"zoomed":          func(s *scene) { s.session().press("z") },
		"shell-ended":     func(s *scene) { s.session().press("tab") },
		"verify-ask":      func(s *scene) { s.session().press("V") },
		"verify-proving":  func(s *scene) { s.session().press("V", "enter") },
		"verify-unproven": func(s *scene) { s.enforcing(verify.Names); s.proves("it was answered") },
		"verify":          func(s *scene) { s.enforcing(verify.Names); s.refuses(); s.press("g") },
		"verify-in-shell": func(s *scene) { s.enforcing(verify.Names); s.m().shell.starting = true; s.press("tab"); s.refuses() },
		"verify-strict":   func(s *scene) { s.enforcing(verify.Strict); s.refuses() },
		"verify-grouped":  func(s *scene) { s.enforcing(verify.Names); s.refuses(); s.press("t", "g") },
		"verify-details":  func(s *scene) { s.enforcing(verify.Names); s.refuses(); s.press("g", "enter") },
		"verify-grant":    func(s *scene) { s.enforcing(verify.Names); s.refuses(); s.press("g", "l", "down") },
		"verify-report":   func(s *scene) { s.enforcing(verify.Strict); s.refuses(); s.press("g", "j", "d", "V"); s.messages = nil },
		"verify-works":    func(s *scene) { s.enforcing(verify.Names); s.press("V") },
		"verify-exists": func(s *scene) {
			s.enforcing(verify.Names)
			s.press("V", "enter", "V", "down", "down", "down", "enter", "enter")
		},
		"verify-quit":         func(s *scene) { s.enforcing(verify.Names); s.press("V", "esc", "q") },
		"verify-learn":        func(s *scene) { s.enforcing(verify.Learn); s.refuses(); s.press("g", "j", "d", "g", "enter") },
		"verify-learn-shell":  func(s *scene) { s.enforcing(verify.Learn); s.m().shell.starting = true; s.press("tab"); s.refuses() },
		"verify-learn-report": func(s *scene) { s.enforcing(verify.Learn); s.refuses(); s.press("V"); s.messages = nil },
		"witnessed":           func(s *scene) { s.watched() },
		"witnessed-round":     func(s *scene) { s.watched().bypasses().press("G", "right") },
		"witnessed-way":       func(s *scene) { s.watched().bypasses().press("G", "right", "j", "enter") },
		"witnessed-details":   func(s *scene) { s.watched(); s.m().table.Select("archive.ubuntu.com"); s.press("enter") },
		"messages": func(s *scene) {
			s.session()
			s.m().capture.Ledger.Unread("the file that was rotated away can't be read: permission denied")
			s.press("m")
		},
		"nothing-selected": func(s *scene) { s.unselected() },
		"too-small":        func(s *scene) { s.session(); s.Update(tea.WindowSizeMsg{Width: 30, Height: 8}) },
	}
}

func TestScreens(t *testing.T) {
	for name, set := range scenes() {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, size[0], size[1])
				set(s)
				s.golden(name)
			})
		}
	}
}

// export shows the export with a file where it is to go.
func (s *scene) export(there string) *scene {
	if _, shown := s.phase.(*monitor); !shown {
		s.session()
	}
	s.m().export.path = "out.txt"
	if err := os.WriteFile("out.txt", []byte(there), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.press("e")
}

// unselected shows domains of a capture without a shell, to which nobody has
// come yet.
func (s *scene) unselected() {
	s.waitingForQueries()
	s.asksFor(3)
}

func (s *scene) waitingForQueries() {
	s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dnstest on lxdbr0", Live: true})
}

// On the least of screens every box is whole, the instance's name stays, and so
// does the glyph of each mark.
func TestLeastScreen(t *testing.T) {
	for name, set := range scenes() {
		s := newScene(t, 40, 12)
		set(s)
		text := s.text()
		if corners := strings.Count(text, "╭"); strings.Count(text, "╮") != corners || strings.Count(text, "╰") != corners || strings.Count(text, "╯") != corners {
			t.Errorf("%s: a box isn't whole:\n%s", name, text)
		}
		m, ok := s.phase.(*monitor)
		if !ok || s.w < leastWidth {
			continue
		}
		if instance := m.subject(); m.dialog == nil && !strings.Contains(s.shownAt(0), instance) {
			t.Errorf("%s: the header is %q, without %s", name, s.shownAt(0), instance)
		}
		for _, row := range strings.Split(text, "\n") {
			if strings.Contains(row, "archive.ubuntu.com ") && m.dialog == nil && !strings.ContainsAny(row, "·●✓✗–▣…") {
				t.Errorf("%s: a row without its mark: %q", name, row)
			}
		}
	}
}
