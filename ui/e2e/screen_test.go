// Package e2e drives the program as its users do: in a terminal, by keys, on
// a real LXD, before a local internet where it is about what gets out.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds a wait for what takes a second or two on a quiet machine. It
// is longer than the minute after which the program cuts its own end short.
const patience = 80 * time.Second

var program string // the path of the binary under test

func TestMain(m *testing.M) {
	if os.Args[0] == application {
		os.Exit(apply(os.Args[1], os.Args[2:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("not in short mode: it needs a running LXD and tmux")
		return 0
	}
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "lxd-allowlist")
	if out, err := exec.Command("go", "build", "-o", program, "lxd-allowlist").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// screen is the program in a terminal of its own.
type screen struct {
	t      *testing.T
	dir    string // where the program runs: what it exports is here
	socket string // of a tmux of its own
	pid    string // of the terminal's session
}

// open starts the program in a terminal of w by h cells.
func open(t *testing.T, w, h int, args ...string) *screen {
	t.Helper()
	dir := t.TempDir()
	s := &screen{t: t, dir: dir}
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	if os.Getenv("XDG_CONFIG_HOME") == "" {
		t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	}
	s.start(w, h, args...)
	return s
}

func (s *screen) start(w, h int, args ...string) {
	s.t.Helper()
	words := []string{program}
	for _, a := range args {
		words = append(words, "'"+a+"'")
	}
	// The shell stays behind the program and tells its exit code.
	line := strings.Join(words, " ") + "; echo EXIT:$?; exec cat"
	s.socket = filepath.Join(s.t.TempDir(), "tmux")
	s.tmux("-f", "/dev/null", "new-session", "-d", "-c", s.dir, "-x", strconv.Itoa(w), "-y", strconv.Itoa(h), "env", "-u", "TMUX", "sh", "-c", line)
	s.pid = strings.TrimSpace(s.tmux("display-message", "-p", "#{pane_pid}"))
	this := *s // the screen may be started again, in another terminal
	s.t.Cleanup(this.hangUp)
}

// hangUp hangs up and waits until the program has put everything back.
func (s *screen) hangUp() {
	exec.Command("tmux", "-S", s.socket, "kill-server").Run() // a test may have done so
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for exec.Command("pgrep", "-s", s.pid).Run() == nil {
		select {
		case <-again.C:
		case <-late:
			s.t.Errorf("%s still runs after its terminal is gone", program)
			return
		}
	}
}

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *screen) text() string { s.t.Helper(); return s.tmux("capture-pane", "-p") }

// sees waits until all the texts are on the screen at once.
func (s *screen) sees(texts ...string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// until waits for a screen that is as wanted.
func (s *screen) until(wanted string, ok func(string) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		text := s.text()
		if ok(text) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			s.t.Fatalf("waited for %s, the screen shows\n%s", wanted, text)
		}
	}
}

// row waits until a line of the table holds all the words.
func (s *screen) row(words ...string) {
	s.t.Helper()
	s.until(fmt.Sprintf("a row with %q", words), func(screen string) bool {
		for line := range strings.Lines(screen) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// keys presses keys, by the names that tmux has for them.
func (s *screen) keys(keys ...string) {
	s.t.Helper()
	s.tmux(append([]string{"send-keys", "--"}, keys...)...)
}

// types types a line into the shell.
func (s *screen) types(line string) {
	s.t.Helper()
	s.tmux("send-keys", "-l", "--", line)
	s.keys("Enter")
}

// selects moves the table's cursor to the row of that domain.
func (s *screen) selects(name string) {
	s.t.Helper()
	at, from, line := -1, -1, 0
	for text := range strings.Lines(s.text()) {
		if strings.HasPrefix(text, "▌") {
			from = line
		}
		if strings.Contains(text, " "+name+" ") && at < 0 {
			at = line
		}
		line++
	}
	if at < 0 || from < 0 {
		s.t.Fatalf("no row of %s to select:\n%s", name, s.text())
	}
	for range at - from {
		s.keys("Down")
	}
	for range from - at {
		s.keys("Up")
	}
	s.row("▌", name)
}

// quits leaves the table without writing a file.
func (s *screen) quits() {
	s.t.Helper()
	s.keys("q")
	s.sees("quit, no file")
	s.keys("n")
	s.exits(0)
}

// exits waits for the program's end and checks its code.
func (s *screen) exits(code int) {
	s.t.Helper()
	s.sees(fmt.Sprintf("EXIT:%d", code))
}

func (s *screen) file(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}
