package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// worlds are the addresses of the internet, by family, and the two ends of the
// host's link to it.
var worlds = []struct{ all, here, there string }{
	{"198.18.113.0/24", "198.18.254.1/30", "198.18.254.2/30"},
	{"2001:db8:113::/64", "2001:db8:fffe::1/126", "2001:db8:fffe::2/126"},
}

// newInternet has the host reach, until the test's end, a network namespace in
// which every address hears what is said to the ports by TCP, and ends the
// connection.
func newInternet(t *testing.T, ports ...int) {
	t.Helper()
	var ns netns.NsHandle
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
	err := inside(func() error {
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		for _, w := range worlds {
			if err == nil {
				err = netlink.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: network(w.all), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST})
			}
		}
		return err
	})
	t.Cleanup(func() { _ = ns.Close() })
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "up", PeerNamespace: netlink.NsFd(ns)}
	pair.Name = fmt.Sprintf("lati%d", os.Getpid())
	if err == nil {
		err = netlink.LinkAdd(pair)
		t.Cleanup(func() { _ = netlink.LinkDel(pair) })
	}
	for _, w := range worlds {
		if err == nil {
			err = inside(func() error { return plug("up", w.there, w.here, nil) })
		}
		if err == nil {
			err = plug(pair.Name, w.here, w.there, network(w.all))
		}
	}
	for _, port := range ports {
		if err != nil {
			break
		}
		err = inside(func() error {
			l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
				go hearAll(l)
			}
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// plug gives a link its end, and a route by the other one.
func plug(name, end, other string, to *net.IPNet) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(end)
	if err != nil {
		return err
	}
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	gateway, _, err := net.ParseCIDR(other)
	return errors.Join(err, netlink.AddrAdd(link, a), netlink.LinkSetUp(link),
		netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Gw: gateway}))
}

func network(prefix string) *net.IPNet {
	_, n, err := net.ParseCIDR(prefix)
	if err != nil {
		panic(err)
	}
	return n
}

func hearAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = c.Read(make([]byte, 4096))
		}()
	}
}
