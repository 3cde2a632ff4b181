package proof

import (
	"net"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// dnsmasq fills the sets that the file's own comments make: both families,
// for allowed names only. All of it runs in a network namespace of its own,
// so that the machine's firewall isn't touched.
func TestNftset(t *testing.T) {
	ownNetwork(t)
	f := format(t, "dnsmasq-nftset")
	saw := observe(t, f)
	path := file(t, f, rules())
	run(t, "sh", "-ec", commented(t, path, "nft "))
	u, addr := startUpstream(t), freeAddr(t)
	startDnsmasq(t, path, addr, u)
	for _, c := range []struct {
		name string
		pass bool
	}{
		{"a.www.example.com", false}, // denied, so the sets stay empty
		{"notexample.net", false},
		{"www.example.com", true},
		{"a.b.example.net", true},
	} {
		run(t, "nft", "flush", "set", "inet", "egress", "allow4")
		run(t, "nft", "flush", "set", "inet", "egress", "allow6")
		if got := resolves(t, addr, c.name); got != c.pass {
			saw.difference(t, c.name, "", got)
		}
		for _, want := range []string{"127.99.0.1 expires", "fd00::1 expires"} {
			sets := run(t, "nft", "list", "table", "inet", "egress")
			if got := strings.Contains(sets, want); got != c.pass {
				t.Errorf("%s: %q is in the sets %v, want %v:\n%s", c.name, want, got, c.pass, sets)
			}
		}
	}
}

// The rules in the file's comments let through what dnsmasq has put into a
// set, and keep an address there for as long as it is used.
func TestNftsetRules(t *testing.T) {
	ownNetwork(t)
	f := format(t, "dnsmasq-nftset")
	path := file(t, f, rules())
	run(t, "sh", "-ec", commented(t, path, "nft "))
	run(t, "nft", "add chain inet egress out { type filter hook output priority 0; }")
	for rule := range strings.SplitSeq(commented(t, path, "ip"), "\n") {
		run(t, "nft", "add rule inet egress out "+rule)
	}
	run(t, "nft", "add rule inet egress out ip daddr 127.99.0.1 reject")
	server, err := net.Listen("tcp", "127.99.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	u, addr := startUpstream(t), freeAddr(t)
	startDnsmasq(t, path, addr, u)
	connects := func(want bool) {
		t.Helper()
		if err := accepts(server.Addr().String())(nil); (err == nil) != want {
			t.Errorf("connect: %v, want a connection %v", err, want)
		}
	}
	resolves(t, addr, "notexample.net")
	connects(false)
	resolves(t, addr, "www.example.com")
	connects(true)
	run(t, "nft", "flush set inet egress allow4")
	run(t, "nft", "add element inet egress allow4 { 127.99.0.1 timeout 1h expires 5m }")
	connects(true)
	if set := run(t, "nft", "list set inet egress allow4"); strings.Contains(set, "expires 4m") || !strings.Contains(set, "127.99.0.1") {
		t.Errorf("the address that is used has not begun its hour anew:\n%s", set)
	}
}

func TestNftsetMany(t *testing.T) {
	ownNetwork(t)
	f := format(t, "dnsmasq-nftset")
	path := fileOf(t, f, manyRules())
	run(t, "sh", "-ec", commented(t, path, "nft "))
	u, addr := startUpstream(t), freeAddr(t)
	startDnsmasq(t, path, addr, u)
	askMany(t, f, resolver(addr, u))
}

// ownNetwork moves the test's thread, and with it all that the test starts,
// into a network namespace where there is only loopback. The thread ends with
// the test, for it is never unlocked; subtests would run elsewhere.
func ownNetwork(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Fatalf("make a network namespace: %v; run this as root", err)
	}
	run(t, "ip", "link", "set", "lo", "up")
}

// run runs a command to its end and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := find(name)
	if path == "" {
		t.Fatalf("no %s: %s", name, packages[name])
	}
	if root != "" {
		path = program(t, name)
	}
	out, err := inRoot(exec.Command(path, args...)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
