package witness_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"lxd-allowlist/capture/witness"
)

// Of an address of more names than are kept the latest are known, so that a
// server name tells it apart still.
func TestCrowdedAddress(t *testing.T) {
	b := &book{has: make(map[string]bool)}
	j := witness.NewJoiner(b, func(a netip.Addr) bool { return a == bridge })
	j.On(witness.Wire, true)
	for n := range 200 {
		name, from := fmt.Sprintf("n%d.test", n), fmt.Sprintf("10.0.0.2:%d", 6000+n)
		b.has[name] = true
		tell(j, wire(answer(n*20, name, "10.0.0.1:53", "192.0.2.1")))
		tell(j, wire(connection(n*20+5, from, "192.0.2.1:443", "tcp", nil)))
		tell(j, wire(hello(n*20+6, from, "192.0.2.1:443", "tls", name)))
		if n%10 == 9 {
			j.Settle(at(n*20 + 10))
		}
	}
	for n := range 200 {
		if want := fmt.Sprintf("n%d.test reached 443/tcp by ? tls", n); !slices.Contains(b.told, want) {
			t.Fatalf("not told: %q, but %q", want, b.told)
		}
	}
}

// A resolver that is asked by TCP again and again is told once for each query.
func TestResolverByTCP(t *testing.T) {
	var in []event
	const times = 5
	for n := range times {
		from := fmt.Sprintf("10.0.0.2:%d", 6000+n)
		q := query(n*3000+2, "x.test", from, "192.0.2.53:53", nil)
		q.Protocol = "tcp"
		in = append(in, wire(connection(n*3000, from, "192.0.2.53:53", "tcp", nil)), wire(q))
	}
	if got := join(in, []witness.Source{witness.Who}); len(got) != times {
		t.Errorf("%d queries were told as %q", times, got)
	}
}
