package session_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/rule"
)

// Trials are kept in their order, and make a session neither younger nor whole
// if it was killed.
func TestTrialsAreKept(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	trial := capture.Trial{Instance: "dnstest", Command: []string{"sh", "-c", "exit 1"}, User: "me", Strict: true, Allowed: []string{"a.example", ".b.example"}, Took: 3 * time.Second, At: time.Now().UTC().Round(0)}
	if err := session.NoteTrial(name, trial); !errors.Is(err, session.ErrInUse) || !strings.Contains(err.Error(), "note the trial") {
		t.Errorf("in use: %v", err)
	}
	end(t, s)
	before := only(t)
	want := []capture.Trial{trial, {Allowed: []string{}, Command: []string{"true"}, Worked: true}}
	for _, one := range want {
		if err := session.NoteTrial(name, one); err != nil {
			t.Fatal(err)
		}
	}
	if now := only(t); !now.Modified.Equal(before.Modified) || now.Killed {
		t.Errorf("of %+v a trial makes %+v", before, now)
	}
	l, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	l.Read(func(r capture.Reader) {
		if got := r.Trials(); !reflect.DeepEqual(got, want) || r.Counts().Damaged != 0 {
			t.Errorf("kept are %+v, want %+v", got, want)
		}
	})
}

// What came of a list is told by the session that it is of, whoever noted it.
func TestVerdictIsKept(t *testing.T) {
	stateHome(t)
	s, name := create(t)
	first := rule.Verified{Verdict: "something was blocked", Level: "names", Digest: "1", At: time.Now().UTC().Round(0), Took: time.Minute, Proven: true, Proofs: 2, Queries: 9, Used: 3, Unused: 4, Blocked: 5, Expected: 2, Late: 1, Versions: "lxd 5.0.2"}
	s.Ledger.Verified(first)
	end(t, s)
	second := rule.Verified{Verdict: "works with this list", Level: "names and packets", Digest: "2", At: first.At.Add(time.Minute)}
	for _, want := range []rule.Verified{first, second} {
		l, err := session.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.List(false).Header.Verified; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := session.NoteVerified(name, second); err != nil {
			t.Fatal(err)
		}
	}
}
