package fence

import (
	"net/netip"
	"testing"
)

func kept(prefix string, port uint16, protocol string) Place {
	return Place{netip.MustParsePrefix(prefix), port, protocol}
}

// A place that is kept is reached by its port and protocol, and nothing beside
// it is; each connection counts once.
func TestKeptPlaces(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	f := g.raise(Strict)
	one, six := kept("198.51.100.1/32", 80, "tcp"), kept("2001:db8:1::/64", 80, "udp")
	wide := kept("198.51.100.0/24", 443, "tcp")
	reached := func() {
		t.Helper()
		g.answers(g.instance, "tcp", "198.51.100.1:80", "outside")
		g.answers(g.instance, "udp", "[2001:db8:1::2]:80", "outside")
	}
	g.refused(g.instance, "tcp", "198.51.100.1:80")
	g.check(f.Keep([]Place{one, six}))
	reached()
	for network, places := range map[string][]string{
		"udp": {"198.51.100.1:80", "[2001:db8:1::1]:443", "10.77.0.1:80"},
		"tcp": {"198.51.100.2:80", "198.51.100.1:443", "[2001:db8:1::1]:80", "192.0.2.2:80"},
	} {
		for _, to := range places {
			g.refused(g.instance, network, to)
		}
	}
	g.check(f.Keep([]Place{one, wide, six})) // what stays goes on counting
	reached()
	c, err := dial(g.instance, "tcp", "198.51.100.2:443")
	g.check(err)
	defer c.Close()
	if _, err := ask(c); err != nil {
		t.Error(err)
	}
	want := func(places map[Place]uint64) {
		t.Helper()
		got, err := f.Kept()
		for p, n := range places {
			if err != nil || len(got) != len(places) || got[p] != n {
				t.Errorf("%v, %v: want %v", got, err, places)
			}
		}
	}
	want(map[Place]uint64{one: 2, wide: 1, six: 2})
	if !f.Keeps(netip.MustParseAddrPort("[2001:db8:1::7]:80"), "udp") || f.Keeps(netip.MustParseAddrPort("198.51.100.2:80"), "tcp") {
		t.Error("it doesn't know what it keeps")
	}
	g.check(f.Keep([]Place{six}))
	g.refused(g.instance, "tcp", "198.51.100.1:80")
	g.refused(g.instance, "tcp", "198.51.100.2:443")
	if _, err := ask(c); err != nil {
		t.Errorf("a connection to what was kept ended: %v", err)
	}
	g.check(f.Keep([]Place{one, six}))
	reached()
	want(map[Place]uint64{one: 3, six: 3})
	g.check(f.Lower())
	want(map[Place]uint64{one: 3, six: 3})
	if f.Keep([]Place{one}) == nil {
		t.Error("a fence that was lowered keeps")
	}
}
