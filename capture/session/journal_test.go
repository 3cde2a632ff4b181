package session

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// patience bounds a wait for what comes within milliseconds.
const patience = 10 * time.Second

// begin begins a session whose journal waits for late with what doesn't press.
// Each sync waits for a value of do, and what the journal holds then comes out
// of synced.
func begin(t *testing.T, do chan error, late time.Duration) (s *Session, synced chan string) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	wasLate, wasSync := lateBy, syncFile
	t.Cleanup(func() { lateBy, syncFile = wasLate, wasSync })
	lateBy = late
	synced = make(chan string, 16)
	syncFile = func(f *os.File) error {
		held, err := os.ReadFile(f.Name())
		if err == nil {
			err = <-do
		}
		synced <- string(held)
		return err
	}
	s, err := Create(capture.Info{Instance: "dnstest"})
	if err != nil {
		t.Fatal(err)
	}
	return s, synced
}

const query = "query[A] a.example from 10.0.0.5\n"

func saved(l *capture.Ledger) (is bool) {
	l.Read(func(r capture.Reader) { is = r.Saved(r.Domain(0)) })
	return is
}

func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal(what)
	}
	return v
}

// awaitSaved waits until the ledger says that the first domain is saved, and
// sees that it hands that record over to the screen then.
func awaitSaved(t *testing.T, l *capture.Ledger) {
	t.Helper()
	for done := false; !done; {
		await(t, l.Wake(), "nobody is told that the decision is saved")
		l.Refresh(func(r capture.Reader, changed []capture.ID) {
			done = r.Saved(r.Domain(0)) && len(changed) > 0
		})
	}
}

// A decision goes to the disk at once and is synced there; nobody waits for
// that, and only then it is said to be saved.
func TestDecisionIsOnDisk(t *testing.T) {
	do := make(chan error)
	s, synced := begin(t, do, time.Hour)
	l := s.Ledger
	l.Feed([]byte(query), time.Now(), false)
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { l.Decide(capture.Drop, 0) }, `{"mark":{"n":1,"decision":"drop","keeps-reasons":true,"names":["a.example"]`},
		{func() { l.Undo() }, `{"undo":{"n":2,"of":1}}`},
		{func() { l.Redo() }, `{"redo":{"n":3,"of":1}}`},
		{func() { l.DecideGroup(capture.Keep, "example") }, `{"mark":{"n":4,"after":1,"decision":"keep","group":"example"`},
		{func() { l.Undo() }, `{"undo":{"n":5,"of":4}}`},
	} {
		l.Refresh(func(capture.Reader, []capture.ID) {})
		step.do()
		if saved(l) {
			t.Errorf("%s is said to be saved before it is synced", step.want)
		}
		do <- nil
		if held := await(t, synced, step.want+" is not synced"); !strings.Contains(held, step.want) {
			t.Errorf("synced is %s, want %s in it", held, step.want)
		}
		awaitSaved(t, l)
	}
	// Two at once: the first one's sync says nothing of the second.
	l.Decide(capture.Keep, 0)
	do <- nil
	await(t, synced, "the first one is not synced")
	l.Decide(capture.Drop, 0)
	if saved(l) {
		t.Error("a decision is said to be saved with the one before it")
	}
	do <- nil
	await(t, synced, "the second one is not synced")
	awaitSaved(t, l)

	l.Feed([]byte(query), time.Now(), false)
	if len(synced) != 0 {
		t.Error("a count was synced as if it were a decision")
	}
	close(do)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What can't be kept is not said to be saved, then nor later.
func TestDiskFails(t *testing.T) {
	do := make(chan error, 1)
	s, synced := begin(t, do, time.Hour)
	l := s.Ledger
	l.Feed([]byte(query), time.Now(), false)
	full := errors.New("no space left")
	do <- full
	l.Decide(capture.Drop, 0)
	await(t, synced, "the decision is not synced")
	close(do)
	l.Decide(capture.Keep, 0)
	if saved(l) {
		t.Error("a decision is said to be saved that never was")
	}
	if err := s.Close(); !errors.Is(err, full) {
		t.Errorf("Close = %v, want %v", err, full)
	}
}

// Names and answers are written at once and synced within a while, though
// nobody decides.
func TestNamesAreSynced(t *testing.T) {
	do := make(chan error)
	s, synced := begin(t, do, time.Millisecond)
	s.Ledger.Feed([]byte(query), time.Now(), false)
	do <- nil
	if held := await(t, synced, "the name is not synced"); !strings.Contains(held, `{"domain":{"name":"a.example"`) {
		t.Errorf("synced is %s", held)
	}
	close(do)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A newer program's journal may mean what this one can't know, whichever of
// the places that say so is left of it.
func TestNewerFormat(t *testing.T) {
	for _, c := range []struct{ first, second, says string }{
		{"format", "", ""},
		{"newer", "", "newer format, 3"},
		{"newer", "newer", "newer format, 3"},
		{"damaged", "newer", "newer format, 3"},
	} {
		var journal []byte
		info := &capture.Info{Session: "s"}
		switch c.first {
		case "damaged":
			journal = append(journal, "\x00\x00\n"...)
		case "newer":
			journal = appendBare(journal, entry{Format: format + 1, Info: info})
		default:
			journal = appendBare(journal, entry{Format: format, Info: info})
		}
		if c.second != "" {
			journal = appendLine(journal, 1, entry{Format: format + 1, Info: info})
		}
		err := newReplay("s").read(bytes.NewReader(journal), false)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The first line has no number, and is counted all the same where it is
// damaged together with others.
func TestFirstLineIsCounted(t *testing.T) {
	var journal []byte
	for n := uint64(1); n < 4; n++ {
		journal = appendLine(journal, n, entry{Counts: &capture.Counts{Lines: n}})
	}
	rest := journal[bytes.LastIndexByte(journal[:len(journal)-1], '\n')+1:]
	for text, want := range map[string]uint64{string(journal): 1, "\x00\x00\x00\n" + string(rest): 3} {
		p := newReplay("s")
		if err := p.read(strings.NewReader(text), false); err != nil || p.lost != want {
			t.Errorf("%q: %d lost, %v, want %d", text, p.lost, err, want)
		}
	}
}
