package ui

import (
	"context"
	"errors"
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
	"lxd-allowlist/export"
)

var update = flag.Bool("update", false, "write the goldens anew")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func feed(l *capture.Ledger, at time.Time, lines ...string) {
	l.Feed([]byte(strings.Join(lines, "\n")+"\n"), at, false)
}

// scene is a model in some state, without a program around it.
type scene struct {
	t *testing.T
	*model
}

func newScene(t *testing.T, w, h int) *scene {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	m, err := newModel(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t, m}
	s.now = noon.Add(time.Minute)
	s.Update(tea.WindowSizeMsg{Width: w, Height: h})
	return s
}

// session shows a capture with a shell in which something was printed.
func (s *scene) session() *scene {
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0", Domain: "lxd"})
	feed(l, noon,
		"query[A] archive.ubuntu.com from 10.0.0.5", "reply archive.ubuntu.com is 192.0.2.1",
		"query[AAAA] archive.ubuntu.com from 10.0.0.5", "reply archive.ubuntu.com is 2001:db8::1",
		"query[HTTPS] www.example.com from 10.0.0.5", "reply www.example.com is <CNAME>", "reply edge.example.net is 192.0.2.2",
		"query[A] archive.ubuntu.com.lxd from 10.0.0.5", "config archive.ubuntu.com.lxd is NXDOMAIN",
		"query[PTR] 1.2.0.192.in-addr.arpa from 10.0.0.6",
	)
	feed(l, noon.Add(20*time.Second), "query[A] telemetry.example.org from 10.0.0.5", "reply error is SERVFAIL")
	feed(l, noon.Add(58*time.Second), "query[A] a-rather-long-name-for-a-host.with.several.labels.cdn.example.com from 10.0.0.5")
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "web"})
	open := func(context.Context, int, int) (Shell, error) { return nil, errors.New("no shell here") }
	s.begin(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true, Shell: open})
	s.shell.screen.Write([]byte("ubuntu@dnstest:~$ \x1b[32mls\x1b[m\r\nREADME  snap\r\nubuntu@dnstest:~$ "))
	s.shell.screen.Text() // all of it is drawn now
	s.shell.starting, s.shell.ended = false, "the shell has ended"
	s.now = noon.Add(time.Minute)
	s.table.Tick(s.now)
	s.pace.tick(s.now, l, s.table.Tally().Total())
	s.press("ctrl+]")
	return s
}

// press presses keys by their names.
func (s *scene) press(keys ...string) *scene {
	for _, k := range keys {
		s.do(s.key(press(k)))
	}
	return s
}

// do runs a command that ends at once, and what comes of it.
func (s *scene) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if msg := cmd(); msg != nil {
		_, next := s.Update(msg)
		s.do(next)
	}
}

func press(name string) tea.KeyPressMsg {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "left": tea.KeyLeft, "right": tea.KeyRight}
	if c, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: c}
	}
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func (s *scene) golden(name string) {
	s.t.Helper()
	if s.table != nil {
		s.table.Restyle()
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
	path := filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.golden", name, s.w, s.h))
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

func TestScreens(t *testing.T) {
	choices := []Choice{
		{Instance: "dnstest", Status: "Running", Network: "lxdbr0"},
		{Instance: "off", Status: "Stopped", Network: "lxdbr0", Stopped: true},
		{Instance: "far", Status: "Running", Network: "eth0", Problem: "its NIC is macvlan: no bridge, no dnsmasq"},
	}
	scenes := map[string]func(*scene){
		"picker":       func(s *scene) { s.picker = &picker{}; s.picker.loaded(choicesMsg{choices, nil}) },
		"picker-empty": func(s *scene) { s.picker = &picker{} },
		"picker-error": func(s *scene) {
			s.picker = &picker{err: errors.New("connect to LXD: it doesn't run; start it with `systemctl start lxd`")}
		},
		"opening": func(s *scene) {
			s.opening = &opening{choice: choices[0]}
			s.opening.step(stepMsg{"connecting to LXD", -1})
			s.opening.step(stepMsg{"downloading ubuntu:24.04", 0.4})
		},
		"opening-error": func(s *scene) {
			s.opening = &opening{choice: choices[0]}
			s.opening.step(stepMsg{"taking the lease of bridge lxdbr0", -1})
			s.opening.err = errors.New("network lxdbr0 is in use by lxd-allowlist 1.0 (root, process 4711 on host)")
		},
		"table":        func(s *scene) { s.session() },
		"waiting":      func(s *scene) { s.waitingForQueries() },
		"filter":       func(s *scene) { s.session().press("/", "u", "b", "u") },
		"filter-wrong": func(s *scene) { s.session().press("/", "~", "(") },
		"no-match":     func(s *scene) { s.session().press("/", "x", "y", "z", "enter") },
		"grouped":      func(s *scene) { s.session().press("t", "T", "g", "right") },
		"marked":       func(s *scene) { s.session().press("a", "j", "d"); s.messages = nil },
		"range":        func(s *scene) { s.session().press("g", "v", "j", "j") },
		"details":      func(s *scene) { s.session().press("G", "enter") },
		"help":         func(s *scene) { s.session().press("?") },
		"reason":       func(s *scene) { s.session().press("n", "w", "h", "y") },
		"quit":         func(s *scene) { s.session().press("q") },
		"zoomed":       func(s *scene) { s.session().press("z") },
		"shell-ended":  func(s *scene) { s.session().press("tab") },
		"too-small":    func(s *scene) { s.session(); s.Update(tea.WindowSizeMsg{Width: 30, Height: 8}) },
	}
	for name, set := range scenes {
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
	s.begin(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dnstest on lxdbr0", Live: true})
	s.now = noon.Add(time.Minute)
}

// The preview is the real output, and what is written is what was shown.
func TestExportWritesThePreview(t *testing.T) {
	s := newScene(t, 100, 40).session()
	path := filepath.Join(t.TempDir(), "out.txt")
	s.model.export.path = path
	s.press("e")
	d := s.dialog.(*exportDialog)
	if d.preview.err != nil || len(d.preview.file.Rules) != 4 {
		t.Fatalf("the preview has %d rules, %v, want 4", len(d.preview.file.Rules), d.preview.err)
	}
	s.press("enter")
	got, err := os.ReadFile(path)
	if err != nil || string(got) != strings.Join(d.preview.lines, "\n")+"\n" {
		t.Errorf("the file has %q, %v, want %q", got, err, d.preview.lines)
	}
	if s.dialog != nil || s.result.Wrote != path {
		t.Errorf("after writing, the dialog is %v and %q was written", s.dialog, s.result.Wrote)
	}
}

func TestEveryFormatHasAPreview(t *testing.T) {
	for _, f := range export.Formats() {
		s := newScene(t, 120, 40).session()
		s.model.export.format = f.Name
		s.press("e")
		if d := s.dialog.(*exportDialog); d.preview.err != nil || len(d.preview.file.Data) == 0 {
			t.Errorf("%s: %d bytes, %v", f.Name, len(d.preview.file.Data), d.preview.err)
		}
	}
}

// A file from the screen is the one that the command line makes, with its
// ports and the host's name.
func TestExportSaysWhatTheCommandLineDoes(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"json": host, "harden-runner": ":8443"} {
		s := newScene(t, 120, 40).session()
		s.model.export = exportSettings{format: name, options: export.Options{Ports: []int{8443}}}
		s.press("e")
		f, err := export.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := export.Make(s.capture.Ledger.List(false), f, s.model.export.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.dialog.(*exportDialog).preview.file.Data); got != string(want.Data) || !strings.Contains(got, says) {
			t.Errorf("%s on the screen:\n%s\nwant %s in it, as the command line has it:\n%s", name, got, says, want.Data)
		}
	}
}
