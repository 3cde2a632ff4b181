package cli

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
)

// What record says of a witness: no more than was seen, and nothing that would
// move a terminal's cursor.
func TestSayWitnessed(t *testing.T) {
	begin := time.Now()
	web := netip.MustParseAddrPort("192.0.2.1:443")
	evil := &witness.Process{Host: 7, Comm: "x", Exe: "/tmp/\x1b[2Jx"}
	for _, c := range []struct {
		what string
		do   func(*capture.Ledger)
		says string
	}{
		{"no witness", func(*capture.Ledger) {}, ""},
		{"off", func(l *capture.Ledger) { l.BeginWatch(0, begin, "that takes root", time.Time{}) }, ""},
		{"nothing went round", func(l *capture.Ledger) { l.BeginWatch(capture.Packets, begin, "", time.Time{}) },
			"lxd-allowlist: a.example: no connection seen\nlxd-allowlist: nothing went round the bridge's DNS: watched all the time, packets only\n"},
		{"a way round", func(l *capture.Ledger) {
			l.BeginWatch(capture.Packets|capture.Processes, begin, "", time.Time{})
			l.Book().Reached(witness.Reach{Names: []string{"a.example"}, To: web, Protocol: "udp", Spoken: "quic", Process: evil})
			l.Book().Bypassed(witness.Bypass{Kind: witness.Bare, To: web, Protocol: "tcp", Name: "b.example", Process: evil, At: begin})
		}, "lxd-allowlist: a.example: 443/udp quic ×1 by \"/tmp/\\x1b[2Jx\"\nlxd-allowlist: went round the bridge's DNS: bare address 192.0.2.1:443/tcp (b.example) ×1 by \"/tmp/\\x1b[2Jx\"\n"},
		{"something was lost", func(l *capture.Ledger) {
			l.BeginWatch(capture.Packets|capture.Processes, begin, "", time.Time{})
			l.Book().Lost(witness.Wire, 3, "the ring was full")
		}, "lxd-allowlist: a.example: no connection seen\nlxd-allowlist: what went round the bridge's DNS is not all known: watched in part, 3 events lost\n"},
	} {
		l := capture.NewLedger(capture.Info{})
		l.Feed([]byte("query[A] a.example from 10.0.0.2\n"), begin, false)
		c.do(l)
		var out bytes.Buffer
		if sayWitnessed(&out, l, true); out.String() != c.says {
			t.Errorf("%s: it says\n%s, want\n%s", c.what, out.String(), c.says)
		}
	}
}
