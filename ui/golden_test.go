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
		"table":           func(s *scene) { s.session() },
		"waiting":         func(s *scene) { s.waitingForQueries() },
		"filter":          func(s *scene) { s.session().press("/").types("ubu") },
		"filter-wrong":    func(s *scene) { s.session().press("/").types("~(") },
		"no-match":        func(s *scene) { s.session().press("/").types("xyz").press("enter") },
		"grouped":         func(s *scene) { s.session().press("t", "T", "g", "right") },
		"marked":          func(s *scene) { s.session().press("a", "j", "d"); s.messages = nil },
		"range":           func(s *scene) { s.session().press("g", "v", "j", "j") },
		"details":         func(s *scene) { s.session().press("G", "enter") },
		"help":            func(s *scene) { s.session().press("?") },
		"reason":          func(s *scene) { s.session().press("n").types("why") },
		"quit":            func(s *scene) { s.session().press("q") },
		"zoomed":          func(s *scene) { s.session().press("z") },
		"shell-ended":     func(s *scene) { s.session().press("tab") },
		"verify-ask":      func(s *scene) { s.session().press("V") },
		"verify-proving":  func(s *scene) { s.session().press("V", "enter") },
		"verify-unproven": func(s *scene) { s.enforcing(false); s.proves("it was answered") },
		"verify":          func(s *scene) { s.enforcing(false); s.refuses(); s.press("g") },
		"verify-in-shell": func(s *scene) { s.enforcing(false); s.m().shell.starting = true; s.press("tab"); s.refuses() },
		"verify-strict":   func(s *scene) { s.enforcing(true); s.refuses() },
		"verify-grouped":  func(s *scene) { s.enforcing(false); s.refuses(); s.press("t", "g") },
		"verify-details":  func(s *scene) { s.enforcing(false); s.refuses(); s.press("g", "enter") },
		"verify-grant":    func(s *scene) { s.enforcing(false); s.refuses(); s.press("g", "l", "down") },
		"verify-report":   func(s *scene) { s.enforcing(true); s.refuses(); s.press("g", "j", "d", "V"); s.messages = nil },
		"verify-works":    func(s *scene) { s.enforcing(false); s.press("V") },
		"verify-exists":   func(s *scene) { s.enforcing(false); s.press("V", "enter", "V", "down", "down", "enter", "enter") },
		"verify-quit":     func(s *scene) { s.enforcing(false); s.press("V", "esc", "q") },
		"too-small":       func(s *scene) { s.session(); s.Update(tea.WindowSizeMsg{Width: 30, Height: 8}) },
	}
}

func TestScreens(t *testing.T) {
	for name, set := range scenes() {
		for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, size[0], size[1])
				set(s)
				s.golden(name)
			})
		}
	}
}

func (s *scene) waitingForQueries() {
	s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dnstest on lxdbr0", Live: true})
}
