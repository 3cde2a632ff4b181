package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// fixture is a bridge with an instance on it.
func fixture(t *testing.T) (bridge, instance string, before api.NetworkPut) {
	t.Helper()
	bridge = lxdtest.Bridge(t)
	instance = lxdtest.Instance(t, bridge)
	return bridge, instance, lxdtest.Network(t, bridge)
}

// The main job: use the shell, see the domains, drop one, quit, have the file.
func TestMonitor(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			bridge, instance, before := fixture(t)
			s := open(t, size[0], size[1], instance)
			s.sees(instance+" on "+bridge, "~$")
			if reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
				t.Error("the bridge's dnsmasq doesn't log")
			}
			s.types("nslookup a.example.test >/dev/null; nslookup b.example.test >/dev/null; nslookup x.y.other.test >/dev/null")
			s.row("new", "a.example.test")
			s.row("new", "b.example.test")
			s.row("new", "x.y.other.test")
			s.keys("C-]")
			s.sees("▌")
			s.selects("b.example.test")
			s.keys("d")
			s.row("✗ drop", "b.example.test")
			s.selects("a.example.test")
			s.keys("a")
			s.row("✓ keep", "a.example.test")
			s.keys("q")
			s.sees("2 rules", "1 keep", "1 by you", instance+"-allowlist.txt", "write and quit")
			s.keys("Enter")
			s.exits(0)
			if got, want := s.file(instance+"-allowlist.txt"), "a.example.test\nx.y.other.test\n"; got != want {
				t.Errorf("the file has %q, want %q", got, want)
			}
			lxdtest.Unchanged(t, bridge, before)
		})
	}
}

func TestNothingIsOverwrittenUnasked(t *testing.T) {
	_, instance, _ := fixture(t)
	s := open(t, 100, 30, instance, "--output", "list.txt")
	if err := os.WriteFile(filepath.Join(s.dir, "list.txt"), []byte("precious\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.sees("~$")
	s.types("nslookup a.example.test")
	s.row("new", "a.example.test")
	s.keys("C-]")
	s.keys("q")
	s.sees("write and quit", "Difference +1 −1", "│ a.example.test")
	s.keys("Enter")
	s.sees("it exists:", "+ a.example.test")
	if got := s.file("list.txt"); got != "precious\n" {
		t.Fatalf("the file was overwritten with %q", got)
	}
	s.keys("y")
	s.exits(0)
	if got := s.file("list.txt"); got != "a.example.test\n" {
		t.Errorf("the file has %q", got)
	}
}

func TestShellEndsAndOpensAgain(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("exit 3")
	s.sees("the shell has ended with exit code 3", "to open it again")
	s.keys("o")
	s.sees("Shell  ctrl+] leaves", "~$")
	s.types("nslookup later.example.test")
	s.row("new", "later.example.test")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
}

// An instance that stops is said to, the capture goes on, and one key starts
// it and opens a shell again.
func TestInstanceStops(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	lxdtest.Stop(t, instance)
	s.sees(instance, "stopped", "the capture goes on")
	s.keys("o")
	s.sees("Shell  ctrl+] leaves", "~$")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
}

func TestResize(t *testing.T) {
	_, instance, _ := fixture(t)
	s := open(t, 80, 24, instance)
	s.sees("~$")
	for _, size := range []struct {
		w, h string
		says string // what the shell's own stty says: rows and columns
	}{{"200", "60", "57 92"}, {"80", "24", "9 80"}} {
		s.tmux("resize-window", "-x", size.w, "-y", size.h)
		s.until("the shell to be "+size.says, func(screen string) bool {
			if strings.Contains(screen, size.says) {
				return true
			}
			s.types("clear; stty size")
			return false
		})
	}
}

// Everything typed in the shell goes to the instance, ctrl+c and escape too.
func TestShellGetsEveryKey(t *testing.T) {
	_, instance, _ := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("cat -v")
	s.keys("Escape", "q", "?", "Tab", "C-b", "Up")
	s.keys("Enter")
	s.sees("^[q?", "^B^[[A")
	s.keys("C-c")
	// The terminal forgets what was typed before it: the shell must ask again.
	s.until("the prompt", func(screen string) bool { return strings.Count(screen, ":~$") == 2 })
	s.types("echo al''ive")
	s.sees("alive")
}

func TestPicker(t *testing.T) {
	bridge, instance, _ := fixture(t)
	off := lxdtest.Instance(t, bridge)
	lxdtest.Stop(t, off)
	s := open(t, 100, 50)
	s.row(instance, "running", bridge)
	s.row(off, "stopped")
	s.tmux("send-keys", "-l", "--", off) // which instances stand above it is others' tests' affair
	s.row("▌", off, "enter starts it")
	s.keys("Enter")
	s.sees(off+" on "+bridge, "~$")
}

func TestLaunch(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	before := lxdtest.Network(t, bridge)
	s := open(t, 120, 40, "--launch", lxdtest.Image, "--network", bridge)
	s.sees("on "+bridge, "~$")
	s.types("nslookup a.example.test")
	s.row("new", "a.example.test")
	n, _, err := lxdtest.Client(t).GetNetwork(bridge)
	if err != nil || len(n.UsedBy) != 1 {
		t.Fatalf("the bridge is used by %v, %v, want one instance", n.UsedBy, err)
	}
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
	if n, _, err = lxdtest.Client(t).GetNetwork(bridge); err != nil || len(n.UsedBy) != 0 {
		t.Errorf("the launched instance is still there: %v, %v", n.UsedBy, err)
	}
}

// A killed monitor leaves its bridge to the next one, which asks.
func TestNextStartOffersToRestore(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 100, 30, instance)
	s.sees("~$")
	if out, err := exec.Command("pkill", "-KILL", "-f", "^"+program+" "+instance).CombinedOutput(); err != nil {
		t.Fatalf("pkill: %v: %s", err, out)
	}
	s.sees("EXIT:137")
	s.tmux("kill-server")
	s.start(100, 30, instance)
	s.sees("Put back what it had before?")
	s.keys("y")
	s.sees(instance+" on "+bridge, "~$")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
}

// What was decided in a session that was killed is there for the next start,
// which offers it; no begins another one, and it isn't offered any more.
func TestNextStartOffersTheKilledSession(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 200, 40, instance)
	s.sees("~$")
	s.types("nslookup a.example.test; nslookup b.example.test")
	s.row("new", "a.example.test")
	s.row("new", "b.example.test")
	s.keys("C-]")
	s.sees("▌")
	s.selects("b.example.test")
	s.keys("d")
	s.row("✗ drop", "b.example.test")
	kill := func() {
		t.Helper()
		if out, err := exec.Command("pkill", "-KILL", "-f", "^"+program+" "+instance).CombinedOutput(); err != nil {
			t.Fatalf("pkill: %v: %s", err, out)
		}
		s.sees("EXIT:137")
		s.tmux("kill-server")
	}
	kill()
	s.start(200, 40, instance)
	s.sees("was killed at ", "with 1 mark on 2 domains", "n no, a new one")
	s.keys("y")
	s.sees("Put back what it had before?")
	s.keys("y")
	s.row("✗ drop", "b.example.test")
	s.sees("~$")
	s.types("nslookup c.example.test")
	s.row("new", "c.example.test")
	s.keys("C-]")
	s.sees("▌")
	s.selects("c.example.test")
	s.keys("a")
	s.row("✓ keep", "c.example.test")
	kill()
	s.start(200, 40, instance)
	s.sees("with 2 marks on 3 domains. Go on with it?")
	s.keys("n")
	s.sees("Put back what it had before?")
	s.keys("y")
	s.sees("~$", "Domains 0")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
	s.start(200, 40, instance) // the one that was refused isn't offered any more
	s.sees("~$", "Domains 0")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
	first, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "lxd-allowlist", "sessions", "*.jsonl"))
	if err != nil || len(first) != 2 { // the killed one and the one in its place; in the last there was nothing
		t.Fatalf("sessions: %v, %v", first, err)
	}
	out, err := exec.Command(program, "export", first[0]).CombinedOutput()
	if text := string(out); err != nil || !strings.Contains(text, "the program was killed") || !strings.Contains(text, "c.example.test\n") || strings.Contains(text, "b.example.test\n") {
		t.Errorf("the export of the killed session, %v:\n%s", err, text)
	}
}

// The terminal is gone: the bridge is given back all the same.
func TestHangUp(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 100, 30, instance)
	s.sees("~$")
	s.tmux("kill-server")
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
		select {
		case <-again.C:
		case <-late:
			lxdtest.Unchanged(t, bridge, before)
			return
		}
	}
}

func TestSecondMonitorIsToldWhoHolds(t *testing.T) {
	bridge, instance, _ := fixture(t)
	first := open(t, 100, 30, instance)
	first.sees("~$")
	second := open(t, 100, 30, instance)
	second.sees("network "+bridge+" is in use by lxd-allowlist", "try again")
	second.keys("Escape")
	second.exits(1)
}

// LXD is restarted: the shell ends with a plain word, the capture goes on, one
// key opens the shell again even before LXD is back, and no socket's words are
// shown.
func TestLXDRestarts(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	s := open(t, 200, 40, instance)
	s.sees("~$")
	d.Kill()
	s.sees("LXD doesn't answer: it was stopped, or is restarting", "to open it again")
	d.Inside(instance, "nslookup", "meanwhile.example.test")
	s.row("new", "meanwhile.example.test")
	s.keys("o")
	s.sees("opening…")
	d.Start()
	s.until("the shell and what was missed, in plain words", func(screen string) bool {
		for _, raw := range []string{"unix.socket", "websocket", "EOF", "http:"} {
			if strings.Contains(screen, raw) {
				t.Fatalf("it shows %q:\n%s", raw, screen)
			}
		}
		return strings.Contains(screen, "Shell  ctrl+] leaves") && strings.Contains(screen, "~$") && strings.Contains(screen, "0 queries were missed")
	})
	s.types("nslookup later.example.test")
	s.row("new", "later.example.test")
	s.keys("C-]")
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
}
