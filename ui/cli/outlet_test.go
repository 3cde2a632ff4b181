package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// onTerminal runs the program with a terminal of its own as its outputs, and
// returns what that was sent, and the exit code.
func onTerminal(t *testing.T, args ...string) (sent string, code int) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	if err := unix.IoctlSetPointerInt(int(outer.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(outer.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, args...)
	c.Stdout, c.Stderr = inner, inner
	err = c.Start()
	inner.Close()
	if err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(outer) // it ends with an error when nobody holds the inner end
	_ = c.Wait()
	return string(all), c.ProcessState.ExitCode()
}

// A command's output reaches a terminal as text, colours and moves within a line.
func TestHostileOutput(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	allow := list(t, "a.example.test")
	script := `printf '\033]52;c;aGk=\007\033]2;title\007\033[c\033[?1049h\033[32mout\n'; printf '\033[c\033[31merr\n' >&2; nslookup a.example.test >/dev/null; `
	for _, test := range []struct {
		args []string
		code int
	}{
		{[]string{"record", "--output", filepath.Join(t.TempDir(), "list"), instance, "--", "sh", "-c", script + "exit 3"}, 3},
		{[]string{"verify", instance, allow, "--", "sh", "-c", script}, 0},
		{[]string{"minimize", instance, allow, "--", "sh", "-c", script + "exit 3"}, exitFailed},
	} {
		sent, code := onTerminal(t, test.args...)
		if code != test.code || !strings.Contains(sent, "\x1b[32mout\r\n") || !strings.Contains(sent, "\x1b[31merr\r\n") {
			t.Errorf("%v: exit code %d, the terminal shows\n%q", test.args, code, sent)
		}
		if all := regexp.MustCompile(`\x1b([^\[]|\[[0-9;]*[^0-9;mKCDG]).{0,20}|\x07`).FindAllString(sent, -1); len(all) > 0 {
			t.Errorf("%v: the terminal is sent %q", test.args, all)
		}
	}
}

// What isn't a terminal gets a command's output as it came.
func TestOutletOfAPipe(t *testing.T) {
	_, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if w, _ := outlet(pipe); w != io.Writer(pipe) {
		t.Errorf("a pipe is written to by way of %T", w)
	}
}
