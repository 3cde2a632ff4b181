package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// panicking returns a program whose goroutine of that name panics, which says
// whether the terminal is as it was before. It is the binary of ui/cli's tests.
func panicking(t *testing.T, binary, where string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	script := fmt.Sprintf(`#!/bin/sh
before=$(stty -g)
LXD_ALLOWLIST_TEST_AS_PROGRAM=1 LXD_ALLOWLIST_TEST_PANIC=%q %s "$@"
code=$?
[ "$before" = "$(stty -g)" ] && echo TERMINAL:same
exit $code
`, where, binary)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// testBinary builds that of ui/cli's tests, which is the program.
func testBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "cli.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "lxd-allowlist/ui/cli").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// A panic in any goroutine of the screen, and in the screen itself, gives the
// terminal and the bridge back and says so in one line.
func TestPanicsOnScreen(t *testing.T) {
	bridge, instance, before := fixture(t)
	binary := testBinary(t)
	log := filepath.Join(t.TempDir(), "dns.log")
	var lines strings.Builder
	for n := range 10_000 { // enough for the table to be worked on in parts
		fmt.Fprintf(&lines, "Nov 24 10:00:00 dnsmasq[1]: query[A] n%d.example.com from 10.0.0.5\n", n)
	}
	if err := os.WriteFile(log, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	usual := program
	defer func() { program = usual }()
	enforce := func(s *screen) {
		s.sees("~$")
		s.types("nslookup a.example.test >/dev/null")
		s.row("new", "a.example.test")
		s.keys("C-]", "V")
		s.sees("Enforce the list")
		s.keys("Enter")
	}
	for _, c := range []struct {
		where, what string
		then        func(*screen)
	}{
		{"the screen", instance, nil},
		{"the screen@9", instance, nil},
		{"the drawing of the screen", instance, nil},
		{"a command of the screen", instance, nil},
		{"a command of the screen@7", instance, nil},
		{"the terminal pane", instance, nil},
		{"the shell", instance, nil},
		{"the follower of the log", instance, nil},
		{"the journal", instance, nil},
		{"the pace of frames", instance, nil},
		{"a change of what is in force", instance, enforce},
		{"the list in force", instance, enforce},
		{"the reading of the log", log, nil},
		{"a part of the table", log, nil},
	} {
		t.Run(strings.ReplaceAll(c.where, " ", "-"), func(t *testing.T) {
			program = panicking(t, binary, c.where)
			args := []string{c.what}
			if c.what == log {
				args = []string{"open", log}
			}
			s := open(t, 200, 50, args...)
			if c.then != nil {
				c.then(s)
			}
			s.exits(1)
			name, _, _ := strings.Cut(c.where, "@")
			s.sees("TERMINAL:same", "a fault of the program's own, in "+name+": injected; please report it with ")
			text := s.text()
			if strings.Contains(text, "goroutine ") || strings.Count(text, "a fault of the program's own") != 1 || strings.Contains(text, "context canceled") {
				t.Errorf("said is\n%s", text)
			}
			if modes := strings.TrimSpace(s.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}")); modes != "0 0 1" {
				t.Errorf("alternate screen, mouse and cursor are %s, want 0 0 1", modes)
			}
			lxdtest.Unchanged(t, bridge, before)
		})
	}
}

// A panic in a goroutine that isn't ours, as those of libraries, ends the process
// at once, as SIGKILL does: what was decided is on disk, the list that was in force
// is taken out by its guard, and restore gives the bridge back.
func TestLibraryPanics(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	config := d.Config(bridge)
	binary := testBinary(t)
	usual := program
	defer func() { program = usual }()
	for _, where := range []string{
		"the follower of the log!",  // once dnsmasq logs
		"the list in force!",        // in the session, as V begins
		"the watch over the fence!", // and once the packet filter holds it
	} {
		program = panicking(t, binary, where)
		s := open(t, 200, 50, instance)
		shown := decided{}
		if !strings.Contains(where, "log") {
			s.sees("~$")
			s.types("nslookup a.example.test >/dev/null")
			s.row("new", "a.example.test")
			s.keys("C-]")
			s.sees("▌")
			s.keys("a")
			s.row("✓ keep", "a.example.test")
			shown.look(s.text())
			s.keys("V")
			s.sees("Enforce the list")
			s.keys("Enter")
		}
		s.exits(2) // of Go's runtime
		s.sees("goroutine ")
		program = usual
		out, err := exec.Command(program, "restore", bridge).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "bridge "+bridge+" is as it was before") {
			t.Errorf("%s: restore: %v: %s", where, err, out)
		}
		unchanged(t, d, bridge, instance, config, before)
		if !strings.Contains(where, "log") {
			if len(shown) != 1 {
				t.Errorf("%s: shown as decided is %v", where, shown)
			}
			checkSession(t, s.dir, shown)
		}
	}
}
