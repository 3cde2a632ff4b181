package witness_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/witness"
)

// FuzzJoiner has an instance do anything, in any order of what sees it, by clocks
// that go back: what is told of it is no more than it did, nobody who wasn't seen
// is charged with it, and in the end nothing is held.
func FuzzJoiner(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x05\x00\x00\x02\x00\x05\x03\x00\x10\x04\x00\x05\x05\x00\x01"))
	f.Add([]byte("\x08\x00\x00\x0a\x01\x01\x0c\x02\x03\x0e\x01\xff\x06\xff\x07\x00\x07\xff\x09\x01\x01"))
	f.Add([]byte("\x03\x13\x01\x02\x13\x01\x05\x13\x02\x04\x13\x01\x0b\x13\x05\x00\x40\x01"))
	names := []string{"a.example", "b.example", "dns.google", "_dns.resolver.arpa"}
	servers := []netip.AddrPort{port("10.0.0.1:53"), port("192.0.2.53:53"), port("127.0.0.53:53"), port("[fd00::1]:53")}
	targets := []netip.AddrPort{port("192.0.2.7:443"), port("8.8.8.8:443"), port("192.0.2.7:853"), port("[2001:db8::7]:443"), port("192.0.2.7:0"), port("10.0.0.1:53")}
	clients := []netip.AddrPort{port("10.0.0.5:40000"), port("10.0.0.5:0"), port("[2001:db8::5]:40000"), port("127.0.0.1:40000")}
	processes := []*witness.Process{nil, curl, apt, stub}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 600 { // more of the same, and slow
			return
		}
		counted := &count{book: book{has: map[string]bool{"a.example": true, "b.example": true}, log: map[netip.Addr][]string{netip.MustParseAddr("192.0.2.7"): {"a.example"}}}, seen: map[*witness.Process]bool{nil: true}}
		j := witness.NewJoiner(counted, func(a netip.Addr) bool { return a == bridge })
		now, queries, connections, hellos := begin, 0, 0, 0
		for ; len(b) >= 3; b = b[3:] {
			what, which, step := b[0], int(b[1]), b[2]
			now = now.Add(time.Duration(int8(step)) * 50 * time.Millisecond)
			sink := j.From(witness.Source(what >> 3 & 1))
			name, server, from, to := names[which%4], servers[which/4%4], clients[which/16%4], targets[which%6]
			p := processes[which/64%4]
			protocol := []string{"udp", "tcp"}[what>>4&1]
			switch what % 8 {
			case 0:
				counted.seen[p] = true
				queries++
				sink.Query(witness.Query{At: now, Name: name, Type: "A", From: from, Server: server, Protocol: protocol, Process: p})
			case 1:
				sink.Answer(witness.Answer{At: now, Name: name, To: from, Server: server, Chain: names[:which%3], Addresses: []netip.Addr{to.Addr()}, TTL: time.Duration(step) * time.Second})
			case 2, 3:
				counted.seen[p] = true
				connections++
				sink.Connection(witness.Connection{At: now, From: from, To: to, Protocol: []string{protocol, "icmp"}[what>>5&1], Process: p})
			case 4:
				hellos++
				sink.Hello(witness.Hello{At: now, From: from, To: to, Protocol: "tls", Server: name, Hidden: what>>5&1 == 1})
			case 5:
				j.On(witness.Source(what>>3&1), what>>4&1 == 1)
			case 6:
				sink.Lost(uint64(step), "a test")
			case 7:
				j.Settle(now)
			}
		}
		j.Flush()
		if j.Settle(now.Add(time.Hour)) {
			t.Error("something is held for good")
		}
		for _, p := range counted.charged {
			if !counted.seen[p] {
				t.Errorf("%v did nothing", p)
			}
		}
		// A hello is of a connection that need not have been seen, and a query to another
		// resolver a way round as well.
		if counted.asked > queries || counted.reached > connections+hellos || counted.saidOf > hellos+connections || counted.bypassed > 2*(queries+connections+hellos) {
			t.Errorf("of %d queries, %d connections, %d hellos are told\n%s", queries, connections, hellos, strings.Join(counted.told, "\n"))
		}
	})
}

// count is a book that counts what it is told.
type count struct {
	book
	asked, reached, saidOf, bypassed int
	seen                             map[*witness.Process]bool
	charged                          []*witness.Process
}

func (c *count) Asked(name string, by *witness.Process, at time.Time) bool {
	c.charged = append(c.charged, by)
	known := c.book.Asked(name, by, at)
	if known {
		c.asked++
	}
	return known
}

func (c *count) Reached(r witness.Reach) int {
	c.charged = append(c.charged, r.Process)
	n := c.book.Reached(r)
	if n > 0 {
		c.reached++
	}
	return n
}

func (c *count) Said(r witness.Reach) { c.charged, c.saidOf = append(c.charged, r.Process), c.saidOf+1 }

func (c *count) Bypassed(w witness.Bypass) {
	c.charged, c.bypassed = append(c.charged, w.Process), c.bypassed+1
	c.told = append(c.told, fmt.Sprint("way ", w.Kind))
}
