package e2e

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
)

var awayCount = flag.Int("away", 0, "how often TestLXDAwayAnywhere has LXD killed, stopped, restarted or hanging; 0 for once with each call")

var awayFor = flag.Duration("away-for", 0, "how long TestLXDAwayForLong has LXD away; 0 for as long as two queries take")

const (
	// longestAway is how long LXD is away at most, besides the time of its start.
	longestAway = 4 * time.Second
	// stopPatience is what a service manager waits for an LXD that was told to
	// stop; that waits for the commands in its instances.
	stopPatience = 5 * time.Second
)

// awayKinds are what happens to LXD, which is back after it.
var awayKinds = []struct {
	name string
	do   func(*lxdtest.Daemon)
}{
	{"killed", func(d *lxdtest.Daemon) { d.Kill(); time.Sleep(rand.N(longestAway)); d.Start() }},
	{"stopped", func(d *lxdtest.Daemon) { stop(d); time.Sleep(rand.N(longestAway)); d.Start() }},
	{"restarted", func(d *lxdtest.Daemon) { stop(d); d.Start() }},
	{"frozen", func(d *lxdtest.Daemon) { d.Freeze(); time.Sleep(rand.N(longestAway)); d.Thaw() }},
}

func stop(d *lxdtest.Daemon) {
	killed := make(chan struct{})
	late := time.AfterFunc(stopPatience, func() {
		d.Kill()
		close(killed)
	})
	d.Stop()
	if !late.Stop() {
		<-killed
	}
}

// rawWords are of sockets and of Go: no user should read them.
var rawWords = regexp.MustCompile(`unix\.socket|websocket|EOF|http://|dial `)

// LXD is killed, stopped, restarted or hangs at any instant of a call from its start to
// its exit: the call ends, in plain words, and leaves nothing that restore doesn't
// undo.
func TestLXDAwayAnywhere(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	config := d.Config(bridge)
	allow := filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(allow, []byte("a.example.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := []string{"--", "sh", "-c", "nslookup a.example.test >/dev/null; sleep 1"}
	launch := []string{"--launch", lxdtest.Image, "--network", bridge, "--output", "list.txt"}
	calls := [][]string{
		{instance, "--output", "list.txt"}, // a screen, as the next
		launch,
		append([]string{"record", instance, "--output", "list.txt"}, command...),
		append(append([]string{"record"}, launch...), command...),
		append([]string{"verify", "--strict", instance, allow}, command...),
	}
	lasts := slices.Repeat([]time.Duration{usualSession}, len(calls))
	stages := make(map[string]int)
	done, restored := 0, 0
	for n := 0; done < cmp.Or(*awayCount, len(calls)); n++ {
		args, kind := calls[n%len(calls)], awayKinds[n/len(calls)%len(awayKinds)]
		if *awayCount == 0 {
			kind = awayKinds[n%len(awayKinds)]
		}
		dir := t.TempDir()
		t.Setenv("XDG_STATE_HOME", t.TempDir())
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		run, screen := onCommand, n%len(calls) < 2
		if screen {
			run = onScreen
		}
		begin := time.Now()
		at := instant{after: rand.N(lasts[n%len(calls)])}
		if screen {
			at = anyInstant(lasts[n%len(calls)])
		}
		stage, said := run(t, dir, args, at, func() { kind.do(d) })
		if stage == "" {
			lasts[n%len(calls)] = time.Since(begin)
			continue
		}
		done++
		stages[kind.name+" in "+stage]++
		where := filepath.Join(d.Dir(), "unix.socket") // which it may say that nobody answers at
		if raw := rawWords.FindString(strings.ReplaceAll(said, where, "")); raw != "" {
			t.Errorf("it says %q", raw)
		}
		list, err := os.ReadFile(filepath.Join(dir, "list.txt"))
		if text := string(list); err == nil && text != "a.example.test\n" && text != "b.example.test\n" || err != nil && !os.IsNotExist(err) {
			t.Errorf("the list has %q, %v", list, err)
		}
		out, err := exec.Command(program, "restore").CombinedOutput()
		if err != nil {
			t.Errorf("restore: %v\n%s", err, out)
		}
		if !strings.Contains(string(out), "nothing to put back") {
			restored++
			t.Logf("%q, LXD %s in %s: restore had this to undo:\n%sit had said\n%s", args, kind.name, stage, out, said)
		}
		unchanged(t, d, bridge, instance, config, before)
		if t.Failed() {
			t.Fatalf("%q, LXD %s at %+v of %v, number %d, in %s; it said\n%s", args, kind.name, at, lasts[n%len(calls)], done, stage, said)
		}
	}
	t.Logf("%d times, nothing left behind; restore had something to undo %d times: %v; whole they take %v", done, restored, stages, lasts)
}

// onScreen runs [wholeSession] and does something meanwhile at an instant, the
// last thing before the terminal is closed. It returns the stage that this was in,
// "" if the session was over, and what the screen showed at the end.
func onScreen(t *testing.T, dir string, args []string, at instant, meanwhile func()) (stage, said string) {
	t.Helper()
	p := onPTY(t, dir, args...)
	if stage = p.session(at, decided{}); stage != "" {
		meanwhile()
		said = p.screen.Text()
		p.outer.Close()
		p.ends()
	}
	return stage, said
}

// onCommand runs a call without a screen to its own end, as [onScreen] does; its
// stage is what it had said last.
func onCommand(t *testing.T, dir string, args []string, at instant, meanwhile func()) (stage, said string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "said")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := exec.Command(program, args...)
	c.Dir, c.Stderr, c.Stdout = dir, f, f
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(over)
	}()
	saidNow := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	select {
	case <-over:
		return "", saidNow()
	case <-time.After(at.after):
	}
	stage = args[0] + ": start"
	if lines := bytes.Split(bytes.TrimSpace([]byte(saidNow())), []byte("\n")); len(lines[len(lines)-1]) > 0 {
		words := strings.Fields(string(lines[len(lines)-1]))
		stage = args[0] + ": " + strings.Join(words[:min(5, len(words))], " ")
	}
	meanwhile()
	select {
	case <-over:
	case <-time.After(patience):
		t.Errorf("%q still runs", args)
		_ = c.Process.Kill()
		<-over
	}
	return stage, saidNow()
}

// LXD is away for long: what is asked for meanwhile is in the list, each try to
// open a shell says what is the matter, one key opens it once LXD is back, and
// what was missed is said. At the end LXD is away again, and stays away: that
// says what to do, which puts everything back.
func TestLXDAwayForLong(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge, instance, before := fixture(t)
	config := d.Config(bridge)
	s := open(t, 260, 40, instance, "--output", "list.txt")
	s.sees("~$")
	d.Kill()
	s.sees("LXD doesn't answer: it was stopped, or is restarting", "to open it again")
	var list strings.Builder
	asks := func(name string) {
		d.Inside(instance, "nslookup", name)
		s.row("new", name)
		fmt.Fprintln(&list, name)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	tries := 0
	for begin, n := time.Now(), 0; n < 2 || time.Since(begin) < *awayFor; n++ {
		asks(fmt.Sprintf("away%05d.example.test", n))
		if *awayFor > 0 && strings.Contains(s.text(), "to open it again") {
			s.keys("o")
			s.sees("opening…")
			tries++
		}
		if raw := rawWords.FindString(s.text()); raw != "" {
			t.Fatalf("it shows %q:\n%s", raw, s.text())
		}
		<-tick.C
	}
	s.sees("to open it again")
	t.Logf("away for %v, a shell was tried for %d times; the screen shows\n%s", *awayFor, tries, s.text())
	d.Start()
	s.sees("LXD answers again, after ", ": 0 queries were missed")
	s.keys("o")
	s.sees("Shell  ctrl+] leaves", "~$")
	s.types("nslookup later.example.test >/dev/null")
	s.row("new", "later.example.test")
	fmt.Fprintln(&list, "later.example.test")
	d.Kill()
	s.sees("LXD doesn't answer: it was stopped, or is restarting", "to open it again")
	s.keys("q")
	s.sees("write and quit")
	s.keys("Enter")
	s.exits(1)
	s.sees("bridge "+bridge+" is not as it was: ", "start LXD, then run lxd-allowlist restore "+bridge)
	t.Logf("it ends with\n%s", s.text())
	if raw := rawWords.FindString(s.text()); raw != "" {
		t.Errorf("it ends with %q", raw)
	}
	if got := s.file("list.txt"); got != list.String() {
		t.Errorf("the list has\n%s, want\n%s", got, &list)
	}
	d.Start()
	if out, err := exec.Command(program, "restore", bridge).CombinedOutput(); err != nil {
		t.Errorf("restore: %v: %s", err, out)
	}
	unchanged(t, d, bridge, instance, config, before)
}
