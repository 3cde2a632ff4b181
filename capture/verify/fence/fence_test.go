package fence

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// everywhere are the addresses of DNS servers that an instance may ask: the
// bridge's own, those outside, and a neighbour's.
var everywhere = []string{"10.77.0.1", "fd77::1", "198.51.100.1", "2001:db8:1::1", "10.77.0.3", "fd77::3"}

func at(address string, port int) string {
	return netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port)).String()
}

func TestQueriesGoToTheForwarder(t *testing.T) {
	for _, level := range []Level{Names, Strict} {
		for _, hooks := range []string{"0", "1"} {
			t.Run(fmt.Sprintf("%v/bridge hooks %s", level, hooks), func(t *testing.T) {
				g := newGround(t)
				g.bridgeHooks(hooks)
				g.serveWorld()
				unfenced := func() {
					t.Helper()
					for _, network := range []string{"udp", "tcp"} {
						for i, server := range []string{"host", "outside", "second"} {
							g.answers(g.instance, network, at(everywhere[2*i], 53), server)
							g.answers(g.instance, network, at(everywhere[2*i+1], 53), server)
						}
					}
				}
				unfenced()
				f := g.raise(level)
				for _, network := range []string{"udp", "tcp"} {
					for _, a := range everywhere {
						g.answers(g.instance, network, at(a, 53), "forwarder")
					}
					g.answers(g.instance, network, g.linkLocal(bridgeMAC, 53), "forwarder")
					g.answers(g.instance, network, g.linkLocal(secondMAC, 53), "forwarder")
					g.answers(g.second, network, at("10.77.0.1", 53), "host")
					g.answers(g.second, network, at("198.51.100.1", 53), "outside")
					g.answers(g.second, network, at("fd77::2", 53), "instance")
				}
				if err := f.Lower(); err != nil {
					t.Fatal(err)
				}
				unfenced()
			})
		}
	}
}

func TestStrictLetsAdmittedThrough(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	f := g.raise(Strict)
	for _, a := range []string{"198.51.100.1", "2001:db8:1::1", "10.77.0.1", "fd77::1", "10.77.0.3", "fd77::3"} {
		for _, network := range []string{"udp", "tcp"} {
			g.refused(g.instance, network, at(a, 80))
		}
		if err := f.Admit([]netip.Addr{netip.MustParseAddr(a)}, time.Second); err != nil {
			t.Fatal(err)
		}
		for _, network := range []string{"udp", "tcp"} {
			if got, err := asked(g.instance, network, at(a, 80)); err != nil {
				t.Errorf("%s at %s: %q, %v", network, a, got, err)
			}
		}
	}
	g.refused(g.instance, "tcp", "198.51.100.2:443")
}
