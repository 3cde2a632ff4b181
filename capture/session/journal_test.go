package session

import (
	"os"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// A decision goes to the disk at once and is synced there, at the latest with
// all that it needs; a count that goes up waits.
func TestDecisionIsOnDisk(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	defer func(was time.Duration) { countsEvery = was }(countsEvery)
	countsEvery = time.Hour
	synced := make(chan string, 16)
	defer func(was func(*os.File) error) { syncFile = was }(syncFile)
	syncFile = func(f *os.File) error {
		held, err := os.ReadFile(f.Name())
		synced <- string(held)
		return err
	}
	s, err := Create(capture.Info{Instance: "dnstest"})
	if err != nil {
		t.Fatal(err)
	}
	query := []byte("query[A] a.example from 10.0.0.5\n")
	s.Ledger.Feed(query, time.Now(), false)
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { s.Ledger.Decide(capture.Drop, 0) }, `{"mark":{"decision":"drop","keeps-reasons":true,"names":["a.example"]`},
		{func() { s.Ledger.Undo() }, `{"step":"undo"}`},
		{func() { s.Ledger.Redo() }, `{"step":"redo"}`},
		{func() { s.Ledger.DecideGroup(capture.Keep, "example") }, `{"mark":{"decision":"keep","group":"example"`},
	} {
		step.do()
		select {
		case held := <-synced:
			if !strings.Contains(held, `{"domain":{"name":"a.example"`) || !strings.Contains(held, step.want) {
				t.Errorf("synced is %s, want %s in it", held, step.want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s is not synced", step.want)
		}
	}
	s.Ledger.Feed(query, time.Now(), false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(synced) != 0 {
		t.Error("a count was synced as if it were a decision")
	}
}
