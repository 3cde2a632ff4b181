package live_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/witness"
)

// A report says how far it isn't known who called while its list was in force,
// and says so of a capture that isn't watched.
func TestReportSaysWhoIsNotSeen(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	who := &scripted{}
	for _, test := range []struct {
		watches map[witness.Source]live.Watch
		want    []string
	}{
		{nil, []string{"Which processes asked for what was blocked is not known: it is off."}},
		{map[witness.Source]live.Watch{witness.Who: who.watch}, []string{
			"Which processes called is not known in full: processes were gone before they could be told.",
			"Which processes called is not known in full: there was no room (×3).",
		}},
	} {
		s := start(t, live.Config{Instance: instance, Watches: test.watches})
		gone := witness.Connection{At: time.Now(), From: netip.MustParseAddrPort("10.9.9.9:5000"), To: netip.MustParseAddrPort("198.51.100.7:443"), Protocol: "tcp"}
		if who.to != nil { // before a list is in force it is the ledger's alone
			who.to.Connection(gone)
			who.to.Lost(1, "it was not yet in force")
		}
		e, err := s.Enforce(t.Context(), verify.Names)
		if err != nil {
			t.Fatal(err)
		}
		if who.to != nil {
			who.to.Connection(gone)
			who.to.Lost(3, "there was no room")
		}
		notes := slices.DeleteFunc(s.Report(e).Notes, func(n string) bool { return len(n) < 16 || n[:16] != "Which processes " })
		if !slices.Equal(notes, test.want) {
			t.Errorf("it says %q, want %q", notes, test.want)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
