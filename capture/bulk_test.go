package capture

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
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
	begins, each := "", rng.IntN(2)*9+1 // of lines that begin alike some are plain, and joined
	end := []string{"\n", "\n", "\n", "\r\n"}[rng.IntN(4)]
	serial, client := 0, ""
	for log.Len() == 0 || lines > 0 {
		lines--
		if begins == "" || rng.IntN(each) == 0 {
			begins = fmt.Sprintf("Nov %d 10:%02d:%02d dnsmasq[1]: ", 20+rng.IntN(2), rng.IntN(3), rng.IntN(60))
			names = rng.IntN(30)/each + 1
		}
		log.WriteString(begins)
		if serial == 0 || rng.IntN(each) == 0 { // or a further line about the same query
			serial, client = rng.IntN(5)*256+rng.IntN(3)+1, fmt.Sprintf("10.0.0.%d", rng.IntN(4))
		}
		what := rng.IntN(16)
		if extra && what != 11 {
			fmt.Fprintf(&log, "%d %s/40 ", serial, client)
		}
		switch what {
		case 0:
			log.WriteString("reply error is SERVFAIL")
		case 1:
			log.WriteString("reply 192.0.2.7 is " + name())
		case 2, 3, 4:
			log.WriteString("reply " + name() + " is <CNAME>")
		case 5:
			log.WriteString("reply " + name() + " is 2001:db8::" + fmt.Sprint(rng.IntN(9)))
		case 6, 7:
			fmt.Fprintf(&log, "reply %s is 192.0.2.%d", name(), rng.IntN(60))
		case 8:
			log.WriteString("cached " + name() + " is NODATA-IPv6")
		case 9:
			log.WriteString([]string{"config ", "gravity blocked ", "/etc/hosts "}[rng.IntN(3)] + name() + " is " + []string{"NXDOMAIN", "0.0.0.0"}[rng.IntN(2)])
		case 10:
			log.WriteString("forwarded " + name() + " to 192.0.2.1")
		case 11:
			log.WriteString([]string{"nameserver 192.0.2.1 refused to do a recursive query", "started, version 2.90"}[rng.IntN(2)])
		case 12:
			log.WriteString("query[A] <name unprintable> from " + client)
		default:
			fmt.Fprintf(&log, "query[%s] %s from %s", []string{"A", "AAAA", "HTTPS"}[rng.IntN(3)], name(), client)
		}
		log.WriteString(end)
	}
	return log.Bytes()
}

// strangeLines are lines that say something of those to come, or that depend
// on those before.
var strangeLines = []string{
	"", "\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00Nov 20 10:00:00 dnsmasq[1]: query[A] hole.example from 10.0.0.1",
	"Nov 20 10:00:00 host1 sshd[2]: hello",
	"                              dnsmasq[1]: query[A] indented.example from 10.0.0.1",
	"  Nov 20 10:00:00 dnsmasq[1]: query[A] pasted.example from 10.0.0.1",
	"Nov 20 10:00:00 host1 collector[2]: dnsmasq[1]: query[A] collected.example from 10.0.0.1",
	"Nov 20 10:00:00 host1 collector[2]: of its own",
	"Nov 20 10:00:00 host1 dnsmasq[1]: query[A] host.example from 10.0.0.1",
	"host1 dnsmasq[1]: query[A] named.example from 10.0.0.1",
	"2026-11-20T10:00:00Z host1 dnsmasq[7]: query[TYPE] long.example from 10.0.0.1",
	"query[type=4711] bare.example from fe80::1%eth0",
	`{"MESSAGE":"query[A] json.example from 10.0.0.1","SYSLOG_IDENTIFIER":"dnsmasq"}`,
	"Nov 20 10:00:00 dnsmasq[1]: message repeated 3 times: [ query[A] n1.example from 10.0.0.1]",
	"Nov 20 10:00:00 dnsmasq[1]: query[A] a.example from 10.0.0.1Nov 20 10:00:00 dnsmasq[1]: query[A] b.example from 10.0.0.1",
	"Nov 20 10:00:00 dnsmasq[1]: reply n2.example is 2001:db8::1\r", "Nov 20 10:00:00 dnsmasq[1]: 7 10.0.0.1/4 query[A] n2.example from 10.0.0.2", "Nov 20 10:00:00 dnsmasq[1]: started, version 2.90",
}

// strangeLog is partLog with other programs' lines in it, holes and all.
func strangeLog(rng *rand.Rand, lines int) []byte {
	var log bytes.Buffer
	for range lines {
		if rng.IntN(3) == 0 {
			log.WriteString(strangeLines[rng.IntN(len(strangeLines))])
			if rng.IntN(40) == 0 {
				log.Write(bytes.Repeat([]byte{"\x00 a"[rng.IntN(3)]}, rng.IntN(2*maxLine)))
			}
			log.WriteString("\n")
			continue
		}
		log.Write(partLog(rng, 1))
	}
	return log.Bytes()
}

// A log that is read in pieces, of whatever size, leaves the ledger as one that
// is read in one go, in everything that it knows, and in what it makes of the
// lines to come.
func TestPiecesAreTheWhole(t *testing.T) {
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 8))
		part := partLog
		if seed%2 == 0 {
			part = strangeLog
		}
		log := part(rng, 1+rng.IntN(120))
		before, after := part(rng, rng.IntN(10)), part(rng, rng.IntN(20))
		whole, pieced := NewLedger(Info{}), NewLedger(Info{})
		if rng.IntN(8) == 0 {
			for _, l := range []*Ledger{whole, pieced} {
				l.Limit(Only{From: "10.0.0.1"})
			}
		}
		for _, l := range []*Ledger{whole, pieced} {
			l.Feed(before, evening, true)
		}
		whole.Feed(log, evening, true)
		size := 1 + rng.Int64N(4000)
		b := bulk{ledger: pieced, log: bytes.NewReader(log), end: int64(len(log)), size: size, at: evening, stamps: true, progress: func(int64) {}}
		if err := b.read(context.Background(), 1+rng.IntN(4)); err != nil {
			t.Fatal(err)
		}
		compareFacts(t, seed, whole, pieced)
		for _, l := range []*Ledger{whole, pieced} {
			l.Feed(after, evening, true)
		}
		compareFacts(t, seed, whole, pieced)
		if t.Failed() {
			t.Fatalf("seed %d, in pieces of %d of\n%q", seed, size, log)
		}
	}
}

// A ledger that keeps less makes the same list without evidence, with the same words
// about it.
func TestBareLedger(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 16))
		part := partLog
		if seed%2 == 0 {
			part = strangeLog
		}
		if compareBare(t, part(rng, 1+rng.IntN(120))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func compareBare(t *testing.T, log []byte) {
	t.Helper()
	full, bare := NewLedger(Info{}), NewLedger(Info{})
	bare.Bare()
	for _, l := range []*Ledger{full, bare} {
		l.Feed(log, evening, true)
	}
	if a, b := (Reader{full}).Counts(), (Reader{bare}).Counts(); a != b {
		t.Errorf("counts are %+v, want %+v", b, a)
	}
	for _, all := range []bool{false, true} {
		want, got := full.BareList(all), bare.BareList(all)
		want.Header.When = got.Header.When
		if !reflect.DeepEqual(want, got) {
			t.Errorf("the list is\n%+v, want\n%+v of\n%q", got, want, log)
		}
	}
	for id := range ID(bare.n) {
		if d := (Reader{bare}).Domain(id); len(d.Addresses)+len(d.Types)+len((Reader{bare}).Owners(d)) > 0 {
			t.Errorf("a bare ledger keeps %+v", d)
		}
	}
}

func compareFacts(t *testing.T, seed uint64, whole, pieced *Ledger) {
	t.Helper()
	a, b := (Reader{whole}).Counts(), (Reader{pieced}).Counts()
	if a != b {
		t.Errorf("seed %d: counts are %+v, want %+v", seed, b, a)
	}
	for id := range ID(min(whole.n, pieced.n)) {
		want, got := (Reader{whole}).Domain(id), (Reader{pieced}).Domain(id)
		if !reflect.DeepEqual(want, got) {
			t.Errorf("seed %d: domain %d\ngot  %+v\nwant %+v", seed, id, got, want)
		}
	}
	if whole.n != pieced.n {
		t.Errorf("seed %d: %d domains, want %d", seed, pieced.n, whole.n)
	}
	want, got := whole.facts, pieced.facts
	for _, f := range []*facts{&want, &got} {
		f.ids = index{} // hashes are at random
		f.last.known, f.last.id = false, 0
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("seed %d: more differs than the domains", seed)
	}
}

// FeedAt reads a log of any size whole, but for the rest that it tells.
func TestFeedAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	log := bytes.Repeat(partLog(rng, 1000), 3*minBulk/50_000)
	whole, pieced := NewLedger(Info{}), NewLedger(Info{})
	whole.Feed(log, evening, true)
	rest, err := pieced.FeedAt(context.Background(), bytes.NewReader(log), 0, int64(len(log)), evening, true, func(int64) {})
	if err != nil || rest < int64(len(log)-2*bulkRest) {
		t.Fatalf("FeedAt = %d, %v of %d bytes", rest, err, len(log))
	}
	pieced.Feed(log[rest:], evening, true)
	compareFacts(t, 1, whole, pieced)
	if _, err := pieced.FeedAt(context.Background(), bytes.NewReader(log), 0, int64(2*len(log)), evening, true, func(int64) {}); err == nil {
		t.Error("a log that is shorter than told is no error")
	}
}
