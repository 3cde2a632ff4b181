package forward

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// inOwnNetwork says to the test's child that it is the one in a network
// namespace of its own.
const inOwnNetwork = "FORWARD_TEST_IN_OWN_NETWORK"

// A bridge with a dnsmasq as LXD starts it, and an instance there whose queries
// to whatever server a packet filter leads here.
func TestBridge(t *testing.T) {
	needsPrograms(t)
	if os.Getenv(inOwnNetwork) == "" {
		again(t)
		return
	}
	inside := bridge(t, 7)
	d := dnsmasq(t, zone+"interface=br7\nexcept-interface=lo\nlisten-address=10.98.7.1\nlisten-address=fd98:7::1\nstrict-order\n")
	f, told := runOn(t, "br7", "", Config{Upstream: netip.MustParseAddrPort("10.98.7.1:53"), Source: netip.MustParseAddr("127.0.0.9"), Allow: allowed})
	command(t, "nft", "nftables", fmt.Sprintf(`table inet test { chain pre { type nat hook prerouting priority dstnat;
		iifname "br7" udp dport 53 redirect to :%[1]d; iifname "br7" tcp dport 53 redirect to :%[1]d; }; }`, f.Port()))
	for server, client := range map[string]string{
		"10.98.7.1":      "10.98.7.2",
		"203.0.113.254":  "10.98.7.2",
		"fd98:7::1":      "fd98:7::2",
		"2001:db8::53":   "fd98:7::2",
		"fe80::7:1%eth0": "fe80::7:2%br7",
	} {
		for _, network := range []string{"udp", "tcp"} {
			for name, want := range map[string]dnsmessage.RCode{"allowed.example": dnsmessage.RCodeSuccess, "evil.example": dnsmessage.RCodeNameError} {
				var conn net.Conn
				var err error
				inside(func() { conn, err = net.Dial(network, net.JoinHostPort(server, "53")) })
				if err != nil {
					t.Fatalf("%s %s: %v", network, server, err)
				}
				conn.SetDeadline(time.Now().Add(patienceOfTests))
				m := parsed(t, exchange(t, conn, query(name, dnsmessage.TypeA)))
				conn.Close()
				if m.RCode != want || (len(m.Answers) == 1) != (want == dnsmessage.RCodeSuccess) {
					t.Errorf("%s at %s by %s: the answer is %v", name, server, network, m.GoString())
				}
				if q := told.next(t); q.From.String() != client || q.Allowed != (name == "allowed.example") {
					t.Errorf("told %+v", q)
				}
				if want == dnsmessage.RCodeSuccess {
					if r, line := d.next(t); string(r.Client) != "127.0.0.9" || string(r.Name) != name {
						t.Errorf("logged %q", line)
					}
				}
			}
		}
	}
	// Nobody listens for what comes in elsewhere.
	other := bridge(t, 8)
	refuses := func(who string, network string, server string) {
		conn, err := net.Dial(network, net.JoinHostPort(server, fmt.Sprint(f.Port())))
		if err == nil {
			conn.Write(plain)
			conn.SetDeadline(time.Now().Add(patienceOfTests))
			_, err = conn.Read(make([]byte, mostSize))
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s asks %s by %s: %v", who, server, network, err)
		}
	}
	for _, network := range []string{"udp", "tcp"} {
		refuses("the host", network, "127.0.0.1")
		other(func() {
			for _, server := range []string{"10.98.8.1", "10.98.7.1", "fd98:8::1", "fd98:7::1"} {
				refuses("an instance on another bridge", network, server)
			}
		})
	}
}

// again runs the test once more in a network namespace of its own.
func again(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), inOwnNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // which the child dies with
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("in a network namespace of its own, which takes root: %v\n%s", err, out)
	}
}

// bridge makes a bridge and a namespace in the place of an instance there, with
// addresses that have a number in them. What it returns does something inside.
func bridge(t *testing.T, n int) (inside func(func())) {
	t.Helper()
	ip := func(args string) {
		t.Helper()
		command(t, "ip", "iproute2", strings.Fields(strings.ReplaceAll(args, "N", fmt.Sprint(n)))...)
	}
	ip("link set lo up")
	ip("link add brN type bridge")
	ip("addr add 10.98.N.1/24 dev brN")
	ip("addr add fd98:N::1/64 dev brN nodad")
	ip("addr add fe80::N:1/64 dev brN nodad")
	ip("link set brN up")
	ip("link add hostN type veth peer name eth0")
	ip("link set hostN master brN up")
	work, done := make(chan func()), make(chan bool)
	ready := make(chan string, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			panic(err)
		}
		ready <- fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid())
		for do := range work {
			do()
			done <- true
		}
	}()
	t.Cleanup(func() { close(work) })
	ip("link set eth0 netns " + <-ready)
	inside = func(do func()) { work <- do; <-done }
	inside(func() {
		ip("addr add 10.98.N.2/24 dev eth0")
		ip("addr add fd98:N::2/64 dev eth0 nodad")
		ip("addr add fe80::N:2/64 dev eth0 nodad")
		ip("link set eth0 up")
		ip("route add default via 10.98.N.1")
		ip("route add default via fd98:N::1")
	})
	return inside
}

// command runs a command to its end, nft with its rules.
func command(t *testing.T, name, apt string, args ...string) {
	t.Helper()
	if out, err := exec.Command(program(t, name, apt), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
