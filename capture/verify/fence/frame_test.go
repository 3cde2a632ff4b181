package fence

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// mark is what tests find their own packets by.
const mark = "out of the fence"

// ethernet returns a frame.
func ethernet(to, from net.HardwareAddr, kind uint16, payload []byte) []byte {
	return slices.Concat(to, from, bigEndian16(kind), payload)
}

// tagged has a frame bear a VLAN's tag.
func tagged(frame []byte, vlan uint16) []byte {
	return slices.Concat(frame[:12], bigEndian16(0x8100), bigEndian16(vlan), frame[12:])
}

// ip returns an IP packet of either family.
func ip(from, to string, protocol byte, payload []byte) []byte {
	f, t := netip.MustParseAddr(from), netip.MustParseAddr(to)
	if f.Is6() {
		h := slices.Concat([]byte{0x60, 0, 0, 0}, bigEndian16(uint16(len(payload))), []byte{protocol, 255}, f.AsSlice(), t.AsSlice())
		return append(h, payload...)
	}
	h := slices.Concat([]byte{0x45, 0}, bigEndian16(uint16(20+len(payload))), []byte{0, 1, 0, 0, 64, protocol, 0, 0}, f.AsSlice(), t.AsSlice())
	bigEndian.PutUint16(h[10:], checksum(h))
	return append(h, payload...)
}

// kindOf is the Ethernet type of an IP packet.
func kindOf(packet []byte) uint16 {
	if packet[0]>>4 == 6 {
		return etherIPv6
	}
	return etherIPv4
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(bigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// summed puts the checksum of a transport's segment where that has it.
func summed(from, to string, protocol byte, segment []byte, where int) []byte {
	pseudo := slices.Concat(netip.MustParseAddr(from).AsSlice(), netip.MustParseAddr(to).AsSlice(),
		bigEndian16(0), bigEndian16(uint16(len(segment))), bigEndian16(uint16(protocol)))
	if protocol == unix.IPPROTO_ICMP {
		pseudo = nil
	}
	bigEndian.PutUint16(segment[where:], checksum(append(pseudo, segment...)))
	return segment
}

func udp(from, to string, source, destination uint16, payload string) []byte {
	s := slices.Concat(bigEndian16(source), bigEndian16(destination), bigEndian16(uint16(8+len(payload))), []byte{0, 0}, []byte(payload))
	return ip(from, to, unix.IPPROTO_UDP, summed(from, to, unix.IPPROTO_UDP, s, 6))
}

func tcp(from, to string, source, destination uint16, flags byte) []byte {
	s := slices.Concat(bigEndian16(source), bigEndian16(destination), []byte{0, 0, 0, 9, 0, 0, 0, 9, 5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0}, []byte(mark))
	return ip(from, to, unix.IPPROTO_TCP, summed(from, to, unix.IPPROTO_TCP, s, 16))
}

// icmp returns a message of ICMP or ICMPv6.
func icmp(from, to string, kind byte) []byte {
	s := slices.Concat([]byte{kind, 0, 0, 0, 0, 1, 0, 1}, []byte(mark))
	protocol := byte(unix.IPPROTO_ICMP)
	if netip.MustParseAddr(from).Is6() {
		protocol = unix.IPPROTO_ICMPV6
	}
	return ip(from, to, protocol, summed(from, to, protocol, s, 2))
}

// hopByHop puts an extension header before what an IPv6 packet bears.
func hopByHop(packet []byte) []byte {
	p := slices.Concat(packet[:40], []byte{packet[6], 0, 1, 4, 0, 0, 0, 0}, packet[40:])
	p[6] = unix.IPPROTO_HOPOPTS
	bigEndian.PutUint16(p[4:], bigEndian.Uint16(p[4:])+8)
	return p
}

// wire sends and receives frames on a namespace's eth0.
type wire struct {
	t  testing.TB
	fd int
	at *unix.SockaddrLinklayer
}

func newWire(t testing.TB, s *space) *wire {
	t.Helper()
	eth, err := s.handle.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	const all = uint16(unix.ETH_P_ALL)
	w := &wire{t: t, at: &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: eth.Attrs().Index, Halen: 6}}
	s.do(func() {
		w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(w.at.Protocol))
	})
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(w.fd) })
		err = unix.Bind(w.fd, w.at)
	}
	if err == nil {
		err = unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	}
	if err == nil {
		err = unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience.Seconds())})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wire) send(frame []byte) {
	w.t.Helper()
	if err := unix.Sendto(w.fd, frame, 0, w.at); err != nil {
		w.t.Fatalf("send a frame of %d bytes: %v", len(frame), err)
	}
}

// until counts the frames with mark that come in before one that holds last.
func (w *wire) until(last string) (marked int) {
	w.t.Helper()
	b := make([]byte, 65536)
	for {
		n, from, err := unix.Recvfrom(w.fd, b, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			w.t.Fatalf("wait for the frame with %q: %v", last, err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		if bytes.Contains(b[:n], []byte(last)) {
			return marked
		}
		if bytes.Contains(b[:n], []byte(mark)) {
			marked++
		}
	}
}

var (
	bridgeMAC = net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 1}
	broadcast = net.HardwareAddr{255, 255, 255, 255, 255, 255}
)

// attempt is a way out that a frame of the instance tries.
type attempt struct {
	name  string
	frame []byte
	why   Reason // that it is refused for
}

// attempts are all that the tests know.
func attempts() []attempt {
	var all []attempt
	const mine4, mine6 = "10.77.0.2", "fd77::2"
	inside := func(name string, to net.HardwareAddr, packet []byte, why Reason) {
		all = append(all, attempt{name: name, frame: ethernet(to, instanceMAC, kindOf(packet), packet), why: why})
	}
	routed := func(name string, packet []byte, why Reason) { inside(name, bridgeMAC, packet, why) }

	const syn, rst, ack = 2, 4, 16
	for _, a := range []struct{ family, from, to, second string }{
		{"IPv4", mine4, "198.51.100.1", "10.77.0.3"}, {"IPv6", mine6, "2001:db8:1::1", "fd77::3"},
	} {
		name := func(n string) string { return a.family + " " + n }
		source := uint16(40000)
		next := func() uint16 { source++; return source }
		for _, port := range []uint16{9999, 443, 853, 67, 547} { // QUIC, DNS over DTLS and DHCP among them
			routed(name(fmt.Sprint("UDP to port ", port)), udp(a.from, a.to, next(), port, mark), NotAdmitted)
		}
		routed(name("UDP from port 53"), udp(a.from, a.to, 53, 9999, mark), NotAdmitted)
		for _, port := range []uint16{443, 853} { // DoH, DoT
			routed(name(fmt.Sprint("TCP to port ", port)), tcp(a.from, a.to, next(), port, syn), NotAdmitted)
		}
		routed(name("TCP amid a connection"), tcp(a.from, a.to, next(), 443, ack), OpenBefore)
		routed(name("TCP that ends no connection"), tcp(a.from, a.to, next(), 443, rst), Stray)
		routed(name("protocol GRE"), ip(a.from, a.to, 47, []byte("\x00\x00\x08\x00"+mark)), NotAdmitted)
		inside(name("UDP to a neighbour"), secondMAC, udp(a.from, a.second, next(), 9999, mark), NotAdmitted)
		inside(name("TCP to a neighbour"), secondMAC, tcp(a.from, a.second, next(), 80, syn), NotAdmitted)
		inside(name("UDP to a neighbour by broadcast"), broadcast, udp(a.from, a.second, next(), 9999, mark), NotAdmitted)
		inside(name("UDP over a neighbour"), secondMAC, udp(a.from, a.to, next(), 9999, mark), NotAdmitted)
	}
	routed("ping", icmp(mine4, "198.51.100.1", 8), NotAdmitted)
	routed("ping, IPv6", icmp(mine6, "2001:db8:1::1", 128), NotAdmitted)
	routed("neighbour discovery of the outside", icmp(mine6, "2001:db8:1::1", 135), NotAdmitted)
	routed("listener report to the outside", icmp(mine6, "2001:db8:1::1", 143), NotAdmitted)
	routed("from another address", udp("10.77.0.9", "198.51.100.1", 41000, 9999, mark), NotAdmitted)
	routed("IPv6 with an extension header", hopByHop(udp(mine6, "2001:db8:1::1", 41001, 9999, mark)), NotAdmitted)
	routed("answer without a question", icmp(mine4, "198.51.100.1", 0), Stray)
	inside("multicast", net.HardwareAddr{1, 0, 0x5e, 1, 1, 1}, udp(mine4, "239.1.1.1", 41002, 5353, mark), NotAdmitted)
	inside("multicast, IPv6", net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}, udp(mine6, "ff02::1", 41003, 5353, mark), NotAdmitted)
	inside("router's advertisement", net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}, icmp(mine6, "ff02::1", 134), NotAdmitted)
	inside("ping of a neighbour", secondMAC, icmp(mine4, "10.77.0.3", 8), NotAdmitted)

	packet := udp(mine4, "10.77.0.3", 41004, 9999, mark)
	all = append(all,
		attempt{name: "VLAN", frame: tagged(ethernet(secondMAC, instanceMAC, etherIPv4, packet), 7), why: NotIP},
		attempt{name: "local experiment's frame", frame: ethernet(secondMAC, instanceMAC, 0x88b5, []byte(mark)), why: NotIP},
	)
	foreign := net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 9}
	spoofed := func(name string, frame []byte) {
		all = append(all, attempt{name: "another MAC, " + name, frame: frame, why: ForeignMAC})
	}
	spoofed("IP", ethernet(secondMAC, foreign, etherIPv4, packet))
	spoofed("ARP", ethernet(broadcast, foreign, etherARP, []byte(mark)))
	spoofed("VLAN", tagged(ethernet(secondMAC, foreign, etherIPv4, packet), 7))
	spoofed("other frame", ethernet(secondMAC, foreign, 0x88b5, []byte(mark)))
	packet = udp(mine4, "198.51.100.1", 41005, 9999, mark)
	spoofed("to the outside", ethernet(bridgeMAC, foreign, etherIPv4, packet))
	// The last: without a fence it leads the neighbour's traffic astray.
	spoofed("the neighbour's", ethernet(broadcast, secondMAC, etherIPv4, packet))
	return all
}

func (a attempt) String() string { return fmt.Sprintf("%s (%s)", a.name, a.why) }
