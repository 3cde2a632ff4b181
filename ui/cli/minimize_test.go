package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify/minimize"
	"lxd-allowlist/export/rule"
)

// needy is a command that needs three names of eight, one of two more, and an
// instance that it never ran in before.
const needy = `ask() { nslookup "$1.example.test" >/dev/null 2>&1; }
ask n1; ask n3
test ! -e /root/ran && touch /root/ran && ask n0 && ask n4 && ask n6 && { ask n2 || ask n5; } && { ask n7; true; }`

// asBefore fails the test if an instance is not what it was: its configuration
// and disk, with no snapshot, and running.
func asBefore(t *testing.T, before *api.Instance) {
	t.Helper()
	now, _, err := lxdtest.Client(t).GetInstance(before.Name)
	if err != nil {
		t.Fatal(err)
	}
	ours := func(i *api.Instance) map[string]string { // what LXD notes of a start is another one each time
		config := maps.Clone(i.Config)
		maps.DeleteFunc(config, func(key, _ string) bool {
			return strings.HasPrefix(key, "volatile.") && !strings.HasSuffix(key, ".hwaddr")
		})
		return config
	}
	if !reflect.DeepEqual(ours(now), ours(before)) || !reflect.DeepEqual(now.Devices, before.Devices) || now.Status != before.Status {
		t.Errorf("the instance is %+v, was %+v", now, before)
	}
	if left, err := lxdtest.Client(t).GetInstanceSnapshotNames(before.Name); err != nil || len(left) > 0 {
		t.Errorf("snapshots are left: %v, %v", left, err)
	}
	if lxdtest.Run(t, before.Name, "test", "-e", "/root/ran") == 0 {
		t.Error("the disk still has what the command wrote")
	}
	nothingLeft(t, before.Name)
}

func lookUp(t *testing.T, instance string) *api.Instance {
	t.Helper()
	i, _, err := lxdtest.Client(t).GetInstance(instance)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// until runs a program until it says something, and returns all that it said.
func until(t *testing.T, c *exec.Cmd, what string, then syscall.Signal) (said string) {
	t.Helper()
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for told := bufio.NewScanner(out); told.Scan(); {
		said += told.Text() + "\n"
		if !found && strings.Contains(told.Text(), what) {
			found = true
			if then == syscall.SIGKILL {
				kill(t, c)
			} else if err := c.Process.Signal(then); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait()
	if !found {
		t.Fatalf("it never said %q: %s", what, said)
	}
	return said
}

// What a command needs is found on a real bridge, each time in an instance that
// is put back; what was ended goes on where it was.
func TestMinimize(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	state := "XDG_STATE_HOME=" + t.TempDir()
	program := func(args ...string) *exec.Cmd {
		c := start(t, args...)
		c.Env = append(c.Env, state)
		return c
	}
	before, network := lookUp(t, instance), lxdtest.Network(t, bridge)
	if _, stderr, code := run(t, program("record", instance, "--", "sh", "-c", "for n in 0 1 2 3 4 5 6 7; do nslookup n$n.example.test; done >/dev/null")); code != 0 {
		t.Fatalf("record ended with %d: %s", code, stderr)
	}
	journals, err := filepath.Glob(filepath.Join(strings.TrimPrefix(state, "XDG_STATE_HOME="), "lxd-allowlist", "*", "*.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("sessions: %v, %v", journals, err)
	}
	session := strings.TrimSuffix(filepath.Base(journals[0]), ".jsonl")
	call := []string{"minimize", "--output", "needed.txt", instance, session, "--", "sh", "-c", needy}

	c := program(call...)
	said := until(t, c, "trial 4: ", syscall.SIGINT)
	if c.ProcessState.ExitCode() != exitTrouble || !strings.Contains(said, "ended after 4 trials") || !strings.Contains(said, "the same call goes on") {
		t.Errorf("ended by a signal: exit code %d, %s", c.ProcessState.ExitCode(), said)
	}
	asBefore(t, before)

	c = program(call...)
	stdout, stderr, code := run(t, c)
	want := map[string]string{
		"n0": "needed", "n4": "needed", "n6": "needed", "n2": "either-or with n5.example.test", "n5": "either-or with n2.example.test",
		"n1": "optional", "n3": "optional", "n7": "optional",
	}
	found := make(map[string]string)
	for line := range strings.Lines(stdout) {
		name, is, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name, ok := strings.CutSuffix(name, ".example.test"); ok {
			found[name] = strings.TrimSpace(is)
		}
	}
	if code != 0 || !maps.Equal(found, want) || !strings.Contains(stderr, "goes on with 4 trials of the session") || strings.Contains(stderr, "trial 4: ") || !strings.Contains(stderr, "trial 5: ") {
		t.Errorf("exit code %d, found\n%swant %v; it said\n%s", code, stdout, want, stderr)
	}
	list, err := os.ReadFile(filepath.Join(c.Dir, "needed.txt"))
	if names := strings.Fields(string(list)); err != nil || len(names) != 4 || !slices.Contains(names, "n4.example.test") || slices.Contains(names, "n1.example.test") {
		t.Errorf("the list has %q, %v", list, err)
	}
	asBefore(t, before)
	lxdtest.Unchanged(t, bridge, network)

	// All is known now.
	stdout, stderr, code = run(t, program(append([]string{"minimize", "--json"}, call[3:]...)...))
	var told struct {
		Needed []string
		Rules  []struct{ Rule, Is string }
	}
	if err := json.Unmarshal([]byte(stdout), &told); err != nil || code != 0 || len(told.Needed) != 4 || len(told.Rules) != 8 || told.Rules[0].Is != "needed" || strings.Contains(stderr, "started anew") {
		t.Errorf("again: %v, exit code %d, %s; it said %s", err, code, stdout, stderr)
	}
}

// Killed in the middle of a trial, the program leaves an instance that restore
// puts back.
func TestMinimizeIsKilled(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lookUp(t, instance)
	allow := list(t, "a.example.test", "b.example.test")
	said := until(t, start(t, "minimize", instance, allow, "--", "sh", "-c", "touch /root/ran; nslookup a.example.test"), "trial 1: ", syscall.SIGKILL)
	if !strings.Contains(said, "the trials are not kept") {
		t.Errorf("of a list that is no session it said %s", said)
	}
	if _, stderr, code := run(t, start(t, "minimize", instance, allow, "--", "true")); code != exitTrouble || !strings.Contains(stderr, "lxd-allowlist restore") {
		t.Errorf("before it was put back: exit code %d, %s", code, stderr)
	}
	if _, stderr, code := run(t, start(t, "restore", bridge)); code != 0 || !strings.Contains(stderr, "instance "+instance+" is as it was before") {
		t.Errorf("restore ended with %d: %s", code, stderr)
	}
	asBefore(t, before)
}

// Killed at any instant from before its snapshot to its end, with restore behind
// it, the program leaves the instance as it was.
func TestMinimizeKilledAnywhere(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before, network := lookUp(t, instance), lxdtest.Network(t, bridge)
	allow := list(t, "a.example.test")
	calls := []call{{args: []string{"minimize", instance, allow, "--", "sh", "-c", "touch /root/ran; sleep 0.3"}}}
	killAnywhere(t, []string{"restore", bridge}, 5, calls, func(string) { asBefore(t, before) })
	lxdtest.Unchanged(t, bridge, network)
}

// A command that fails with the whole list is shown with what it said.
func TestMinimizeOfWhatFails(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lookUp(t, instance)
	_, stderr, code := run(t, start(t, "minimize", instance, list(t, "a.example.test"), "--", "sh", "-c", "touch /root/ran; echo no luck; exit 4"))
	if code != exitFailed || !strings.Contains(stderr, "no luck") || !strings.Contains(stderr, "fails with the whole list") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	asBefore(t, before)
}

// What a session has of other commands, users and levels, or of rules that left
// its list, says nothing of this one.
func TestKnownTrials(t *testing.T) {
	of := capture.Trial{Instance: "x", Command: []string{"a", "b"}, Allowed: []string{"n1.example", ".n2.example"}, Worked: true, Took: time.Second}
	other := []func(*capture.Trial){
		func(k *capture.Trial) { k.Instance = "y" },
		func(k *capture.Trial) { k.Command = []string{"a b"} },
		func(k *capture.Trial) { k.User = "me" },
		func(k *capture.Trial) { k.Strict = true },
		func(k *capture.Trial) { k.Allowed = []string{"n2.example"} },
	}
	l := capture.NewLedger(capture.Info{})
	l.Tried(of)
	for _, change := range other {
		k := of
		change(&k)
		l.Tried(k)
	}
	of.Allowed = []string{"n3.example"}
	l.Tried(of)
	made := &trials{as: capture.Trial{Instance: "x", Command: []string{"a", "b"}}, rules: []rule.Rule{{Name: "n1.example"}, {Name: "n2.example", Suffix: true}, {Name: "n3.example"}}}
	want := []minimize.Trial{{Set: minimize.NewSet(3, 0, 1)}, {Set: minimize.NewSet(3, 2)}}
	for i := range want {
		want[i].Outcome = minimize.Outcome{Worked: true, Took: time.Second}
	}
	if got := made.known(l); !reflect.DeepEqual(got, want) || len(made.whole) != 0 {
		t.Errorf("known are %v, want %v", got, want)
	}
	if back := made.trialOf(minimize.NewSet(3, 0, 1), want[0].Outcome, time.Time{}); !slices.Equal(back.Allowed, []string{"n1.example", ".n2.example"}) || back.Command[1] != "b" {
		t.Errorf("it is kept as %+v", back)
	}
}

func TestBar(t *testing.T) {
	b := bar{onTerminal: true, left: 10}
	if got := b.text(); got != strings.Repeat("░", barWidth)+" 0 trials; about 10 more" {
		t.Errorf("at first %q", got)
	}
	b.tried(3, 8, minimize.Outcome{Worked: true, Took: 1500 * time.Millisecond}, 4*time.Second)
	b.done, b.left = 6, 6
	if got, want := b.text(), strings.Repeat("█", barWidth/2)+strings.Repeat("░", barWidth/2)+" 6 trials; about 6 more, 24s; 3 of 8 rules: works in 1.5 s"; got != want {
		t.Errorf("half way %q, want %q", got, want)
	}
	b.done, b.left = 12, 0
	if got, want := b.text(), strings.Repeat("█", barWidth)+" 12 trials; 3 of 8 rules: works in 1.5 s"; got != want {
		t.Errorf("at the end %q, want %q", got, want)
	}
}

// Without a word of what it took with the whole list, a command may take as
// long as it likes.
func TestTimeOfATrial(t *testing.T) {
	for _, c := range []struct {
		whole         []time.Duration
		timeout, want time.Duration
	}{
		{nil, 0, 0}, {[]time.Duration{2 * time.Second, time.Second}, 0, 66 * time.Second},
		{[]time.Duration{time.Hour}, time.Second, time.Second}, {nil, time.Second, time.Second},
	} {
		if got := (&trials{whole: c.whole, timeout: c.timeout}).limit(); got != c.want {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

func TestMinimizeCalledWrongly(t *testing.T) {
	allow := list(t, "a.example.test")
	for _, args := range [][]string{
		{}, {"x", allow}, {"x", allow, "--"}, {"x", "--", "true"}, {"x", "no-such-list", "--", "true"},
		{"--output", allow, "x", allow, "--", "true"}, {"--format", "word", "x", allow, "--", "true"},
		{"--timeout", "-3s", "x", allow, "--", "true"}, {"--timeout", "0", "x", allow, "--", "true"},
		{"--format", "squid", "x", allow, "--", "true"}, {"--overwrite", "x", allow, "--", "true"},
		{"--ports", "443", "x", allow, "--", "true"}, {"--reproducible", "x", allow, "--", "true"},
	} {
		if _, stderr, code := run(t, start(t, append([]string{"minimize"}, args...)...)); code != exitUsage || !strings.Contains(stderr, "see lxd-allowlist minimize --help") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}

// Under the strict level the addresses that a list has itself are tried like its
// names; one that can't be is told of by name.
func TestMinimizeAddresses(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lookUp(t, instance)
	host, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	served := make(chan string, 64) // more than there are trials
	at := listenAt(t, host, served)
	_, port, _ := net.SplitHostPort(at)
	allow := list(t, at+"/tcp", "198.51.100.7:53/udp")
	stdout, stderr, code := run(t, start(t, "minimize", "--strict", instance, allow, "--", "nc", "-w", "5", host, port))
	want := fmt.Sprintf("%-*s  IS\n%s/tcp  needed\n", len(at+"/tcp"), "RULE", at)
	if code != 0 || stdout != want || !strings.Contains(stderr, "198.51.100.7:53/udp is not enforced: it is an address for DNS") || len(served) == 0 {
		t.Errorf("exit code %d, found\n%swant\n%sserved %d times; it said %s", code, stdout, want, len(served), stderr)
	}
	asBefore(t, before)
}

// Rules of one domain, and of one address, are tried together.
func TestGroups(t *testing.T) {
	rules := []rule.Rule{{Name: "a.example.com"}, {Name: "b.example.com", Suffix: true}, {Name: "192.0.2.7:443/tcp"}, {Name: "192.0.2.7:80/tcp"}, {Name: "[2001:db8::/64]:22/tcp"}}
	if got := groups(rules); !slices.Equal(got, []string{"example.com", "example.com", "192.0.2.7/32", "192.0.2.7/32", "2001:db8::/64"}) {
		t.Errorf("groups are %q", got)
	}
}
