package lxd_test

import (
	"context"
	"errors"
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
	lose := func() {
		d.Kill()
		d.Lose(bridge)
		d.Start()
		if pids := d.Dnsmasqs(bridge); len(pids) != 1 {
			t.Fatalf("bridge %s is served by %v, so that this test shows nothing", bridge, pids)
		}
	}
	lose()
	s := lxdtest.Server(t)
	l := lease(t, s, bridge)
	name, send := l.Canary(t.Context())
	appears(t, l.LogPath(), name, send)
	lose()
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	sameNetwork(t, before, network(t, bridge))
	sound(t, d, bridge, lxdtest.Raw(t))

	killedHolder(t, bridge)
	lose()
	restored, err := s.Restore(t.Context(), bridge, false)
	if err != nil || len(restored) != 1 {
		t.Errorf("restored %v, %v", restored, err)
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
