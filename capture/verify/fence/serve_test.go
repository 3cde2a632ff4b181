package fence

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// serve has a server of the network "tcp" or "udp" answer whoever asks with
// its name, and "again" at each further message.
func serve(t testing.TB, s *space, name, network, address string) {
	t.Helper()
	var l io.Closer
	var err error
	s.do(func() {
		if network == "udp" {
			l, err = net.ListenPacket(network, address)
		} else {
			l, err = net.Listen(network, address)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	done := make(chan struct{})
	served.Go(func() {
		switch l := l.(type) {
		case net.PacketConn:
			servePackets(l, name)
		case net.Listener:
			serveStreams(l, name, &served, done)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(done)
		served.Wait()
	})
}

func servePackets(c net.PacketConn, name string) {
	b := make([]byte, 2048)
	for {
		_, from, err := c.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = c.WriteTo([]byte(name), from)
		}
	}
}

func serveStreams(l net.Listener, name string, served *sync.WaitGroup, done chan struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		served.Go(func() {
			<-done
			_ = c.Close()
		})
		served.Go(func() {
			defer c.Close() // a test may open more than there is room for
			b := make([]byte, 2048)
			for {
				if _, err := c.Read(b); err != nil {
					return
				}
				if _, err := c.Write([]byte(name)); err != nil {
					return
				}
			}
		})
	}
}

// dial opens a connection from within a namespace.
func dial(s *space, network, address string) (c net.Conn, err error) {
	s.do(func() {
		// One address: the socket is made on this thread.
		c, err = net.DialTimeout(network, address, patience)
	})
	return c, err
}

// ask says something on a connection and returns what came back.
func ask(c net.Conn) (string, error) { return askWithin(c, patience) }

func askWithin(c net.Conn, d time.Duration) (string, error) {
	_ = c.SetDeadline(time.Now().Add(d))
	if _, err := c.Write([]byte("who are you?")); err != nil {
		return "", err
	}
	b := make([]byte, 2048)
	n, err := c.Read(b)
	return string(b[:n]), err
}

// asked opens a connection to ask.
func asked(s *space, network, address string) (string, error) {
	c, err := dial(s, network, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return ask(c)
}

// answers fails the test unless name answers there.
func (g *ground) answers(s *space, network, address, name string) {
	g.t.Helper()
	if got, err := asked(s, network, address); errors.Is(err, os.ErrDeadlineExceeded) {
		g.t.Fatalf("%s at %s: %v, want %q", network, address, err, name)
	} else if err != nil || got != name {
		g.t.Errorf("%s at %s: %q, %v, want %q", network, address, got, err, name)
	}
}

// refused fails the test unless an error comes at once: silence is none.
func (g *ground) refused(s *space, network, address string) {
	g.t.Helper()
	got, err := asked(s, network, address)
	if err == nil {
		g.t.Errorf("%s at %s: %q answered", network, address, got)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		g.t.Fatalf("%s at %s: %v, want an error at once", network, address, err)
	}
}

// serveWorld has servers where the tests look for them.
func (g *ground) serveWorld() {
	for _, network := range []string{"udp", "tcp"} {
		serve(g.t, nil, "forwarder", network, fmt.Sprintf(":%d", forwarder))
		for _, a := range outsideAddresses {
			for _, port := range []string{"53", "80", "443", "853"} {
				serve(g.t, g.outside, "outside", network, net.JoinHostPort(netip.MustParsePrefix(a).Addr().String(), port))
			}
		}
		for _, s := range []struct {
			space     *space
			name      string
			addresses []string
		}{{nil, "host", hostAddresses}, {g.instance, "instance", instanceAddresses}, {g.second, "second", secondAddresses}} {
			for _, a := range s.addresses {
				for _, port := range []string{"53", "80"} {
					serve(g.t, s.space, s.name, network, net.JoinHostPort(netip.MustParsePrefix(a).Addr().String(), port))
				}
			}
		}
	}
	for _, from := range []*space{g.instance, g.second} {
		for _, a := range outsideAddresses {
			g.awaitAnswer(from, at(netip.MustParsePrefix(a).Addr().String(), 53))
		}
		for _, a := range hostAddresses {
			g.awaitAnswer(from, at(netip.MustParsePrefix(a).Addr().String(), 53))
		}
	}
}

// awaitAnswer asks by UDP until there is an answer: of the first packets of
// interfaces that have just been made one may be lost.
func (g *ground) awaitAnswer(s *space, address string) {
	g.t.Helper()
	c, err := dial(s, "udp", address)
	g.check(err)
	defer c.Close()
	for late := time.Now().Add(patience); ; {
		_, err := askWithin(c, time.Second)
		if err == nil {
			return
		}
		if time.Now().After(late) {
			g.t.Fatalf("udp at %s before all else: %v", address, err)
		}
	}
}

// table has the host do something with each packet that leaves it.
func (g *ground) table(name string, parts ...[]expr.Any) {
	g.t.Helper()
	c := &nftables.Conn{}
	table := c.AddTable(&nftables.Table{Name: name, Family: nftables.TableFamilyINet})
	chain := c.AddChain(&nftables.Chain{
		Name: "post", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: slices.Concat(parts...)})
	g.check(c.Flush())
	g.t.Cleanup(func() {
		c.DelTable(table)
		g.check(c.Flush())
	})
}

// masquerade has the host hide the instances' addresses, as LXD's bridges do.
func (g *ground) masquerade() {
	g.table("lat-masquerade", leavesBy("lat-up"), []expr.Any{&expr.Masq{}})
}

// track has the host track connections, without NAT.
func (g *ground) track() { g.table("lat-track", state(expr.CtStateBitESTABLISHED), accept()) }
