package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
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
	uplink   string // the host's interface to it
	inside   func(func() error) error
	mu       sync.Mutex
	accepted map[netip.Addr]int
}

func newInternet(t *testing.T) *internet {
	in := &internet{uplink: fmt.Sprintf("lati%d", os.Getpid()), accepted: make(map[netip.Addr]int)}
	var ns netns.NsHandle
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in.inside = func(f func() error) (err error) {
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
	check(in.inside(func() error {
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
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "up", PeerNamespace: netlink.NsFd(ns)}
	pair.Name = in.uplink
	check(netlink.LinkAdd(pair))
	host, err := netlink.LinkByName(in.uplink)
	check(err)
	t.Cleanup(func() { _ = netlink.LinkDel(host) })
	here, _ := netlink.ParseAddr("198.18.255.1/30")
	there, _ := netlink.ParseAddr("198.18.255.2/30")
	check(netlink.AddrAdd(host, here))
	check(netlink.LinkSetUp(host))
	_, all, _ := net.ParseCIDR("203.0.113.0/24")
	var listener net.Listener
	check(in.inside(func() error {
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

// Of a thousand attempts of an instance, of each kind that gets out without a
// list in force, none does with one, as counted where it would leave the host.
// What the list allows still gets out.
func TestNothingGetsOutOfAnInstance(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	in := newInternet(t)
	instance := lxdtest.Instance(t, bridge)
	const allowed, mark = 71, 254
	marked := make(chan struct{})
	packets := framesOn(t, in.uplink, func(frame []byte) bool {
		if len(frame) < 34 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || !bytes.Equal(frame[30:33], []byte{203, 0, 113}) {
			return false
		}
		if frame[33] == mark {
			marked <- struct{}{}
		}
		return frame[33] != mark && frame[33] != allowed
	})
	// until waits for all that has got out so far to be counted.
	until := func() int64 {
		t.Helper()
		c, err := net.Dial("udp", fmt.Sprintf("203.0.113.%d:9", mark))
		if err == nil {
			_, err = c.Write([]byte("so far"))
			_ = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		<-marked
		return packets.Load()
	}
	kinds := map[string]string{
		"HTTP":            "nc -w 1 203.0.113.$n 80 </dev/null",
		"TLS":             "nc -w 1 203.0.113.$n 443 </dev/null",
		"DNS over TLS":    "nc -w 1 203.0.113.$n 853 </dev/null",
		"UDP":             "traceroute -n -f 9 -m 9 -q 1 -w 1 -p 443 203.0.113.$n",
		"its own queries": "nslookup -type=a host9.example.test 203.0.113.$n",
		"ICMP":            "ping -c 1 -W 1 203.0.113.$n",
	}
	script := func(times int) string {
		var s strings.Builder
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			fmt.Fprintf(&s, "for n in $(seq 72 %d); do %s >/dev/null 2>&1 & done; wait\n", 71+times, kinds[kind])
		}
		return s.String()
	}
	for kind, attempt := range kinds {
		before := until()
		lxdtest.Run(t, instance, "sh", "-c", "n=100; "+attempt)
		if until() == before {
			t.Errorf("%s doesn't get out without a list in force either", kind)
		}
	}
	before := until()
	const times = 170
	r := verified(t, 1, "--strict", instance, list(t, "host71.example.test"), "--", "sh", "-c", script(times)+"nslookup -type=a host71.example.test && nc -w 5 203.0.113.71 80 </dev/null")
	if got := until() - before; got != 0 || in.reached(allowed) != 1 {
		t.Errorf("%d packets of %d attempts got out, %d that are allowed", got, len(kinds)*times, in.reached(allowed))
	}
	if n := len(r.Unexpected()); n != (len(kinds)-1)*times+1 { // of its own queries there is a name
		t.Errorf("the report has %d of %d refused", n, (len(kinds)-1)*times+1)
	}
	t.Logf("0 packets of %d attempts got out", len(kinds)*times)
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
