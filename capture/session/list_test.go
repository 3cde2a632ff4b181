package session_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// only returns the one session that there is, counted.
func only(t *testing.T) session.Entry {
	t.Helper()
	all, err := session.List()
	if err != nil || len(all) != 1 {
		t.Fatalf("List = %+v, %v, want one", all, err)
	}
	all[0].Count()
	return all[0]
}

func written(path string) capture.Written {
	return capture.Written{Format: "squid", Path: path, At: noon.Local()}
}

// The list says of a session what became of it, and goes on saying so when it
// is gone on with.
func TestState(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	is := func(domains, marks int, state string) {
		t.Helper()
		got := only(t)
		if got.Domains != domains || got.Marks != marks || got.State() != state || got.Name() != name {
			t.Errorf("%d domains, %d marks, %q, want %d, %d, %q", got.Domains, got.Marks, got.State(), domains, marks, state)
		}
	}
	is(0, 0, "in use, unexported")
	feed(s.Ledger, "query[A] a.example from 10.0.0.5", "query[A] b.example from 10.0.0.5", "reply b.example is <CNAME>", "reply c.example is 192.0.2.1")
	s.Ledger.Decide(capture.Keep, 0, 1)
	s.Ledger.DecideGroup(capture.Drop, "x.example")
	end(t, s)
	is(2, 3, "unexported")

	s = resume(t, name)
	s.Ledger.Exported(written("/root/allow.txt"))
	end(t, s)
	exported := "exported " + noon.Local().Format("2006-01-02 15:04") + " to /root/allow.txt (squid)"
	is(2, 3, exported)
	s = resume(t, name)
	s.Ledger.Undo()
	end(t, s)
	is(2, 2, exported+", decided on since")
	s = resume(t, name)
	s.Ledger.Exported(written("/root/second.txt"))
	end(t, s)
	exported = strings.Replace(exported, "allow", "second", 1)
	is(2, 2, exported)

	path := only(t).Path
	if err := os.Truncate(path, size(t, path)-5); err != nil {
		t.Fatal(err)
	}
	is(2, 2, "killed, "+exported)
	before := only(t).Modified
	if err := session.NoteExports(name, []capture.Written{written("/third"), written(capture.Stdout), written("/root/second.txt"), written(capture.Stdout)}); err != nil {
		t.Fatal(err)
	}
	is(2, 2, "killed, "+exported)
	if now := only(t).Modified; !now.Equal(before) {
		t.Errorf("an export makes it younger: %v, was %v", now, before)
	}
	s = resume(t, name)
	if !s.Broken.Equal(before) {
		t.Errorf("it was broken at %v, want %v", s.Broken, before)
	}
	end(t, s) // it was only looked at
	is(2, 2, "killed, "+exported)
	if now := only(t).Modified; !now.Equal(before) {
		t.Errorf("a look makes it younger: %v, was %v", now, before)
	}
	s = resume(t, name)
	s.Ledger.Exported(written("/again"))
	end(t, s)
	if s = resume(t, name); !s.Broken.IsZero() {
		t.Errorf("it has ended, and was broken at %v", s.Broken)
	}
	end(t, s)
	if err := session.NoteExports(name, []capture.Written{written("/fourth")}); err != nil {
		t.Fatal(err)
	}
	is(2, 2, strings.Replace(exported, "/root/second.txt", "/fourth", 1))
	l, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	l.Read(func(r capture.Reader) {
		if n := r.Counts().Damaged; n != 1 {
			t.Errorf("%d lines are damaged, want the one that was cut", n)
		}
	})
	if err := os.WriteFile(path, []byte("no journal"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := only(t); !strings.HasPrefix(got.State(), "unreadable: ") {
		t.Errorf("the state is %q", got.State())
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// Nothing is written to a session that somebody uses, nor to a file that is no
// session of the list; and neither is removed.
func TestOthersSessionsStay(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	if err := session.NoteExports(name, []capture.Written{written("/a")}); !errors.Is(err, session.ErrInUse) {
		t.Errorf("NoteExports = %v, want ErrInUse", err)
	}
	if err := session.Remove(name); !errors.Is(err, session.ErrInUse) {
		t.Errorf("Remove = %v, want ErrInUse", err)
	}
	end(t, s)
	path := only(t).Path
	was := size(t, path)
	for _, other := range []string{path, filepath.Base(path), "../sessions/" + name, "", "none"} {
		if err := session.Remove(other); err == nil {
			t.Errorf("%q was removed", other)
		}
	}
	if err := session.NoteExports(path, []capture.Written{written("/a")}); err != nil || size(t, path) != was {
		t.Errorf("NoteExports = %v, the file has %d bytes, had %d", err, size(t, path), was)
	}
	if err := session.Remove(name); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// Who only looks at a session changes nothing of its file, whatever its end is.
func TestALookWritesNothing(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	feed(s.Ledger, "query[A] a.example from 10.0.0.5", "overflow: 3 log entries lost")
	s.Ledger.Decide(capture.Drop, 0)
	end(t, s)
	path := only(t).Path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begun := bytes.IndexByte(whole, '\n') + 1
	for cut, size := range map[string]int{
		"closed": len(whole), "the end is torn": len(whole) - 1, "the end is missing": bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1,
		"a line is torn": begun + 30, "only begun": begun,
	} {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, noon, noon); err != nil {
			t.Fatal(err)
		}
		before := only(t)
		end(t, resume(t, name))
		text, err := os.ReadFile(path)
		if after := only(t); err != nil || string(text) != string(whole[:size]) || !after.Modified.Equal(noon) || after.Killed != (cut != "closed") || after.Killed != before.Killed {
			t.Errorf("%s: killed %v, was %v; modified %v; %v; the journal is now\n%s", cut, after.Killed, before.Killed, after.Modified, err, text)
		}
		s := resume(t, name)
		feed(s.Ledger, "query[A] b.example from 10.0.0.5")
		end(t, s)
		l, err := session.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var damaged uint64
		if cut == "a line is torn" {
			damaged = 1
		}
		l.Read(func(r capture.Reader) {
			if _, ok := r.Lookup("b.example"); !ok || only(t).Killed || r.Counts().Damaged != damaged {
				t.Errorf("%s: what was written then is there: %v; killed: %v; %d lines are damaged, want %d", cut, ok, only(t).Killed, r.Counts().Damaged, damaged)
			}
		})
	}
}

// What was killed is offered while nothing newer of the same instance is there.
func TestKilledOn(t *testing.T) {
	dir := stateHome(t)
	begin := func(instance, server string, at time.Time, lines ...string) string {
		t.Helper()
		s, err := session.Create(capture.Info{Instance: instance, Server: server, Started: at})
		if err != nil {
			t.Fatal(err)
		}
		feed(s.Ledger, lines...)
		end(t, s)
		name := nameOf(s)
		if err := os.Chtimes(filepath.Join(dir, name+".jsonl"), at, at); err != nil {
			t.Fatal(err)
		}
		return name
	}
	kill := func(name string, at time.Time) {
		t.Helper()
		path := filepath.Join(dir, name+".jsonl")
		if err := os.Truncate(path, size(t, path)-1); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	is := func(want string) {
		t.Helper()
		s, ok, err := session.KilledOn("local", "web")
		if err != nil || ok != (want != "") || ok && s.Name() != want {
			t.Errorf("KilledOn = %q, %v, %v, want %q", s.Path, ok, err, want)
		}
	}
	is("")
	const query = "query[A] a.example from 10.0.0.5"
	first := begin("web", "local", noon, query)
	is("")
	kill(first, noon)
	is(first)
	for _, other := range [][2]string{{"db", "local"}, {"web", "remote"}} {
		kill(begin(other[0], other[1], noon.Add(time.Minute), query), noon.Add(time.Minute))
	}
	is(first)
	empty := begin("web", "local", noon.Add(2*time.Minute))
	is("")
	kill(empty, noon.Add(2*time.Minute))
	is(first)
	last := begin("web", "local", noon.Add(3*time.Minute), query)
	kill(last, noon.Add(3*time.Minute))
	is(last)
}

func nameOf(s *session.Session) (name string) {
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	return name
}
