package session

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// names are those that a ledger knows as asked for, with what is decided about
// them.
func names(l *capture.Ledger) string {
	var all []string
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			if d := r.Domain(capture.ID(id)); d.Queries > 0 {
				all = append(all, d.Name+":"+d.Mark.Decision.String())
			}
		}
	})
	slices.Sort(all)
	return strings.Join(all, " ")
}

func journalOf(t *testing.T, name string) string {
	t.Helper()
	path, _ := find(name)
	journal, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(journal)
}

// A session happens again in its own time, forth and back, and its journal is
// left as it is.
func TestPlayer(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	begin := time.Now().Add(-time.Hour)
	s, err := Create(capture.Info{Instance: "dnstest", Network: "lxdbr0", Started: begin})
	if err != nil {
		t.Fatal(err)
	}
	minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	s.Ledger.Feed([]byte("query[A] a.example from 10.0.0.5\n"), minute(1), false)
	s.Ledger.Entered(capture.Command{At: minute(2), Line: "apt update"})
	s.Ledger.Feed([]byte("query[A] b.example from 10.0.0.5\n"), minute(3), false)
	s.Ledger.SetOwners(map[string]string{"10.0.0.5": "dnstest"})
	if _, err := s.Ledger.Decide(capture.Drop, 0); err != nil { // now
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var name string
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	before := journalOf(t, name)
	p, err := Play(name)
	if err != nil {
		t.Fatal(err)
	}
	first, last := p.Span()
	if !first.Equal(begin.Round(0)) || last.Before(minute(59)) || p.Title() != "dnstest on lxdbr0" {
		t.Errorf("%q from %v to %v", p.Title(), first, last)
	}
	if n := len(p.News()); n != 2 {
		t.Errorf("%d names came up", n)
	}
	if next := p.Next(minute(1)); !next.Equal(minute(2).Round(0)) {
		t.Errorf("after a minute comes %v", next)
	}
	var was *capture.Ledger
	for _, at := range []struct {
		t      time.Time
		names  string
		same   bool
		enters int
	}{
		{minute(0), "", false, 0}, {minute(1), "a.example:new", true, 0}, {minute(3), "a.example:new b.example:new", true, 1},
		{last, "a.example:drop b.example:new", true, 1}, {minute(2), "a.example:new", false, 1}, {last, "a.example:drop b.example:new", true, 1},
	} {
		l := p.To(at.t)
		enters, owners := 0, ""
		l.Read(func(r capture.Reader) {
			enters = len(r.Commands())
			if id, ok := r.Lookup("a.example"); ok {
				owners = strings.Join(r.Owners(r.Domain(id)), " ")
			}
		})
		if at.names != "" && owners != "dnstest" { // though that was told later
			t.Errorf("at %v it was asked for by %q", at.t.Sub(begin), owners)
		}
		if got := names(l); got != at.names || at.same != (l == was) || enters != at.enters {
			t.Errorf("at %v there are %q and %d commands, in the same ledger: %v", at.t.Sub(begin), got, enters, l == was)
		}
		was = l
	}
	if now := journalOf(t, name); now != before {
		t.Error("the journal is another one")
	}
	if _, err := Play("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no session: %v", err)
	}
}

// With the clock set back in mid-session, to before its start, what it is about
// is known all the same, and nothing happens before what it rests on.
func TestPlayerOfAClockThatWentBack(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const journal = `{"format":2,"info":{"session":"x","started":"2026-11-24T12:00:00Z","instance":"dnstest","network":"lxdbr0"}}
{"domain":{"name":"a.example","queries":1,"first":"2026-11-24T12:00:01Z","last":"2026-11-24T12:00:01Z"}}
{"domain":{"name":"b.example","queries":1,"first":"2026-11-24T10:00:02Z","last":"2026-11-24T10:00:02Z"}}
{"mark":{"n":1,"decision":"drop","names":["b.example"],"at":"2026-11-24T10:00:03Z"}}
{"entered":{"at":"2026-11-24T10:00:04Z","line":"apt update"}}
`
	p, err := PlayFrom("x", strings.NewReader(journal))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := p.Span()
	for _, at := range []struct {
		t     time.Time
		names string
	}{{begin, "b.example:new"}, {end, "a.example:new b.example:drop"}, {begin, "b.example:new"}} {
		l := p.To(at.t)
		of := ""
		l.Read(func(r capture.Reader) { of = r.Info().Instance })
		if got := names(l); got != at.names || of != "dnstest" {
			t.Errorf("at %v there are %q, of %q", at.t, got, of)
		}
	}
	if got := p.Title(); got != "dnstest on lxdbr0" {
		t.Errorf("it is called %q", got)
	}
}

// All that tells its time happens then, whatever came before it.
func TestPlayerTellsTimes(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const journal = `{"format":2,"info":{"session":"x","started":"2026-11-24T12:00:00Z","instance":"dnstest","network":"lxdbr0"}}
{"domain":{"name":"a.example","queries":1,"first":"2026-11-24T12:01:00Z","last":"2026-11-24T12:01:00Z"}}
{"witness":{"bypass":{"kind":"bare","to":"192.0.2.7:443","protocol":"tcp","count":1,"first":"2026-11-24T12:02:00Z","last":"2026-11-24T12:02:00Z"}}}
{"address":{"n":1,"decision":"keep","names":["192.0.2.7:443/tcp"],"at":"2026-11-24T12:03:00Z"}}
{"verified":{"verdict":"works with this list","level":"names","digest":"x","at":"2026-11-24T12:04:00Z"}}
`
	p, err := PlayFrom("x", strings.NewReader(journal))
	if err != nil {
		t.Fatal(err)
	}
	at, end := p.Span()
	for minute := 1; minute <= 4; minute++ {
		at = p.Next(at)
		if at.Minute() != minute {
			t.Errorf("at minute %d: it is %v", minute, at)
		}
	}
	if !at.Equal(end) {
		t.Errorf("it ends at %v", end)
	}
}

// What somebody decides while a session is played is there wherever in time that
// goes, as far as the names have come up, above what was decided in the session,
// and undo takes back that alone.
func TestPlayerKeepsWhatIsDecidedBesides(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const journal = `{"format":2,"info":{"session":"x","started":"2026-11-24T12:00:00Z","instance":"dnstest","network":"lxdbr0"}}
{"domain":{"name":"a.example","queries":1,"first":"2026-11-24T12:00:01Z","last":"2026-11-24T12:00:01Z"}}
{"mark":{"n":1,"decision":"drop","names":["a.example"],"at":"2026-11-24T12:00:02Z"}}
{"domain":{"name":"b.example","queries":1,"first":"2026-11-24T12:00:03Z","last":"2026-11-24T12:00:03Z"}}
{"mark":{"n":2,"after":1,"decision":"drop","names":["b.example"],"at":"2026-11-24T12:00:04Z"}}
{"entered":{"at":"2026-11-24T12:00:05Z","line":"true"}}
{"undo":{"n":3,"of":2}}
{"entered":{"at":"2026-11-24T12:00:06Z","line":"true"}}
{"redo":{"n":4,"of":2}}
{"domain":{"name":"c.example","queries":1,"first":"2026-11-24T12:00:07Z","last":"2026-11-24T12:00:07Z"}}
{"mark":{"n":5,"after":2,"decision":"drop","names":["c.example"],"at":"2026-11-24T12:00:08Z"}}
`
	p, err := PlayFrom("x", strings.NewReader(journal))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := p.Span()
	second := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Second) }
	decide := func(l *capture.Ledger, d capture.Decision, names ...string) {
		t.Helper()
		var ids []capture.ID
		l.Read(func(r capture.Reader) {
			for _, name := range names {
				id, _ := r.Lookup(name)
				ids = append(ids, id)
			}
		})
		if said, err := l.Decide(d, ids...); err != nil || said == "" {
			t.Fatalf("deciding about %q says %q, %v", names, said, err)
		}
	}
	var l *capture.Ledger
	at := func(n int, want string) {
		t.Helper()
		l = p.To(second(n))
		if got := names(l); got != want {
			t.Fatalf("at %d s there are %q, want %q", n, got, want)
		}
	}
	at(2, "a.example:drop")
	if l.CanUndo() || l.Undo() != "" {
		t.Error("a decision of the session is undone")
	}
	decide(l, capture.Keep, "a.example")
	at(4, "a.example:keep b.example:drop")
	if l.Undo(); names(l) != "a.example:drop b.example:drop" || l.CanUndo() {
		t.Errorf("undone there are %q", names(l))
	}
	l.Redo()
	at(5, "a.example:keep b.example:new")  // after an undo
	at(6, "a.example:keep b.example:drop") // after a redo
	decide(l, capture.Keep, "b.example")
	at(7, "a.example:keep b.example:keep c.example:new")
	l.SetTrust(capture.DoubtIt)
	at(8, "a.example:keep b.example:keep c.example:drop")
	decide(l, capture.Keep, "c.example")
	at(1, "a.example:keep")
	if trustOf(l) != capture.DoubtIt {
		t.Error("NXDOMAIN is believed again")
	}
	at(2, "a.example:keep")
	at(3, "a.example:keep b.example:keep")
	if p.To(second(3)); l.Undo() == "" {
		t.Error("what was decided can't be undone")
	}
	at(2, "a.example:keep")
	at(4, "a.example:keep b.example:drop")
	if l.Redo() == "" || names(l) != "a.example:keep b.example:keep" {
		t.Errorf("what was undone can't be redone: there are %q", names(l))
	}
	l.Undo()
	l.Undo()
	at(1, "a.example:new")
	at(4, "a.example:drop b.example:drop")
	l.Redo()
	at(3, "a.example:keep b.example:new")
	at(4, "a.example:keep b.example:drop")
	l.Redo()
	at(4, "a.example:keep b.example:keep")
	l.Undo()
	at(2, "a.example:keep")
	at(8, "a.example:keep b.example:drop c.example:keep")
	for l.Undo() != "" {
	}
	at(7, "a.example:drop b.example:drop c.example:new")
	at(2, "a.example:drop")
	if l = p.To(end); l.CanUndo() || trustOf(l) != capture.DoubtIt {
		t.Error("what was undone is there again")
	}
}
