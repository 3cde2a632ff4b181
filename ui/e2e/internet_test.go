package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// The addresses of the internet, all of which have the servers of
// [internet.serve]. Name hostN.example.test has the Nth of either family.
var (
	world4 = netip.MustParsePrefix("198.51.100.0/24")
	world6 = netip.MustParsePrefix("2001:db8:5164::/64")
)

// Those addresses of which something is said: whom the bridge's dnsmasq asks,
// and where only what [internet.soFar] sends arrives.
const (
	resolverHost = 53
	markHost     = 254
)

// The two ends of the host's link to it.
var (
	hereEnds  = []string{"198.18.255.1/30", "2001:db8:ffff::1/126"}
	thereEnds = []string{"198.18.255.2/30", "2001:db8:ffff::2/126"}
)

// numbered returns the nth address of a family, 4 or 6.
func numbered(family, n int) netip.Addr {
	if family == 4 {
		return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)})
	}
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0x51, 0x64, 15: byte(n)})
}

// internet is a network namespace behind the host with servers of DNS, HTTP,
// TLS and QUIC.
type internet struct {
	t      *testing.T
	ns     netns.NsHandle
	marked chan struct{}
	more   map[string]chan struct{} // by "https": a download goes on by a value, and ends as it is closed

	mu     sync.Mutex
	served map[string]int    // by "quic 198.51.100.7"
	left   map[exit]int      // packets on their way to it, by what they are of
	last   map[exit][]byte   // of those packets
	opened []context.Context // of QUIC, over as the connection is
}

// exit is what packets are of: an attempt's family and number, see [attempts].
type exit struct{ family, n int }

// newInternet has the host reach it, until the test's end.
func newInternet(t *testing.T) *internet {
	t.Helper()
	in := &internet{t: t, marked: make(chan struct{}), more: make(map[string]chan struct{}), served: make(map[string]int), left: make(map[exit]int), last: make(map[exit][]byte)}
	for _, kind := range kinds {
		in.more[kind] = make(chan struct{})
	}
	in.within(func() (err error) {
		if in.ns, err = netns.New(); err != nil {
			return err
		}
		// Servers answer from addresses that it has by a route alone.
		if err := os.WriteFile("/proc/sys/net/ipv6/ip_nonlocal_bind", []byte("1"), 0); err != nil {
			return err
		}
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		for _, all := range []netip.Prefix{world4, world6} {
			if err == nil {
				err = netlink.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: ipNet(all), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST})
			}
		}
		return err
	})
	t.Cleanup(func() { _ = in.ns.Close() })
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "up", PeerNamespace: netlink.NsFd(in.ns)}
	pair.Name = fmt.Sprintf("lati%d", os.Getpid())
	in.check(netlink.LinkAdd(pair))
	t.Cleanup(func() { _ = netlink.LinkDel(pair) })
	in.check(plug(pair.Name, hereEnds, func(link int) error {
		for i, all := range []netip.Prefix{world4, world6} {
			if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link, Dst: ipNet(all), Gw: netip.MustParsePrefix(thereEnds[i]).Addr().AsSlice()}); err != nil {
				return fmt.Errorf("a route to %s: %w", all, err)
			}
		}
		return nil
	}))
	in.within(func() error {
		return plug("up", thereEnds, func(link int) error {
			for _, here := range hereEnds {
				if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link, Gw: netip.MustParsePrefix(here).Addr().AsSlice()}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	in.watch(pair.Name)
	in.serve()
	return in
}

func (in *internet) check(err error) {
	in.t.Helper()
	if err != nil {
		in.t.Fatal(err)
	}
}

// within calls f on a thread in the namespace: what sockets it opens are there.
func (in *internet) within(f func() error) {
	in.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with it
		var err error
		if in.ns != 0 {
			err = netns.Set(in.ns)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	in.check(<-done)
}

// plug gives an interface its addresses, sets it up, and its routes.
func plug(name string, ends []string, routes func(link int) error) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	for _, end := range ends {
		a, err := netlink.ParseAddr(end)
		if err != nil {
			return err
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(link, a); err != nil {
			return fmt.Errorf("address %s: %w", end, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return err
	}
	return routes(link.Attrs().Index)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// watch counts the packets that leave the host for the internet.
func (in *internet) watch(uplink string) {
	in.t.Helper()
	i, err := net.InterfaceByName(uplink)
	in.check(err)
	const all = uint16(unix.ETH_P_ALL)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(all<<8|all>>8))
	in.check(err)
	frames := os.NewFile(uintptr(fd), uplink)
	in.t.Cleanup(func() { frames.Close() })
	in.check(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)) // none is to be lost
	in.check(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: i.Index}))
	go func() {
		frame := make([]byte, 2048)
		for {
			n, err := frames.Read(frame)
			if err != nil {
				return
			}
			in.leaves(frame[:n])
		}
	}()
}

// tagged finds the texts that the attempts' messages have.
var tagged = regexp.MustCompile(`leak([46])-([0-9]+)-`)

// tag returns the text of one.
func tag(of exit) string { return fmt.Sprintf("leak%d-%d-", of.family, of.n) }

// leaves counts a packet by its text, else by where it goes.
func (in *internet) leaves(frame []byte) {
	to := destination(frame)
	family := 6
	if to.Is4() {
		family = 4
	}
	if !world4.Contains(to) && !world6.Contains(to) {
		return
	}
	n := int(to.AsSlice()[to.BitLen()/8-1])
	if n == markHost && bytes.Contains(frame, []byte(mark)) {
		in.marked <- struct{}{}
		return
	}
	of := exit{family, n - firstExit}
	if m := tagged.FindSubmatch(bytes.ToLower(frame)); m != nil {
		of.family, _ = strconv.Atoi(string(m[1]))
		of.n, _ = strconv.Atoi(string(m[2]))
	} else if n < firstExit {
		return
	}
	in.mu.Lock()
	in.left[of]++
	in.last[of] = bytes.Clone(frame)
	in.mu.Unlock()
}

// destination returns where an IP packet goes, the zero Addr of anything else.
func destination(frame []byte) (to netip.Addr) {
	switch {
	case len(frame) < 34:
	case binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IP:
		to, _ = netip.AddrFromSlice(frame[30:34])
	case binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IPV6 && len(frame) >= 54:
		to, _ = netip.AddrFromSlice(frame[38:54])
	}
	return to
}

// mark is the text of a packet that all those before it are counted by.
const mark = "so far, as counted here"

// soFar returns what has left the host for it until now, by what it is of, and
// forgets that.
func (in *internet) soFar() map[exit]int {
	in.t.Helper()
	c, err := net.Dial("udp", netip.AddrPortFrom(numbered(4, markHost), 9).String())
	in.check(err)
	defer c.Close()
	_, err = c.Write([]byte(mark))
	in.check(err)
	<-in.marked
	in.mu.Lock()
	defer in.mu.Unlock()
	left := in.left
	in.left = make(map[exit]int)
	return left
}

// took counts something that was served.
func (in *internet) took(kind string, at net.Addr) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.served[kind+" "+netip.MustParseAddrPort(at.String()).Addr().Unmap().String()]++
}

// taken returns what was served since it was last called.
func (in *internet) taken() map[string]int {
	in.mu.Lock()
	defer in.mu.Unlock()
	served := in.served
	in.served = make(map[string]int)
	return served
}
