package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// LXD hangs, and takes connections all the same: that is said, the screen goes on
// and takes keys, and the end, which waits for it, says so, and then what to do. A
// command that waits for it can be interrupted, or goes on when LXD does.
func TestLXDHangs(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	config := d.Config(bridge)
	defer d.Thaw() // before all that the test has made is taken away
	s := open(t, 260, 40, instance, "--output", "list.txt")
	s.sees("~$")
	d.Freeze()
	d.Inside(instance, "nslookup", "hung.example.test")
	s.row("new", "hung.example.test")
	s.sees("LXD doesn't answer: it was stopped, or is restarting", "to open it again")
	s.keys("q")
	s.sees("write and quit")
	s.keys("Enter")
	s.sees("giving the bridge back: waiting for LXD, which is away, hangs or is busy")
	s.exits(1)
	s.sees("bridge "+bridge+" is not as it was: ", "restart LXD if it hangs, then run lxd-allowlist restore "+bridge)
	if raw := rawWords.FindString(s.text()); raw != "" {
		t.Errorf("it ends with %q", raw)
	}
	if got, want := s.file("list.txt"), "hung.example.test\n"; got != want {
		t.Errorf("the list has %q, want %q", got, want)
	}
	for _, waits := range []struct {
		args []string
		then func(*exec.Cmd)
		code int
	}{
		{[]string{"record", instance, "--", "true"}, func(c *exec.Cmd) { _ = c.Process.Signal(os.Interrupt) }, 1},
		{[]string{"restore", bridge}, func(*exec.Cmd) { d.Thaw() }, 0},
	} {
		c := exec.Command(program, waits.args...)
		stderr, err := c.StderrPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			said += lines.Text() + "\n"
			if strings.HasSuffix(lines.Text(), "connecting: waiting for LXD, which is away, hangs or is busy") {
				waits.then(c)
			}
		}
		if _ = c.Wait(); c.ProcessState.ExitCode() != waits.code {
			t.Errorf("%q: %v, want exit code %d; it said\n%s", waits.args, c.ProcessState, waits.code, said)
		}
	}
	unchanged(t, d, bridge, instance, config, before)
}
