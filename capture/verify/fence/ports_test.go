package fence

import (
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// A restart gives the instance another end on the host, by the same name or
// another: it is held there from its first frame on, whatever address it sends by.
func TestRestartIsFollowed(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		t.Run(level.String(), func(t *testing.T) { restartIsFollowed(t, level) })
	}
}

func restartIsFollowed(t *testing.T, level Level) {
	foreign := net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 9}
	g := newGround(t)
	f := g.raise(level)
	second := newWire(t, g.second)
	bridge, err := g.host.LinkByName(bridgeName)
	g.check(err)
	unplug := func(name string) {
		t.Helper()
		l, err := g.host.LinkByName(name)
		g.check(err)
		g.check(g.host.LinkDel(l))
	}
	last := instanceHost
	for _, name := range []string{"lat-veth2", instanceHost, instanceHost} {
		unplug(last)
		g.instance = newSpace(t)
		// As LXD does it: a pair on the host, of which one goes into the container.
		g.check(g.host.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lat-other0"}, PeerName: "lat-other1", PeerHardwareAddr: secondMAC}))
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lat-temporary"}, PeerName: "lat-inner", PeerHardwareAddr: instanceMAC}
		g.check(g.host.LinkAdd(pair))
		g.check(g.host.LinkSetName(pair, name))
		last = name
		g.check(g.host.LinkSetMaster(pair, bridge))
		g.check(g.host.LinkSetUp(pair))
		inner, err := g.host.LinkByName("lat-inner")
		g.check(err)
		g.moves(f, "", name)
		g.check(g.host.LinkSetNsFd(inner, int(g.instance.ns)))
		eth, err := g.instance.handle.LinkByName("lat-inner")
		g.check(err)
		g.check(g.instance.handle.LinkSetName(eth, "eth0"))
		g.check(g.instance.handle.LinkSetUp(eth))
		awaitLink(t, g.instance.ns, "eth0")
		from := newWire(t, g.instance)
		from.send(ethernet(broadcast, foreign, etherARP, []byte(mark)))
		from.send(ethernet(broadcast, instanceMAC, etherARP, []byte("end of "+name)))
		if n := second.until("end of " + name); n != 0 {
			t.Errorf("plugged in at %s: %d foreign frames passed", name, n)
		}
		told(t, f, ForeignMAC, "invalid AddrPort")
		unplug("lat-other0")
	}
	unplug(last)
	g.check(f.Lower())
	for range f.Moves() { // it is closed
	}
}

// moves waits until the instance's ends were these, and any before the last.
func (g *ground) moves(f *Fence, want ...string) {
	g.t.Helper()
	limit := time.After(patience)
	for _, host := range want {
		for got := "\x00"; got != host; {
			select {
			case m := <-f.Moves():
				got = m.Host
			case <-limit:
				g.t.Fatalf("never told of the end %q", host)
			}
		}
	}
}
