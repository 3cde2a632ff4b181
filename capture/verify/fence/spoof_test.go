package fence

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Whoever asks in another's name for what is admitted, and answers that, has
// the kernel take what it sends for an answer to that other one.
func TestNobodyAnswersItself(t *testing.T) {
	g := newGround(t)
	from, outside, second := newWire(t, g.instance), newWire(t, g.outside), newWire(t, g.second)
	f := g.raise(Strict)
	port := uint16(42000)
	for _, c := range []struct{ what, other, admitted string }{
		{"somebody outside", "198.51.100.1", "198.51.100.2"},
		{"somebody outside, by the instance's own address", "198.51.100.1", "10.77.0.2"},
		{"a neighbour", "10.77.0.3", "198.51.100.2"},
		{"IPv6, somebody outside", "2001:db8:1::1", "2001:db8:1::2"},
		{"IPv6, somebody outside, by the instance's own address", "2001:db8:1::1", "fd77::2"},
		{"IPv6, a neighbour", "fd77::3", "2001:db8:1::2"},
	} {
		g.check(f.Admit([]netip.Addr{netip.MustParseAddr(c.admitted)}, time.Hour))
		port++
		send := func(packet []byte) { from.send(ethernet(bridgeMAC, instanceMAC, kindOf(packet), packet)) }
		send(udp(c.other, c.admitted, 9999, port, "question"))
		send(udp(c.admitted, c.other, port, 9999, mark))
		end := fmt.Sprint("end of ", c.what)
		from.send(ethernet(broadcast, instanceMAC, etherARP, []byte(end)))
		send(udp("10.77.0.2", "198.51.100.2", 41999, 9, end))
		if n := second.until(end) + outside.until(end); n != 0 {
			t.Errorf("it reaches %s", c.what)
		}
	}

	// By what always passes: queries, which the forwarder's port answers, and DHCP.
	for _, to := range []struct{ asked, answers uint16 }{{53, forwarder}, {547, 547}} {
		send := func(packet []byte) { from.send(ethernet(bridgeMAC, instanceMAC, kindOf(packet), packet)) }
		send(udp("2001:db8:1::1", "fd77::1", 9999, to.asked, "question"))
		send(udp("fd77::1", "2001:db8:1::1", to.answers, 9999, mark))
		end := fmt.Sprint("end of port ", to.asked)
		send(udp("10.77.0.2", "198.51.100.2", 41999, 9, end))
		if n := outside.until(end); n != 0 {
			t.Errorf("it reaches somebody outside by port %d", to.asked)
		}
	}
	// The answer to what is refused goes to its source, with the beginning of it.
	for _, c := range [][2]string{{"198.51.100.1", "198.51.100.9"}, {"2001:db8:1::1", "2001:db8:1::9"}} {
		packet := udp(c[0], c[1], 9999, 41997, mark)
		from.send(ethernet(bridgeMAC, instanceMAC, kindOf(packet), packet))
		from.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, udp("10.77.0.2", "198.51.100.2", 41999, 9, "end of "+c[0])))
		if n := outside.until("end of " + c[0]); n != 0 {
			t.Errorf("an error tells %s", c[0])
		}
	}
	// An end of a connection has data, too.
	from.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, tcp("198.51.100.1", "198.51.100.2", 9999, 41998, flagSYN)))
	from.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, tcp("198.51.100.2", "198.51.100.1", 41998, 9999, flagRST|16)))
	from.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, udp("10.77.0.2", "198.51.100.2", 41999, 9, "end of TCP")))
	if n := outside.until("end of TCP"); n != 1 { // the first, which is for an admitted address
		t.Errorf("%d of TCP get out, want 1", n)
	}
}
