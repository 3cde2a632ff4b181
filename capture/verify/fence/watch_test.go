package fence

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/quic"
	"golang.org/x/sys/unix"
)

// greet begins a TLS connection from the instance and returns how it went.
func greet(g *ground, address, name string) {
	g.t.Helper()
	c, err := dial(g.instance, "tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	// What stands for the server doesn't speak TLS.
	if err := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake(); err == nil {
		g.t.Error("the server speaks TLS")
	}
}

func TestServerNamesAreTold(t *testing.T) {
	for _, timestamps := range []string{"0", "1"} { // TCP's header has 20 or 32 bytes
		t.Run("timestamps "+timestamps, func(t *testing.T) {
			g := newGround(t)
			g.serveWorld()
			var err error
			g.instance.do(func() { err = os.WriteFile("/proc/sys/net/ipv4/tcp_timestamps", []byte(timestamps), 0) })
			g.check(err)
			f := g.raise(Strict)
			g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")}, time.Hour))
			greet(g, "198.51.100.2:443", "refused.example.test")
			for i, address := range []string{"198.51.100.1:443", "[2001:db8:1::1]:443", "198.51.100.1:853", "198.51.100.1:443"} {
				name := fmt.Sprintf("n%d.example.test", i)
				if i == 3 {
					name = "" // none is sent
				}
				greet(g, address, name)
				select {
				case h := <-f.Hellos():
					if h.Name != name || h.To.String() != address || time.Since(h.At).Abs() > patience {
						t.Errorf("%+v, want %q to %s", h, name, address)
					}
				case <-time.After(patience):
					t.Errorf("no hello to %s", address)
				}
			}
			g.answers(g.instance, "tcp", "198.51.100.1:443", "outside") // no TLS
			if n := len(f.Hellos()); n > 0 {
				t.Errorf("%d hellos more", n)
			}
		})
	}
}

// pieces is a connection whose first write goes out in so many segments.
type pieces struct {
	net.Conn
	t    *testing.T
	left int
}

func (c *pieces) Write(b []byte) (int, error) {
	written := 0
	for ; c.left > 1; c.left-- {
		n, err := c.Conn.Write(b[written:][:(len(b)-written)/c.left])
		if written += n; err != nil {
			return written, err
		}
		awaitAcknowledged(c.t, c.Conn.(*net.TCPConn))
	}
	n, err := c.Conn.Write(b[written:])
	return written + n, err
}

// awaitAcknowledged returns when the other end has all that was written: what is
// written next is not put to it.
func awaitAcknowledged(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for limit := time.After(patience); ; {
		queued := 0
		if failed := raw.Control(func(fd uintptr) { queued, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); failed != nil || err != nil {
			t.Fatal(failed, err)
		}
		if queued == 0 {
			return
		}
		select {
		case <-limit:
			t.Fatal("nothing is acknowledged")
		case <-time.Tick(time.Millisecond):
		}
	}
}

// A ClientHello is read that comes in up to four segments, and one in more is
// counted. What follows it is not told of.
func TestServerNamesInSegments(t *testing.T) {
	for _, timestamps := range []string{"0", "1"} {
		t.Run("timestamps "+timestamps, func(t *testing.T) {
			g := newGround(t)
			g.serveWorld()
			var err error
			g.instance.do(func() { err = os.WriteFile("/proc/sys/net/ipv4/tcp_timestamps", []byte(timestamps), 0) })
			g.check(err)
			f := g.raise(Strict)
			g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")}, time.Hour))
			for n := 1; n <= 6; n++ {
				address, name := []string{"198.51.100.1:443", "[2001:db8:1::1]:443"}[n%2], fmt.Sprintf("n%d.example.test", n)
				c, err := dial(g.instance, "tcp", address)
				g.check(err)
				defer c.Close()
				greeter := tls.Client(&pieces{Conn: c, t: t, left: n}, &tls.Config{ServerName: name, InsecureSkipVerify: true})
				if err := greeter.Handshake(); err == nil {
					t.Error("the server speaks TLS")
				}
				for _, b := range []string{"\x17\x03\x03\x00\x01x", "more", "and more"} { // as of a record that was sent
					_, _ = c.Write([]byte(b))
				}
			}
			for n := 1; n <= 4; n++ {
				select {
				case h := <-f.Hellos():
					if want := fmt.Sprintf("n%d.example.test", n); h.Name != want || h.Protocol != "tcp" {
						t.Errorf("%+v, want %s", h, want)
					}
				case <-time.After(patience):
					t.Fatalf("no hello in %d segments", n)
				}
			}
			for limit := time.After(patience); f.Unfinished() != 2; {
				select {
				case <-limit:
					t.Fatalf("%d are unfinished, want 2", f.Unfinished())
				case <-time.Tick(time.Millisecond):
				}
			}
			// By what is refused last it is known that all is told.
			refused := 0
			g.refused(g.instance, "udp", "198.51.100.2:9")
			for p := (Packet{}); p.To.String() != "198.51.100.2:9"; refused++ {
				select {
				case p = <-f.Refused():
				case <-time.After(patience):
					t.Fatal("nothing is refused")
				}
			}
			f.watch.mu.Lock()
			segments := int(f.watch.next) - refused - len(f.watch.refused)
			f.watch.mu.Unlock()
			if n := len(f.Hellos()); n > 0 || f.Lost() > 0 || segments != 1+2+3+4+4+4 {
				t.Errorf("%d hellos more, %d lost, %d segments told", n, f.Lost(), segments)
			}
		})
	}
}

// What nobody reads is counted, and holds up nothing.
func TestUnreadPacketsAreCounted(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	w := newWire(t, g.instance)
	p := udp("10.77.0.2", "198.51.100.1", 40000, 9999, mark)
	const more = 500
	for range waiting + more {
		w.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, p))
	}
	for limit := time.After(patience); uint64(len(f.Refused()))+f.Lost() < waiting+more; {
		select {
		case <-limit:
			t.Fatalf("%d told, %d lost of %d", len(f.Refused()), f.Lost(), waiting+more)
		case <-time.Tick(time.Millisecond):
		}
	}
	if n := f.Lost(); n < more {
		t.Errorf("%d lost, want %d at least", n, more)
	}
	told(t, f, NotAdmitted, "198.51.100.1:9999")
}

func TestReadPacket(t *testing.T) {
	const a4, b4, a6, b6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"
	fragment := func(offset uint16) []byte {
		p := udp(a6, b6, 5, 6, mark)
		p[6] = 44
		return append(append(append([]byte{}, p[:40]...), 17, 0, byte(offset>>8), byte(offset), 0, 0, 0, 1), p[40:]...)
	}
	later := udp(a4, b4, 5, 6, mark)
	later[7] = 9 // the fragment's offset
	for _, c := range []struct {
		name           string
		packet         []byte
		protocol       string
		from, to, show string
	}{
		{"UDP", udp(a4, b4, 5, 6, mark), "udp", "10.0.0.1:5", "10.0.0.2:6", ""},
		{"TCP", tcp(a6, b6, 5, 6, 2), "tcp", "[fd00::1]:5", "[fd00::2]:6", ""},
		{"ICMP", icmp(a4, b4, 8), "icmp", "10.0.0.1:0", "10.0.0.2:0", ""},
		{"ICMPv6", icmp(a6, b6, 128), "icmpv6", "[fd00::1]:0", "[fd00::2]:0", ""},
		{"GRE", ip(a4, b4, 47, nil), "protocol 47", "10.0.0.1:0", "10.0.0.2:0", ""},
		{"extensions", hopByHop(hopByHop(udp(a6, b6, 5, 6, mark))), "udp", "[fd00::1]:5", "[fd00::2]:6", ""},
		{"first fragment", fragment(1), "udp", "[fd00::1]:5", "[fd00::2]:6", ""},
		{"later fragment", fragment(64), "udp", "[fd00::1]:0", "[fd00::2]:0", ""},
		{"later fragment, IPv4", later, "udp", "10.0.0.1:0", "10.0.0.2:0", ""},
		{"cut short", udp(a4, b4, 5, 6, mark)[:23], "udp", "10.0.0.1:0", "10.0.0.2:0", ""},
	} {
		p := readPacket(kindOf(c.packet), c.packet)
		if p.Protocol != c.protocol || p.From.String() != c.from || p.To.String() != c.to {
			t.Errorf("%s: %+v, want %s %s %s", c.name, p, c.protocol, c.from, c.to)
		}
	}
	if p := readPacket(0x88b5, []byte{1}); p.Protocol != "frame 0x88b5" || p.To.IsValid() {
		t.Errorf("%+v", p)
	}
}

// helloPacket returns an IP packet with the first data of a TLS connection.
func helloPacket(name string) []byte {
	client, server := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	}()
	b := make([]byte, 1<<14)
	n, _ := server.Read(b)
	_ = server.Close()
	p := tcp("10.0.0.1", "10.0.0.2", 5, 443, 24)
	p = append(bytes.TrimSuffix(p, []byte(mark)), b[:n]...)
	bigEndian.PutUint16(p[2:], uint16(len(p)))
	return p
}

func FuzzReadPacket(f *testing.F) {
	for _, b := range [][]byte{
		udp("10.0.0.1", "10.0.0.2", 5, 6, mark), tcp("fd00::1", "fd00::2", 5, 6, 2),
		hopByHop(udp("fd00::1", "fd00::2", 5, 6, mark)), helloPacket("example.test"), nil,
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []uint16{etherIPv4, etherIPv6, 0x88b5} {
			if p := readPacket(kind, b); p.Protocol == "" {
				t.Errorf("%x: %+v", b, p)
			}
		}
		h := newHellos()
		h.read(time.Time{}, b)
		h.more(time.Time{}, b)
	})
}

func TestReadHello(t *testing.T) {
	b := helloPacket("Example.test")
	if h, ok := newHellos().read(time.Time{}, b); !ok || h.Name != "example.test" || h.To.String() != "10.0.0.2:443" || h.Protocol != "tcp" {
		t.Errorf("%+v, %v", h, ok)
	}
	for n := range len(b) { // cut short it says nothing, and does no harm
		if h, _ := newHellos().read(time.Time{}, b[:n]); h.Name != "" {
			t.Errorf("of %d bytes: %+v", n, h)
		}
	}
}

// A client of QUIC sends what it says first in two packets.
func TestQUICServerNamesAreTold(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")}, time.Hour))
	for i, address := range []string{"198.51.100.1:443", "[2001:db8:1::1]:8443"} {
		name := fmt.Sprintf("n%d.example.test", i)
		greetQUIC(g, "198.51.100.2:443", "refused.example.test", func() {
			for name := ""; name == ""; { // the packet that has the last of it
				select {
				case p := <-f.Refused():
					if name = p.Server; p.Why != NotAdmitted || p.To.String() != "198.51.100.2:443" || name != "" && name != "refused.example.test" {
						t.Fatalf("%+v", p)
					}
				case <-time.After(patience):
					t.Fatal("no name is told of what is refused")
				}
			}
		})
		greetQUIC(g, address, name, func() {
			select {
			case h := <-f.Hellos():
				if h.Name != name || h.To.String() != address || h.Protocol != "udp" || time.Since(h.At).Abs() > patience {
					t.Errorf("%+v, want %q to %s", h, name, address)
				}
			case <-time.After(patience):
				t.Errorf("no hello to %s", address)
			}
		})
	}
	if n := len(f.Hellos()); n > 0 {
		t.Errorf("%d hellos more", n)
	}
}

// The first packet of a connection is enough where it has all of it.
func TestFirstPacketOfQUICIsTold(t *testing.T) {
	b, err := os.ReadFile("../../witness/packet/testdata/rfc9001.hex") // for example.com
	if err == nil {
		b, err = hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	g := newGround(t)
	f := g.raise(Strict)
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1")}, time.Hour))
	newWire(t, g.instance).send(ethernet(bridgeMAC, instanceMAC, etherIPv4, udp("10.77.0.2", "198.51.100.1", 40000, 443, string(b))))
	select {
	case h := <-f.Hellos():
		if h.Name != "example.com" {
			t.Errorf("%+v", h)
		}
	case <-time.After(patience):
		t.Error("no hello")
	}
}

// greetQUIC begins a QUIC connection from the instance, which nobody answers,
// and gives it up after meanwhile.
func greetQUIC(g *ground, address, name string, meanwhile func()) {
	g.t.Helper()
	var e *quic.Endpoint
	var err error
	g.instance.do(func() { e, err = quic.Listen("udp", ":0", nil) })
	g.check(err)
	ctx, stop := context.WithCancel(g.t.Context())
	var dialed sync.WaitGroup
	dialed.Go(func() {
		if _, err := e.Dial(ctx, "udp", address, &quic.Config{TLSConfig: &tls.Config{ServerName: name, MinVersion: tls.VersionTLS13}}); err == nil {
			g.t.Error("the server speaks QUIC")
		}
	})
	meanwhile()
	stop()
	dialed.Wait()
	_ = e.Close(ctx) // which says that it was stopped
}
