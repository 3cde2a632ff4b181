package wire

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/hosttest"
	"lxd-allowlist/capture/witness"
)

func TestMain(m *testing.M) {
	hosttest.Enter()
	if name := os.Getenv(child); name != "" {
		openAndWait(name)
	}
	if what := os.Getenv(sends); what != "" {
		sendAndExit(what)
	}
	os.Exit(m.Run())
}

// patience bounds what is waited for on a machine under load.
const patience = 20 * time.Second

const (
	hostEnd = "wire0"
	host4   = "10.78.0.1"
	host6   = "fd78::1"
)

// ground is a host, and an instance that is plugged into it.
type ground struct {
	t        testing.TB
	instance netns.NsHandle
	link     netlink.Link // the host's end
	eth      netlink.Link // the instance's
	inside   *netlink.Handle
}

// newGround makes both. The host has further addresses, which the instance
// finds its servers at.
func newGround(t testing.TB, addresses ...string) *ground {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs root and the kernel's packet sockets: make test")
	}
	if !hosttest.Inside() {
		t.Fatal("these tests need root: sudo make test")
	}
	g := &ground{t: t}
	var err error
	hosttest.OnThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			g.instance, err = netns.Get()
		}
	})
	g.check(err)
	t.Cleanup(func() { _ = g.instance.Close() })
	g.inside, err = netlink.NewHandleAt(g.instance)
	g.check(err)
	t.Cleanup(g.inside.Close)
	g.plug()
	lo, err := netlink.LinkByName("lo")
	g.check(err)
	g.check(netlink.LinkSetUp(lo))
	for _, a := range addresses {
		g.address(nil, lo, a)
		t.Cleanup(func() {
			addr, _ := netlink.ParseAddr(a)
			_ = netlink.AddrDel(lo, addr)
		})
	}
	return g
}

// plug gives the instance an interface, as its start does.
func (g *ground) plug() {
	g.t.Helper()
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: hostEnd}, PeerName: "eth0", PeerNamespace: netlink.NsFd(g.instance)}
	g.check(netlink.LinkAdd(pair))
	g.t.Cleanup(func() { _ = netlink.LinkDel(pair) })
	var err error
	g.link, err = netlink.LinkByName(hostEnd)
	g.check(err)
	g.eth, err = g.inside.LinkByName("eth0")
	g.check(err)
	g.address(nil, g.link, host4+"/24")
	g.address(nil, g.link, host6+"/64")
	g.address(g.inside, g.eth, ours4+"/24")
	g.address(g.inside, g.eth, ours6+"/64")
	g.check(netlink.LinkSetUp(g.link))
	g.check(g.inside.LinkSetUp(g.eth))
	g.awaitUp()
	for _, via := range []string{host4, host6} {
		g.check(g.inside.RouteAdd(&netlink.Route{LinkIndex: g.eth.Attrs().Index, Gw: net.ParseIP(via)}))
	}
}

// awaitUp waits until the instance's interface takes packets, which comes some
// time after both ends were set up.
func (g *ground) awaitUp() {
	g.t.Helper()
	updates, done := make(chan netlink.LinkUpdate, 16), make(chan struct{})
	defer close(done)
	g.check(netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{Namespace: &g.instance, ListExisting: true}))
	for limit := time.After(patience); ; {
		select {
		case u := <-updates:
			if a := u.Attrs(); a.Name == "eth0" && a.OperState == netlink.OperUp {
				return
			}
		case <-limit:
			g.t.Fatal("the instance's interface doesn't come up")
		}
	}
}

func (g *ground) address(h *netlink.Handle, l netlink.Link, address string) {
	g.t.Helper()
	a, err := netlink.ParseAddr(address)
	g.check(err)
	a.Flags = unix.IFA_F_NODAD
	if h == nil {
		h, err = netlink.NewHandle()
		g.check(err)
		defer h.Close()
	}
	g.check(h.AddrAdd(l, a))
}

func (g *ground) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// do calls f in the instance: the sockets that it opens are there.
func (g *ground) do(f func()) {
	hosttest.OnThread(func() {
		if err := netns.Set(g.instance); err != nil {
			panic(err)
		}
		f()
	})
}

// dial opens a connection from within the instance, to one address.
func (g *ground) dial(_ context.Context, network, address string) (c net.Conn, err error) {
	g.do(func() { c, err = net.DialTimeout(network, address, patience) })
	return c, err
}

// raw sends frames as they are by the instance's interface.
type raw struct {
	fd int
	at *unix.SockaddrLinklayer
}

func (g *ground) raw() *raw {
	g.t.Helper()
	r := &raw{at: &unix.SockaddrLinklayer{Ifindex: g.eth.Attrs().Index, Halen: 6}}
	var err error
	g.do(func() { r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) })
	g.check(err)
	g.t.Cleanup(func() { _ = unix.Close(r.fd) })
	return r
}

// hostRaw is one by an interface of the host's.
func hostRaw(t testing.TB, l netlink.Link) *raw {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return &raw{fd: fd, at: &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Halen: 6}}
}

func (r *raw) send(frame []byte) error { return unix.Sendto(r.fd, frame, 0, r.at) }

// watched is a sink that another goroutine reads.
type watched struct {
	mu   sync.Mutex
	told told
	more chan struct{}
}

func (w *watched) note(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *watched) Query(q witness.Query)           { w.note(func() { w.told.Query(q) }) }
func (w *watched) Answer(a witness.Answer)         { w.note(func() { w.told.Answer(a) }) }
func (w *watched) Connection(c witness.Connection) { w.note(func() { w.told.Connection(c) }) }
func (w *watched) Hello(h witness.Hello)           { w.note(func() { w.told.Hello(h) }) }
func (w *watched) Lost(n uint64, why string)       { w.note(func() { w.told.Lost(n, why) }) }

// await waits until what was told is as it should be.
func (w *watched) await(t testing.TB, what string, is func([]string) bool) {
	t.Helper()
	for limit := time.After(patience); ; {
		w.mu.Lock()
		ok, lines := is(w.told.lines), len(w.told.lines)
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.more:
		case <-limit:
			t.Fatalf("waited for %s in vain; %d events", what, lines)
		}
	}
}

// take returns what was told up to a query for a name of its own, which the
// instance sends now: the ring keeps the order.
func (w *watched) take(g *ground, n int) []string {
	g.t.Helper()
	name := fmt.Sprintf("until%d.test", n)
	g.check(g.raw().send(datagram(1, 53, dnsQuery(name+"."))))
	last := "query A " + name + " to 203.0.113.1:53/udp"
	w.await(g.t, last, func(lines []string) bool { return slices.Contains(lines, last) })
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.told.lines, last)
	lines := slices.Clone(w.told.lines[:i])
	w.told.lines = w.told.lines[i+1:]
	return lines
}

// watch watches the host's end for the rest of the test.
func (g *ground) watch() *watched {
	g.t.Helper()
	w, err := Open(hostEnd)
	g.check(err)
	s := &watched{more: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Watch(ctx, s) }()
	g.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			g.t.Error(err)
		}
		if err := w.Close(); err != nil {
			g.t.Error(err)
		}
	})
	return s
}

// sockets returns how many packet sockets there are on an interface.
func sockets(t testing.TB, index int) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/packet")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) { // sk RefCnt Type Proto Iface …
		if f := strings.Fields(line); len(f) > 4 && f[4] == fmt.Sprint(index) {
			n++
		}
	}
	return n
}
