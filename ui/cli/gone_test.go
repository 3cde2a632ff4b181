package cli

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// A list stays in force while LXD is away, by the packet filter and by the
// bridge's dnsmasq. The end waits for LXD, is proven then, and leaves nothing;
// who doesn't wait has restore.
func TestVerifyWhileLXDIsAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := setRaw(t, bridge, ownRaw(t))
	config := d.Config(bridge)
	// ends has a list in force that LXD is killed under, and ends it then.
	ends := func(t *testing.T, c *exec.Cmd, meanwhile func()) {
		t.Helper()
		told := inForce(t, c)
		d.Kill()
		d.Inside(instance, "sh", "-c", "! nslookup b.example.test")
		hears(t, told, "blocked: A b.example.test")
		_ = c.Process.Signal(syscall.SIGINT)
		hears(t, told, "LXD doesn't answer: it was stopped, or is restarting; waiting for it, and the list stays in force")
		meanwhile()
		d.Start()
		for told.Scan() {
		}
		_ = c.Wait()
	}
	clean := func(t *testing.T) {
		t.Helper()
		lxdtest.Unchanged(t, bridge, before)
		if now := d.Config(bridge); now != config {
			t.Errorf("dnsmasq was told %q, want %q", now, config)
		}
		nothingLeft(t, instance)
		if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
			t.Errorf("afterwards a look-up ended with %d", code)
		}
	}
	ended := func(t *testing.T, c *exec.Cmd, r verify.Report) {
		t.Helper()
		if code := c.ProcessState.ExitCode(); code != exitFailed || !r.Proven() || strings.Join(blocked(r), " ") != "b.example.test" {
			t.Errorf("exit code %d, %+v", code, r)
		}
		clean(t)
	}
	t.Run("by the packet filter", func(t *testing.T) {
		c := start(t, "verify", "--report", "report.json", instance, list(t, "a.example.test"))
		ends(t, c, func() {})
		ended(t, c, reportOf(t, c))
	})
	t.Run("by the bridge", func(t *testing.T) {
		verifies, report := memberVerifies(t, "a.example.test\n")
		c := verifies(instance, "allow.txt")
		ends(t, c, func() {})
		ended(t, c, report())
	})
	t.Run("not waited for", func(t *testing.T) {
		c := start(t, "verify", instance, list(t, "a.example.test"))
		ends(t, c, func() { _ = c.Process.Kill() })
		if _, stderr, code := run(t, start(t, "restore")); code != 0 || !strings.Contains(stderr, "instance "+instance+" has no list enforced any more") {
			t.Errorf("restore ends with %d: %s", code, stderr)
		}
		clean(t)
	})
}

// A recording whose instance is deleted ends, says so, and tells where what was
// heard until then is.
func TestRecordOfADeletedInstance(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c := start(t, "record", instance, "--", "sh", "-c", "nslookup a.example.test; echo it has asked; sleep 1000")
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	told := bufio.NewScanner(out)
	hears(t, told, "it has asked")
	if err := lxdtest.Server(t).Remove(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	hears(t, told, "; no list was written, and the session is kept: lxd-allowlist export ")
	session := told.Text()[strings.LastIndexByte(told.Text(), ' ')+1:]
	for told.Scan() {
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() == 0 {
		t.Error("it ended well")
	}
	export := start(t, "export", session)
	export.Env = c.Env
	if stdout, stderr, code := run(t, export); code != 0 || !strings.Contains(stdout, "a.example.test") {
		t.Errorf("the export ends with %d: %s, %s", code, stdout, stderr)
	}
	lxdtest.Unchanged(t, bridge, before)
}
