package cli

import (
	"bytes"
	"cmp"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd/lxdtest"
)

var killCount = flag.Int("kills", 0, "how often each test that kills the program at random instants does so; 0 for as often as the test says")

// killedAfter runs the program and kills it after a while, unless it is over by
// then.
func killedAfter(t *testing.T, c *exec.Cmd, after time.Duration, and func()) (killed bool) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	select {
	case <-over:
		return false
	case <-time.After(after):
	}
	kill(t, c)
	if and != nil {
		and()
	}
	<-over
	return true
}

// call is a call of the program that is killed.
type call struct {
	args []string
	code int    // the exit code if nobody kills it
	and  func() // is done with the kill; nil for nothing
	// as makes the command of it and of what restores; nil for [start].
	as func(args ...string) *exec.Cmd
}

func (c call) start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if c.as != nil {
		return c.as(args...)
	}
	return start(t, args...)
}

// killAnywhere kills each of the calls in turn at a random instant of the time
// that it takes, and restores with that call, which leaves other tests' bridges
// alone: as often as usual says, or -kills. Check is called with the directory
// that the call ran in after each.
func killAnywhere(t *testing.T, restore []string, usual int, calls []call, check func(dir string)) {
	t.Helper()
	lasts := make([]time.Duration, len(calls))
	for i, c := range calls {
		begin := time.Now()
		if _, stderr, code := run(t, c.start(t, c.args...)); code != c.code {
			t.Fatalf("%q: exit code %d, want %d: %s", c.args, code, c.code, stderr)
		}
		lasts[i] = time.Since(begin)
	}
	killed, restored := 0, 0
	for n := 0; killed < cmp.Or(*killCount, usual); n++ {
		call, after := calls[n%len(calls)], rand.N(lasts[n%len(calls)])
		c := call.start(t, call.args...)
		if !killedAfter(t, c, after, call.and) {
			continue
		}
		killed++
		_, stderr, code := run(t, call.start(t, restore...))
		if code != 0 {
			t.Errorf("restore: exit code %d", code)
		}
		if !strings.Contains(stderr, "nothing to put back") {
			restored++
		}
		if check(c.Dir); t.Failed() {
			t.Fatalf("%q, killed after %v, kill %d; restore said:\n%s", call.args, after, killed, stderr)
		}
	}
	t.Logf("%d kills: nothing lost, nothing left behind; restore had something to undo %d times", killed, restored)
}

// Killed at any instant, alone or together with LXD, the program leaves nothing
// behind that restore doesn't undo: the bridge is byte for byte what it was, in
// LXD's database and for dnsmasq, no instance of ours is there, and a list is
// whole or not there.
func TestKilledAnywhere(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	config := d.Config(bridge)
	command := []string{"--settle", "100ms", "--output", "list.txt", "--", "nslookup", "a.example.test"}
	calls := []call{
		{args: append([]string{"record", instance}, command...)},
		{args: append([]string{"record", "--launch", lxdtest.Image, "--network", bridge}, command...)},
		{args: append([]string{"record", instance}, command...), and: func() { d.Kill(); d.Start() }},
	}
	killAnywhere(t, []string{"restore"}, 20, calls, func(dir string) {
		lxdtest.Unchanged(t, bridge, before)
		if got := d.Config(bridge); got != config {
			t.Errorf("dnsmasq was told %q, want %q", got, config)
		}
		if pids := d.Dnsmasqs(bridge); len(pids) != 1 {
			t.Errorf("the bridge is served by processes %v", pids)
		}
		if names, err := lxdtest.Client(t).GetInstanceNames(api.InstanceTypeAny); err != nil || len(names) != 1 || names[0] != instance {
			t.Errorf("there are instances %v, %v, want %s alone", names, err, instance)
		}
		list, err := os.ReadFile(filepath.Join(dir, "list.txt"))
		if err == nil && !bytes.Equal(list, []byte("a.example.test\n")) || err != nil && !os.IsNotExist(err) {
			t.Errorf("the list has %q, %v", list, err)
		}
	})
}
