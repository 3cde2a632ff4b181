package lxd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// sound fails unless the network and the one dnsmasq that serves it are as they
// were.
func sound(t *testing.T, d *lxdtest.Daemon, bridge string, raw string) {
	t.Helper()
	if got := d.Config(bridge); strings.TrimSpace(got) != strings.TrimSpace(raw) {
		t.Errorf("dnsmasq was told %q, want %q", got, raw)
	}
	if pids := d.Dnsmasqs(bridge); len(pids) != 1 {
		t.Errorf("bridge %s is served by processes %v, want one", bridge, pids)
	}
}

// A dnsmasq that LXD doesn't know of holds port 53, so that LXD can't start
// another one: that is ended, by who takes the bridge and by who gives it back.
func TestDnsmasqThatLXDHasLost(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	before := network(t, bridge)
	lose := func(how func(string)) {
		d.Kill()
		how(bridge)
		d.Start()
		if pids := d.Dnsmasqs(bridge); len(pids) != 1 {
			t.Fatalf("bridge %s is served by %v, so that this test shows nothing", bridge, pids)
		}
	}
	lose(d.Lose)
	s := lxdtest.Server(t)
	l := lease(t, s, bridge)
	name, send := l.Canary(t.Context())
	appears(t, l.LogPath(), name, send)
	lose(d.Lose)
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	sameNetwork(t, before, network(t, bridge))
	sound(t, d, bridge, lxdtest.Raw(t))

	for _, how := range []func(string){d.Lose, d.Tear} {
		killedHolder(t, bridge)
		lose(how)
		restored, err := s.Restore(t.Context(), bridge, false)
		if err != nil || len(restored) != 1 {
			t.Errorf("restored %v, %v", restored, err)
		}
		sameNetwork(t, before, network(t, bridge))
		sound(t, d, bridge, lxdtest.Raw(t))
	}
	lose(d.Tear)
	l = lease(t, s, bridge)
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	sameNetwork(t, before, network(t, bridge))
	sound(t, d, bridge, lxdtest.Raw(t))
}

// Whenever LXD is killed while the lease is taken or given back, and is back a
// second later, the bridge is in the end what it was, in LXD's database and in
// what dnsmasq runs with.
func TestLXDKilledInAChange(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	before := network(t, bridge)
	s := lxdtest.Server(t)
	const step = 150 * time.Millisecond // what takes the lease takes some 800, what gives it back 700
	for n := range 12 {
		at := time.Duration(n/2) * step
		var l *lxd.Lease
		done := make(chan error, 1)
		if giving := n%2 == 1; giving {
			l = lease(t, s, bridge)
			go func() { done <- l.Release(t.Context()) }()
		} else {
			go func() {
				var err error
				l, err = s.Lease(t.Context(), bridge)
				done <- err
			}()
		}
		time.Sleep(at) // the instant is what this test is about
		d.Kill()
		d.Start()
		err := <-done
		if err != nil && strings.ContainsAny(err.Error(), "\x00") {
			t.Errorf("killed at %v it said %q", at, err)
		}
		if l != nil {
			if err := l.Release(t.Context()); err != nil {
				t.Errorf("killed at %v: %v", at, err)
			}
		}
		sameNetwork(t, before, network(t, bridge))
		sound(t, d, bridge, lxdtest.Raw(t))
		if t.Failed() {
			t.Fatalf("killed at %v, in turn %d: %v", at, n, err)
		}
	}
}

// Where LXD stays away, the bridge is said not to be as it was, with what to do.
func TestLXDThatStaysAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	before := network(t, bridge)
	s := lxdtest.Server(t)
	l := lease(t, s, bridge)
	d.Kill()
	late, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := l.Release(late)
	if err == nil || !strings.HasPrefix(err.Error(), "bridge "+bridge+" is not as it was: ") || !strings.HasSuffix(err.Error(), "start LXD, then run lxd-allowlist restore "+bridge) || strings.Contains(err.Error(), "unix.socket") {
		t.Errorf("it said %v", err)
	}
	if _, err := lxd.Connect(t.Context(), ""); !errors.Is(err, lxd.ErrStopped) {
		t.Errorf("the connection said %v", err)
	}
	late2 := make(chan error, 1)
	go func() {
		s, err := lxd.ConnectLate(t.Context(), "")
		if err == nil {
			s.Close()
		}
		late2 <- err
	}()
	d.Start()
	if err := <-late2; err != nil {
		t.Errorf("waiting for LXD said %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	sameNetwork(t, before, network(t, bridge))
}

// launchVariable names the network that this test binary, run again, launches
// an instance on.
const launchVariable = "LXD_ALLOWLIST_TEST_LAUNCH"

func launch(network string) {
	s, err := lxd.Connect(context.Background(), "")
	name := ""
	if err == nil {
		name, err = s.Launch(context.Background(), lxdtest.Image, network, func(string, float64) {})
	}
	fmt.Println(name, err)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// killedLauncher launches an instance in a process that is killed then.
func killedLauncher(t *testing.T, network string) (name string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), launchVariable+"="+network)
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_ = c.Process.Kill()
	_ = c.Wait() // it was killed
	name, ok := strings.CutSuffix(line, " <nil>\n")
	if err != nil || !ok {
		t.Fatalf("the launcher said %q, %v", line, err)
	}
	return name
}

// What a killed run launched is found by its keys, told of and removed; what a
// living one launched is left alone, and so is what others made.
func TestLaunchedByAKilledRun(t *testing.T) {
	lxdtest.NewDaemon(t) // where nobody else tidies up
	s, bridge, other := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Bridge(t)
	theirs := lxdtest.Instance(t, bridge)
	living, err := s.Launch(bounded(t), lxdtest.Image, bridge, func(string, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Remove(context.Background(), living) })
	left, wanted := killedLauncher(t, bridge), killedLauncher(t, bridge)

	for name, want := range map[string]bool{theirs: false, living: false, wanted: true} {
		if adopted, err := s.Adopt(t.Context(), name); err != nil || adopted != want {
			t.Errorf("%s: adopted %v, %v", name, adopted, err)
		}
	}
	if restored, err := s.Restore(t.Context(), other, false); err != nil || len(restored) != 0 {
		t.Errorf("on another network: %v, %v", restored, err)
	}
	restored, err := s.Restore(bounded(t), bridge, false)
	if err != nil || len(restored) != 1 || restored[0] != (lxd.Restored{Instance: left}) || !strings.Contains(restored[0].String(), left) {
		t.Errorf("restored %v, %v", restored, err)
	}
	removed, err := s.RemoveLeft(bounded(t))
	if err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
	for name, there := range map[string]bool{theirs: true, living: true, wanted: true, left: false} {
		if _, err := s.Instance(t.Context(), name); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %v", name, err, there)
		}
	}
	if err := s.Remove(bounded(t), wanted); err != nil {
		t.Error(err)
	}
}
