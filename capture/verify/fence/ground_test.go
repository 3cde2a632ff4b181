package fence

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/hosttest"
)

func TestMain(m *testing.M) {
	hosttest.Enter()
	if port := os.Getenv(child); port != "" {
		raiseAndWait()
	}
	os.Exit(m.Run())
}

// need leaves a test out of a short run, and fails it where there is no root.
func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs root and the kernel's nftables: make test")
	}
	if !hosttest.Inside() {
		t.Fatal("these tests need root: sudo make test")
	}
}

// patience bounds what is waited for on a machine under load.
const patience = 20 * time.Second

// Addresses of the fixture. The outside has servers at all of its own.
var (
	hostAddresses     = []string{"10.77.0.1/24", "fd77::1/64"}
	instanceAddresses = []string{"10.77.0.2/24", "fd77::2/64"}
	secondAddresses   = []string{"10.77.0.3/24", "fd77::3/64"}
	uplinkAddresses   = []string{"192.0.2.1/24", "2001:db8::1/64"}
	outsideAddresses  = []string{"192.0.2.2/24", "2001:db8::2/64", "198.51.100.1/32", "198.51.100.2/32", "2001:db8:1::1/128", "2001:db8:1::2/128"}
)

const (
	bridgeName   = "lat-br0"
	instanceHost = "lat-veth0"
	secondHost   = "lat-veth1"
	forwarder    = 5391 // the port of what stands for it
)

var (
	instanceMAC = net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 2}
	secondMAC   = net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 3}
)

// ground is a host with a bridge, two instances on it and a world outside.
type ground struct {
	t                         testing.TB
	host                      *netlink.Handle
	instance, second, outside *space
}

// newGround makes the whole; the test's own namespace is the host.
func newGround(t testing.TB) *ground {
	need(t)
	h, err := netlink.NewHandle()
	if err != nil {
		t.Fatal(err)
	}
	g := &ground{t: t, host: h, instance: newSpace(t), second: newSpace(t), outside: newSpace(t)}
	g.sysctl("net/ipv4/ip_forward", "1")
	g.sysctl("net/ipv6/conf/all/forwarding", "1")
	g.sysctl("net/ipv6/conf/default/accept_dad", "0")
	// The kernel's limits of ICMP errors would make silence of some refusals.
	g.sysctl("net/ipv4/icmp_ratelimit", "0")
	g.sysctl("net/ipv6/icmp/ratelimit", "0")
	for _, name := range []string{"per_sec", "burst"} { // a namespace's own since Linux 6.11
		_ = os.WriteFile("/proc/sys/net/ipv4/icmp_msgs_"+name, []byte("1000000"), 0)
	}
	g.bridgeHooks("0")
	g.check(netlink.ConntrackTableFlush(netlink.ConntrackTable)) // of another test
	lo, _ := h.LinkByName("lo")
	g.check(h.LinkSetUp(lo))
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName, HardwareAddr: net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 1}}}
	g.check(h.LinkAdd(bridge))
	t.Cleanup(func() { _ = h.LinkDel(bridge) })
	g.check(h.LinkSetUp(bridge))
	addAddresses(t, h, bridge, hostAddresses)
	g.plug(g.instance, instanceHost, instanceMAC, instanceAddresses, bridge)
	g.plug(g.second, secondHost, secondMAC, secondAddresses, bridge)
	uplink := g.plug(g.outside, "lat-up", nil, outsideAddresses, nil)
	addAddresses(t, h, uplink, uplinkAddresses)
	eth, err := g.outside.handle.LinkByName("eth0")
	g.check(err)
	for _, via := range []string{"192.0.2.2", "2001:db8::2"} {
		ip, at := net.ParseIP(via), uplink.Attrs().Index
		// Who isn't found at once is looked for again after a second.
		g.check(h.NeighSet(&netlink.Neigh{LinkIndex: at, IP: ip, HardwareAddr: eth.Attrs().HardwareAddr, State: netlink.NUD_PERMANENT}))
		g.check(h.RouteAdd(&netlink.Route{LinkIndex: at, Gw: ip}))
	}
	return g
}

func (g *ground) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *ground) sysctl(name, value string) {
	g.t.Helper()
	g.check(os.WriteFile("/proc/sys/"+name, []byte(value), 0))
}

// bridgeHooks has what passes over bridges go through the IP hooks, or not.
func (g *ground) bridgeHooks(value string) {
	for _, name := range []string{"iptables", "ip6tables"} {
		err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+name, []byte(value), 0)
		if err != nil && (value != "0" || !errors.Is(err, os.ErrNotExist)) {
			g.t.Fatal(err)
		}
	}
}

// plug connects a namespace to the host by a pair of interfaces, the host's of
// which is in the bridge if there is one.
func (g *ground) plug(s *space, name string, mac net.HardwareAddr, addresses []string, bridge netlink.Link) netlink.Link {
	g.t.Helper()
	pair := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "eth0", PeerHardwareAddr: mac,
		PeerNamespace: netlink.NsFd(s.ns),
	}
	g.check(g.host.LinkAdd(pair))
	g.t.Cleanup(func() { _ = g.host.LinkDel(pair) })
	if bridge != nil {
		g.check(g.host.LinkSetMaster(pair, bridge))
	}
	g.check(g.host.LinkSetUp(pair))
	eth, err := s.handle.LinkByName("eth0")
	g.check(err)
	g.check(s.handle.LinkSetUp(eth))
	awaitLink(g.t, s.ns, "eth0")
	host, err := netns.Get()
	g.check(err)
	defer host.Close()
	awaitLink(g.t, host, name)
	addAddresses(g.t, s.handle, eth, addresses)
	gateways := hostAddresses
	if bridge == nil {
		gateways = uplinkAddresses
	}
	for _, gateway := range gateways {
		g.check(s.handle.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Gw: netip.MustParsePrefix(gateway).Addr().AsSlice()}))
	}
	return pair
}

// awaitLink waits until an interface takes packets, which comes some time after
// it was set up.
func awaitLink(t testing.TB, ns netns.NsHandle, name string) {
	t.Helper()
	updates, done := make(chan netlink.LinkUpdate, 16), make(chan struct{})
	defer close(done)
	err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{Namespace: &ns, ListExisting: true})
	if err != nil {
		t.Fatal(err)
	}
	for limit := time.After(patience); ; {
		select {
		case u := <-updates:
			if a := u.Attrs(); a.Name == name && a.OperState == netlink.OperUp {
				return
			}
		case <-limit:
			t.Fatalf("interface %s doesn't come up", name)
		}
	}
}

func addAddresses(t testing.TB, h *netlink.Handle, l netlink.Link, addresses []string) {
	t.Helper()
	for _, a := range addresses {
		addr, err := netlink.ParseAddr(a)
		if err == nil {
			addr.Flags = unix.IFA_F_NODAD
			err = h.AddrAdd(l, addr)
		}
		if err != nil {
			t.Fatalf("give %s the address %s: %v", l.Attrs().Name, a, err)
		}
	}
}

// port is the instance's.
func (g *ground) port() Port {
	return Port{Bridge: bridgeName, MAC: instanceMAC, Host: instanceHost}
}

// linkLocal returns where the instance finds a port of a neighbour's.
func (g *ground) linkLocal(mac net.HardwareAddr, port uint16) string {
	g.t.Helper()
	eth, err := g.instance.handle.LinkByName("eth0")
	g.check(err)
	a := netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
	return netip.AddrPortFrom(a.WithZone(fmt.Sprint(eth.Attrs().Index)), port).String()
}

// raise puts a fence around the instance for the rest of the test.
func (g *ground) raise(level Level) *Fence {
	g.t.Helper()
	f, err := Raise(g.port(), level, forwarder)
	g.check(err)
	g.t.Cleanup(func() {
		if err := f.Lower(); err != nil {
			g.t.Error(err)
		}
	})
	return f
}

// space is a network namespace that ends with the test.
type space struct {
	ns     netns.NsHandle
	handle *netlink.Handle
}

func newSpace(t testing.TB) *space {
	t.Helper()
	s := &space{}
	var err error
	hosttest.OnThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if err = os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0); err != nil {
			return
		}
		s.ns, err = netns.Get()
	})
	if err == nil {
		s.handle, err = netlink.NewHandleAt(s.ns)
	}
	if err != nil {
		t.Fatal("make a network namespace:", err)
	}
	t.Cleanup(func() {
		s.handle.Close()
		_ = s.ns.Close()
	})
	lo, err := s.handle.LinkByName("lo")
	if err == nil {
		err = s.handle.LinkSetUp(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do calls f within the namespace, the test's own for nil: the sockets that it
// opens are there. f must not fail the test.
func (s *space) do(f func()) {
	if s == nil {
		f()
		return
	}
	hosttest.OnThread(func() {
		if err := netns.Set(s.ns); err != nil {
			panic(err)
		}
		f()
	})
}
