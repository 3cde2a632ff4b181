package live_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/witness"
)

// scripted is a source that tells what a test says.
type scripted struct {
	mu    sync.Mutex
	to    witness.Sink
	state func(string)
	of    live.Place
	err   error
}

func (s *scripted) watch(run context.Context, of live.Place, to witness.Sink, state func(string)) (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to, s.state, s.of = to, state, of
	return run.Done(), s.err
}

// What a witness tells joins with dnsmasq's log of a real bridge, and a
// capture says since when and how far it was watched.
func TestWitnessJoinsTheLog(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	server, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	who, wire := &scripted{}, &scripted{}
	s := start(t, live.Config{Instance: instance, Watches: map[witness.Source]live.Watch{witness.Wire: wire.watch, witness.Who: who.watch}})
	if pid, err := who.of.InitPID(t.Context()); err != nil || pid <= 1 {
		t.Errorf("the first process is %d, %v", pid, err)
	}
	if host, err := wire.of.Interface(t.Context()); err != nil || host == "" {
		t.Errorf("the interface is %q, %v", host, err)
	}
	ask(t, s, "a.example.test")
	me, there := netip.MustParseAddrPort("10.9.9.9:5000"), netip.MustParseAddrPort("192.0.2.1:443")
	curl := &witness.Process{Host: 77, Comm: "curl", Exe: "/usr/bin/curl"}
	who.to.Query(witness.Query{At: time.Now(), Name: "a.example.test", Type: "A", From: me, Server: netip.AddrPortFrom(netip.MustParseAddr(server), 53), Protocol: "udp", Process: curl})
	wire.to.Connection(witness.Connection{At: time.Now(), From: me, To: there, Protocol: "tcp"})
	who.to.Connection(witness.Connection{At: time.Now(), From: me, To: there, Protocol: "tcp", Process: curl})
	look(t, s, "the process and the bare address", func(r capture.Reader) bool {
		ways, _, _ := r.Bypasses()
		return len(r.By("a.example.test")) == 1 && len(ways) == 1 && ways[0].Kind == witness.Bare && len(r.Programs(ways[0].Actors)) == 1
	})
	s.Ledger.Read(func(r capture.Reader) {
		if w := r.Watch(); !w.Whole() || w.String() != "watched all the time" {
			t.Errorf("it was watched %q: %+v", w, w)
		}
	})
	wire.state("the instance restarted")
	wire.state("")
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	s.Ledger.Read(func(r capture.Reader) {
		if w := r.Watch(); w.Whole() || len(w.Off) != 1 || w.Off[0].Why != "the instance restarted" || !w.Over {
			t.Errorf("in the end it was watched %q: %+v", w, w)
		}
	})
}

// Who can't see doesn't keep a capture from running, and that is said once.
func TestWitnessThatCannotSee(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	who, wire := &scripted{err: errors.New("no eBPF here")}, &scripted{}
	s := start(t, live.Config{Instance: instance, Watches: map[witness.Source]live.Watch{witness.Wire: wire.watch, witness.Who: who.watch}})
	said(t, s, "watched in part: no eBPF here")
	ask(t, s, "a.example.test")
	s.Ledger.Read(func(r capture.Reader) {
		if w := r.Watch(); !w.Whole() || w.On.Has(capture.Processes) {
			t.Errorf("it is watched %q: %+v", w, w)
		}
	})
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for n := range s.Notices() {
		t.Errorf("it also said %q", n)
	}
}

// The whole: what an instance does on a real bridge is told with its process,
// its port, and what went round; a restart leaves a gap that is said.
func TestWitness(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	gateway, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	s := start(t, live.Config{Instance: instance, Watches: live.Watches()})
	ask(t, s, "a.example.test")
	lxdtest.Run(t, instance, "sh", "-c", "nslookup b.example.test 192.0.2.53 & nc -w 1 "+gateway+" 81; wait")
	look(t, s, "the asker and the ways round", func(r capture.Reader) bool {
		ways, _, _ := r.Bypasses()
		kinds := make(map[witness.Kind]bool)
		for _, w := range ways {
			kinds[w.Kind] = len(w.Actors) > 0
		}
		return len(r.By("a.example.test")) == 1 && kinds[witness.Bare] && kinds[witness.Resolver]
	})
	s.Ledger.Read(func(r capture.Reader) {
		ways, _, _ := r.Bypasses()
		for _, w := range ways {
			t.Logf("%v %s %v by %v ×%d", w.Kind, w.Place(), w.Names, r.Programs(w.Actors), w.Count)
		}
		if w := r.Watch(); !w.Whole() {
			t.Errorf("it was watched %q: %+v", w, w)
		}
	})
	lxdtest.Stop(t, instance)
	look(t, s, "the gap", func(r capture.Reader) bool { return !r.Watch().On.Has(capture.Packets) })
	lxdtest.Start(t, instance)
	look(t, s, "it is back", func(r capture.Reader) bool { return r.Watch().On.Has(capture.Packets) && len(r.Watch().LostWho) == 1 })
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	s.Ledger.Read(func(r capture.Reader) { t.Logf("it was watched %q", r.Watch()) })
}
