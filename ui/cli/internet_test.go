package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/export/rule"
)

// internet is a network namespace in which every address of 203.0.113.0/24
// accepts connections at port 80, and where the host has its route to these.
type internet struct {
	mu       sync.Mutex
	accepted map[netip.Addr]int
}

func newInternet(t *testing.T) *internet {
	in := &internet{accepted: make(map[netip.Addr]int)}
	var ns netns.NsHandle
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	inside := func(f func() error) (err error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked: the thread ends with it
			if ns == 0 {
				ns, err = netns.New()
			} else {
				err = netns.Set(ns)
			}
			if err == nil {
				err = f()
			}
		}()
		<-done
		return err
	}
	check(inside(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		_, all, _ := net.ParseCIDR("203.0.113.0/24")
		if err := netlink.LinkSetUp(lo); err != nil {
			return err
		}
		return netlink.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: all, Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST})
	}))
	t.Cleanup(func() { _ = ns.Close() })
	name := fmt.Sprintf("lati%d", os.Getpid())
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "up", PeerNamespace: netlink.NsFd(ns)}
	pair.Name = name
	check(netlink.LinkAdd(pair))
	host, err := netlink.LinkByName(name)
	check(err)
	t.Cleanup(func() { _ = netlink.LinkDel(host) })
	here, _ := netlink.ParseAddr("198.18.255.1/30")
	there, _ := netlink.ParseAddr("198.18.255.2/30")
	check(netlink.AddrAdd(host, here))
	check(netlink.LinkSetUp(host))
	_, all, _ := net.ParseCIDR("203.0.113.0/24")
	var listener net.Listener
	check(inside(func() error {
		up, err := netlink.LinkByName("up")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(up, there); err != nil {
			return err
		}
		if err := netlink.LinkSetUp(up); err != nil {
			return err
		}
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: up.Attrs().Index, Gw: here.IP}); err != nil {
			return err
		}
		listener, err = net.Listen("tcp4", ":80")
		return err
	}))
	check(netlink.RouteAdd(&netlink.Route{LinkIndex: host.Attrs().Index, Dst: all, Gw: there.IP}))
	t.Cleanup(func() { _ = listener.Close() })
	go in.serve(listener)
	return in
}

func (in *internet) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		to := netip.MustParseAddrPort(c.LocalAddr().String()).Addr()
		in.mu.Lock()
		in.accepted[to]++
		in.mu.Unlock()
		_ = c.Close()
	}
}

func (in *internet) reached(host int) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.accepted[netip.AddrFrom4([4]byte{203, 0, 113, byte(host)})]
}

// An application that needs seven of forty names, looked up and connected to:
// with one of the seven missing it fails, and the report names just that one;
// with all it works. Another instance on the bridge, asking as fast as it can
// all the while, never gets a wrong answer.
func TestVerifyAnApplication(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	in := newInternet(t)
	instance, other := lxdtest.Instance(t, bridge), lxdtest.Instance(t, bridge)
	needed := []int{11, 14, 19, 23, 31, 38, 47}
	var script strings.Builder
	for _, n := range needed {
		fmt.Fprintf(&script, "nslookup -type=a host%d.example.test >/dev/null && nc -w 5 203.0.113.%[1]d 80 </dev/null || exit 3\n", n)
	}
	var names []string
	for n := 10; n < 50; n++ {
		names = append(names, fmt.Sprintf("host%d.example.test", n))
	}

	ctx, stop := context.WithCancel(t.Context())
	var asked strings.Builder
	var asking sync.WaitGroup
	asking.Go(func() {
		const ask = `while :; do if nslookup -type=a host77.example.test >/dev/null; then echo right; else echo wrong; fi; done`
		_, _ = lxdtest.Server(t).Run(ctx, other, lxd.Command{Args: []string{"sh", "-c", ask}, Stdout: &asked})
	})

	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "host31.example.test" })
	r := verified(t, 1, "--strict", instance, list(t, missing...), "--", "sh", "-c", script.String())
	if *r.ExitCode != 3 || !slices.Equal(r.Unexpected(), []string{"host31.example.test"}) {
		t.Errorf("one name is missing: exit code %d, blocked %v", *r.ExitCode, r.Unexpected())
	}
	if in.reached(23) != 1 || in.reached(31) != 0 {
		t.Errorf("connections to an allowed name %d, to the other %d", in.reached(23), in.reached(31))
	}
	r = verified(t, 0, "--strict", instance, list(t, names...), "--", "sh", "-c", script.String())
	used := 0
	for _, s := range r.Rules {
		if s.State == "used" {
			used++
		}
	}
	if r.Verdict != verify.Works || used != len(needed) {
		t.Errorf("all names: %q, %d rules were used: %v", r.Verdict, used, r.Why)
	}
	// The same connection to a bare address is refused, though it exists.
	r = verified(t, 1, "--strict", instance, list(t, names...), "--", "sh", "-c", "nc -w 5 203.0.113.11 80 </dev/null; nc -w 5 203.0.113.200 80 </dev/null")
	if in.reached(11) != 2 || in.reached(200) != 0 || !slices.Equal(r.Unexpected(), []string{"203.0.113.11:80/tcp", "203.0.113.200:80/tcp"}) {
		t.Errorf("bare addresses: reached %d and %d times, refused %v", in.reached(11), in.reached(200), r.Unexpected())
	}

	stop()
	asking.Wait()
	if right, wrong := strings.Count(asked.String(), "right"), strings.Count(asked.String(), "wrong"); right == 0 || wrong != 0 {
		t.Errorf("the other instance had %d right answers and %d wrong ones", right, wrong)
	}
	nothingLeft(t, instance)
}

// Under the strict level the addresses that a list has itself are tried like its
// names; one that can't be is told of by name.
func TestMinimizeAddresses(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	in := newInternet(t)
	instance := lxdtest.Instance(t, bridge)
	before := lookUp(t, instance)
	allow := list(t, "203.0.113.71:80/tcp", "198.51.100.7:53/udp")
	stdout, stderr, code := run(t, start(t, "minimize", "--strict", instance, allow, "--", "nc", "-w", "5", "203.0.113.71", "80"))
	want := "RULE                 IS\n203.0.113.71:80/tcp  needed\n"
	if code != 0 || stdout != want || !strings.Contains(stderr, "198.51.100.7:53/udp is not enforced: it is an address for DNS") || in.reached(71) == 0 {
		t.Errorf("exit code %d, found\n%swant\n%sreached %d times; it said %s", code, stdout, want, in.reached(71), stderr)
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
