package capture_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
)

// An address that went round DNS is kept, taken back and kept again, and
// stands in the list meanwhile, with what was seen of it.
func TestKeepAddress(t *testing.T) {
	l, _ := seen(t)
	l.Book().Bypassed(witness.Bypass{Kind: witness.Bare, To: netip.MustParseAddrPort("192.0.2.7:443"), Protocol: "tcp", Process: curl, At: time.Now()})
	var at rule.Endpoint
	var edition uint64
	l.Read(func(r capture.Reader) {
		ways, _, n := r.Bypasses()
		at, _ = ways[0].Endpoint()
		edition = n
	})
	listed := func(want ...string) {
		t.Helper()
		var got []string
		for _, r := range l.List(false).Rules {
			if r.Kind() == "address" {
				got = append(got, r.Name+" "+r.Source)
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("the list has %q, not %q", got, want)
		}
	}
	if _, err := l.MarkAddress(capture.Mark{Reason: "what is it?"}, at); err != nil {
		t.Error(err)
	}
	listed() // a word on it keeps nothing
	l.Undo()
	if did, err := l.DecideAddress(capture.Keep, at); did != "keep 192.0.2.7:443/tcp" || err != nil {
		t.Errorf("%q, %v", did, err)
	}
	listed("192.0.2.7:443/tcp user")
	l.Read(func(r capture.Reader) {
		if r.BypassEdition() == edition {
			t.Error("the screen isn't told")
		}
	})
	if seen := l.List(false).Rules[0].Seen; seen == nil || seen.Queries != 1 || len(seen.Programs) != 1 {
		t.Errorf("seen was %+v", seen)
	}
	if len(l.List(true).Rules) != 2 {
		t.Error("the list of all lacks it")
	}
	if did, err := l.MarkAddress(capture.Mark{Decision: capture.Keep, Reason: "licences"}, at); did != "reason for 192.0.2.7:443/tcp (licences)" || err != nil {
		t.Errorf("%q, %v", did, err)
	}
	l.Undo()
	if did := l.Undo(); did != "keep 192.0.2.7:443/tcp" {
		t.Errorf("undone is %q", did)
	}
	listed()
	l.Redo()
	listed("192.0.2.7:443/tcp user")

	loop := rule.EndpointOf(netip.MustParseAddrPort("127.0.0.53:53"), "udp")
	if did, err := l.DecideAddress(capture.Keep, at, loop); did != "" || err == nil || !strings.Contains(err.Error(), "127.0.0.53:53/udp can't be kept: it is no address of another network's") {
		t.Errorf("%q, %v", did, err)
	}
	rules, err := capture.ReadRules(strings.NewReader("keep 198.51.100.0/24:22 # bastions\ndrop 192.0.2.9:443/tcp"))
	if err != nil {
		t.Fatal(err)
	}
	l.SetRules(rules)
	listed("192.0.2.7:443/tcp user", "198.51.100.0/24:22/tcp rules file")
	if did, _ := l.DecideAddress(capture.Drop, rule.Endpoint{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Port: rule.Port{Number: 22, Protocol: "tcp"}}); did == "" {
		t.Error("nothing was dropped")
	}
	listed("192.0.2.7:443/tcp user")
}
