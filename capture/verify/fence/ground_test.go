package fence

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inside says that the process is in a network namespace of its own, which is
// the host of these tests: nothing of the machine's is touched, and nothing is
// left when the process has ended, however it did.
const inside = "LXD_ALLOWLIST_FENCE_HOST"

func TestMain(m *testing.M) {
	if os.Geteuid() == 0 && os.Getenv(inside) == "" {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), inside+"=1"))
		}
		fmt.Fprintln(os.Stderr, "enter a network namespace for the tests:", err)
		os.Exit(1)
	}
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
	if os.Getenv(inside) == "" {
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
	g.bridgeHooks("0")
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
	for _, via := range []string{"192.0.2.2", "2001:db8::2"} {
		g.check(h.RouteAdd(&netlink.Route{LinkIndex: uplink.Attrs().Index, Gw: net.ParseIP(via)}))
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
	onThread(func() {
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

// onThread calls f on a thread that ends with it, whatever f made of it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and no unlock
		f()
	}()
	<-done
}

// do calls f within the namespace, the test's own for nil: the sockets that it
// opens are there. f must not fail the test.
func (s *space) do(f func()) {
	if s == nil {
		f()
		return
	}
	onThread(func() {
		if err := netns.Set(s.ns); err != nil {
			panic(err)
		}
		f()
	})
}

// serve has a server of the network "tcp" or "udp" answer whoever asks with
// its name, and "again" at each further message.
func serve(t testing.TB, s *space, name, network, address string) {
	t.Helper()
	var l io.Closer
	var err error
	s.do(func() {
		if network == "udp" {
			l, err = net.ListenPacket(network, address)
		} else {
			l, err = net.Listen(network, address)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	done := make(chan struct{})
	served.Go(func() {
		switch l := l.(type) {
		case net.PacketConn:
			servePackets(l, name)
		case net.Listener:
			serveStreams(l, name, &served, done)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(done)
		served.Wait()
	})
}

func servePackets(c net.PacketConn, name string) {
	b := make([]byte, 2048)
	for {
		_, from, err := c.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = c.WriteTo([]byte(name), from)
		}
	}
}

func serveStreams(l net.Listener, name string, served *sync.WaitGroup, done chan struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		served.Go(func() {
			<-done
			_ = c.Close()
		})
		served.Go(func() {
			b := make([]byte, 2048)
			for {
				if _, err := c.Read(b); err != nil {
					return
				}
				if _, err := c.Write([]byte(name)); err != nil {
					return
				}
			}
		})
	}
}

// dial opens a connection from within a namespace.
func dial(s *space, network, address string) (c net.Conn, err error) {
	s.do(func() {
		// One address, no timeout of the dialer's: the socket is made on this thread.
		c, err = net.Dial(network, address)
	})
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}

// ask says something on a connection and returns what came back.
func ask(c net.Conn) (string, error) {
	if _, err := c.Write([]byte("who are you?")); err != nil {
		return "", err
	}
	b := make([]byte, 2048)
	n, err := c.Read(b)
	return string(b[:n]), err
}

// asked opens a connection to ask.
func asked(s *space, network, address string) (string, error) {
	c, err := dial(s, network, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return ask(c)
}

// answers fails the test unless name answers there.
func (g *ground) answers(s *space, network, address, name string) {
	g.t.Helper()
	if got, err := asked(s, network, address); err != nil || got != name {
		g.t.Errorf("%s at %s: %q, %v, want %q", network, address, got, err, name)
	}
}

// refused fails the test unless an error comes at once: silence is none.
func (g *ground) refused(s *space, network, address string) {
	g.t.Helper()
	got, err := asked(s, network, address)
	if err == nil {
		g.t.Errorf("%s at %s: %q answered", network, address, got)
	} else if errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(err.Error(), "timed out") {
		g.t.Errorf("%s at %s: %v, want an error at once", network, address, err)
	}
}

// serveWorld has servers where the tests look for them.
func (g *ground) serveWorld() {
	for _, network := range []string{"udp", "tcp"} {
		serve(g.t, nil, "forwarder", network, fmt.Sprintf(":%d", forwarder))
		for _, a := range outsideAddresses {
			for _, port := range []string{"53", "80", "443", "853"} {
				serve(g.t, g.outside, "outside", network, net.JoinHostPort(netip.MustParsePrefix(a).Addr().String(), port))
			}
		}
		for _, s := range []struct {
			space     *space
			name      string
			addresses []string
		}{{nil, "host", hostAddresses}, {g.instance, "instance", instanceAddresses}, {g.second, "second", secondAddresses}} {
			for _, a := range s.addresses {
				for _, port := range []string{"53", "80"} {
					serve(g.t, s.space, s.name, network, net.JoinHostPort(netip.MustParsePrefix(a).Addr().String(), port))
				}
			}
		}
	}
}
