package e2e

import (
	"testing"
)

// The start lists what there is, says who is at work, and opens what is typed;
// a session that was killed is gone on with from there.
func TestStart(t *testing.T) {
	bridge, instance, _ := fixture(t)
	s := open(t, 120, 40)
	s.sees("Instances", instance, "running", bridge, "198.18.", "up ", "Sessions", "none is kept yet", "Images")
	s.keys("Tab")
	s.types(instance)
	s.sees(instance+" on "+bridge, "~$")
	s.types("nslookup a.example.test >/dev/null")
	s.row("new", "a.example.test")

	other := *s
	other.start(120, 40)
	other.sees(instance, "in use by process ", " since ", "● ")
	t.Log("\n" + other.text())
	other.keys("C-c")
	other.exits(0)

	s.keys("C-]")
	s.keys("q")
	s.sees("write and quit")
	s.keys("Escape", "C-c")
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
