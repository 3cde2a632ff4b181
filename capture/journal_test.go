package capture_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

func stateHome(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // no rules
	return filepath.Join(dir, "lxd-allowlist", "sessions")
}

func create(t *testing.T) (l *capture.Ledger, name string) {
	t.Helper()
	l, err := capture.Create(capture.Info{Program: "test", Instance: "dnstest", Started: noon})
	if err != nil {
		t.Fatal(err)
	}
	l.Read(func(r capture.Reader) { name = r.Info().Session })
	return l, name
}

func sorted(all []row) []row {
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Replaying the journal gives the same ledger, with all that can be undone.
func TestReplay(t *testing.T) {
	stateHome(t)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		l, name := create(t)
		for range 80 {
			act(rng, l)
		}
		l.SetOwners(map[string]string{"10.0.0.1": "dnstest", "10.0.0.2": "other"})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := capture.Resume(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sorted(rows(again)), sorted(rows(l)); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\ngot  %+v\nwant %+v", seed, got, want)
		}
		for {
			a, b := l.Undo(), again.Undo()
			if a != b {
				t.Fatalf("seed %d: undo %q after a replay, %q without", seed, b, a)
			}
			if a == "" {
				break
			}
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A journal that was cut off anywhere is read up to its last whole line, and
// can be gone on with.
func TestResumeAfterPowerCut(t *testing.T) {
	dir := stateHome(t)
	l, name := create(t)
	feed(l, "query[A] a.example from 10.0.0.5", "query[A] b.example from 10.0.0.5")
	if _, err := l.Mark(capture.Mark{Decision: capture.Drop}, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first; cut <= len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := capture.Resume(name)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		feed(l, "query[A] later.example from 10.0.0.5")
		if err := l.Close(); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		again, err := capture.Load(name)
		if err != nil {
			t.Fatalf("cut at %d, after going on: %v", cut, err)
		}
		find(t, again, "later.example")
	}
}

func TestSessionInUse(t *testing.T) {
	stateHome(t)
	l, name := create(t)
	if _, err := capture.Resume(name); !errors.Is(err, capture.ErrInUse) {
		t.Errorf("Resume of an open session = %v, want ErrInUse", err)
	}
	all, err := capture.Sessions()
	if err != nil || len(all) != 1 || !all[0].InUse {
		t.Errorf("Sessions = %+v, %v, want one in use", all, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := capture.Resume("no-such-session"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resume of none = %v, want ErrNotExist", err)
	}
}

func TestJournalIsPrivate(t *testing.T) {
	dir := stateHome(t)
	l, name := create(t)
	defer l.Close()
	st, err := os.Stat(filepath.Join(dir, name+".jsonl"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the journal's mode is %v, %v, want 0600", st.Mode(), err)
	}
}

// A mark is on disk when the ledger says so, not only at the end.
func TestMarkIsWrittenAtOnce(t *testing.T) {
	stateHome(t)
	l, name := create(t)
	defer l.Close()
	feed(l, "query[A] a.example from 10.0.0.5")
	if _, err := l.Mark(capture.Mark{Decision: capture.Drop}, 0); err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(10 * time.Second)
	for {
		other, err := capture.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if marks(other)["a.example"].Decision == capture.Drop {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatal("the mark is not in the journal")
		}
	}
}
