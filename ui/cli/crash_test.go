package cli

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// panicIn names the goroutine that panics as it begins, and which time: "the
// journal", "a call of LXD@5". With a ! behind it, it is one that the goroutine
// begins, and nobody guards: "the journal!".
const panicIn = "LXD_ALLOWLIST_TEST_PANIC"

func injector(spec string) func(string) {
	spec, library := strings.CutSuffix(spec, "!")
	name, number, _ := strings.Cut(spec, "@")
	at, err := strconv.Atoi(number)
	if err != nil {
		at = 1
	}
	var begun atomic.Int64
	return func(goroutine string) {
		if goroutine != name || begun.Add(1) != int64(at) {
			return
		}
		if library {
			go panic("injected")
			select {} // the process ends
		}
		panic("injected")
	}
}

// panics runs a call whose goroutine of that name panics: it ends with one line
// that says so, a trace that only the user can read, and another code than 0.
func panics(t *testing.T, where string, stdin string, args ...string) (stdout string) {
	t.Helper()
	return panicsIn(t, start(t, args...), where, stdin)
}

// panicsIn is panics of a call that is ready.
func panicsIn(t *testing.T, c *exec.Cmd, where, stdin string) (stdout string) {
	t.Helper()
	want := exitFailed
	if slices.Contains(c.Args, "verify") || slices.Contains(c.Args, "--diff") {
		want = exitTrouble // 1 says something of the list
	}
	c.Env = append(c.Env, panicIn+"="+where, "GOMAXPROCS=2") // a log is read in parts only by several
	c.Stdin = strings.NewReader(stdin)
	stdout, stderr, code := run(t, c)
	name, _, _ := strings.Cut(where, "@")
	_, line, found := strings.Cut(stderr, "lxd-allowlist: a fault of the program's own, in "+name+": injected; please report it with ")
	if code != want || !found || strings.Contains(stderr, "goroutine ") || strings.Count(stderr, "a fault of the program's own") != 1 {
		t.Errorf("%s: exit code %d, said is:\n%s", where, code, stderr)
		return stdout
	}
	path := strings.TrimSpace(line)
	trace, err := os.ReadFile(path)
	st, failed := os.Stat(path)
	if err != nil || failed != nil || st.Mode().Perm() != 0o600 || !strings.Contains(string(trace), "cli.injector") {
		t.Errorf("%s: the trace %s is %q, %v, %v", where, path, trace, err, failed)
	}
	return stdout
}

// A panic in whatever reads a log ends in order, and leaves no list that is a
// part of one.
func TestPanicsOnLogs(t *testing.T) {
	var log strings.Builder
	for n := 0; log.Len() < 17<<20; n++ { // enough to be read in parts
		fmt.Fprintf(&log, "Nov 24 10:00:00 dnsmasq[1]: query[A] n%d.example from 10.0.0.5\n", n)
	}
	path := filepath.Join(t.TempDir(), "dns.log")
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	journal, err := filepath.Abs("sample.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ where, log string }{
		{"a session's journal", journal}, {"the command", path}, {"the opening of the log", path}, {"a part of the log", path}, {"the input", "-"},
	} {
		if stdout := panics(t, c.where, log.String(), "export", c.log); stdout != "" {
			t.Errorf("%s: a list of %d bytes was written", c.where, len(stdout))
		}
	}
	panics(t, "the opening of the log", "", "export", "--diff", list(t, "a.example"), path)
}

// A panic in any goroutine of a capture, and of a list in force, leaves the
// bridge as it was without restore, and no list, report or fence.
func TestPanicsOnBridge(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	record := []string{"record", instance, "--output", "list.txt", "--", "sh", "-c", "nslookup a.example.test; exec sleep 30"}
	verify := []string{"verify", "--strict", "--report", "report.md", instance, list(t, "a.example.test"), "--", "sh", "-c",
		"nslookup a.example.test; nslookup b.example.test; nc -w 1 $(awk '/nameserver/ { print $2; exit }' /etc/resolv.conf) 53 </dev/null; wget -T 2 http://192.0.2.1/; exec sleep 30"}
	for _, c := range []struct {
		call   []string
		wheres []string
	}{
		{record, []string{
			"a call of LXD", "a call of LXD@3", "a call of LXD@6", "a call of LXD@9", "a call of LXD@12",
			"a command in the instance", "the journal", "the notices", "the follower of the log", "the owners of addresses",
			"the watch over the bridge", "LXD's events", "the probe of the upstream", "the joiner of what was seen",
			"the watch over packets", "the watch over processes", "the end of the watch over processes", "the end of the watch over an instance",
			"the instance's end",
		}},
		{[]string{"record", "--launch", lxdtest.Image, "--network", bridge, "--output", "list.txt", "--", "sleep", "30"}, []string{"an operation of LXD's"}},
		{verify, []string{
			"the instance's plug", "the watch over the fence", "refused packets", "server names", "the upstream's answers", "what has no answer",
			"queries by UDP", "queries by TCP", "a query by TCP", "the word on what is in force", "the word on what is refused", "the watch over what is deleted", "the end of old connections",
			"the instance's end on the host", "the end of grants",
		}},
	} {
		for _, where := range c.wheres {
			if stdout := panics(t, where, "", c.call...); strings.Contains(stdout, "a.example.test\n") && c.call[0] == "record" && !strings.Contains(stdout, "Name:") {
				t.Errorf("%s: a list was written:\n%s", where, stdout)
			}
			lxdtest.Unchanged(t, bridge, before)
			awaitAlone(t, bridge, where)
			// What others' tests have left is theirs.
			if _, stderr, code := run(t, start(t, "restore", bridge)); code != 0 || strings.Contains(stderr, bridge) || strings.Contains(stderr, instance) {
				t.Errorf("%s: restore ended with %d and found something to do: %s", where, code, stderr)
			}
		}
	}
}

// So does one of a list that the bridge's dnsmasq holds.
func TestPanicsByBridge(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := setRaw(t, bridge, ownRaw(t))
	verifies, _ := memberVerifies(t, "a.example.test\n")
	panicsIn(t, verifies(instance, "allow.txt", "--", "sleep", "30"), "the watch over the bridge's list", "")
	lxdtest.Unchanged(t, bridge, before)
}

// awaitAlone waits until a bridge has one instance: LXD may be removing another
// that it was told to, when nobody waited for that.
func awaitAlone(t *testing.T, bridge, where string) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	late := time.After(20 * time.Second)
	for {
		n, _, err := lxdtest.Client(t).GetNetwork(bridge)
		if err != nil {
			t.Fatal(err)
		}
		if len(n.UsedBy) == 1 {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Errorf("%s: the bridge is still used by %v", where, n.UsedBy)
			return
		}
	}
}

// unreached are goroutines that no instance of the tests' image has need of: its
// resolver keeps no refusal.
var unreached = []string{"a forgotten refusal"}

// Whatever has a name as a goroutine is made to panic by a test here or by one
// of the screen.
func TestEveryGoroutinePanics(t *testing.T) {
	tests := ""
	for _, path := range []string{"crash_test.go", "../e2e/crash_test.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(text)
	}
	named := regexp.MustCompile(`crash\.(?:Guarded|Catch)\("([^"]*)"`)
	names := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range named.FindAllSubmatch(text, -1) {
			if names++; !strings.Contains(tests, `"`+string(m[1])+`"`) && !slices.Contains(unreached, string(m[1])) {
				t.Errorf("%s: no test has %q panic", path, m[1])
			}
		}
		return err
	})
	if err != nil || names == 0 {
		t.Errorf("%d names found: %v", names, err)
	}
}
