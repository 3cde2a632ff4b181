package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The start lists what there is, says who is at work, and opens what is typed;
// a session that was killed is gone on with from there.
func TestStart(t *testing.T) {
	bridge, instance, _ := fixture(t)
	s := open(t, 120, 40)
	s.sees("Instances", instance, "running", bridge, "198.18.", "up ", "Sessions", "none is kept yet", "Images")
	t.Log("\n" + s.text())
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
	s.sees("▌")
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

// Suspended, the program stops and leaves the terminal as it was; what is asked
// meanwhile is there when it goes on.
func TestSuspend(t *testing.T) {
	_, instance, _ := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("(sleep 3; nslookup late.example.test) >/dev/null &")
	s.keys("C-]")
	s.sees("▌")
	s.keys("C-z")
	pid := strings.TrimSpace(command(t, "pgrep", "-s", s.pid, "lxd-allowlist"))
	s.until("a stopped program", func(string) bool {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		return err == nil && strings.Contains(string(status), "T (stopped)")
	})
	s.until("the terminal as it was", func(screen string) bool { return !strings.Contains(screen, instance) })
	command(t, "kill", "-CONT", "--", "-"+s.pid)
	s.row("new", "late.example.test")
	s.quits()
}

func command(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", words, err, out)
	}
	return string(out)
}
