package cli

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// ownRaw is a raw.dnsmasq that a user may have beside a list: byte for byte it
// is odd, and all names are asked of the tests' upstream.
func ownRaw(t *testing.T) string {
	t.Helper()
	server := regexp.MustCompile(`127\.0\.0\.1#\d+`).FindString(lxdtest.Raw(t))
	return "# kept by the tests:  two  spaces,\ta tab, ümlaut\nno-resolv\n\n  server = " + server + "   # of the test\nlog-queries\n\n"
}

// setRaw sets a bridge's raw.dnsmasq and returns the bridge then.
func setRaw(t *testing.T, bridge, raw string) api.NetworkPut {
	t.Helper()
	n := lxdtest.Network(t, bridge)
	n.Config["raw.dnsmasq"] = raw
	if err := lxdtest.Client(t).UpdateNetwork(bridge, n, ""); err != nil {
		t.Fatal(err)
	}
	return lxdtest.Network(t, bridge)
}

// memberVerifies has a member of LXD's group verify a list, and returns what it
// says and the report, if there is one.
func memberVerifies(t *testing.T, rules string) (verifies func(args ...string) *exec.Cmd, report func() verify.Report) {
	t.Helper()
	dir, member := asMember(t)
	if err := os.WriteFile(filepath.Join(dir, "allow.txt"), []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "report.json")
	verifies = func(args ...string) *exec.Cmd {
		_ = os.Remove(path)
		return member(append([]string{"verify", "--report", "report.json"}, args...)...)
	}
	return verifies, func() (r verify.Report) {
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			t.Error(err)
		}
		return r
	}
}

// Without root a list is held by the bridge's dnsmasq, and it is told what was
// blocked; what isn't known is said, and the bridge is what it was afterwards.
func TestVerifyByBridge(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := setRaw(t, bridge, ownRaw(t))
	address := lxdtest.Address(t, instance)
	verifies, report := memberVerifies(t, "a.example.test\n.other.test\nunused.example.test\n")
	for _, c := range []struct {
		command string
		expect  []string
		code    int
		verdict verify.Verdict
		blocked []string
	}{
		{"nslookup -type=a a.example.test && nslookup deep.x.other.test && nslookup " + instance + ".lxd && nslookup " + address + "; nslookup c.example.test; true",
			[]string{"--expect", "c.example.test"}, exitHeld, verify.Held, []string{"c.example.test"}},
		{"nslookup b.example.test; nslookup -type=txt xa.example.test; nslookup sub.a.example.test; nslookup -type=a b.example.com; exit 9", nil, exitFailed, verify.Blocked,
			[]string{"b.example.com", "b.example.test", "sub.a.example.test", "xa.example.test"}},
		{"sed -i 's/nameserver .*/nameserver 203.0.113.7/' /etc/resolv.conf", nil, exitUnproven, verify.Unproven, nil},
	} {
		_, stderr, code := run(t, verifies(append(c.expect, instance, "allow.txt", "--", "sh", "-c", c.command)...))
		r := report()
		names := blocked(r)
		slices.Sort(names)
		if code != c.code || r.Verdict != c.verdict || !slices.Equal(names, c.blocked) {
			t.Errorf("%s: exit code %d, want %d, %q, want %q, blocked %v, want %v: %s", c.command, code, c.code, r.Verdict, c.verdict, names, c.blocked, stderr)
		}
		if s := states(r); r.Level != "bridge" || len(s) != 3 || s["a.example.test"] != "not known" || !strings.Contains(strings.Join(r.Notes, " "), "asks another resolver is not held") {
			t.Errorf("%s: %+v", c.command, r)
		}
		lxdtest.Unchanged(t, bridge, before)
	}
	nothingLeft(t, instance)
}

// Where others would be held, or the list wouldn't be, nothing is touched.
func TestVerifyByBridgeIsRefused(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	verifies, _ := memberVerifies(t, "a.example.test\n")
	refused := func(why string) {
		t.Helper()
		before, pid := lxdtest.Network(t, bridge), bridgesDnsmasq(t, bridge)
		_, stderr, code := run(t, verifies(instance, "allow.txt", "--", "true"))
		if code != exitTrouble || !strings.Contains(stderr, why) {
			t.Errorf("exit code %d, want %q: %s", code, why, stderr)
		}
		lxdtest.Unchanged(t, bridge, before)
		if now := bridgesDnsmasq(t, bridge); now != pid {
			t.Errorf("%s: dnsmasq was started anew", why)
		}
	}
	refused("server=/example.test/") // of the bridge's own raw.dnsmasq
	setRaw(t, bridge, ownRaw(t))
	roots := start(t, "verify", instance, list(t, "a.example.test"))
	told := inForce(t, roots)
	refused("a list is being enforced on instance " + instance)
	_ = roots.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	_ = roots.Wait()
	other := lxdtest.Instance(t, bridge)
	refused("these would be held, too: " + other)
}

// Killed at any instant, the program leaves a bridge that restore makes what it
// was, in LXD's database and for dnsmasq, for who isn't root, either.
func TestVerifyByBridgeKilledAnywhere(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := setRaw(t, bridge, ownRaw(t))
	told := func() string {
		text, err := os.ReadFile(filepath.Join(os.Getenv("LXD_DIR"), "networks", bridge, "dnsmasq.raw"))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	raw := told()
	dir, member := asMember(t)
	if err := os.WriteFile(filepath.Join(dir, "allow.txt"), []byte("a.example.test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	calls := []call{{args: []string{"verify", instance, "allow.txt", "--", "nslookup", "b.example.test"}, code: exitFailed, as: member}}
	killAnywhere(t, []string{"restore", bridge}, 3, calls, func(string) {
		lxdtest.Unchanged(t, bridge, before)
		if now := told(); now != raw {
			t.Errorf("dnsmasq was told %q, want %q", now, raw)
		}
		if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
			t.Errorf("a look-up ended with %d", code)
		}
	})
	nothingLeft(t, instance)
}

// An instance that comes onto the bridge meanwhile is told of, as is somebody who
// changes the bridge: from then on nothing is proven.
func TestVerifyByBridgeIsUndone(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	setRaw(t, bridge, ownRaw(t))
	verifies, report := memberVerifies(t, "a.example.test\n")
	c := verifies(instance, "allow.txt")
	told := inForce(t, c)
	if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code == 0 {
		t.Error("a name that isn't allowed was looked up")
	}
	hears(t, told, "blocked: A b.example.test")
	if _, stderr, code := run(t, start(t, "verify", instance, list(t, "b.example.test"))); code != exitTrouble || !strings.Contains(stderr, "network "+bridge+" is in use by") {
		t.Errorf("root's own ends with %d: %s", code, stderr)
	}
	lxdtest.Instance(t, bridge)
	setRaw(t, bridge, "no-resolv\n"+lxdtest.Network(t, bridge).Config["raw.dnsmasq"])
	hears(t, told, "somebody changed the bridge's configuration")
	_ = c.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() != exitUnproven {
		t.Errorf("exit code %d", c.ProcessState.ExitCode())
	}
	notes := strings.Join(report().Notes, " ")
	if !strings.Contains(notes, "came onto the bridge: it was held, too") || !strings.Contains(notes, "Somebody else changed raw.dnsmasq") {
		t.Errorf("notes: %s", notes)
	}
	if raw := lxdtest.Network(t, bridge).Config["raw.dnsmasq"]; raw != "no-resolv\n"+ownRaw(t) {
		t.Errorf("raw.dnsmasq is %q", raw)
	}
	nothingLeft(t, instance)
}

// On a remote a list is refused with the reason before anything is touched: neither
// way to enforce it leads there.
func TestVerifyOnARemote(t *testing.T) {
	lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before, pid := lxdtest.Network(t, bridge), bridgesDnsmasq(t, bridge)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	t.Setenv("LXD_CONF", t.TempDir())
	lxc := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("lxc", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("lxc %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	lxc("config", "set", "core.https_address", address)
	words := strings.Fields(lxc("config", "trust", "add", "--name", "far"))
	lxc("remote", "add", "far", words[len(words)-1])
	for _, args := range [][]string{{"verify"}, {"verify", "--strict"}, {"verify", "--learn"}, {"minimize"}} {
		c := start(t, append(args, "far:"+instance, list(t, "a.example.test"), "--", "true")...)
		c.Env = append(c.Env, "LXD_DIR="+t.TempDir()) // only the network leads there
		if _, stderr, code := run(t, c); code != exitTrouble || !strings.Contains(stderr, "its LXD is on another host") || !strings.Contains(stderr, "run the program there, with sudo") {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
	lxdtest.Unchanged(t, bridge, before)
	if now := bridgesDnsmasq(t, bridge); now != pid {
		t.Error("dnsmasq was started anew")
	}
	nothingLeft(t, instance)
}
