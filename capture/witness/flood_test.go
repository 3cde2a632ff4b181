package witness_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/witness"
)

// An instance that does more than can be joined: what is beyond is counted, no
// connection is called bare for it, and what comes later is right.
func TestFlood(t *testing.T) {
	const many = 20_000
	b := &book{has: map[string]bool{"a.test": true}}
	j := witness.NewJoiner(b, func(a netip.Addr) bool { return a == bridge })
	j.On(witness.Wire, true)
	lost := 0
	for i := range many {
		from := fmt.Sprintf("10.0.0.2:%d", 1024+i%60_000)
		tell(j, wire(connection(i/1000, from, fmt.Sprintf("198.18.%d.%d:443", i/250, i%250+1), "tcp", nil)))
		tell(j, wire(query(i/1000, fmt.Sprintf("n%d.test", i), from, "192.0.2.53:53", nil)))
		tell(j, wire(answer(i/1000, fmt.Sprintf("n%d.test", i), "192.0.2.53:53", fmt.Sprintf("198.19.%d.%d", i/250, i%250))))
	}
	for ms := 1000; j.Settle(at(ms)); ms += 100 {
	}
	counts := make(map[string]int)
	for _, s := range b.told {
		var n int
		if k, _ := fmt.Sscanf(s, "lost %d:", &n); k == 1 {
			lost += n
			continue
		}
		counts[s[:4]]++
	}
	if counts["bare"] > 8192 || counts["reso"] > 8192 || counts["bare"]+counts["reso"]+lost != 2*many {
		t.Errorf("of %d connections and queries %v were told and %d lost", many, counts, lost)
	}
	b.told = nil
	tell(j, wire(answer(200_000, "a.test", "10.0.0.1:53", "192.0.2.1")))
	tell(j, wire(connection(200_010, "10.0.0.2:6000", "192.0.2.1:443", "tcp", nil)))
	j.Settle(at(202_000))
	if len(b.told) != 1 || b.told[0] != "a.test reached 443/tcp by ?" {
		t.Errorf("later it told %q", b.told)
	}
}

// lagging is a book that doesn't have what it is asked for yet; more comes in
// while it is.
type lagging struct {
	*book
	more func()
}

func (b *lagging) Asked(string, *witness.Process, time.Time) bool {
	more := b.more
	b.more = func() {}
	more()
	return false
}

// Queries that the log doesn't have yet are held again, and with those that came
// meanwhile they are no more than there may be.
func TestFloodAheadOfTheLog(t *testing.T) {
	const room = 8192
	b := &lagging{book: &book{}}
	j := witness.NewJoiner(b, func(a netip.Addr) bool { return a == bridge })
	j.On(witness.Who, true)
	flood := func(n int) {
		for i := range n {
			tell(j, call(query(i/1000, fmt.Sprintf("n%d.test", i), "10.0.0.2:5000", "10.0.0.1:53", curl)))
		}
	}
	b.more = func() { flood(room) }
	flood(room)
	j.Settle(at(500))
	flood(room)
	for ms := 1000; j.Settle(at(ms)); ms += 100 {
	}
	unlogged, beyond := 0, 0
	for _, s := range b.told {
		var n int
		if k, _ := fmt.Sscanf(s, "lost %d: queries of", &n); k == 1 && strings.Contains(s, "log") {
			unlogged += n
		} else if k == 1 {
			beyond += n
		}
	}
	if unlogged != room || beyond != 2*room {
		t.Errorf("%d were held and %d lost", unlogged, beyond)
	}
}

// BenchmarkJoin is a query, its answer, a connection and its server name, told
// by both sources.
func BenchmarkJoin(b *testing.B) {
	j := witness.NewJoiner(&book{has: map[string]bool{"a.test": true}}, func(a netip.Addr) bool { return a == bridge })
	j.On(witness.Wire, true)
	j.On(witness.Who, true)
	for i := 0; b.Loop(); i++ {
		from, to := fmt.Sprintf("10.0.0.2:%d", 1024+i%60_000), "192.0.2.1:443"
		tell(j, call(query(i, "a.test", from, "10.0.0.1:53", curl)))
		tell(j, wire(query(i, "a.test", from, "10.0.0.1:53", nil)))
		tell(j, wire(answer(i, "a.test", "10.0.0.1:53", "192.0.2.1")))
		tell(j, call(connection(i, "0.0.0.0:0", to, "tcp", curl)))
		tell(j, wire(connection(i, from, to, "tcp", nil)))
		tell(j, wire(hello(i, from, to, "tls", "a.test")))
		if i%50 == 0 { // at 1,000 a second
			j.Settle(at(i))
		}
	}
}
