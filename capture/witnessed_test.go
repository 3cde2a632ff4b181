package capture_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
)

var (
	curl = &witness.Process{PID: 7, Host: 700, Comm: "curl", Exe: "/usr/bin/curl", Args: []string{"curl", "a.example"}, User: "root", Parents: []string{"sh"}}
	web  = netip.MustParseAddrPort("192.0.2.1:443")
)

// seen returns a ledger that a.example was asked for in, and its ID.
func seen(t *testing.T) (*capture.Ledger, capture.ID) {
	t.Helper()
	l := capture.NewLedger(capture.Info{Instance: "i"})
	hear(l, "query[A] a.example from 10.0.0.2", "reply a.example is 192.0.2.1")
	var id capture.ID
	l.Read(func(r capture.Reader) { id, _ = r.Lookup("a.example") })
	l.Refresh(func(capture.Reader, []capture.ID) {})
	return l, id
}

func hear(l *capture.Ledger, lines ...string) {
	for _, s := range lines {
		l.Feed([]byte("Nov 28 01:00:00 dnsmasq[1]: "+s+"\n"), time.Now(), false)
	}
}

// What a witness tells is there to be read, wakes the screen and is bounded.
func TestWitnessed(t *testing.T) {
	l, id := seen(t)
	b := l.Book()
	now := time.Now()
	if b.Asked("never.example", curl, now) {
		t.Error("a name that was never asked for is known")
	}
	b.Asked("a.example", curl, now)
	b.Asked("a.example", &witness.Process{PID: 9, Host: 900, Comm: "curl", Exe: "/usr/bin/curl", User: "root", Parents: []string{"sh"}}, now)
	b.Reached(witness.Reach{Names: []string{"a.example"}, To: web, Protocol: "tcp", Spoken: "tls", Server: "other.example", Process: curl, At: now})
	b.Reached(witness.Reach{Names: []string{"a.example", "b.example"}, To: web, Protocol: "tcp", At: now})
	for i := range 100 {
		to := netip.AddrPortFrom(web.Addr(), uint16(1000+i))
		b.Reached(witness.Reach{Names: []string{"a.example"}, To: to, Protocol: "tcp", At: now})
	}
	select {
	case <-l.Wake():
	default:
		t.Error("the screen isn't woken")
	}
	l.Refresh(func(r capture.Reader, changed []capture.ID) {
		if !slices.Equal(changed, []capture.ID{id}) {
			t.Errorf("changed are %v", changed)
		}
		s := r.Witnessed(id)
		if len(s.Actors) != 1 || s.Actors[0].Queries != 2 || s.Actors[0].Connections != 1 {
			t.Errorf("the actors are %+v", s.Actors)
		}
		if p, ok := r.Process(s.Actors[0].Process); !ok || p.PID != 7 {
			t.Errorf("the process is %+v, %v", p, ok)
		}
		if want := (capture.Port{Number: 443, Protocol: "tcp", Spoken: "tls", Count: 1, Maybe: 1}); s.Ports[0] != want {
			t.Errorf("the first port is %+v", s.Ports[0])
		}
		if s.Connections() != 102 || len(s.Ports) != 16 || s.OtherPorts != 85 {
			t.Errorf("%d connections to %d ports, %d to others", s.Connections(), len(s.Ports), s.OtherPorts)
		}
		if len(s.Servers) != 1 || s.Servers[0] != (capture.Named{Name: "other.example", Count: 1}) {
			t.Errorf("the servers are %v", s.Servers)
		}
		if by := r.By("a.example"); !slices.Equal(by, []string{"/usr/bin/curl"}) {
			t.Errorf("asked by %q", by)
		}
	})
}

// Ways round are one row for a place, whatever went there, and bounded.
func TestBypasses(t *testing.T) {
	l, _ := seen(t)
	b := l.Book()
	now := time.Now()
	for i, name := range []string{"", "x.example", "x.example"} {
		b.Bypassed(witness.Bypass{Kind: witness.Bare, To: web, Protocol: "tcp", Name: name, Process: curl, At: now.Add(time.Duration(i) * time.Second)})
	}
	b.Said(witness.Reach{To: web, Protocol: "tcp", Server: "y.example"})
	b.Bypassed(witness.Bypass{Kind: witness.DoT, To: netip.MustParseAddrPort("192.0.2.3:853"), Protocol: "tcp", At: now})
	own := netip.MustParseAddrPort("198.51.100.1:0")
	l.ExpectTo(own.Addr())
	b.Bypassed(witness.Bypass{Kind: witness.Bare, To: own, Protocol: "icmp", At: now})
	<-l.Wake()
	edition := uint64(0)
	l.Read(func(r capture.Reader) {
		var ways []capture.Bypass
		ways, _, edition = r.Bypasses()
		if len(ways) != 2 || ways[0].Kind != witness.DoT || ways[1].Place() != "192.0.2.1:443/tcp" || ways[1].Count != 3 || ways[1].Last.Sub(ways[1].First) != 2*time.Second {
			t.Fatalf("the ways are %+v", ways)
		}
		if got := ways[1].Names; !slices.Equal(got, []capture.Named{{Name: "x.example", Count: 2}, {Name: "y.example", Count: 1}}) {
			t.Errorf("its names are %v", got)
		}
	})
	for i := range 5000 {
		to := netip.AddrPortFrom(web.Addr(), uint16(1000+i))
		b.Bypassed(witness.Bypass{Kind: witness.Bare, To: to, Protocol: "tcp", At: now})
	}
	l.Read(func(r capture.Reader) {
		ways, beyond, now := r.Bypasses()
		if len(ways)+int(beyond) != 5002 || len(ways) != 4096 || now == edition || now != r.BypassEdition() {
			t.Errorf("%d ways and %d beyond, edition %d after %d", len(ways), beyond, now, edition)
		}
	})
}

// "Nothing" is said only of what was watched all the time.
func TestWatch(t *testing.T) {
	both := capture.Packets | capture.Processes
	t0 := time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC)
	later := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		what  string
		do    func(l *capture.Ledger)
		whole bool
		says  string
	}{
		{"never begun", func(*capture.Ledger) {}, false, "not watched"},
		{"no rights", func(l *capture.Ledger) { l.BeginWatch(0, t0, "that takes root", time.Time{}) }, false, "not watched: that takes root"},
		{"all the time", func(l *capture.Ledger) { l.BeginWatch(both, t0, "", time.Time{}) }, true, "watched all the time"},
		{"to the end", func(l *capture.Ledger) { l.BeginWatch(both, t0, "", time.Time{}); l.EndWatch(later(9)) }, true, "watched all the time"},
		{"a VM", func(l *capture.Ledger) { l.BeginWatch(capture.Packets, t0, "it is a VM", time.Time{}) }, true, "watched all the time, packets only: it is a VM"},
		{"calls alone", func(l *capture.Ledger) { l.BeginWatch(capture.Processes, t0, "no ring", time.Time{}) }, false, "watched in part: calls of processes only, no packets: no ring"},
		{"a restart", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.Watching(0, later(5), "it restarted")
			l.Watching(both, later(8), "")
			l.EndWatch(later(20))
		}, false, "watched in part, not from 01:00:05 to 01:00:08: it restarted"},
		{"off now", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.Watching(0, later(5), "it stopped")
		}, false, "watched in part, not since 01:00:05: it stopped"},
		{"off at the end", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.Watching(0, later(5), "it stopped")
			l.EndWatch(later(7))
		}, false, "watched in part, not from 01:00:05 to 01:00:07: it stopped"},
		{"killed", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.BeginWatch(both, later(60), "", later(30))
		}, false, "watched in part, not from 01:00:30 to 01:01:00: the program was killed"},
		{"resumed", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.EndWatch(later(7))
			l.BeginWatch(both, later(60), "", time.Time{})
		}, true, "watched all the time"},
		{"lost", func(l *capture.Ledger) {
			l.BeginWatch(both, t0, "", time.Time{})
			l.Book().Lost(witness.Wire, 3, "the ring was full")
		}, false, "watched in part, 3 events lost"},
	} {
		l := capture.NewLedger(capture.Info{})
		c.do(l)
		l.Read(func(r capture.Reader) {
			if w := r.Watch(); w.Whole() != c.whole || w.String() != c.says {
				t.Errorf("%s: whole %v, %q", c.what, w.Whole(), w)
			}
		})
	}
}

// A name that was only resolved is one that nothing connected to while all was
// watched.
func TestOnlyResolved(t *testing.T) {
	is := func(l *capture.Ledger) (is bool) {
		l.Read(func(r capture.Reader) { id, _ := r.Lookup("a.example"); is = r.OnlyResolved(id) })
		return is
	}
	l, _ := seen(t)
	if is(l) {
		t.Error("it is said without a witness")
	}
	if l.BeginWatch(capture.Packets, time.Now().Add(time.Hour), "", time.Time{}); is(l) {
		t.Error("it is said of a name from before")
	}
	l = capture.NewLedger(capture.Info{Instance: "i"})
	l.BeginWatch(capture.Packets, time.Now(), "", time.Time{})
	hear(l, "query[A] a.example from 10.0.0.2", "reply a.example is 192.0.2.1")
	if !is(l) {
		t.Error("it isn't said")
	}
	if names := l.Book().Names(web.Addr()); !slices.Equal(names, []string{"a.example"}) {
		t.Errorf("the log's address is that of %q", names)
	}
	l.Book().Reached(witness.Reach{Names: []string{"a.example", "b.example"}, To: web, Protocol: "tcp"})
	if is(l) {
		t.Error("it is said of a name that may have been connected to")
	}
}

// A list says what was connected to, and what wasn't.
func TestListSaysWhatWasSeen(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "i"})
	l.BeginWatch(capture.Packets|capture.Processes, time.Now(), "", time.Time{})
	hear(l, "query[A] a.example from 10.0.0.2", "reply a.example is 192.0.2.1", "query[A] b.example from 10.0.0.2", "reply b.example is 192.0.2.2")
	l.Book().Reached(witness.Reach{Names: []string{"a.example"}, To: netip.MustParseAddrPort("192.0.2.1:8443"), Protocol: "tcp", Server: "c.example", Process: curl})
	for lost := range 2 {
		for _, r := range l.List(false).Rules {
			s := r.Seen
			if got, want := s.Watched, lost == 0; got != want {
				t.Errorf("%s was watched: %v", r.Name, got)
			}
			switch r.Name {
			case "a.example":
				if s.Unused || len(s.Ports) != 1 || s.Ports[0].String() != "8443/tcp" || !slices.Equal(s.Programs, []string{"/usr/bin/curl"}) || !slices.Equal(s.Servers, []string{"c.example"}) {
					t.Errorf("of a.example was seen %+v", s)
				}
			case "b.example":
				if s.Unused != (lost == 0) || len(s.Ports) != 0 {
					t.Errorf("of b.example was seen %+v", s)
				}
			}
		}
		l.Book().Lost(witness.Wire, 1, "the ring was full")
	}
}

// What the program itself asks for leaves no trace.
func TestWitnessOverlooks(t *testing.T) {
	l, _ := seen(t)
	l.Expect("canary.example")
	if !l.Book().Asked("canary.example", curl, time.Now()) {
		t.Error("a canary is held for a name that the log may have yet")
	}
	l.Book().Bypassed(witness.Bypass{Kind: witness.Resolver, Name: "canary.example", To: web, Protocol: "udp"})
	l.Read(func(r capture.Reader) {
		if ways, _, _ := r.Bypasses(); len(ways) != 0 {
			t.Errorf("a canary is %+v", ways)
		}
	})
}
