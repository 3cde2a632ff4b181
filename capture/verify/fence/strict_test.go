package fence

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Each attempt is made without a fence first, where it arrives: else that it
// doesn't with one would say nothing.
func TestNothingGetsOut(t *testing.T) {
	const times = 25
	for _, hooks := range []string{"0", "1"} {
		t.Run("bridge hooks "+hooks, func(t *testing.T) {
			g := newGround(t)
			g.bridgeHooks(hooks)
			from, outside, second := newWire(t, g.instance), newWire(t, g.outside), newWire(t, g.second)
			ends := 0
			// got makes an attempt, ends with frames that do get out, to either
			// place, and counts what came before those.
			got := func(a attempt, times int) int {
				for range times {
					from.send(a.frame)
				}
				ends++
				end := fmt.Sprintf("end of attempt %d.", ends)
				from.send(ethernet(broadcast, instanceMAC, etherARP, []byte(end)))
				p := udp("10.77.0.2", "198.51.100.2", 42000, 9, end)
				from.send(ethernet(bridgeMAC, instanceMAC, etherIPv4, p))
				return second.until(end) + outside.until(end)
			}
			for _, a := range attempts() {
				if n := got(a, 1); n == 0 {
					t.Errorf("%v: doesn't arrive without a fence either", a)
				}
			}
			f := g.raise(Strict)
			g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.2")}, time.Hour))
			sent := 0
			for _, a := range attempts() {
				if n := got(a, times); n != 0 {
					t.Errorf("%v: %d of %d got out", a, n, times)
				}
				sent += times
				for range times {
					select {
					case p := <-f.Refused():
						if p.Why != a.why {
							t.Fatalf("%v: told as %+v", a, p)
						}
					case <-time.After(patience):
						t.Fatalf("%v: not told", a)
					}
				}
			}
			if n := len(f.Refused()); n > 0 || f.Lost() > 0 {
				t.Errorf("%d more told, %d lost", n, f.Lost())
			}
			t.Logf("0 of %d frames got out", sent)
		})
	}
}
