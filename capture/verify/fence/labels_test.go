package fence

import (
	"math/bits"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// labelled returns how many of the connections that open opens have a label, the
// zero one for any.
func labelled(t *testing.T, with label) (n int) {
	t.Helper()
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		all, err := netlink.ConntrackTableList(netlink.ConntrackTable, family)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if to := c.Forward.DstPort; (to == 443 || to == 80) && len(c.Labels) > 0 && with.within(c.Labels) {
				n++
			}
		}
	}
	return n
}

// open are connections of a space to servers outside that go on.
func (g *ground) open(s *space, ports ...int) (all []net.Conn) {
	g.t.Helper()
	for _, port := range ports {
		for _, a := range []string{"198.51.100.2", "2001:db8:1::2"} {
			for _, network := range []string{"tcp", "udp"} {
				c, err := dial(s, network, at(a, port))
				g.check(err)
				g.t.Cleanup(func() { _ = c.Close() })
				says(g.t, "open", c, "outside")
				all = append(all, c)
			}
		}
	}
	return all
}

var openTo = []netip.Addr{netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("2001:db8:1::2")}

// With a fence its labels go from the connections that it let through, which go
// on; what others have labelled, another fence among them, stays.
func TestLabelsGoWithTheFence(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		t.Run(level.String(), func(t *testing.T) {
			g := newGround(t)
			g.masquerade()
			g.serveWorld()
			f := g.raise(level)
			var others label // whose bits are none of ours
			for i := range others {
				others[i] = ^(f.labels.all[i] | ofOurs[i]) & 0x81
			}
			g.table("lat-others", others.put())
			second, err := Raise(Port{Bridge: bridgeName, MAC: secondMAC, Host: secondHost}, Strict, forwarder+1)
			g.check(err)
			g.t.Cleanup(func() { g.check(second.Lower()) })
			g.check(f.Admit(openTo, time.Hour))
			g.check(second.Admit(openTo, time.Hour))
			held, theirs := g.open(g.instance, 443, 80), g.open(g.second, 443)
			want := len(held)
			if level == Names {
				want /= 2 // it labels TCP alone
			}
			if n, of, ours := labelled(t, f.labels.own), labelled(t, second.labels.own), labelled(t, ofOurs); n != want || of != len(theirs) || ours != n+of {
				t.Fatalf("%d connections have labels, want %d, the other fence's %d, want %d, in all %d", n, want, of, len(theirs), ours)
			}
			g.check(f.Lower())
			if n, of, ours := labelled(t, f.labels.own), labelled(t, second.labels.own), labelled(t, ofOurs); n != 0 || of != len(theirs) || ours != of {
				t.Errorf("afterwards %d connections have labels, the other fence's %d, want %d, in all %d", n, of, len(theirs), ours)
			}
			if n := labelled(t, others); n != len(held)+len(theirs) {
				t.Errorf("%d connections have others' labels, want %d", n, len(held)+len(theirs))
			}
			for _, c := range append(held, theirs...) {
				says(t, "afterwards", c, "outside")
			}
		})
	}
}

// A connection from one fence's instance to another's, open before both, has the
// labels of both: each goes with its own fence, whole.
func TestLabelsOfTwoFences(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	c := g.connect(g.outside, g.instance, "10.77.0.2:443")
	f := g.raise(Strict)
	second, err := Raise(Port{Bridge: bridgeName, MAC: secondMAC, Host: secondHost}, Strict, forwarder+1)
	g.check(err)
	_, _ = c.client.Write([]byte("x")) // both label it as begun before them
	_, _ = c.server.Read(make([]byte, 1))
	if n, of := labelled(t, f.labels.own), labelled(t, second.labels.own); n != 1 || of != 1 {
		t.Errorf("%d and %d connections have the labels of either", n, of)
	}
	g.check(second.Lower())
	if n, of := labelled(t, f.labels.own), labelled(t, second.labels.own); n != 1 || of != 0 {
		t.Errorf("without the second fence %d and %d have the labels of either", n, of)
	}
	g.check(f.Lower())
	if n := labelled(t, ofOurs); n != 0 {
		t.Errorf("without both %d have labels", n)
	}
	if n := labelBitsSet(t); n != 0 {
		t.Errorf("without both %d bits are left", n)
	}
}

// labelBitsSet returns how many bits of labels are set on connections.
func labelBitsSet(t *testing.T) (n int) {
	t.Helper()
	all, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		for _, b := range c.Labels {
			n += bits.OnesCount8(b)
		}
	}
	return n
}

// After a kill, with the guard or without, labels are gone as well.
func TestLabelsGoAfterAKill(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	for _, withGuard := range []bool{false, true} {
		c, says := startChild(t)
		for range 2 {
			says.Scan()
		}
		held := g.open(g.instance, 443)
		if n := labelled(t, ofOurs); n != len(held) {
			t.Fatalf("%d connections have labels, want %d: %s", n, len(held), says.Text())
		}
		if withGuard {
			for _, pid := range guards(t) {
				g.check(syscall.Kill(pid, syscall.SIGKILL))
			}
		}
		kill(t, c)
		if withGuard {
			g.check(Sweep(g.port()))
		} else {
			gone(t)
		}
		if n := labelled(t, ofOurs); n != 0 {
			t.Errorf("guard killed %v: %d connections have labels", withGuard, n)
		}
		if n := labelled(t, label{}); n != 0 {
			t.Errorf("guard killed %v: parts of labels are on %d connections", withGuard, n)
		}
		for _, conn := range held {
			if got, err := ask(conn); err != nil || got != "outside" {
				t.Errorf("guard killed %v: %q, %v", withGuard, got, err)
			}
		}
	}
}

// The tables say which labels they put; who takes them away behind the fence's
// back takes that, too.
func TestLabelsGoWithoutTables(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	f := g.raise(Strict)
	g.check(f.Admit(openTo, time.Hour))
	held := g.open(g.instance, 443)
	own := f.labels
	f.labels = labels{own: own.all, all: own.all} // that no connection has
	g.check(removeTables(tableName(g.port())))
	if n := labelled(t, own.own); n != 0 {
		t.Errorf("%d connections have labels that the tables told of", n)
	}
	g.check(f.Lower())
	for _, c := range held {
		says(t, "afterwards", c, "outside")
	}

	f = g.raise(Strict)
	g.check(f.Admit(openTo, time.Hour))
	held = g.open(g.instance, 80)
	for _, table := range tablesLeft(t) {
		f.conn.DelTable(table)
	}
	g.check(f.conn.Flush())
	g.check(f.Lower())
	if n := labelled(t, ofOurs); n != 0 {
		t.Errorf("%d connections have labels, with the tables gone", n)
	}
	for _, c := range held {
		says(t, "afterwards", c, "outside")
	}
}

func TestLabelsAreRead(t *testing.T) {
	l, each := newLabels(labelBits, minorBits)
	if got, ok := readLabels(l.chainName()); !ok || got != l {
		t.Errorf("%s is read as %v, %v", l.chainName(), got, ok)
	}
	for _, one := range each {
		if !ofOurs.within(l.own[:]) || !l.own.within(one[:]) || !one.within(l.all[:]) || one.within(l.own[:]) {
			t.Errorf("%x of %x", one, l)
		}
	}
	for _, name := range []string{"", "labels-", "sent", "labels-zz", l.chainName()[1:], l.chainName() + "00"} {
		if got, ok := readLabels(name); ok {
			t.Errorf("%q is read as %v", name, got)
		}
	}
}
