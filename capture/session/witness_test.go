package session_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
)

// told is all that a ledger has of a witness.
func told(t *testing.T, l *capture.Ledger) string {
	t.Helper()
	var all struct {
		Seen      []capture.Seen
		Programs  []string
		Processes []witness.Process
		Ways      []capture.Bypass
		Watch     capture.Watch
	}
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			s := r.Witnessed(capture.ID(id))
			all.Seen = append(all.Seen, s)
			for _, a := range s.Actors {
				p, _ := r.Process(a.Process)
				all.Processes = append(all.Processes, p)
			}
		}
		all.Ways, _, _ = r.Bypasses()
		all.Watch = r.Watch()
	})
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a witness saw is there again, by load and by resume, and goes on where
// it ended; however often a thing is seen, a journal doesn't grow by each.
func TestWitnessIsKept(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	l := s.Ledger
	feed(l, "query[A] a.example from 10.0.0.2", "reply a.example is 192.0.2.1", "query[A] b.example from 10.0.0.2")
	curl := &witness.Process{PID: 7, Comm: "curl", Exe: "/usr/bin/curl", Args: []string{"curl", "a.example"}, Parents: []string{"sh"}}
	web := netip.MustParseAddrPort("192.0.2.1:443")
	began := time.Now()
	l.BeginWatch(capture.Packets|capture.Processes, began, "", time.Time{})
	act := func(l *capture.Ledger, p *witness.Process) {
		b := l.Book()
		for range 1000 {
			b.Asked("a.example", p, time.Now())
			b.Reached(witness.Reach{Names: []string{"a.example"}, To: web, Protocol: "tcp", Spoken: "tls", Server: "c.example", Process: p})
			b.Bypassed(witness.Bypass{Kind: witness.Bare, To: web, Protocol: "tcp", Process: p, At: time.Now()})
		}
		b.Bypassed(witness.Bypass{Kind: witness.Inside, Name: "x.example", Process: p, At: time.Now()})
		b.Lost(witness.Wire, 2, "the ring was full")
	}
	act(l, curl)
	want := told(t, l)
	end(t, s)
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, name+".jsonl")); err != nil || st.Size() > 64<<10 {
		t.Errorf("the journal is too large or not there: %v, %v", st, err)
	}
	loaded, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, loaded); got != want {
		t.Errorf("loaded is\n%s, want\n%s", got, want)
	}
	s = resume(t, name)
	if got := told(t, s.Ledger); got != want {
		t.Errorf("resumed is\n%s, want\n%s", got, want)
	}
	s.Ledger.BeginWatch(capture.Packets, began.Add(time.Minute), "", began.Add(time.Second))
	act(s.Ledger, curl)
	act(s.Ledger, &witness.Process{PID: 8, Comm: "wget"})
	s.Ledger.Read(func(r capture.Reader) {
		if n := len(r.Witnessed(0).Actors); n != 2 {
			t.Errorf("curl and wget are %d processes", n)
		}
	})
	want = told(t, s.Ledger)
	end(t, s)
	if loaded, err = session.Load(name); err != nil {
		t.Fatal(err)
	}
	if got := told(t, loaded); got != want {
		t.Errorf("in the end it is\n%s, want\n%s", got, want)
	}
}

// What a person decided about an address is there again, with its undo.
func TestAddressIsKept(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	at := rule.EndpointOf(netip.MustParseAddrPort("[2001:db8::7]:443"), "udp")
	if _, err := s.Ledger.MarkAddress(capture.Mark{Decision: capture.Keep, Reason: "licences"}, at); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := session.Resume(name)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	mark := func() (m capture.Mark) {
		again.Ledger.Read(func(r capture.Reader) { m = r.AddressMark(at) })
		return m
	}
	if m := mark(); m.Decision != capture.Keep || m.Reason != "licences" {
		t.Errorf("the mark is %+v", m)
	}
	if again.Ledger.Undo(); mark() != (capture.Mark{}) {
		t.Errorf("undone is %+v", mark())
	}
}
