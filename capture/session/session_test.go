package session_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func stateHome(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // no rules
	return filepath.Join(dir, "lxd-allowlist", "sessions")
}

func create(t *testing.T) (s *session.Session, name string) {
	t.Helper()
	s, err := session.Create(capture.Info{Program: "test", Instance: "dnstest", Started: noon})
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	return s, name
}

func resume(t *testing.T, name string) *session.Session {
	t.Helper()
	s, err := session.Resume(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func end(t *testing.T, s *session.Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func feed(l *capture.Ledger, lines ...string) {
	l.Feed([]byte(strings.Join(lines, "\n")+"\n"), noon, false)
}

// act does something at random, with few names, so that they meet.
func act(rng *rand.Rand, l *capture.Ledger) {
	name := fmt.Sprintf("n%d.corp.example", rng.IntN(12))
	d := capture.Decision(rng.IntN(3))
	known, id := false, capture.ID(0)
	l.Read(func(r capture.Reader) {
		if known = r.Len() > 1; known {
			id = capture.ID(rng.IntN(r.Len() - 1))
		}
	})
	switch rng.IntN(13) {
	case 12:
		if rng.IntN(2) == 0 {
			l.DecideGroup(capture.New, "n<0-9>.corp.example")
		} else {
			l.KeepPattern("n<0-9>.corp.example", "")
		}
	case 0:
		l.Undo()
	case 1:
		l.Redo()
	case 2:
		l.DecideGroup(d, name)
	case 3:
		l.KeepSuffix(name, "")
	case 4, 5:
		if known {
			l.Mark(capture.Mark{Decision: d, Reason: "ticket 4711"}, id)
		}
	case 6, 7:
		if known {
			l.Decide(d, id, id+1)
		}
	case 8:
		feed(l, "reply "+name+" is <CNAME>", fmt.Sprintf("reply target%d.example is 192.0.2.%d", rng.IntN(3), rng.IntN(9)))
	default:
		feed(l, fmt.Sprintf("query[%s] %s from 10.0.0.%d", []string{"A", "AAAA", "HTTPS"}[rng.IntN(3)], name, rng.IntN(3)))
	}
}

// state is all that is to be kept of a ledger, by name.
func state(t *testing.T, l *capture.Ledger) string {
	t.Helper()
	all := make(map[string]any)
	l.Read(func(r capture.Reader) {
		for id := range capture.ID(r.Len()) {
			d := r.Domain(id)
			record := r.Record(id)
			record.First, record.Last = record.First.UTC(), record.Last.UTC()
			all[d.Name] = []any{record, d.Mark, r.Verdict(d), r.Owners(d), r.Group(d.Name)}
		}
		all["counts"], all["info"] = r.Counts(), r.Info()
	})
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Replaying the journal gives the same ledger, with all that can be undone.
func TestReplay(t *testing.T) {
	stateHome(t)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		s, name := create(t)
		for range 80 {
			act(rng, s.Ledger)
		}
		s.Ledger.SetOwners(map[string]string{"10.0.0.1": "dnstest", "10.0.0.2": "other"})
		end(t, s)
		again := resume(t, name)
		if got, want := state(t, again.Ledger), state(t, s.Ledger); got != want {
			t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, got, want)
		}
		for {
			a, b := s.Ledger.Undo(), again.Ledger.Undo()
			if a != b {
				t.Fatalf("seed %d: undo %q after a replay, %q without", seed, b, a)
			}
			if a == "" {
				break
			}
		}
		end(t, again)
	}
}

// What a log lost is known of a session as long as it is kept, and a time
// without logging, too.
func TestDoubtsAreKept(t *testing.T) {
	stateHome(t)
	for _, line := range []string{
		"overflow: 12 log entries lost", "nameserver 192.0.2.1 refused to do a recursive query",
		"query[A] <name unprintable> from 10.0.0.5", "query[A] broken from", "forwarded unasked.example to 192.0.2.1",
		"log failed: No space left on device", "query[A] " + strings.Repeat("long.", 260) + "example from 10.0.0.5",
	} {
		s, name := create(t)
		feed(s.Ledger, "dnsmasq[1]: query[A] a.example from 10.0.0.5", "dnsmasq[1]: "+line)
		s.Ledger.Missed(capture.Gap{From: noon, To: noon.Add(time.Minute), Why: "raw.dnsmasq was changed by root"})
		want := s.Ledger.List(false).Doubts
		end(t, s)
		again, err := session.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := again.List(false).Doubts; len(want) != 2 || !slices.Equal(got, want) {
			t.Errorf("%s: kept are %q of %q", line, got, want)
		}
	}
}

// A rule of the user's file is a step that no journal keeps; those before and
// behind it are kept as they were.
func TestReplayWithARuleBetween(t *testing.T) {
	stateHome(t)
	for n := range 16 {
		undos, redos := n/4, n%4
		s, name := create(t)
		feed(s.Ledger, "query[A] a.example from 10.0.0.5", "query[A] b.example from 10.0.0.5")
		rule, err := capture.ParseRule("drop c.example")
		if err != nil {
			t.Fatal(err)
		}
		s.Ledger.Decide(capture.Drop, 0)
		s.Ledger.Ruled(rule)
		s.Ledger.Decide(capture.Keep, 1)
		for range undos {
			s.Ledger.Undo()
		}
		for range redos {
			s.Ledger.Redo()
		}
		want := state(t, s.Ledger)
		end(t, s)
		again := resume(t, name)
		if got := state(t, again.Ledger); got != want {
			t.Errorf("after %d undos and %d redos:\n%s\nwant\n%s", undos, redos, got, want)
		}
		end(t, again)
	}
}

func TestSessionInUse(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	if _, err := session.Resume(name); !errors.Is(err, session.ErrInUse) {
		t.Errorf("Resume of an open session = %v, want ErrInUse", err)
	}
	all, err := session.List()
	if err != nil || len(all) != 1 || !all[0].InUse || all[0].Killed || all[0].Info.Instance != "dnstest" {
		t.Errorf("List = %+v, %v, want one in use", all, err)
	}
	if _, err := session.Load(name); err != nil {
		t.Errorf("an open session can't be read: %v", err)
	}
	end(t, s)
	if all, err = session.List(); err != nil || len(all) != 1 || all[0].InUse || all[0].Killed {
		t.Errorf("List = %+v, %v, want one that has ended", all, err)
	}
	if _, err := session.Resume("no-such-session"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resume of none = %v, want ErrNotExist", err)
	}
}

// Whatever the umask, nobody else reads a session or sees that there is one.
func TestJournalIsPrivate(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		dir := stateHome(t)
		before := syscall.Umask(umask)
		s, name := create(t)
		syscall.Umask(before)
		defer s.Close()
		for path, want := range map[string]fs.FileMode{
			filepath.Join(dir, name+".jsonl"): 0o600, dir: 0o700 | fs.ModeDir, filepath.Dir(dir): 0o700 | fs.ModeDir,
		} {
			if st, err := os.Stat(path); err != nil || st.Mode() != want {
				t.Errorf("umask %03o: %s has mode %v, %v, want %v", umask, path, st.Mode(), err, want)
			}
		}
	}
}

func TestDeniedIsKept(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	s.Ledger.Denied("a.example", "A", netip.MustParseAddr("10.0.0.5"), noon)
	end(t, s)
	l, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	l.Read(func(r capture.Reader) {
		id, ok := r.Lookup("a.example")
		if !ok || r.Domain(id).Denied != 1 {
			t.Errorf("found %v: %+v", ok, r.Domain(id))
		}
	})
}

// Under sudo sessions, rules and lists belong to who called it.
func TestFilesUnderSudo(t *testing.T) {
	if testing.Short() {
		t.Skip("files are given away by root alone")
	}
	home := t.TempDir()
	for name, value := range map[string]string{"SUDO_UID": "1", "SUDO_GID": "1", "XDG_STATE_HOME": home + "/state", "XDG_CONFIG_HOME": home + "/config"} {
		t.Setenv(name, value)
	}
	if err := os.Chown(home, 1, 1); err != nil {
		t.Fatal(err)
	}
	s, err := session.Create(capture.Info{Instance: "dnstest"})
	if err == nil {
		err = errors.Join(s.Close(), session.AppendRule(capture.UserRule{Decision: capture.Keep, Pattern: "a.example"}), export.WriteFile(home+"/allow.txt", nil, false))
	}
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			files++
		}
		info, err := d.Info()
		if err == nil && (info.Sys().(*syscall.Stat_t).Uid != 1 || info.Sys().(*syscall.Stat_t).Gid != 1) {
			t.Errorf("%s isn't of who called", path)
		}
		return err
	})
	if err != nil || files != 3 {
		t.Errorf("%d files, %v; want a journal, the rules and a list", files, err)
	}
}
