package cgroup

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	parts["options"] = playOptions
	parts["raw"] = playRaw
	parts["pieces"] = playPieces
}

// Padding of four bytes, in the form of the options of either protocol.
const (
	padding4 = "\x01\x01\x01\x00"
	padding6 = "\x00\x00\x01\x04\x00\x00\x00\x00"
)

// playOptions asks with what may stand between the IP header and UDP's.
func playOptions([]string) {
	for i, o := range []struct {
		name          string
		network, to   string
		level, option []int
		value         string
	}{
		{"options4", "udp4", "10.77.0.1:53", []int{unix.IPPROTO_IP}, []int{unix.IP_OPTIONS}, padding4},
		{"hops6", "udp6", "[fd77::1]:53", []int{unix.IPPROTO_IPV6}, []int{unix.IPV6_HOPOPTS}, padding6},
		{"target6", "udp6", "[fd77::1]:53", []int{unix.IPPROTO_IPV6}, []int{unix.IPV6_DSTOPTS}, padding6},
		{"both6", "udp6", "[fd77::1]:53", []int{unix.IPPROTO_IPV6, unix.IPPROTO_IPV6}, []int{unix.IPV6_HOPOPTS, unix.IPV6_DSTOPTS}, padding6},
	} {
		c, err := net.Dial(o.network, o.to)
		if err != nil {
			fmt.Println(err)
			return
		}
		raw, _ := c.(*net.UDPConn).SyscallConn()
		_ = raw.Control(func(fd uintptr) {
			for n := range o.level {
				if err := unix.SetsockoptString(int(fd), o.level[n], o.option[n], o.value); err != nil {
					fmt.Println(o.name, err)
				}
			}
		})
		_, _ = c.Write(message(o.name+".test", uint16(i)))
	}
}

// playRaw sends messages as they are to port 53: ADDRESS HEX...
func playRaw(args []string) {
	for _, m := range args[1:] {
		c, err := net.Dial("udp", args[0])
		if err != nil {
			fmt.Println(err)
			return
		}
		var b []byte
		fmt.Sscanf(m, "%x", &b)
		_, _ = c.Write(b)
		_, _ = c.Write(b)
	}
}

// playPieces asks by TCP in pieces of all sizes, several at once: ADDRESS.
func playPieces(args []string) {
	c, err := net.Dial("tcp", args[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	var all []byte
	for i := range 20 {
		all = append(all, framed(message(fmt.Sprintf("piece%d.test", i), uint16(i)))...)
	}
	for size := 1; len(all) > 0; size = min(size*2, len(all)) {
		_, _ = c.Write(all[:min(size, len(all))])
		all = all[min(size, len(all)):]
	}
	_, _ = c.Read(make([]byte, 512))
}

// Queries are found behind whatever headers, and in whatever pieces.
func TestFormsOfPackets(t *testing.T) {
	g := newGround(t)
	answering(t, 53)
	g.watch()
	name := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)
	long := message(name, 1)
	compressed := bytes.Clone(long)
	compressed[12] = 0xc0
	if said := g.run(
		play("options"), play("pieces", "10.77.0.1:53"),
		play("raw", "[fd77::1]:53", fmt.Sprintf("%x", long)), play("raw", "10.77.0.1:53", fmt.Sprintf("%x", compressed), "00", fmt.Sprintf("%x", reply(long))),
		play("ask", "udp", "10.77.0.1:53", "last.test"),
	); said != "" {
		t.Fatal(said)
	}
	g.heard.until(t, "the last query", func() bool { return g.heard.query("last.test").Name != "" })
	for _, want := range []string{"options4.test", "hops6.test", "target6.test", "both6.test", name, "piece0.test", "piece19.test"} {
		if q := g.heard.query(want); q.Process == nil || q.Server.Addr() != host4 && q.Server.Addr() != host6 {
			t.Errorf("%s is told as %+v", want, q)
		}
	}
	if n := len(g.heard.queries); n != 4+20+2+1 || g.heard.lost != 0 {
		t.Errorf("%d queries were told, %d lost %q", n, g.heard.lost, g.heard.why)
	}
	if n := len(g.heard.connections); n != 3 {
		t.Errorf("what is sent to port 53 and is no query was told %d times, want once for each of 3: %+v", n, g.heard.connections)
	}
}

// A part of a stream that isn't seen is said to be missing.
func TestStreams(t *testing.T) {
	var s streams
	s.size = 10
	b := append(framed(message("one.test", 1)), framed(append(message("two.test", 2), make([]byte, 2000)...))...)
	b = append(b, framed(message("three.test", 3))...)
	seen := func(sequence uint32, from, to, most int) (int, bool) {
		messages, whole := s.add(packetSeen{from: netip.AddrPort{}, sequence: sequence, length: to - from, payload: b[from:min(to, from+most)]})
		return len(messages), whole
	}
	const first = 1<<32 - 5 // the number wraps
	if n, whole := seen(first, 0, 10, 512); n != 0 || !whole {
		t.Errorf("the beginning is %d messages, %v", n, whole)
	}
	if n, whole := seen(first, 0, 10, 512); n != 0 || !whole {
		t.Errorf("sent again it is %d messages, %v", n, whole)
	}
	sent := uint32(first)
	if n, whole := seen(sent+10, 10, 1000, 512); n != 2 || !whole {
		t.Errorf("cut within the second one there are %d messages, %v, want 2", n, whole)
	}
	if n, whole := seen(sent+1000, 1000, len(b), 4096); n != 1 || !whole {
		t.Errorf("the last one is %d messages, %v", n, whole)
	}
	if n, whole := seen(sent+uint32(len(b)), 0, len(b), 20); n != 0 || whole {
		t.Errorf("cut within the first one there are %d messages, %v", n, whole)
	}
}
