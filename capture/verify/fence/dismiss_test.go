package fence

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// What is dismissed is reached no more, by open connections neither, whoever
// sends on them next; what was begun to a place that is kept goes on, and so does
// what the other end opened. Admitted again it is reached again.
func TestDismiss(t *testing.T) {
	for _, a := range []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")} {
		t.Run(a.String(), func(t *testing.T) {
			g := newGround(t)
			g.serveWorld()
			other := map[bool]string{true: "198.51.100.2", false: "2001:db8:1::2"}[a.Is4()]
			f := g.raise(Strict)
			g.check(f.Keep([]Place{{netip.PrefixFrom(a, a.BitLen()), 80, "tcp"}}))
			g.check(f.Admit([]netip.Addr{a, netip.MustParseAddr(other)}, time.Hour))
			opened := map[string]net.Conn{}
			for _, c := range []struct {
				to   string
				port int
			}{{a.String(), 443}, {a.String(), 80}, {other, 443}} {
				for _, network := range []string{"tcp", "udp"} {
					conn, err := dial(g.instance, network, at(c.to, c.port))
					g.check(err)
					defer conn.Close()
					says(t, "admitted", conn, "outside")
					opened[fmt.Sprint(network, " ", conn.RemoteAddr())] = conn
				}
			}
			inward, err := dial(g.outside, "tcp", at(map[bool]string{true: "10.77.0.2", false: "fd77::2"}[a.Is4()], 80))
			g.check(err)
			defer inward.Close()
			says(t, "from outside", inward, "instance")

			g.check(f.Dismiss([]netip.Addr{a, a, netip.MustParseAddr("192.0.2.99")}))
			for name, c := range opened {
				live := name == "tcp "+at(a.String(), 80) || c.RemoteAddr().String() == at(other, 443)
				if got, err := ask(c); (err == nil) != live {
					t.Errorf("%s: %q, %v, want that it lives: %t", name, got, err, live)
				}
			}
			says(t, "from outside, later", inward, "instance")
			for _, network := range []string{"tcp", "udp"} {
				g.refused(g.instance, network, at(a.String(), 443))
				g.answers(g.instance, network, at(other, 443), "outside")
			}
			g.answers(g.instance, "tcp", at(a.String(), 80), "outside")
			told(t, f, NotAdmitted, at(a.String(), 443))

			g.check(f.Admit([]netip.Addr{a}, 0))
			for _, network := range []string{"tcp", "udp"} {
				g.answers(g.instance, network, at(a.String(), 443), "outside")
			}
			g.check(f.Dismiss([]netip.Addr{a}))
			g.refused(g.instance, "udp", at(a.String(), 443))
		})
	}
}

// To what is retired nothing more is begun, and what is open goes on, also of
// an address whose time is over, until that is dismissed. Admitted again it is
// reached again.
func TestRetire(t *testing.T) {
	for _, a := range []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:1::1")} {
		t.Run(a.String(), func(t *testing.T) {
			g := newGround(t)
			g.serveWorld()
			f := g.raise(Strict)
			all := []netip.Addr{a, a, netip.MustParseAddr("192.0.2.99")}
			g.check(f.Admit(all[:1], time.Hour))
			var opened []net.Conn
			for _, network := range []string{"tcp", "udp"} {
				conn, err := dial(g.instance, network, at(a.String(), 443))
				g.check(err)
				defer conn.Close()
				says(t, "admitted", conn, "outside")
				opened = append(opened, conn)
			}
			for range 2 {
				g.check(f.Retire(all))
				for _, conn := range opened {
					says(t, "retired", conn, "outside")
				}
				for _, network := range []string{"tcp", "udp"} {
					g.refused(g.instance, network, at(a.String(), 443))
				}
			}
			g.check(f.Admit(all[:1], 0))
			g.answers(g.instance, "tcp", at(a.String(), 443), "outside")
			g.check(f.tables.retire(f.conn, all[:1])) // as its time does
			g.check(f.Retire(all[:1]))
			g.check(f.Dismiss(all[:1]))
			for _, conn := range opened {
				if got, err := ask(conn); err == nil {
					t.Errorf("dismissed, it is answered by %q", got)
				}
			}
		})
	}
}

// A server that goes on sending has not opened a connection by that, so that
// the instance could answer on it.
func TestDismissedServerGoesOn(t *testing.T) {
	g := newGround(t)
	var server net.PacketConn
	var err error
	g.outside.do(func() { server, err = net.ListenPacket("udp", "198.51.100.1:443") })
	g.check(err)
	defer server.Close()
	g.check(server.SetDeadline(time.Now().Add(patience)))
	f := g.raise(Strict)
	a := []netip.Addr{netip.MustParseAddr("198.51.100.1")}
	g.check(f.Admit(a, time.Hour))
	client, err := dial(g.instance, "udp", "198.51.100.1:443")
	g.check(err)
	defer client.Close()
	g.check(client.SetDeadline(time.Now().Add(patience)))
	_, err = client.Write([]byte("hello"))
	g.check(err)
	b := make([]byte, 64)
	_, from, err := server.ReadFrom(b)
	g.check(err)
	g.check(f.Dismiss(a))
	_, err = server.WriteTo([]byte("more"), from)
	g.check(err)
	if n, err := client.Read(b); err != nil || string(b[:n]) != "more" {
		t.Errorf("what the server sends: %q, %v", b[:n], err)
	}
	_, _ = client.Write([]byte("an answer"))
	told(t, f, NotAdmitted, "198.51.100.1:443")
	g.check(f.Keep([]Place{kept("198.51.100.1/32", 443, "udp")}))
	end, err := dial(g.instance, "udp", "198.51.100.1:443")
	g.check(err)
	defer end.Close()
	_, err = end.Write([]byte("the end"))
	g.check(err)
	if n, _, err := server.ReadFrom(b); err != nil || string(b[:n]) != "the end" {
		t.Errorf("the server is sent %q, %v", b[:n], err)
	}
}

// Any number of addresses is dismissed at once.
func TestDismissMany(t *testing.T) {
	g := newGround(t)
	f := g.raise(Strict)
	all := numbered(3 * atOnce)
	g.check(f.Admit(all, time.Hour))
	g.check(f.Dismiss(all))
	g.check(f.Admit(all[:2*atOnce], time.Second))
	g.check(f.Dismiss(all))
	if len(f.gone) != len(all) {
		t.Errorf("%d are dismissed, want %d", len(f.gone), len(all))
	}
	if err := f.Lower(); err != nil {
		t.Error(err)
	}
	if f.Dismiss(all) == nil {
		t.Error("a fence that was lowered dismisses")
	}
}
