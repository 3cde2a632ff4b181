package fence

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
)

// lives returns how long the kernel still admits each address.
func lives(t *testing.T, f *Fence) map[netip.Addr]time.Duration {
	t.Helper()
	all := map[netip.Addr]time.Duration{}
	for _, set := range []*nftables.Set{f.tables.ipv4, f.tables.ipv6} {
		elements, err := new(nftables.Conn).GetSetElements(set)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range elements {
			a, _ := netip.AddrFromSlice(e.Key)
			all[a] = e.Expires
		}
	}
	return all
}

func TestAdmittedFor(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	for _, a := range []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")} {
		// Shorter ones after longer ones take nothing back.
		for _, c := range []struct{ ttl, least time.Duration }{
			{0, lifetime}, {time.Hour, time.Hour}, {2 * time.Hour, 2 * time.Hour}, {time.Second, 2 * time.Hour},
		} {
			g.check(f.Admit([]netip.Addr{a}, c.ttl))
			if l := lives(t, f)[a]; l < c.least-patience || l > c.least+lifetime {
				t.Errorf("%s with TTL %v: admitted for %v, want %v", a, c.ttl, l, c.least)
			}
		}
	}
	// Another writing of the same address, and what is none.
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("::ffff:198.51.100.2"), {}, netip.MustParseAddr("fe80::1%eth0")}, time.Hour))
	for _, a := range []string{"198.51.100.2", "fe80::1"} {
		if l := lives(t, f)[netip.MustParseAddr(a)]; l == 0 {
			t.Errorf("%s isn't admitted", a)
		}
	}
}

// numbered returns n addresses of 10.0.0.0/8.
func numbered(n int) []netip.Addr {
	all := make([]netip.Addr, n)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24|1<<20|uint32(i))))
	}
	return all
}

func TestAdmitMany(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	all := numbered(admittedMost)
	g.check(f.Admit(all, time.Hour))
	// That there is no room for one more says that all of them are there.
	err := f.Admit([]netip.Addr{netip.MustParseAddr("192.0.2.99")}, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "65536") {
		t.Errorf("more than there is room for: %v", err)
	}
	g.check(f.Admit(all[:1], 3*time.Hour)) // what is there is renewed still
}

// Whoever is refused hears it, in the words of its protocol.
func TestRefusalsAreErrors(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	g.raise(Strict)
	for _, c := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "198.51.100.1:443", syscall.ECONNREFUSED},
		{"tcp", "[2001:db8:1::1]:443", syscall.ECONNREFUSED},
		{"tcp", "10.77.0.1:80", syscall.ECONNREFUSED},
		{"tcp", "[fd77::3]:80", syscall.ECONNREFUSED},
		{"tcp", g.linkLocal(secondMAC, 80), syscall.EACCES},
		{"udp", "198.51.100.1:443", syscall.EHOSTUNREACH},
		{"udp", "[2001:db8:1::1]:443", syscall.EACCES},
		{"udp", "10.77.0.3:80", syscall.EHOSTUNREACH},
		{"udp", g.linkLocal(secondMAC, 80), syscall.EACCES},
	} {
		if _, err := asked(g.instance, c.network, c.address); !errors.Is(err, c.want) {
			t.Errorf("%s at %s: %v, want %v", c.network, c.address, err, c.want)
		}
	}
}

// An instance keeps its addresses, and finds its neighbours.
func TestEssentialsPass(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	for _, a := range []string{"0.0.0.0:67", "[::]:547"} {
		serve(t, nil, "DHCP", "udp", a)
	}
	f := g.raise(Strict)
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("10.77.0.3"), netip.MustParseAddr("fd77::3")}, time.Hour))
	eth, err := g.instance.handle.LinkByName("eth0")
	g.check(err)
	all, err := g.instance.handle.NeighList(eth.Attrs().Index, 0)
	g.check(err)
	for _, n := range all {
		g.check(g.instance.handle.NeighDel(&n))
	}
	g.answers(g.instance, "tcp", "[2001:db8:1::1]:443", "outside")
	g.answers(g.instance, "udp", "[fd77::3]:80", "second")
	g.answers(g.instance, "tcp", "10.77.0.3:80", "second")
	for _, a := range []string{"10.77.0.1:67", "[fd77::1]:547"} { // a lease's renewal
		g.answers(g.instance, "udp", a, "DHCP")
	}
	// A lease's beginning is for everybody; the host hears it.
	var c net.PacketConn
	g.instance.do(func() { c, err = net.ListenPacket("udp", "10.77.0.2:68") })
	g.check(err)
	defer c.Close()
	g.check(c.SetDeadline(time.Now().Add(patience)))
	_, err = c.WriteTo([]byte("discover"), &net.UDPAddr{IP: net.IPv4bcast, Port: 67})
	g.check(err)
	b := make([]byte, 64)
	if n, _, err := c.ReadFrom(b); err != nil || string(b[:n]) != "DHCP" {
		t.Errorf("DHCP: %q, %v", b[:n], err)
	}
}

// Without the host's end only a foreign MAC address goes unnoticed.
func TestHostEndUnknown(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	p := g.port()
	p.Host = ""
	for _, level := range []Level{Names, Strict} {
		f, err := Raise(p, level, forwarder)
		g.check(err)
		for _, a := range everywhere {
			g.answers(g.instance, "udp", at(a, 53), "forwarder")
		}
		g.answers(g.second, "tcp", "10.77.0.2:80", "instance")
		if level == Strict {
			g.refused(g.instance, "tcp", "10.77.0.3:80")
			g.refused(g.instance, "udp", "[2001:db8:1::1]:443")
			g.check(f.Admit([]netip.Addr{netip.MustParseAddr("10.77.0.3")}, time.Hour))
			g.answers(g.instance, "tcp", "10.77.0.3:80", "second")
		}
		g.check(f.Lower())
	}
}

func BenchmarkRaiseAndLower(b *testing.B) {
	g := newGround(b)
	for b.Loop() {
		f, err := Raise(g.port(), Strict, forwarder)
		g.check(err)
		g.check(f.Lower())
	}
}

// An answer with an address that wasn't admitted before, and one that was.
func BenchmarkAdmit(b *testing.B) {
	g := newGround(b)
	f := g.raise(Strict)
	all := numbered(admittedMost)
	b.Run("fresh", func(b *testing.B) {
		i := 0
		for b.Loop() {
			if i == len(all) {
				i, f.admitted = 0, map[netip.Addr]time.Time{}
			}
			g.check(f.Admit(all[i:i+1], time.Hour))
			i++
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			g.check(f.Admit(all[:1], time.Hour))
		}
	})
}

// An answer may have an address twice, as its records and their hints do.
func TestAdmitAnAddressTwice(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	a := netip.MustParseAddr("198.51.100.1")
	for _, ttl := range []time.Duration{0, time.Hour} { // anew, and again
		if err := f.Admit([]netip.Addr{a, a, netip.MustParseAddr("::ffff:198.51.100.1")}, ttl); err != nil {
			t.Errorf("for %v: %v", ttl, err)
		}
	}
	if l := lives(t, f)[a]; l < time.Hour-patience {
		t.Errorf("admitted for %v", l)
	}
}
