package enforce

import (
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/forward"
	"lxd-allowlist/export/rule"
)

// What the bridge's dnsmasq asks is the instance's, and refused but for what
// dnsmasq itself might have known; a canary is nobody's.
func TestDeniedIsTheInstances(t *testing.T) {
	e := enforcement(rule.Rule{Name: "a.example"})
	address := netip.MustParseAddr("10.7.0.9")
	e.plug.Addresses = []netip.Addr{address}
	var told []verify.Query
	e.config.Refused = func(q verify.Query, _ bool) { told = append(told, q) }
	e.canaries["canary.example"] = canary{told: make(chan struct{})}
	for _, f := range []forward.Query{
		{Name: "b.example", Type: "A", Outcome: "NXDOMAIN"},
		{Name: "9.0.7.10.in-addr.arpa", Type: "PTR", Outcome: "NXDOMAIN"},
		{Name: "web.lxd", Type: "A", Why: "opcode 5"},
		{Name: "canary.example", Type: "A", Outcome: "NXDOMAIN"},
	} {
		f.At, f.From = time.Now(), netip.MustParseAddr("127.0.0.1")
		e.asked(e.denied(f, e.local()))
	}
	if len(told) != 2 || told[0].Name != "b.example" || told[0].From != address || told[1].Why != "opcode 5" {
		t.Errorf("refused is %+v", told)
	}
	if !e.canaries["canary.example"].refused {
		t.Error("the canary was not refused")
	}
}

// Nothing but names is refused by a bridge's dnsmasq, and nothing is begun.
func TestNoBridgeIsStrict(t *testing.T) {
	for _, c := range []Config{{Strict: true}, {Learn: true}} {
		if _, err := StartBridge(t.Context(), nil, c, nil); err == nil {
			t.Errorf("%+v is begun", c)
		}
	}
}
