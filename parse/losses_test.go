package parse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// losses counts what a log tells of its losses.
func losses(log []byte) *Losses {
	var l Losses
	var r Record
	for line := range bytes.Lines(log) {
		r.Parse(bytes.TrimSuffix(line, []byte("\n")))
		l.Count(&r)
	}
	return &l
}

// TestSerials takes queries out of a log that dnsmasq wrote with
// log-queries=extra, with TCP connections and all, and holds the gaps to be
// found.
func TestSerials(t *testing.T) {
	log := testdata(t, "session-extra.log")
	if l := losses(log); l.Missing() != 0 || l.String() != "" {
		t.Errorf("of a whole log: %v", l)
	}
	if l := losses(testdata(t, "shapes-extra.log")); l.Missing() != 0 {
		t.Errorf("of another whole log: %v", l)
	}
	lines := bytes.SplitAfter(log, []byte("\n"))
	serial := make([]uint64, len(lines))
	var main []uint64 // serials of queries over UDP
	var r Record
	var process uint32
	for i, line := range lines {
		r.Parse(bytes.TrimSuffix(line, []byte("\n")))
		if r.Kind == Start {
			process = r.process
		}
		serial[i] = r.Serial
		if r.Kind == Query && r.process == process {
			main = append(main, r.Serial)
		}
	}
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		gone := make(map[uint64]bool)
		for range random.IntN(20) {
			gone[main[1+random.IntN(len(main)-2)]] = true
		}
		var left []byte
		for i, line := range lines {
			if !gone[serial[i]] {
				left = append(left, line...)
			}
		}
		if l := losses(left); l.Missing() != uint64(len(gone)) {
			t.Errorf("seed %d: %d missing, want %d", seed, l.Missing(), len(gone))
		}
	}
}

// query returns a line of dnsmasq's process, or of another's.
func query(process int, serial int) string {
	return fmt.Sprintf("Nov 23 10:00:00 dnsmasq[%d]: %d 10.0.0.2/5353 query[A] a.example from 10.0.0.2\n", process, serial)
}

func TestGaps(t *testing.T) {
	const start = "Nov 23 10:00:00 dnsmasq[1]: started, version 2.90 cachesize 150\n"
	answer := func(serial int) string {
		return fmt.Sprintf("Nov 23 10:00:00 dnsmasq[1]: %d 10.0.0.2/5353 reply a.example is 192.0.2.7\n", serial)
	}
	var many strings.Builder
	for i := range 200 {
		many.WriteString(query(1, 3+i))
	}
	for _, test := range []struct {
		name, log string
		want      uint64
	}{
		{"no gap", query(1, 7) + query(1, 8), 0},
		{"a gap", query(1, 3) + query(1, 7) + query(1, 8), 3},
		{"two gaps", query(1, 3) + query(1, 5) + query(1, 7), 2},
		{"answers that come late", query(1, 3) + query(1, 4) + answer(3) + query(1, 5) + answer(4), 0},
		{"answers of before the log", answer(3) + answer(2) + query(1, 9) + query(1, 10), 0},
		{"a query lost and its answer there", query(1, 3) + answer(4) + query(1, 5), 0},
		{"the first after the start", start + query(1, 4), 3},
		{"a restart", start + query(1, 1) + query(1, 2) + start + query(1, 1) + query(1, 2), 0},
		{"a restart that the log doesn't tell", query(1, 700) + query(1, 701) + query(1, 1) + query(1, 2), 0},
		{"a restart whose first queries are lost", query(1, 100_000) + many.String() + query(1, 205), 2},
		{"a gap as long as what may be left to a connection in part", query(1, 1) + query(1, 22), 20},
		{"a connection", start + query(1, 1) + query(2, 2) + query(1, 102) + query(1, 103), 0},
		{"a connection with more queries", start + query(1, 1) + query(2, 2) + query(2, 3) + query(2, 4) + query(1, 102), 0},
		{"a connection that goes on", start + query(1, 1) + query(2, 2) + query(1, 102) + query(2, 3) + query(1, 103), 0},
		{"a connection whose query comes late", start + query(1, 1) + query(1, 102) + query(2, 2) + query(1, 103), 0},
		{"a connection without a query", start + query(1, 1) + query(1, 102), 0},
		{"two connections", start + query(1, 1) + query(2, 2) + query(3, 102) + query(1, 202), 0},
		{"a connection first", start + query(2, 1) + query(1, 101), 0},
		{"a connection of 2.92 with DNSSEC", start + query(1, 1) + query(2, 2) + query(1, 142), 0},
		{"a connection and a gap", start + query(1, 1) + query(2, 2) + query(1, 107), 5},
		{"a connection, processes untold", strings.ReplaceAll(query(1, 1)+query(1, 2)+query(1, 102), "[1]", ""), 0},
		{"a gap, processes untold", strings.ReplaceAll(query(1, 1)+query(1, 5), "[1]", ""), 3},
		{"a gap that the queue explains", query(1, 1) + "Nov 23 10:00:00 dnsmasq[1]: overflow: 9 log entries lost\n" + query(1, 5), 0},
		{"a gap that the queue explains in part", query(1, 1) + "Nov 23 10:00:00 dnsmasq[1]: overflow: 2 log entries lost\n" + query(1, 5), 1},
		{"no serials", tag + "query[A] a from ::1\n" + tag + "query[A] b from ::1\n", 0},
	} {
		if l := losses([]byte(test.log)); l.Missing() != test.want {
			t.Errorf("%s: %d missing, want %d", test.name, l.Missing(), test.want)
		}
	}
}

func TestLossesString(t *testing.T) {
	for want, l := range map[string]Losses{
		"":                                      {},
		"12 lost: 10 by dnsmasq's queue, 2 cut": {Queue: 10, Cut: 2},
		"20 lost: 1 by dnsmasq's queue, 2 by the journal or syslog, 3 cut, 4 not understood, 5 with a name that dnsmasq doesn't print, 5 forwarded that nobody asked for": {
			Queue: 1, Keeper: 2, Cut: 3, Unread: 4, Unprintable: 5, Unasked: 5},
		"5 lost: 1 by a log that could not be written, 3 refused, 1 by a file that ends too early": {Disk: 1, Refused: 3, Ended: 1},
		"4 lost: 4 missing in the serials": {serials: serials{missing: 4}},
	} {
		if got := l.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLossesCount(t *testing.T) {
	l := losses([]byte(tag + "query[A] <name unprintable> from 10.0.0.2\n" +
		tag + "query[A] x\n" +
		"??? dnsmasq[1]: query[A] a.example from 10.0.0.2\n" +
		long(tag, 1023) + "\n" +
		tag + "query[A] a.exa\x00\x00" + tag + "query[A] b.example from 10.0.0.2\n" +
		tag + "overflow: 439 log entries lost\n" +
		tag + "log failed: No space left on device\n" +
		tag + "Maximum number of concurrent DNS queries reached (max: 150)\n" +
		"Nov 23 10:00:00 host systemd-journald[1]: Suppressed 7 messages from dnsmasq.service\n"))
	want := Losses{Unprintable: 1, Unread: 2, Cut: 2, Queue: 439, Disk: 1, Refused: 1, Keeper: 7}
	if *l != want {
		t.Errorf("%+v, want %+v", *l, want)
	}
}
