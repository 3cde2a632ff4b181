package capture

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"testing"
)

// What follows on a query about its name is taken as it is line by line: also
// behind our own queries, queries that are asked again, and those that aren't
// plain.
func TestJoinedLines(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 15))
		var lines [][]byte
		begin, end := "Nov 20 10:00:00 dnsmasq[1]: ", []string{"\n", "\r\n"}[rng.IntN(2)]
		extra := rng.IntN(2) == 0
		for range 1 + rng.IntN(60) {
			if extra && rng.IntN(4) == 0 {
				begin = fmt.Sprintf("Nov 20 10:00:00 dnsmasq[1]: %d 10.0.0.7/40 ", 1+rng.IntN(3))
			}
			name := fmt.Sprintf("n%d.example", rng.IntN(4)/3+rng.IntN(2))
			message := [...]string{
				"query[A] %s from 10.0.0.7", "query[HTTPS] %s from 10.0.0.8", "query[TYPE4711] %s from 10.0.0.7", "query[A] %s from fe80::1",
				"forwarded %s to 10.0.0.53", "reply %s is 192.0.2.7", "reply %s is 2001:db8::7", "cached %s is <CNAME>", "cached %s is NXDOMAIN",
				"reply %s is 2001:db8::7 (DNSSEC signed)", "query[A] %s from x",
			}[rng.IntN(11)]
			lines = append(lines, fmt.Appendf(nil, begin+message+end, name))
		}
		joined, single := NewLedger(Info{}), NewLedger(Info{})
		for _, l := range []*Ledger{joined, single} {
			l.Expect("n0.example")
			l.Overlook("n1.example")
		}
		joined.Feed(bytes.Join(lines, nil), evening, true)
		for _, line := range lines {
			single.Feed(line, evening, true)
		}
		for _, l := range []*Ledger{joined, single} { // channels, which are no facts
			l.expect = nil
		}
		if compareFacts(t, seed, single, joined); t.Failed() {
			t.Fatalf("%q", lines)
		}
	}
}

// Of logs that were recorded many lines are no work of their own: what a query
// has with it is what makes reading fast.
func TestLogsAreJoined(t *testing.T) {
	for _, name := range []string{"session.log", "session-extra.log"} {
		for _, end := range []string{"\n", "\r\n"} {
			log, err := os.ReadFile("../parse/testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			log = bytes.ReplaceAll(log, []byte("\n"), []byte(end))
			p := piece{data: log, reader: reader{seed: maphash.MakeSeed()}}
			p.parse(evening, true)
			if lines := bytes.Count(log, []byte("\n")); int(p.block.joined) < lines/8 || len(p.block.lines)+int(p.block.joined) != lines {
				t.Errorf("%s with %q: %d of %d lines are joined, %d are not", name, end, p.block.joined, lines, len(p.block.lines))
			}
		}
	}
}
