package e2e

import (
	"strings"
	"testing"
)

// The start lists what there is, says who is at work, and opens what is picked
// of its palette. In the shell ctrl+p is the shell's; the chord that leaves it
// leads to the palette of the table.
func TestStart(t *testing.T) {
	bridge, instance, _ := fixture(t)
	s := open(t, 120, 40)
	s.sees("Instances", instance, "running", bridge, "up ", "Sessions", "none is kept yet", "Images")
	t.Log("\n" + s.text())
	s.keys("C-p")
	s.sees("What can be done", "watch "+instance, "read the lists again", "ctrl+r", "close")
	t.Log("\n" + s.text())
	s.types("watch " + instance)
	s.sees(instance+" on "+bridge, "~$", "ctrl+] ? help")
	s.types("echo seen-once")
	s.keys("C-p")
	s.until("the shell to recall the line", func(screen string) bool { return strings.Count(screen, "~$ echo seen-once") == 2 })
	s.keys("C-u", "C-]", "?")
	s.sees("What can be done", "sort by the next column")
	s.keys("?", "Tab")
	s.sees("ctrl+] leaves")
	s.types("nslookup a.example.test >/dev/null")
	s.row("new", "a.example.test")

	other := *s
	other.start(120, 40)
	other.sees(instance, " 198.1", "in use by process ", " since ", "● ")
	t.Log("\n" + other.text())
	other.keys("C-c")
	other.exits(0)

	s.keys("C-]")
	s.sees("▌")
	s.keys("I")
	s.sees("New names a minute", "nslookup a.example.test >/dev/null → 1 new", "a count, no promise")
	t.Log("\n" + s.text())
	s.keys("I")
	s.keys("M")
	s.sees("What LXD was told", "lxc network set "+bridge, "raw.dnsmasq=", "lxc exec "+instance)
	t.Log("\n" + s.text())
	s.keys("M")
	s.quits()
}

// Who leaves after a failure has an exit code that says so, and the reason
// below it.
func TestLeavingAfterAFailure(t *testing.T) {
	fixture(t)
	s := open(t, 80, 24, "not-there")
	s.sees("✗ looking up not-there", "try again")
	s.keys("q")
	s.exits(1)
	s.sees("lxd-allowlist: look up instance not-there")
}

// Suspended, the program leaves the terminal to the shell below; what is asked
// meanwhile is there when it goes on. Without such a shell it stays.
func TestSuspend(t *testing.T) {
	_, instance, _ := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.keys("C-]")
	s.sees("e export")
	s.keys("C-z")
	s.sees("there is no shell below to come back from")
	s.quits()

	s.start(120, 40, "--version")
	s.exits(0)
	s.tmux("respawn-pane", "-k", "bash", "--norc", "-i")
	s.types(program + " " + instance)
	s.sees("~$")
	s.types("(sleep 3; nslookup late.example.test) >/dev/null &")
	s.keys("C-]")
	s.sees("e export")
	s.keys("C-z")
	s.sees("Stopped")
	s.types("fg")
	s.row("new", "late.example.test")
	s.keys("q")
	s.sees("quit, no file")
	s.keys("n")
	s.sees("is kept")
}
