package live_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// nothingToRestore fails the test if restore finds anything.
func nothingToRestore(t *testing.T) {
	t.Helper()
	if done, err := lxdtest.Server(t).Restore(t.Context(), "", false); err != nil || len(done) != 0 {
		t.Errorf("restore had something to do: %v, %v", done, err)
	}
}

// An instance that is deleted in mid-session, and then its bridge: each is said,
// what was asked for stays, and there is nothing to give back.
func TestInstanceAndBridgeAreDeleted(t *testing.T) {
	lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance, Watches: live.Watches()})
	ask(t, s, "a.example.test")
	shell, err := s.Shell(t.Context(), "", 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(shell)
	if _, err := output.ReadString('$'); err != nil { // the prompt: LXD's client waits for its end now
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, output) }() // without a reader it has no end
	if err := lxdtest.Server(t).Remove(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if _, err := shell.Wait(); err == nil || !strings.Contains(err.Error(), "the instance was ") {
		t.Errorf("the shell ended with %v", err)
	}
	said(t, s, "instance "+instance+" was deleted or renamed: ")
	if why := s.Unheard(t.Context()); why != "the instance was deleted or renamed" {
		t.Errorf("why nothing is heard: %s", why)
	}
	if s.Err() != nil || s.Logging().Problem != "" {
		t.Errorf("the capture: %v, %+v", s.Err(), s.Logging())
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)

	instance = lxdtest.Instance(t, bridge)
	s = start(t, live.Config{Instance: instance})
	ask(t, s, "b.example.test")
	if err := lxdtest.Server(t).Remove(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if err := lxdtest.Client(t).DeleteNetwork(bridge); err != nil {
		t.Fatal(err)
	}
	said(t, s, "queries are not logged: bridge "+bridge+" was deleted: there is nothing to give back")
	if list := s.Ledger.List(false); len(list.Rules) != 1 || list.Rules[0].Name != "b.example.test" {
		t.Errorf("the list is %v", list.Rules)
	}
	if err := s.Repair(t.Context()); err == nil || !strings.Contains(err.Error(), "see lxc network list") {
		t.Errorf("the repair ended with %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	nothingToRestore(t)
}

// A dnsmasq that is killed while LXD runs is noticed though nobody asks; LXD
// starts it anew where queries are to be logged again, and at the end.
func TestDnsmasqIsKilled(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before, config := lxdtest.Network(t, bridge), d.Config(bridge)
	s := start(t, live.Config{Instance: instance})
	s.AwaitSilence(t.Context(), 2*time.Second) // longer than it may be unnoticed
	killed := time.Now()
	killDnsmasq(t, d, bridge)
	said(t, s, "queries are not logged: the dnsmasq of bridge "+bridge+" has ended")
	if since := s.Logging().Since; since.Before(killed.Add(-time.Second)) {
		t.Errorf("it was noticed by silence alone: there is a gap since %v, it was killed at %v", since, killed)
	}
	if err := s.Repair(t.Context()); err != nil {
		t.Error(err)
	}
	said(t, s, "queries are logged again")
	ask(t, s, "a.example.test")
	s.Ledger.Read(func(r capture.Reader) {
		if _, ok := r.Lookup("a.example.test"); !ok || len(r.Gaps()) != 1 || !strings.Contains(strings.Join(r.Doubts(), "\n"), "queries were not logged from ") {
			t.Errorf("after the repair: asked %v, gaps %v, doubts %q", ok, r.Gaps(), r.Doubts())
		}
	})
	killDnsmasq(t, d, bridge)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)
	if pids := d.Dnsmasqs(bridge); len(pids) != 1 || d.Config(bridge) != config {
		t.Errorf("the bridge has the dnsmasqs %v with %q, want one with %q", pids, d.Config(bridge), config)
	}
	nothingToRestore(t)
}

// A capture that ends with a list in force waits for an LXD that is restarting,
// so that neither the bridge nor the instance keeps anything.
func TestEndOfAListWhileLXDIsAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	if _, err := s.Enforce(t.Context(), verify.Strict); err != nil {
		t.Fatal(err)
	}
	d.Kill()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(t.Context()) }()
	select {
	case err := <-stopped:
		t.Errorf("it didn't wait for LXD: %v", err)
		stopped <- nil
	case <-time.After(2 * time.Second): // it would have tried by then
	}
	d.Start()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)
	if left, err := lxdtest.Server(t).LeftEnforced(t.Context(), true); err != nil || len(left) != 0 {
		t.Errorf("on the instance there is still %v, %v", left, err)
	}
	nothingToRestore(t)
}
