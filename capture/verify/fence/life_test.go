package fence

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// says fails the test unless an open connection's other end says name.
func says(t testing.TB, when string, c net.Conn, name string) {
	t.Helper()
	if got, err := ask(c); err != nil || got != name {
		t.Fatalf("%s: %q, %v, want %q", when, got, err, name)
	}
}

// A resolver may ask from one port all its life.
func TestQueriesUnderWayChangeTheirServer(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		for _, server := range []string{"198.51.100.1", "2001:db8:1::1", "10.77.0.1"} {
			t.Run(level.String()+" "+server, func(t *testing.T) {
				g := newGround(t)
				g.masquerade()
				g.serveWorld()
				name := "outside"
				if server == "10.77.0.1" {
					name = "host"
				}
				c, err := dial(g.instance, "udp", at(server, 53))
				g.check(err)
				defer c.Close()
				says(t, "before", c, name)
				f := g.raise(level)
				says(t, "with a fence", c, "forwarder")
				says(t, "with a fence, again", c, "forwarder")
				g.check(f.Lower())
				says(t, "after", c, name)
				f = g.raise(level)
				says(t, "with another fence", c, "forwarder")
				g.check(f.Lower())
				if l := left(t); l != nil {
					t.Errorf("left: %v", l)
				}
			})
		}
	}
}

// The answer comes when the fence is up, and the client keeps its port.
func TestLateAnswerKeepsNoServer(t *testing.T) {
	g := newGround(t)
	g.track()
	serve(t, nil, "forwarder", "udp", fmt.Sprintf(":%d", forwarder))
	var server net.PacketConn
	var err error
	g.outside.do(func() { server, err = net.ListenPacket("udp", "198.51.100.1:53") })
	g.check(err)
	defer server.Close()
	g.check(server.SetDeadline(time.Now().Add(patience)))
	client, err := dial(g.instance, "udp", "198.51.100.1:53")
	g.check(err)
	defer client.Close()
	g.check(client.SetDeadline(time.Now().Add(patience)))
	_, err = client.Write([]byte("a query"))
	g.check(err)
	b := make([]byte, 64)
	_, from, err := server.ReadFrom(b)
	g.check(err)

	f := g.raise(Names)
	_, err = server.WriteTo([]byte("late"), from)
	g.check(err)
	n, err := client.Read(b)
	if string(b[:n]) != "late" {
		t.Fatalf("%q, %v, want the late answer", b[:n], err)
	}
	got, err := ask(client)
	if err == nil {
		t.Errorf("the next query: %q, want an error", got)
	}
	told(t, f, OpenBefore, "198.51.100.1:53")
	for limit := time.Now().Add(patience); err != nil && time.Now().Before(limit); {
		got, err = ask(client)
	}
	if got != "forwarder" {
		t.Errorf("a query some time later: %q, %v, want the forwarder", got, err)
	}
	g.check(server.SetDeadline(time.Now()))
	if n, _, err := server.ReadFrom(b); err == nil {
		t.Errorf("the server is asked %q", b[:n])
	}
}

// Nothing may hang on the addresses that are known.
func TestUnknownAddressLeaksNoQuery(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	c, err := dial(g.instance, "udp", "198.51.100.1:53")
	g.check(err)
	defer c.Close()
	says(t, "before", c, "outside")
	bridge, err := g.host.LinkByName(bridgeName)
	g.check(err)
	neighbours, err := g.host.NeighList(bridge.Attrs().Index, unix.AF_INET)
	g.check(err)
	for _, n := range neighbours {
		g.check(g.host.NeighDel(&n))
	}
	f := g.raise(Names)
	if got, err := ask(c); got == "outside" || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v, want an error at once", got, err)
	}
	told(t, f, OpenBefore, "198.51.100.1:53")
	g.answers(g.instance, "udp", "198.51.100.1:53", "forwarder")
}

// told waits until a packet is told that was refused so.
func told(t *testing.T, f *Fence, why Reason, to string) {
	t.Helper()
	for limit := time.After(patience); ; {
		select {
		case p := <-f.Refused():
			if p.Why == why && p.To.String() == to && time.Since(p.At).Abs() < patience {
				return
			}
		case <-limit:
			t.Errorf("not told: %s to %s", why, to)
			return
		}
	}
}

// A long-lived connection outlives its address's time.
func TestConnectionOutlivesItsAddress(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	f := g.raise(Strict)
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1")}, time.Hour))
	c, err := dial(g.instance, "tcp", "198.51.100.1:443")
	g.check(err)
	defer c.Close()
	says(t, "while it is admitted", c, "outside")
	f.mu.Lock()
	err = f.conn.SetDeleteElements(f.tables.ipv4, []nftables.SetElement{{Key: []byte{198, 51, 100, 1}}})
	if err == nil {
		err = f.conn.Flush()
	}
	f.mu.Unlock()
	g.check(err)
	says(t, "later", c, "outside")
	g.refused(g.instance, "tcp", "198.51.100.1:443")
}

func TestNobodyElseReachesTheForwarder(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		t.Run(level.String(), func(t *testing.T) {
			g := newGround(t)
			g.serveWorld()
			g.answers(g.second, "udp", at("10.77.0.1", forwarder), "forwarder")
			g.raise(level)
			for _, network := range []string{"udp", "tcp"} {
				for _, a := range []string{"10.77.0.1", "fd77::1"} {
					g.refused(g.second, network, at(a, forwarder))
					g.refused(g.instance, network, at(a, forwarder))
					g.refused(nil, network, at(a, forwarder))
				}
				g.refused(g.outside, network, at("192.0.2.1", forwarder))
				g.refused(g.outside, network, at("2001:db8::1", forwarder))
			}
			g.answers(g.instance, "udp", "10.77.0.1:53", "forwarder")
		})
	}
}

// The neighbour asks without a pause while fences come and go.
func TestNeighbourIsUnharmed(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	var stop atomic.Bool
	var asks, failed atomic.Int64
	var all sync.WaitGroup
	for _, a := range []struct{ network, address, name string }{
		{"udp", "10.77.0.1:53", "host"}, {"tcp", "198.51.100.1:443", "outside"}, {"udp", "[2001:db8:1::1]:53", "outside"},
	} {
		all.Go(func() {
			for !stop.Load() {
				asks.Add(1)
				if got, err := asked(g.second, a.network, a.address); got != a.name {
					failed.Add(1)
					t.Errorf("%s at %s: %q, %v", a.network, a.address, got, err)
				}
			}
		})
	}
	for i := range 10 {
		f, err := Raise(g.port(), Level(i%2), forwarder)
		if err != nil {
			t.Error(err)
			break
		}
		g.answers(g.instance, "udp", "10.77.0.1:53", "forwarder")
		if err := f.Lower(); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	all.Wait()
	t.Logf("%d of %d failed", failed.Load(), asks.Load())
}

func TestTwoFencesOnOneBridge(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	const second = forwarder + 1
	serve(t, nil, "second's forwarder", "udp", ":5392")
	f := g.raise(Strict)
	f2, err := Raise(Port{Bridge: bridgeName, MAC: secondMAC, Host: secondHost}, Strict, second)
	g.check(err)
	g.answers(g.instance, "udp", "10.77.0.1:53", "forwarder")
	g.answers(g.second, "udp", "10.77.0.1:53", "second's forwarder")
	g.refused(g.instance, "tcp", "10.77.0.3:80")
	g.refused(g.second, "tcp", "10.77.0.2:80")
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("10.77.0.3"), netip.MustParseAddr("198.51.100.1")}, time.Minute))
	g.answers(g.instance, "tcp", "10.77.0.3:80", "second")
	g.answers(g.instance, "tcp", "198.51.100.1:443", "outside")
	g.refused(g.second, "tcp", "10.77.0.2:80")
	g.refused(g.second, "tcp", "198.51.100.1:443")
	g.check(f.Lower())
	g.refused(g.second, "tcp", "198.51.100.1:443")
	g.answers(g.instance, "tcp", "198.51.100.2:443", "outside")
	g.check(f2.Lower())
	g.check(f2.Lower())
	if err := f2.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1")}, 0); err == nil {
		t.Error("a fence that was lowered admits")
	}
	if l := left(t); l != nil {
		t.Errorf("left: %v", l)
	}
	if _, open := <-f2.Refused(); open { // two were told, not read
		for range f2.Refused() {
		}
	}
}

func TestRaiseFailsWhole(t *testing.T) {
	g := newGround(t)
	for name, p := range map[string]Port{
		"no bridge":            {Bridge: "lat-none", MAC: instanceMAC},
		"not a bridge":         {Bridge: "lat-up", MAC: instanceMAC},
		"no MAC":               {Bridge: bridgeName},
		"a group's MAC":        {Bridge: bridgeName, MAC: broadcast},
		"no host's end":        {Bridge: bridgeName, MAC: instanceMAC, Host: "lat-none"},
		"not in the bridge":    {Bridge: bridgeName, MAC: instanceMAC, Host: "lat-up"},
		"a name of 16 or more": {Bridge: "lat-0123456789abc", MAC: instanceMAC},
	} {
		f, err := Raise(p, Strict, forwarder)
		if err == nil || f != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		if l := left(t); l != nil {
			t.Errorf("%s: left %v", name, l)
		}
	}
	g.raise(Names)
	if _, err := Raise(g.port(), Names, forwarder); err == nil {
		t.Error("one instance has two fences")
	}
}

// After a restart the instance's frames come by another interface of the
// host's: those with a MAC address that isn't its own are told from there on.
func TestReplug(t *testing.T) {
	g := newGround(t)
	from, second := newWire(t, g.instance), newWire(t, g.second)
	p := g.port()
	p.Host = ""
	f, err := Raise(p, Names, forwarder)
	g.check(err)
	t.Cleanup(func() { g.check(f.Lower()) })
	foreign := net.HardwareAddr{0x00, 0x16, 0x3e, 0, 0, 9}
	spoofed := ethernet(broadcast, foreign, etherARP, []byte(mark))
	passes := func(end string) int {
		from.send(spoofed)
		from.send(ethernet(broadcast, instanceMAC, etherARP, []byte(end)))
		return second.until(end)
	}
	for i, plug := range []struct {
		host string
		want int
	}{{"", 1}, {instanceHost, 0}, {secondHost, 1}, {instanceHost, 0}, {"gone0", 0}, {"lat-up", 0}, {"", 1}} {
		if err := f.Replug(plug.host); (err == nil) != (plug.host == "" || plug.host == instanceHost || plug.host == secondHost) {
			t.Errorf("plug in at %q: %v", plug.host, err)
		}
		if n := passes(fmt.Sprintf("end of attempt %d.", i)); n != plug.want {
			t.Errorf("plugged in at %q: %d of 1 foreign frames passed", plug.host, n)
		}
	}
	g.check(f.Lower())
	if err := f.Replug(instanceHost); err == nil {
		t.Error("a fence that was lowered is plugged in anew")
	}
}
