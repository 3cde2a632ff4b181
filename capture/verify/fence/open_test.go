package fence

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// ends are both ends of a connection that was opened before the fence.
type ends struct{ client, server net.Conn }

// connect opens a TCP connection that nothing has been said on.
func (g *ground) connect(from, to *space, address string) ends {
	g.t.Helper()
	var l net.Listener
	var err error
	to.do(func() { l, err = net.Listen("tcp", address) })
	g.check(err)
	defer l.Close()
	var e ends
	e.client, err = dial(from, "tcp", l.Addr().String())
	g.check(err)
	e.server, err = l.Accept()
	g.check(err)
	g.t.Cleanup(func() {
		_ = e.client.Close()
		_ = e.server.Close()
	})
	return e
}

// goes says whether what one end says arrives at the other.
func goes(from, to net.Conn) error {
	_ = from.SetDeadline(time.Now().Add(patience))
	_ = to.SetDeadline(time.Now().Add(patience))
	if _, err := from.Write([]byte("something")); err != nil {
		return err
	}
	_, err := to.Read(make([]byte, 64))
	return err
}

// lives says whether both ends hear each other, the first being the first to speak.
func (e ends) lives(serverFirst bool) error {
	first, second := e.client, e.server
	if serverFirst {
		first, second = second, first
	}
	if err := goes(first, second); err != nil {
		return err
	}
	return goes(second, first)
}

// ended fails the test unless the instance's end is reset, nothing that it says
// arrives at the other, and that hears of it. The instance speaks first, or last.
func ended(t *testing.T, what string, instance, other net.Conn, first bool) {
	t.Helper()
	_ = instance.SetDeadline(time.Now().Add(patience))
	_ = other.SetDeadline(time.Now().Add(patience))
	if !first {
		_, _ = other.Write([]byte("something"))
	}
	// An error is told once, by whatever is called next.
	_, err := instance.Write([]byte(mark))
	for b := make([]byte, 64); err == nil; {
		_, err = instance.Read(b)
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%s: %v, want it reset", what, err)
	}
	_, _ = other.Write([]byte("something more"))
	if n, err := other.Read(make([]byte, 64)); n > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%s: %d bytes at the other end, %v, want it reset", what, n, err)
	}
}

func TestOpenConnections(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		for _, host := range []struct {
			name string
			set  func(*ground)
		}{{"tracks nothing", func(*ground) {}}, {"tracks", (*ground).track}, {"masquerades", (*ground).masquerade}} {
			t.Run(level.String()+", host "+host.name, func(t *testing.T) {
				g := newGround(t)
				host.set(g)
				openConnections(g, t, level, host.name != "tracks nothing")
			})
		}
	}
}

func openConnections(g *ground, t *testing.T, level Level, tracked bool) {
	g.serveWorld()
	var outFirst, outLast, in []ends
	for _, a := range []string{"198.51.100.1:0", "[2001:db8:1::1]:0"} {
		outFirst = append(outFirst, g.connect(g.instance, g.outside, a))
		outLast = append(outLast, g.connect(g.instance, g.outside, a))
	}
	for _, a := range []string{"10.77.0.2:0", "[fd77::2]:0"} {
		in = append(in, g.connect(g.outside, g.instance, a), g.connect(nil, g.instance, a))
	}
	toNeighbour, fromNeighbour := g.connect(g.instance, g.second, "10.77.0.3:0"), g.connect(g.second, g.instance, "[fd77::2]:0")
	theirs := g.connect(g.second, g.outside, "198.51.100.1:0")
	dns, err := dial(g.instance, "tcp", "198.51.100.1:53")
	g.check(err)
	defer dns.Close()

	f := g.raise(level)
	for _, e := range outFirst {
		ended(t, "to "+e.server.LocalAddr().String(), e.client, e.server, true)
		told(t, f, OpenBefore, e.server.LocalAddr().String())
	}
	for _, e := range outLast {
		ended(t, "to "+e.server.LocalAddr().String()+", which speaks first", e.client, e.server, false)
		told(t, f, OpenBefore, e.server.LocalAddr().String())
	}
	if _, err := ask(dns); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("DNS: %v, want it reset", err)
	}
	for _, e := range in {
		what := "from " + e.client.LocalAddr().String()
		if !tracked {
			ended(t, what, e.server, e.client, false)
		} else if err := e.lives(false); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if level == Strict {
		ended(t, "to the neighbour, which speaks first", toNeighbour.client, toNeighbour.server, false)
		ended(t, "from the neighbour", fromNeighbour.server, fromNeighbour.client, true)
	} else if err := errors.Join(toNeighbour.lives(true), fromNeighbour.lives(true)); err != nil {
		t.Errorf("with the neighbour: %v", err)
	}
	if err := theirs.lives(false); err != nil {
		t.Errorf("the neighbour's own: %v", err)
	}

	// What is opened with the fence outlives it.
	g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.2")}, time.Hour))
	kept := g.connect(g.instance, g.outside, "198.51.100.2:0")
	inwards := g.connect(g.second, g.instance, "10.77.0.2:0")
	check := func(when string) {
		t.Helper()
		if err := errors.Join(kept.lives(false), inwards.lives(true), theirs.lives(true)); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if err := in[0].lives(true); tracked && err != nil {
			t.Errorf("%s, of before: %v", when, err)
		}
	}
	check("with the fence")
	g.check(f.Lower())
	check("after the fence")
}

// UDP that comes in is answered.
func TestUDPFromOthersLivesOn(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		t.Run(level.String(), func(t *testing.T) { udpFromOthers(t, level) })
	}
}

func udpFromOthers(t *testing.T, level Level) {
	g := newGround(t)
	g.track()
	g.serveWorld()
	var all []net.Conn
	for _, from := range []*space{g.outside, g.second, nil} {
		for _, a := range []string{"10.77.0.2:80", "[fd77::2]:80"} {
			c, err := dial(from, "udp", a)
			g.check(err)
			defer c.Close()
			says(t, "before", c, "instance")
			all = append(all, c)
		}
	}
	f := g.raise(level)
	for _, c := range all {
		says(t, "with the fence", c, "instance")
	}
	g.check(f.Lower())
	for _, c := range all {
		says(t, "after the fence", c, "instance")
	}
}
