package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/forward"
	"lxd-allowlist/export"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule"
)

// allWays are the formats that are asked about in all ways, one that can say
// exact and one that can't: whatever file rules come from, it is the same
// forwarder that is asked.
var allWays = []string{"dnsmasq", "unbound"}

// Our own enforcing is one more server for the files of all formats: what verify
// reads out of them answers as the software that they are for does.
func TestOwnEnforcing(t *testing.T) {
	for _, f := range export.Formats() {
		f.Address = "" // addresses are let through by the fence, which this is without
		t.Run(f.Name, func(t *testing.T) {
			proveTable(t, f, startOwn(f), append(dnsQuestions, denied(oddEnds)...)...)
		})
	}
	t.Run("many", func(t *testing.T) {
		f := format(t, "dnsmasq")
		askMany(t, f, startOwn(f)(t, fileOf(t, f, manyRules())))
	})
}

// startOwn returns what enforces a file of the format as verify does, in front
// of the upstream alone, so that nobody else denies anything.
func startOwn(f export.Format) func(t *testing.T, path string) target {
	return func(t *testing.T, path string) target {
		t.Helper()
		rules, err := f.Decode([]byte(read(t, path)))
		if err == nil && len(rules) > 0 { // verify takes no file without a rule
			var list rule.List
			list, err = output.ReadList(path)
			rules = list.Rules
		}
		if err != nil {
			t.Fatal(err)
		}
		u := startUpstream(t)
		policy := verify.New(rules, func(string) bool { return false })
		own, err := forward.Listen(forward.Config{
			Interface: "lo", Upstream: netip.MustParseAddrPort(u.addr),
			Allow: func(name string, _ uint16) bool { return policy.Allows(name, time.Now()) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { own.Close() })
		to := resolver(fmt.Sprintf("127.0.0.1:%d", own.Port()), u)
		if !slices.Contains(allWays, f.Name) {
			to.ways = nil
		}
		return to
	}
}
