package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// asProgram makes the test's binary be the program.
const asProgram = "LXD_ALLOWLIST_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		crash.Inject = injector(os.Getenv(panicIn))
		os.Exit(Main("unreleased"))
	}
	os.Exit(m.Run())
}

// start returns the program, ready to be run in a directory of its own.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), asProgram+"=1", "XDG_STATE_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	return c
}

// run runs the program to its end.
func run(t *testing.T, c *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func TestRecord(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	// The last query comes when the command is over.
	script := "echo to-stdout; nslookup b.example.test >/dev/null; nslookup a.example.test >/dev/null; (sleep 0.3; nslookup late.example.test) >/dev/null 2>&1 & exit 3"
	stdout, stderr, code := run(t, start(t, "record", instance, "--", "sh", "-c", script))
	if want := "a.example.test\nb.example.test\nlate.example.test\n"; stdout != want {
		t.Errorf("standard output has %q, want %q", stdout, want)
	}
	if code != 3 {
		t.Errorf("exit code %d, want the command's 3", code)
	}
	if !strings.Contains(stderr, "to-stdout\n") {
		t.Errorf("the command's output is not on standard error: %q", stderr)
	}
	lxdtest.Unchanged(t, bridge, before)

	c := start(t, "record", instance, "--format", "squid", "--output", "allow.txt", "--", "sh", "-c", "echo hello; nslookup a.example.test >/dev/null")
	stdout, stderr, code = run(t, c)
	if stdout != "hello\n" || code != 0 {
		t.Errorf("with --output: standard output has %q, exit code %d; standard error %s", stdout, code, stderr)
	}
	file, err := os.ReadFile(filepath.Join(c.Dir, "allow.txt"))
	if err != nil || !strings.Contains(string(file), "\na.example.test\n") {
		t.Errorf("the file has %q, %v", file, err)
	}
	lxdtest.Unchanged(t, bridge, before)
	_, after, found := strings.Cut(stderr, "lxd-allowlist: session ")
	name, _, kept := strings.Cut(after, " is kept: lxd-allowlist open "+strings.Fields(after + " ?")[0]+" prunes it, and lxd-allowlist verify "+instance+" "+strings.Fields(after + " ?")[0]+" -- COMMAND proves it\n")
	again := start(t, "export", name)
	again.Env = c.Env
	if stdout, _, code := run(t, again); !found || !kept || code != 0 || stdout != "a.example.test\n" {
		t.Errorf("it said %q; exported again: exit code %d, %q", stderr, code, stdout)
	}
}

// A capture that ends by itself leaves a list that is incomplete: that is said
// at once and in the exit code, though the command went well.
func TestRecordOfACaptureThatEnds(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c := start(t, "record", instance, "--", "sh", "-c", "nslookup a.example.test >/dev/null; echo running; cat")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(os.Getenv("LXD_DIR"), "logs", "dnsmasq."+bridge+".log")
	said := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		switch {
		case lines.Text() == "running":
			if err := errors.Join(os.Rename(log, log+".away"), os.Mkdir(log, 0o755)); err != nil {
				t.Fatal(err)
			}
		case strings.Contains(lines.Text(), "the list is incomplete"):
			if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			stdin.Close()
		}
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %v and said:\n%s", err, said)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// Nothing heard is an error with its likely cause, and writes nothing.
func TestRecordHearsNothing(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "record", instance, "--overwrite", "--output", "allow.txt", "--", "sh", "-c", "echo nameserver 192.0.2.53 > /etc/resolv.conf")
	path := filepath.Join(c.Dir, "allow.txt")
	if err := os.WriteFile(path, []byte("a.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, c)
	c = &exec.Cmd{Path: c.Path, Args: []string{c.Path, "sessions"}, Dir: c.Dir, Env: c.Env}
	if table, _, code := run(t, c); code != 0 || table != "" {
		t.Errorf("it left a session, or exit code %d:\n%s", code, table)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "a.example\n" || code != 1 || stdout != "" || !strings.Contains(stderr, "names 192.0.2.53, which is not the dnsmasq") {
		t.Errorf("exit code %d, standard error %q, the list has %q, %v", code, stderr, data, err)
	}
}

// recording starts a record that doesn't end by itself and returns when its
// command runs, with what it said until then.
func recording(t *testing.T, instance string) (c *exec.Cmd, said string) {
	t.Helper()
	c = start(t, "record", instance, "--settle", "0s", "--", "sh", "-c", "echo running; exec sleep 3600")
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if lines.Text() == "running" {
			go io.Copy(io.Discard, stderr)
			return c, said
		}
		said += lines.Text() + "\n"
	}
	t.Fatalf("record ended before its command ran: %v; it said:\n%s", c.Wait(), said)
	return nil, ""
}

func TestSignals(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		c, _ := recording(t, instance)
		if reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
			t.Errorf("%v: the bridge was not changed, so there is nothing to see", sig)
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err == nil {
			t.Errorf("%v: exit code 0", sig)
		}
		lxdtest.Unchanged(t, bridge, before)
	}
}

func TestRestoreAfterKill(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c, said := recording(t, instance)
	if h := kill(t, c); len(h.Links) == 0 || len(h.Programs) == 0 || len(h.Maps) == 0 || len(h.Packets) == 0 {
		t.Errorf("it watched nothing, or in part: %+v; it said:\n%s", h, said)
	}
	c.Wait()
	if reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
		t.Fatal("nothing was left behind, so there is nothing to restore")
	}
	_, stderr, code := run(t, start(t, "record", instance, "--", "true"))
	if code != 1 || !strings.Contains(stderr, "lxd-allowlist restore "+bridge) {
		t.Errorf("record on it: exit code %d, %q, want a word on restore", code, stderr)
	}
	_, stderr, code = run(t, start(t, "restore", bridge))
	if code != 0 || !strings.Contains(stderr, "as it was before") {
		t.Errorf("restore: exit code %d, %q", code, stderr)
	}
	lxdtest.Unchanged(t, bridge, before)
	if _, stderr, code = run(t, start(t, "restore", bridge)); code != 0 || !strings.Contains(stderr, "nothing to put back") {
		t.Errorf("restore again: exit code %d, %q", code, stderr)
	}
}

// A recording that is interrupted before anything was asked for says nothing of
// a session that it doesn't leave.
func TestRecordIsInterruptedBeforeAnything(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "record", instance, "--", "sh", "-c", "echo running; exec sleep 3600")
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	told := bufio.NewScanner(out)
	hears(t, told, "running")
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	said := ""
	for told.Scan() {
		said += told.Text() + "\n"
	}
	if c.Wait(); c.ProcessState.ExitCode() == 0 || strings.Contains(said, "is kept") {
		t.Errorf("exit code %d; it said\n%s", c.ProcessState.ExitCode(), said)
	}
	list := start(t, "sessions")
	list.Env = c.Env
	if stdout, _, _ := run(t, list); strings.Contains(stdout, instance) {
		t.Errorf("it leaves a session:\n%s", stdout)
	}
}
