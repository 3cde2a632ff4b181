package cli

import (
	"bytes"
	"errors"
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

var killCount = flag.Int("kills", 30, "how often TestKilledAnywhere kills the program")

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
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	and()
	<-over
	return true
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
	kinds := []struct {
		name string
		args []string
		and  func()
		long time.Duration // how long it takes
	}{
		{"record", append([]string{"record", instance}, command...), func() {}, 0},
		{"record --launch", append([]string{"record", "--launch", lxdtest.Image, "--network", bridge}, command...), func() {}, 0},
		{"record, with LXD", append([]string{"record", instance}, command...), func() { d.Kill(); d.Start() }, 0},
	}
	for i := range kinds {
		begin := time.Now()
		if _, stderr, code := run(t, start(t, kinds[i].args...)); code != 0 {
			t.Fatalf("%s: exit code %d: %s", kinds[i].name, code, stderr)
		}
		kinds[i].long = time.Since(begin)
	}
	killed, restored := 0, 0
	for n := 0; killed < *killCount; n++ {
		k := kinds[n%len(kinds)]
		after := rand.N(k.long)
		c := start(t, k.args...)
		if !killedAfter(t, c, after, k.and) {
			continue
		}
		killed++
		_, stderr, code := run(t, start(t, "restore"))
		if code != 0 {
			t.Errorf("restore: exit code %d", code)
		}
		if !strings.Contains(stderr, "nothing to put back") {
			restored++
		}
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
		list, err := os.ReadFile(filepath.Join(c.Dir, "list.txt"))
		if err == nil && !bytes.Equal(list, []byte("a.example.test\n")) || err != nil && !os.IsNotExist(err) {
			t.Errorf("the list has %q, %v", list, err)
		}
		if t.Failed() {
			t.Fatalf("%s, killed after %v, kill %d; restore said:\n%s", k.name, after, killed, stderr)
		}
	}
	t.Logf("%d kills: nothing lost, nothing left behind; restore had something to undo %d times", killed, restored)
}
