package capture

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var evening = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

// partLog is a log at random in which names, clients, serials and chains meet
// all the time, and in which many lines depend on earlier ones.
func partLog(rng *rand.Rand, lines int) []byte {
	var log bytes.Buffer
	names := rng.IntN(30) + 1
	name := func() string { return strings.Repeat("N", rng.IntN(8)/7) + fmt.Sprintf("n%d.example", rng.IntN(names)) }
	extra := rng.IntN(2) == 0
	for log.Len() == 0 || lines > 0 {
		lines--
		fmt.Fprintf(&log, "Nov %d 10:%02d:%02d dnsmasq[1]: ", 20+rng.IntN(2), rng.IntN(3), rng.IntN(60))
		client := fmt.Sprintf("10.0.0.%d", rng.IntN(4))
		if extra {
			fmt.Fprintf(&log, "%d %s/40 ", rng.IntN(5)*256+rng.IntN(3)+1, client)
		}
		switch rng.IntN(16) {
		case 0:
			log.WriteString("reply error is SERVFAIL")
		case 1:
			log.WriteString("reply 192.0.2.7 is " + name())
		case 2, 3, 4:
			log.WriteString("reply " + name() + " is <CNAME>")
		case 5, 6, 7:
			fmt.Fprintf(&log, "reply %s is 192.0.2.%d", name(), rng.IntN(60))
		case 8:
			log.WriteString("cached " + name() + " is NODATA-IPv6")
		case 9:
			log.WriteString([]string{"config ", "gravity blocked ", "/etc/hosts "}[rng.IntN(3)] + name() + " is " + []string{"NXDOMAIN", "0.0.0.0"}[rng.IntN(2)])
		case 10:
			log.WriteString("forwarded " + name() + " to 192.0.2.1")
		case 11:
			fmt.Fprintf(&log, "nameserver 192.0.2.%d refused to do a recursive query", rng.IntN(9))
		case 12:
			log.WriteString("query[A] <name unprintable> from " + client)
		default:
			fmt.Fprintf(&log, "query[%s] %s from %s", []string{"A", "AAAA", "HTTPS"}[rng.IntN(3)], name(), client)
		}
		log.WriteString("\n")
	}
	return log.Bytes()
}

// cutAnywhere returns edges between lines, the first 0 and the last the end.
func cutAnywhere(rng *rand.Rand, log []byte) []int64 {
	edges := []int64{0, int64(len(log))}
	for range rng.IntN(6) {
		edge, _ := afterLine(bytes.NewReader(log), int64(rng.IntN(len(log))), int64(len(log)))
		edges = append(edges, edge)
	}
	slices.Sort(edges)
	return edges
}

// A log that is read in parts leaves the ledger as one that is read in one
// go, in everything that it knows, and in what it makes of the lines to come.
func TestPartsAreTheWhole(t *testing.T) {
	ended := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 8))
		log := partLog(rng, rng.IntN(120))
		before, after := partLog(rng, rng.IntN(10)), partLog(rng, rng.IntN(20))
		edges := cutAnywhere(rng, log)
		whole, parted := NewLedger(Info{}), NewLedger(Info{})
		for _, l := range []*Ledger{whole, parted} {
			l.Feed(before, evening, true)
		}
		whole.Feed(log, evening, true)
		if err := parted.feedParts(context.Background(), bytes.NewReader(log), edges, evening, true, func(int64) {}); err != nil {
			t.Fatal(err)
		}
		compareFacts(t, seed, whole, parted)
		for _, l := range []*Ledger{whole, parted} {
			l.Feed(after, evening, true)
		}
		compareFacts(t, seed, whole, parted)
		if t.Failed() {
			t.Fatalf("seed %d, cut at %v of\n%s", seed, edges, log)
		}
		p := whole.newPart()
		p.feed(log, evening, true)
		ended += len(p.ended)
	}
	if ended == 0 {
		t.Error("no part ended before its log: the test shows less than it should")
	}
}

func compareFacts(t *testing.T, seed uint64, whole, parted *Ledger) {
	t.Helper()
	want, got := whole.facts, parted.facts
	a, b := (Reader{whole}).Counts(), (Reader{parted}).Counts()
	a.Losses.Serials, b.Losses.Serials = 0, 0 // those of the log are at random, and tell nothing
	if a != b {
		t.Errorf("seed %d: counts are %+v, want %+v", seed, b, a)
	}
	for i := range min(len(want.domains), len(got.domains)) {
		if !reflect.DeepEqual(want.domains[i], got.domains[i]) {
			t.Errorf("seed %d: domain %d\ngot  %+v\nwant %+v", seed, i, got.domains[i], want.domains[i])
		}
	}
	if len(want.domains) != len(got.domains) {
		t.Errorf("seed %d: %d domains, want %d", seed, len(got.domains), len(want.domains))
	}
	slices.Sort(want.changed)
	slices.Sort(got.changed)
	if !reflect.DeepEqual(want.changed, got.changed) {
		t.Errorf("seed %d: changed are %v, want %v", seed, got.changed, want.changed)
	}
	for _, f := range []*facts{&want, &got} {
		f.domains, f.changed, f.ids, f.last, f.name, f.unnamed, f.forwarded = nil, nil, index{}, lastName{}, nil, false, nil
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("seed %d:\ngot  %+v\nwant %+v", seed, got, want)
	}
}

// FeedAt reads a log of any size whole, but for the rest that it tells.
func TestFeedAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	log := bytes.Repeat(partLog(rng, 1000), 3*minBulk/50_000)
	whole, parted := NewLedger(Info{}), NewLedger(Info{})
	whole.Feed(log, evening, true)
	rest, err := parted.FeedAt(context.Background(), bytes.NewReader(log), 0, int64(len(log)), evening, true, func(int64) {})
	if err != nil || rest < int64(len(log)-2*bulkRest) {
		t.Fatalf("FeedAt = %d, %v of %d bytes", rest, err, len(log))
	}
	parted.Feed(log[rest:], evening, true)
	compareFacts(t, 1, whole, parted)
	if _, err := parted.FeedAt(context.Background(), bytes.NewReader(log), 0, int64(2*len(log)), evening, true, func(int64) {}); err == nil {
		t.Error("a log that is shorter than told is no error")
	}
}
