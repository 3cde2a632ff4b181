package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness/packet"
)

// What the kernel's filter lets through is what the reader can use: each frame
// is sent by the instance for real.
func TestFilter(t *testing.T) {
	g := newGround(t)
	hello, quic := sample(t, "hello.hex"), sample(t, "rfc9001.hex")
	tagged := func(b []byte, tags ...byte) []byte { return slices.Concat(b[:12], tags, b[12:]) }
	first := func(b []byte) []byte { b[14+6] |= 0x20; return b }
	later := func(b []byte) []byte { b[14+7] = 9; return b }
	behind := func(kind byte, header string, protocol byte, payload []byte) []byte {
		return frame(ours6, theirs6, kind, slices.Concat([]byte{protocol}, []byte(header), payload))
	}
	udp := func(payload []byte) []byte {
		return slices.Concat(be16(1), be16(443), be16(8+len(payload)), []byte{0, 0}, payload)
	}
	options := segment(3, 80, 9, packet.SYN, []byte("GET / HTTP/1.1\r\nHost: a.test\r\n"))
	options = slices.Concat(options[:14], []byte{0x46}, options[15:34], []byte{1, 1, 1, 1}, options[34:])
	copy(options[16:], be16(len(options)-14))
	checksummed(options)
	const tls = "hello tls example.test to 203.0.113.1:443"
	const begun = "connection 203.0.113.1:443/tcp"
	isFragments := func(line string) bool { return strings.HasSuffix(line, reasonTexts[fragments]) }
	counted := false
	s := g.watch()
	out := g.raw()
	for i, c := range []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"TLS", [][]byte{segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, nil), segment(1, 443, 10, packet.ACK, hello[:1400]), segment(1, 443, 1410, packet.ACK, hello[1400:])}, []string{begun, tls}},
		{"TLS, out of order", [][]byte{segment(2, 443, 9, packet.SYN, nil), segment(2, 443, 1410, packet.ACK, hello[1400:]), segment(2, 443, 10, packet.ACK, hello[:1400])}, []string{begun, tls}},
		{"IPv4 options", [][]byte{options}, []string{"connection 203.0.113.1:80/tcp", "hello http a.test to 203.0.113.1:80"}},
		{"IPv6", [][]byte{frame(ours6, theirs6, packet.TCP, segmentOf(1, 80, 9, packet.SYN, []byte("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")))}, []string{"connection [2001:db8::1]:80/tcp", "hello http a.test to [2001:db8::1]:80"}},
		{"IPv6 extensions", [][]byte{behind(0, "\x00\x01\x04\x00\x00\x00\x00", packet.TCP, segmentOf(4, 443, 9, packet.SYN, nil))}, []string{"connection [2001:db8::1]:443/tcp"}},
		{"VLAN", [][]byte{tagged(segment(5, 443, 9, packet.SYN, nil), 0x81, 0, 0, 5)}, []string{begun}},
		{"two VLANs", [][]byte{tagged(segment(6, 443, 9, packet.SYN, nil), 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6)}, []string{begun}},
		{"QUIC", [][]byte{datagram(1, 443, quic), frame(ours6, theirs6, packet.UDP, udp(quic))}, []string{"connection 203.0.113.1:443/udp", "hello quic example.com to 203.0.113.1:443", "connection [2001:db8::1]:443/udp", "hello quic example.com to [2001:db8::1]:443"}},
		{"UDP, empty", [][]byte{datagram(2, 9, nil)}, []string{"connection 203.0.113.1:9/udp"}},
		{"DNS", [][]byte{frame(ours6, theirs6, packet.UDP, slices.Concat(be16(1), be16(53), be16(8+len(dnsQuery("b.test."))), []byte{0, 0}, dnsQuery("b.test.")))}, []string{"query A b.test to [2001:db8::1]:53/udp"}},
		{"fragments", [][]byte{checksummed(first(datagram(3, 53, dnsQuery("c.test.")))), checksummed(later(datagram(3, 53, dnsQuery("c.test.")))), behind(packet.Fragment, "\x00\x00\x01\x00\x00\x00\x01", packet.UDP, udp(quic[:200])), behind(packet.Fragment, "\x00\x00\x40\x00\x00\x00\x01", packet.UDP, udp(quic))}, []string{"query A c.test to 203.0.113.1:53/udp"}},
		{"pings and tunnels", [][]byte{frame(ours4, theirs4, packet.ICMP, []byte{8, 0, 0, 0, 0, 0, 0, 0}), frame(ours6, theirs6, packet.ICMPv6, []byte{128, 0, 0, 0, 0, 0, 0, 0}), frame(ours4, theirs4, 47, make([]byte, 8)), frame(ours6, theirs6, 4, make([]byte, 20))}, []string{"connection 203.0.113.1:0/icmp", "connection [2001:db8::1]:0/icmpv6", "connection 203.0.113.1:0/protocol 47", "connection [2001:db8::1]:0/protocol 4"}},
		{"the bridge's business", [][]byte{frame(ours4, theirs4, packet.ICMP, []byte{0, 0, 0, 0}), frame(ours6, theirs6, packet.ICMPv6, []byte{135, 0, 0, 0}), frame(ours4, "224.0.0.22", packet.IGMP, make([]byte, 8))}, nil},
		{"answers to others", [][]byte{segment(443, 7, 9, packet.SYN|packet.ACK, nil), segment(443, 7, 10, packet.ACK, hello[:1400])}, nil},
	} {
		for _, f := range c.frames {
			g.check(out.send(f))
		}
		got := slices.DeleteFunc(s.take(g, i), func(line string) bool {
			counted = counted || isFragments(line)
			return strings.HasPrefix(line, "lost ")
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: told:\n\t%s\nwant:\n\t%s", c.name, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
		}
	}
	s.await(t, "fragments to be counted", func(lines []string) bool { return counted || slices.ContainsFunc(lines, isFragments) })
}

// What an instance downloads, and acknowledges, stays in the kernel.
func TestBulkIsNotSeen(t *testing.T) {
	g := newGround(t)
	w, err := Open(hostEnd)
	g.check(err)
	defer w.Close()
	in, out := hostRaw(t, g.link), g.raw()
	const n = 1000
	filling := make([]byte, 6) // that Ethernet's least frame has
	for range n {
		g.check(in.send(segmentIn(443, 1, 10, packet.ACK, make([]byte, 1400))))
		g.check(in.send(datagramIn(443, 40000, make([]byte, 1200))))
		g.check(out.send(append(segment(1, 443, 10, packet.ACK, nil), filling...)))
	}
	var stats *unix.TpacketStatsV3
	g.check(w.ring.control(func(fd int) (err error) {
		stats, err = unix.GetsockoptTpacketStatsV3(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		return err
	}))
	if stats.Packets >= n {
		t.Errorf("%d of %d packets come through", stats.Packets, 3*n)
	}
}

// checksummed gives an IPv4 header its checksum.
func checksummed(b []byte) []byte {
	h := b[14:][:int(b[14]&15)*4]
	h[10], h[11] = 0, 0
	sum := uint32(0)
	for i := 0; i < len(h); i += 2 {
		sum += uint32(h[i])<<8 | uint32(h[i+1])
	}
	sum = sum>>16 + sum&0xffff
	copy(h[10:], be16(int(^uint16(sum+sum>>16))))
	return b
}

// Of a burst each packet is told, or counted.
func TestBurst(t *testing.T) {
	g := newGround(t)
	s := g.watch()
	out := g.raw()
	const n = 30_000
	b := segment(1, 443, 9, packet.SYN, nil)
	began := time.Now()
	for i := range n {
		copy(b[34:], be16(1+i))
		g.check(out.send(b))
	}
	took := time.Since(began)
	var drops uint64
	s.await(t, "all of the burst", func(lines []string) bool {
		drops = 0
		connections := uint64(0)
		for _, line := range lines {
			var lost uint64
			if strings.HasPrefix(line, "connection ") {
				connections++
			} else if strings.HasSuffix(line, kernelDrops) {
				_, _ = fmt.Sscanf(line, "lost %d", &lost)
				drops += lost
			}
		}
		return connections+drops == n
	})
	t.Logf("%d packets in %v: %d were dropped and counted", n, took, drops)
}

// A watch outlives an interface that goes down and up, and ends when it is gone.
func TestInterfaceIsGone(t *testing.T) {
	g := newGround(t)
	w, err := Open(hostEnd)
	g.check(err)
	s := &watched{more: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() { done <- w.Watch(t.Context(), s) }()
	s.take(g, 1)
	g.check(netlink.LinkSetDown(g.link))
	g.check(netlink.LinkSetUp(g.link))
	g.awaitUp()
	s.take(g, 2)
	g.check(netlink.LinkDel(g.link))
	select {
	case err := <-done:
		if !errors.Is(err, ErrGone) {
			t.Errorf("the watch ends with %v, want %v", err, ErrGone)
		}
	case <-time.After(patience):
		t.Fatal("the watch doesn't end")
	}
	g.check(w.Close())
	g.plug() // as a restart does
	g.watch().take(g, 3)
	if _, err := Open("wire9"); err == nil || !strings.Contains(err.Error(), "wire9") {
		t.Errorf("%v for an interface that isn't", err)
	}
}

// The watch is of one interface: what passes another isn't told.
func TestOthersAreNotWatched(t *testing.T) {
	g := newGround(t)
	other := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wire1"}, PeerName: "wire2"}
	g.check(netlink.LinkAdd(other))
	t.Cleanup(func() { _ = netlink.LinkDel(other) })
	for _, name := range []string{"wire1", "wire2"} {
		l, err := netlink.LinkByName(name)
		g.check(err)
		g.check(netlink.LinkSetUp(l))
	}
	s := g.watch()
	l, err := netlink.LinkByName("wire2")
	g.check(err)
	out := hostRaw(t, l)
	for range 100 {
		g.check(out.send(datagram(1, 53, dnsQuery("other.test."))))
	}
	if lines := s.take(g, 1); len(lines) > 0 {
		t.Errorf("told of another: %v", lines)
	}
}

// A VM's interface on the host is a tap, by which frames come filled up to 60 bytes.
func TestTap(t *testing.T) {
	g := newGround(t)
	tap := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "wire3"}, Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_NO_PI | netlink.TUNTAP_TUN_EXCL, Queues: 1, NonPersist: true}
	g.check(netlink.LinkAdd(tap))
	defer tap.Fds[0].Close() // which ends it
	g.check(netlink.LinkSetUp(tap))
	w, err := Open("wire3")
	g.check(err)
	s := &watched{more: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() { done <- w.Watch(t.Context(), s) }()
	for _, frame := range [][]byte{segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, nil), segment(1, 443, 10, packet.ACK, shortHello("vm.test"))} {
		_, err := tap.Fds[0].Write(append(frame, make([]byte, max(0, 60-len(frame)))...))
		g.check(err)
	}
	want := []string{"connection 203.0.113.1:443/tcp", "hello tls vm.test to 203.0.113.1:443"}
	s.await(t, "a VM's connection", func(lines []string) bool { return slices.Equal(lines, want) })
	g.check(tap.Fds[0].Close())
	if err := <-done; !errors.Is(err, ErrGone) {
		t.Errorf("the watch ends with %v", err)
	}
	g.check(w.Close())
}

// child names the interface that the test's own child opens.
const child = "LXD_ALLOWLIST_WIRE_OPEN"

func openAndWait(name string) {
	if _, err := Open(name); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	select {}
}

// Whatever ends the process, the kernel keeps nothing of it.
func TestKilled(t *testing.T) {
	g := newGround(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), child+"="+hostEnd)
	out, err := cmd.StdoutPipe()
	g.check(err)
	g.check(cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
	index := g.link.Attrs().Index
	if n := sockets(t, index); n != 1 {
		t.Errorf("%d packet sockets while it is open, want 1", n)
	}
	g.check(cmd.Process.Kill())
	_ = cmd.Wait()
	if n := sockets(t, index); n != 0 {
		t.Errorf("%d packet sockets are left of a killed process", n)
	}
}

// While nothing comes nothing wakes a watch, and when it ends it tells what came
// last.
func TestWatchSleeps(t *testing.T) {
	g := newGround(t)
	w, err := Open(hostEnd)
	g.check(err)
	s := &watched{more: make(chan struct{}, 1)}
	w.reader.sink = s
	ctx, stop := context.WithCancel(t.Context())
	defer context.AfterFunc(ctx, w.ring.wake)()
	woken, done := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		for idle := 0; ; {
			at := w.ring.at
			over, err := w.turn(ctx)
			if over {
				done <- err
				return
			}
			if idle++; w.ring.at != at {
				idle = 0
			}
			if idle > 1 { // once it is counted what was lost
				select {
				case woken <- struct{}{}:
				default:
				}
			}
		}
	}()
	s.take(g, 1)
	select {
	case <-woken:
		t.Error("it woke by itself")
	case <-time.After(3 * glance): // nothing tells of what doesn't come
	}
	g.check(g.raw().send(datagram(1, 53, dnsQuery("last.test."))))
	stop()
	g.check(<-done)
	if lines := s.told.lines; !slices.Contains(lines, "query A last.test to 203.0.113.1:53/udp") {
		t.Errorf("told at the end was %q", lines)
	}
	g.check(w.Close())
}

// A watch that ends leaves nothing either, and does so at once.
func TestWatchEnds(t *testing.T) {
	g := newGround(t)
	w, err := Open(hostEnd)
	g.check(err)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	g.check(w.Watch(ctx, &watched{more: make(chan struct{}, 1)}))
	g.check(w.Close())
	if n := sockets(t, g.link.Attrs().Index); n != 0 {
		t.Errorf("%d packet sockets are left", n)
	}
}
