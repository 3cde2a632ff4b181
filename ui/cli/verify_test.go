package cli

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// list writes a list and returns its path.
func list(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// verified runs verify and returns its report.
func verified(t *testing.T, want int, args ...string) verify.Report {
	t.Helper()
	c := start(t, append([]string{"verify", "--report", "report.json"}, args...)...)
	_, stderr, code := run(t, c)
	if code != want {
		t.Errorf("verify %v: exit code %d, want %d; it said %s", args, code, want, stderr)
	}
	return reportOf(t, c)
}

// reportOf returns the report.json that a call wrote.
func reportOf(t *testing.T, c *exec.Cmd) verify.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r verify.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func blocked(r verify.Report) (names []string) {
	for _, n := range r.Blocked {
		names = append(names, n.Name)
	}
	return names
}

func states(r verify.Report) map[string]string {
	all := make(map[string]string)
	for _, s := range r.Rules {
		all[s.Rule] = s.State
	}
	return all
}

// bridgesDnsmasq returns the process of a bridge's dnsmasq: another one means
// that it was restarted.
func bridgesDnsmasq(t *testing.T, bridge string) string {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(os.Getenv("LXD_DIR"), "networks", bridge, "dnsmasq.pid"))
	if err != nil {
		t.Fatal(err)
	}
	return string(pid)
}

// nothingLeft fails the test if anything of ours is on an instance, or on the
// host for its sake: others may be enforced meanwhile.
func nothingLeft(t *testing.T, instance string) {
	t.Helper()
	for deadline := time.Now().Add(guardPatience); ; time.Sleep(guardPatience / 100) {
		found, code := leftFor(t, instance)
		if code == 0 {
			return
		}
		if strings.HasPrefix(found, "a guard of ") && strings.Count(found, "\n") == 1 && time.Now().Before(deadline) {
			continue // it ends by itself
		}
		t.Errorf("exit code %d, left for %s:\n%s", code, instance, found)
		return
	}
}

// guardPatience bounds how long the guard of a program that was killed may take
// to end after restore has done its work.
const guardPatience = 10 * time.Second

// leftFor returns what the script that looks for it says of an instance, and its
// exit code.
func leftFor(t *testing.T, instance string) (found string, code int) {
	t.Helper()
	c := exec.Command("../../.ci/left", instance)
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

func TestVerify(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance, other := lxdtest.Instance(t, bridge), lxdtest.Instance(t, bridge)
	before, pid := lxdtest.Network(t, bridge), bridgesDnsmasq(t, bridge)
	allow := list(t, "a.example.test", ".other.test", "unused.example.test")

	good := "nslookup a.example.test && nslookup deep.x.other.test && nslookup " + instance + ".lxd"
	r := verified(t, 0, instance, allow, "--", "sh", "-c", good)
	if r.Verdict != verify.Works || !r.Proven() || len(r.Blocked) != 0 || *r.ExitCode != 0 {
		t.Errorf("a list that works: %+v", r)
	}
	if s := states(r); s["a.example.test"] != "used" || s[".other.test"] != "used" || s["unused.example.test"] != "unused" {
		t.Errorf("rules: %v", s)
	}
	if !strings.HasPrefix(r.Resolver, "dnsmasq ") || !strings.HasPrefix(r.Server, "lxd ") {
		t.Errorf("versions: %q, %q", r.Resolver, r.Server)
	}

	// Whatever its resolver is, and over TCP too.
	bad := "nslookup b.example.test; nslookup -type=a c.example.test 203.0.113.7; nslookup -type=txt xa.example.test; true"
	r = verified(t, 1, instance, allow, "--", "sh", "-c", bad)
	if want := []string{"b.example.test", "c.example.test", "xa.example.test"}; !slices.Equal(blocked(r), want) || r.Verdict != verify.Blocked {
		t.Errorf("blocked %v, want %v: %q", blocked(r), want, r.Verdict)
	}
	r = verified(t, 0, "--expect", "b.example.test", "--expect", "c.example.test", "--expect", ".xa.example.test", instance, allow, "--", "sh", "-c", bad)
	if len(r.Blocked) != 3 || !r.Blocked[0].Expected {
		t.Errorf("expected blocks: %+v", r.Blocked)
	}
	r = verified(t, 1, instance, allow, "--", "sh", "-c", "exit 9")
	if r.Verdict != verify.Failed || *r.ExitCode != 9 {
		t.Errorf("a command that fails: %q, %v", r.Verdict, r.ExitCode)
	}
	r = verified(t, 1, "--learn", instance, allow, "--", "sh", "-c", "nslookup b.example.test")
	if r.Verdict != verify.Uncovers || *r.ExitCode != 0 || !slices.Equal(blocked(r), []string{"b.example.test"}) {
		t.Errorf("learning: %+v", r)
	}
	r = verified(t, 0, "--learn", instance, allow, "--", "sh", "-c", "nslookup a.example.test")
	if s := states(r); r.Verdict != verify.Covered || !r.Proven() || r.Queries == 0 || s["a.example.test"] != "used" || s["unused.example.test"] != "unused" {
		t.Errorf("learning what is covered: %+v", r)
	}
	// Where nothing is asked by a way that is seen, nothing was covered either.
	const resolv = "/etc/resolv.conf"
	lxdtest.Run(t, instance, "sh", "-c", "cp "+resolv+" /kept; echo nameserver 127.0.0.1 >"+resolv)
	if r = verified(t, exitUnproven, "--learn", instance, allow, "--", "true"); r.Verdict != verify.Unseen {
		t.Errorf("learning from nobody: %+v", r)
	}
	lxdtest.Run(t, instance, "sh", "-c", "cat /kept >"+resolv)

	// Nobody else noticed.
	if code := lxdtest.Run(t, other, "nslookup", "b.example.test"); code != 0 {
		t.Errorf("the other instance's look-up ended with %d", code)
	}
	if now := bridgesDnsmasq(t, bridge); now != pid {
		t.Errorf("dnsmasq was restarted: it was %s and is %s", pid, now)
	}
	lxdtest.Unchanged(t, bridge, before)
	nothingLeft(t, instance)
	if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
		t.Errorf("afterwards a look-up ended with %d", code)
	}
}

// listenAt is a server at an address of the host's. It tells where somebody came.
func listenAt(t *testing.T, host string, served chan<- string) (at string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			served <- l.Addr().String()
		}
	}()
	return l.Addr().String()
}

func TestVerifyStrictly(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	i, _, err := lxdtest.Client(t).GetNetwork(bridge)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := strings.Cut(i.Config["ipv4.address"], "/")
	served := make(chan string, 1)
	kept, other := listenAt(t, host, served), listenAt(t, host, served)
	allow := list(t, "a.example.test", kept+"/tcp", "192.0.2.0/24:80/tcp", "198.51.100.7:53/udp")
	command := "nslookup a.example.test; nc -w 3 198.51.100.7 8080; nc -w 3 " + strings.ReplaceAll(other, ":", " ") + "; nc -w 3 " + strings.ReplaceAll(kept, ":", " ") + " </dev/null; true"
	r := verified(t, 1, "--strict", instance, allow, "--", "sh", "-c", command)
	var refused []string
	for _, p := range r.Packets {
		refused = append(refused, p.To)
	}
	slices.Sort(refused)
	want := []string{other + "/tcp", "198.51.100.7:8080/tcp"}
	slices.Sort(want)
	if r.Verdict != verify.Blocked || !slices.Equal(refused, want) || !r.Proven() {
		t.Errorf("%+v, refused %v, want %v", r, refused, want)
	}
	if s := states(r); len(s) != 3 || s[kept+"/tcp"] != "used" || s["192.0.2.0/24:80/tcp"] != "unused" {
		t.Errorf("rules: %v", s)
	}
	if got := <-served; got != kept || len(served) > 0 {
		t.Errorf("served at %s and %d more", got, len(served))
	}
	nothingLeft(t, instance)
}

// Killed with a list in force, the program leaves an instance that works, and a
// note that restore takes away.
func TestVerifyIsKilled(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "verify", "--strict", instance, list(t, "a.example.test"))
	inForce(t, c)
	if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code == 0 {
		t.Error("a name that isn't allowed was looked up")
	}
	if _, stderr, code := run(t, start(t, "verify", instance, list(t, "a.example.test"))); code != exitTrouble || !strings.Contains(stderr, "is being enforced on instance "+instance) {
		t.Errorf("a second one ends with %d: %s", code, stderr)
	}
	if _, stderr, code := run(t, start(t, "minimize", instance, list(t, "a.example.test"), "--", "true")); code == 0 || !strings.Contains(stderr, "is being enforced on instance "+instance) {
		t.Errorf("trials with it end with %d: %s", code, stderr)
	}
	// The script that says that nothing is left has eyes to see: also queries of
	// IPv6, which the instance has an address for some time after its start.
	v4, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	v6, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv6.address"], "/")
	for _, server := range []string{v4, v6} {
		if code := lxdtest.Run(t, instance, "sh", "-c", "for n in $(seq 100); do nslookup -type=a a.example.test "+server+" && exit; sleep 0.1; done; exit 1"); code != 0 {
			t.Fatalf("a name that is allowed is not looked up at %s: %d", server, code)
		}
	}
	found, code := leftFor(t, instance)
	for _, what := range []string{"a key of instance " + instance, "a table of the packet filter for instance " + instance, "a guard of instance " + instance, "a redirected connection: ipv4", "a redirected connection: ipv6",
		"a labelled connection: "} {
		if code != 1 || !strings.Contains(found, what) {
			t.Errorf("exit code %d, it doesn't find %s:\n%s", code, what, found)
		}
	}
	kill(t, c)
	_ = c.Wait()
	if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
		t.Errorf("after the kill a look-up ended with %d", code)
	}
	if _, stderr, code := run(t, start(t, "restore", bridge)); code != 0 || !strings.Contains(stderr, instance) {
		t.Errorf("restore ended with %d: %s", code, stderr)
	}
	nothingLeft(t, instance)
}

// inForce starts a program and returns what it says from when its list is in
// force on.
func inForce(t *testing.T, c *exec.Cmd) *bufio.Scanner {
	t.Helper()
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	told := bufio.NewScanner(out)
	hears(t, told, "Ctrl+C")
	return told
}

// hears reads on to a line with a text.
func hears(t *testing.T, told *bufio.Scanner, text string) {
	t.Helper()
	said := ""
	for told.Scan() {
		if strings.Contains(told.Text(), text) {
			return
		}
		said += told.Text() + "\n"
	}
	t.Fatalf("it ended without a word of %q; it said %s", text, said)
}

func TestVerifyEndsOnASignal(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "verify", "--report", "report.md", instance, list(t, "a.example.test"))
	told := inForce(t, c)
	lxdtest.Run(t, instance, "nslookup", "b.example.test")
	hears(t, told, "blocked: A b.example.test")
	_ = c.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() != 1 {
		t.Errorf("exit code %d", c.ProcessState.ExitCode())
	}
	if text, err := os.ReadFile(filepath.Join(c.Dir, "report.md")); err != nil || !strings.Contains(string(text), "something was blocked") {
		t.Errorf("%v: %s", err, text)
	}
	nothingLeft(t, instance)
}

// Where somebody takes the packet filter's tables away, the program says so at
// once, and the report doesn't say that the list was in force.
func TestVerifyIsUndone(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "verify", "--report", "report.md", instance, list(t, "a.example.test"))
	told := inForce(t, c)
	i, _, err := lxdtest.Client(t).GetInstance(instance)
	if err != nil {
		t.Fatal(err)
	}
	table := "lxd-allowlist-" + bridge + "-" + strings.ReplaceAll(i.Config["volatile.eth0.hwaddr"], ":", "")
	if out, err := exec.Command("nft", "delete", "table", "bridge", table).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hears(t, told, "not in force any more")
	_ = c.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() != exitUnproven {
		t.Errorf("exit code %d", c.ProcessState.ExitCode())
	}
	if text, err := os.ReadFile(filepath.Join(c.Dir, "report.md")); err != nil || !strings.Contains(string(text), "somebody took them away") {
		t.Errorf("%v: %s", err, text)
	}
	nothingLeft(t, instance)
}

func TestVerifyCalledWrongly(t *testing.T) {
	allow := list(t, "a.example.test")
	for _, args := range [][]string{
		{}, {"x"}, {"x", allow, "command"}, {"x", allow, "--"}, {"x", "no-such-list"}, {"--learn", "--strict", "x", allow},
		{"--expect", "*.example", "x", allow},
	} {
		if _, stderr, code := run(t, start(t, append([]string{"verify"}, args...)...)); code != exitUsage || !strings.Contains(stderr, "see lxd-allowlist verify --help") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}

// A user that isn't there is found before anything is enforced, and before the
// trials of minimize.
func TestVerifyAbsentUser(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	allow := list(t, "a.example.test")
	for _, verb := range []string{"verify", "minimize"} {
		_, stderr, code := run(t, start(t, verb, "--user", "nosuch", instance, allow, "--", "true"))
		if code != exitTrouble || !strings.Contains(stderr, "as nosuch in "+instance) || strings.Contains(stderr, "proven") || strings.Contains(stderr, "trial 1") {
			t.Errorf("%s: exit code %d: %s", verb, code, stderr)
		}
	}
	nothingLeft(t, instance)
}

// Killed at any instant from its start to its end, with restore behind it, the
// program leaves nothing: no table, no redirected or labelled connection, no note,
// no process; and the instance reaches everything again.
func TestVerifyKilledAnywhere(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	allow := list(t, "a.example.test")
	words := []string{instance, allow, "--", "sh", "-c", "nslookup a.example.test; nslookup b.example.test; sleep 1"}
	calls := []call{
		{args: append([]string{"verify"}, words...), code: exitFailed},
		{args: append([]string{"verify", "--strict"}, words...), code: exitFailed},
	}
	killAnywhere(t, []string{"restore", bridge}, 5, calls, func(string) {
		nothingLeft(t, instance)
		if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
			t.Errorf("a look-up ended with %d", code)
		}
	})
	lxdtest.Unchanged(t, bridge, before)
}
