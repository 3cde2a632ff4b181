package e2e

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd/lxdtest"
)

var killCount = flag.Int("kills", 0, "how often TestScreenKilledAnywhere kills the screen, or closes its terminal; 0 for as often as the test says")

// wholeSession is a session from its start to its end: two names are asked for,
// one is dropped and one kept, the list is put in force and taken out again, and
// written. In each stage keys are pressed once a line of the screen has all the
// words.
var wholeSession = []struct {
	stage string
	words []string
	keys  string
}{
	{"start", []string{"~$"}, "nslookup a.example.test >/dev/null; nslookup b.example.test >/dev/null\r"},
	{"queries", []string{"new", "a.example.test"}, ""},
	{"queries", []string{"new", "b.example.test"}, "\x1d"},
	{"decisions", []string{"▌"}, "d"},
	{"decisions", []string{"✗ drop", "example.test"}, "a"},
	{"decisions", []string{"✓ keep", "example.test"}, "V"},
	{"enforce", []string{"Enforce the list"}, "\x1b[B"}, // names and packets
	{"enforce", []string{"▸ names and packets"}, "\r"},
	{"proof", []string{"▣ enforcing 1 rule"}, "V"},
	{"end of it", []string{"─ Report ─"}, "q"},
	{"report", []string{"q quit"}, "q"},
	{"export", []string{"write and quit"}, "\r"},
}

// decided is what a screen showed of each name last: "drop" or "keep".
type decided map[string]string

func (d decided) look(screen string) {
	for line := range strings.Lines(screen) {
		for _, name := range []string{"a.example.test", "b.example.test"} {
			for _, mark := range []string{"✗ drop", "✓ keep"} {
				if strings.Contains(line, mark) && strings.Contains(line, " "+name+" ") {
					_, d[name], _ = strings.Cut(mark, " ")
				}
			}
		}
	}
}

// instant is one of a session: a time after one of its stages has begun.
type instant struct {
	stage int
	after time.Duration
}

// anyInstant returns one of a session that takes so long: of all its time, or, as
// some stages are over in a moment, one right after the begin of any.
func anyInstant(lasts time.Duration) instant {
	if rand.N(2) == 0 {
		return instant{0, rand.N(lasts)}
	}
	return instant{rand.N(len(wholeSession) + 1), rand.N(300 * time.Millisecond)}
}

// usualSession is how long a session takes, to begin with: one that is over before
// its instant tells how long that was.
const usualSession = 7 * time.Second

// session runs [wholeSession] until it ends, or until an instant of it, and
// returns the stage that it was in then, "" for a whole one.
func (p *ownPTY) session(at instant, shown decided) (stage string) {
	p.t.Helper()
	var stop <-chan time.Time
	reached := func(stage int) {
		if at.stage == stage {
			stop = time.After(at.after)
		}
	}
	for n, step := range wholeSession {
		reached(n)
		if !p.until(stop, shown.look, step.words...) {
			return step.stage
		}
		if _, err := p.in.Write([]byte(step.keys)); err != nil {
			p.t.Fatal(err)
		}
	}
	reached(len(wholeSession))
	select {
	case <-p.ended:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			p.t.Fatalf("exit code %d; the screen shows\n%s", code, p.screen.Text())
		}
		return ""
	case <-stop:
		return "exit"
	case <-time.After(patience):
		p.t.Fatalf("it doesn't end; the screen shows\n%s", p.screen.Text())
		return ""
	}
}

// Killed at any instant the screen leaves nothing behind that restore doesn't
// undo; its terminal closed, it undoes all of it itself. What it had shown as
// decided is in the session, and a list is whole or not there.
func TestScreenKilledAnywhere(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	config := d.Config(bridge)
	calls := [][]string{
		{instance, "--output", "list.txt"},
		{"--launch", lxdtest.Image, "--network", bridge, "--output", "list.txt"},
	}
	lasts := []time.Duration{usualSession, usualSession}
	done, restored, kept, stages := 0, 0, 0, make(map[string]int)
	for n := 0; done < cmp.Or(*killCount, 4); n++ {
		t.Setenv("XDG_STATE_HOME", t.TempDir())
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		closes, at, shown, begin := n/len(calls)%2 == 1, anyInstant(lasts[n%len(calls)]), decided{}, time.Now()
		p := onPTY(t, t.TempDir(), calls[n%len(calls)]...)
		stage := p.session(at, shown)
		if stage == "" {
			lasts[n%len(calls)] = time.Since(begin)
			continue
		}
		done++
		stages[stage]++
		t.Logf("%d: %q, closed %v, at %v, in %s", done, p.cmd.Args[1:], closes, at, stage)
		if closes {
			p.outer.Close()
			p.ends()
		} else {
			p.kill()
			shown.look(p.screen.Text())
		}
		out, err := exec.Command(program, "restore").CombinedOutput()
		if err != nil {
			t.Errorf("restore: %v", err)
		}
		if !strings.Contains(string(out), "nothing to put back") {
			restored++
			if closes {
				t.Error("its terminal was closed, and restore had something to undo")
			}
		}
		unchanged(t, d, bridge, instance, config, before)
		kept += len(shown)
		checkSession(t, p.cmd.Dir, shown)
		if t.Failed() {
			t.Fatalf("%q, closed %v, at %+v of %v, number %d, in %s; restore said:\n%s\nthe screen showed\n%s", p.cmd.Args[1:], closes, at, lasts[n%len(calls)], done, stage, out, p.screen.Text())
		}
	}
	t.Logf("%d times, by stage %v: nothing lost of %d decisions that had been shown, nothing left behind; restore had something to undo %d times; whole they take %v", done, stages, kept, restored, lasts)
}

// unchanged fails the test if a bridge, its dnsmasq or the instances on it aren't
// what they were, or anything of ours is left.
func unchanged(t *testing.T, d *lxdtest.Daemon, bridge, instance, config string, before api.NetworkPut) {
	t.Helper()
	lxdtest.Unchanged(t, bridge, before)
	if got := d.Config(bridge); got != config {
		t.Errorf("dnsmasq was told %q, want %q", got, config)
	}
	if pids := d.Dnsmasqs(bridge); len(pids) != 1 {
		t.Errorf("the bridge is served by processes %v", pids)
	}
	if network, _, err := lxdtest.Client(t).GetNetwork(bridge); err != nil || len(network.UsedBy) != 1 {
		t.Errorf("the bridge is used by %v, %v", network.UsedBy, err)
	}
	nothingLeft(t, instance)
}

// checkSession looks for what was shown as decided in the session's journal, and
// at the list that was written, if one was.
func checkSession(t *testing.T, dir string, shown decided) {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(dir, "list.txt"))
	if text := string(list); err == nil && text != "a.example.test\n" && text != "b.example.test\n" || err != nil && !os.IsNotExist(err) {
		t.Errorf("the list has %q, %v", list, err)
	}
	if len(shown) == 0 {
		return
	}
	journals, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "lxd-allowlist", "sessions", "*.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("sessions: %v, %v", journals, err)
	}
	out, err := exec.Command(program, "export", journals[0]).Output()
	for name, what := range shown {
		if strings.Contains(string(out), name) != (what == "keep") {
			t.Errorf("%s was shown as %q; exported is, %v:\n%s", name, what, err, out)
		}
	}
}

// nothingLeft fails the test if anything of ours is on an instance, or on the
// host for its sake. The guard of a program that was killed ends by itself.
func nothingLeft(t *testing.T, instance string) {
	t.Helper()
	late := time.After(10 * time.Second)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		out, err := exec.Command("../../.ci/left", instance).CombinedOutput()
		if err == nil {
			return
		}
		guard := strings.HasPrefix(string(out), "a guard of ") && strings.Count(string(out), "\n") == 1
		select {
		case <-again.C:
			if guard {
				continue
			}
		case <-late:
		}
		t.Errorf("%v, left for %s:\n%s", err, instance, out)
		return
	}
}
