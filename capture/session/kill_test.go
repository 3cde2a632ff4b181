package session_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// asDecider makes the test's binary be one that decides without end.
const asDecider = "LXD_ALLOWLIST_TEST_AS_DECIDER"

func TestMain(m *testing.M) {
	if os.Getenv(asDecider) != "" {
		decideForEver()
	}
	os.Exit(m.Run())
}

// decideForEver drops one domain after the other. Whenever the ledger says
// that one is saved, it prints the name, as a screen would show it.
func decideForEver() {
	s, err := session.Create(capture.Info{Instance: "dnstest"})
	if err != nil {
		panic(err)
	}
	l := s.Ledger
	for id := capture.ID(0); ; id++ {
		name := fmt.Sprintf("n%d.example", id)
		feed(l, "query[A] "+name+" from 10.0.0.5")
		if _, err := l.Decide(capture.Drop, id); err != nil {
			panic(err)
		}
		for saved := false; !saved; {
			<-l.Wake()
			l.Refresh(func(r capture.Reader, _ []capture.ID) { saved = r.Saved(r.Domain(id)) })
		}
		fmt.Println(name)
	}
}

// No decision that was on the screen is lost, at whatever instant the program
// is killed.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		stateHome(t)
		c := exec.Command(self)
		c.Env = append(os.Environ(), asDecider+"=1")
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var shown []string
		lines := bufio.NewScanner(out)
		for n := rng.IntN(20) + 1; len(shown) < n && lines.Scan(); {
			shown = append(shown, lines.Text())
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it printed until then
			shown = append(shown, lines.Text())
		}
		_ = c.Wait()
		if !killed(t) {
			t.Error("the list doesn't say that it was killed")
		}
		all, err := session.List()
		if err != nil {
			t.Fatal(err)
		}
		dir, err := session.Dir()
		if err != nil {
			t.Fatal(err)
		}
		journal, err := os.ReadFile(filepath.Join(dir, all[0].Info.Session+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		unfinished := uint64(0)
		if !bytes.HasSuffix(journal, []byte("\n")) { // a kill ends a write at a page's end
			unfinished = 1
		}
		l, err := session.Load(all[0].Info.Session)
		if err != nil {
			t.Fatal(err)
		}
		l.Read(func(r capture.Reader) {
			for _, name := range shown {
				if id, ok := r.Lookup(name); !ok || r.Domain(id).Mark.Decision != capture.Drop {
					t.Errorf("of %d decisions that were shown, that on %s is lost", len(shown), name)
				}
			}
			if n := r.Counts().Damaged; n != unfinished {
				t.Errorf("%d lines of the journal are damaged, of which %d that the kill cut off", n, unfinished)
			}
		})
	}
}
