package enforce

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/forward"
	"lxd-allowlist/export/rule"
)

func enforcement(rules ...rule.Rule) *Enforcement {
	e := &Enforcement{plug: lxd.Plug{
		Network: "br0", Domain: "lxd", Instances: []string{"Web", "db"},
		Bridge: []netip.Prefix{netip.MustParsePrefix("10.7.0.1/24"), netip.MustParsePrefix("fd00:7::1/64")},
	}, wake: make(chan struct{}, 1), done: make(chan struct{}), canaries: make(map[string]canary)}
	e.Policy = verify.New(rules, e.local())
	return e
}

// What the bridge's dnsmasq answers itself works whatever the list is, and
// nothing that it would ask others for.
func TestDnsmasqsOwnNames(t *testing.T) {
	e := enforcement()
	for name, want := range map[string]bool{
		"web.lxd": true, "a.b.lxd": true, "lxd": true, "web": true, "db": true, "localhost": true,
		"other": false, "xlxd": false, "web.lxd.example": false, "com": false,
		"9.0.7.10.in-addr.arpa": true, "1.0.0.127.in-addr.arpa": true,
		"9.1.7.10.in-addr.arpa": false, "8.8.8.8.in-addr.arpa": false, "0.7.10.in-addr.arpa": false,
		"x.9.0.7.10.in-addr.arpa": false, "009.0.7.10.in-addr.arpa": false,
		"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.0.0.0.0.0.d.f.ip6.arpa": true,
		"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.0.0.0.0.0.d.f.ip6.arpa": false,
		"0.0.0.7.0.0.0.0.0.d.f.ip6.arpa":                                           false,
		"22.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.0.0.0.0.d.f.ip6.arpa":  false,
	} {
		if got := e.Policy.Allows(name, time.Now()); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Without a domain of its own dnsmasq asks others of every name.
func TestNoDomainOfItsOwn(t *testing.T) {
	e := enforcement()
	e.plug.Domain = ""
	for _, name := range []string{"", ".", "web.lxd", "example.com"} {
		if e.local()(name) {
			t.Errorf("%q is taken for dnsmasq's own", name)
		}
	}
}

func TestCanariesAreNobodysQueries(t *testing.T) {
	e := enforcement(rule.Rule{Name: "example.com", Suffix: true})
	name := e.canaryName()
	if e.Policy.Allows(name, time.Now()) {
		t.Fatalf("the canary %s is allowed", name)
	}
	e.canaries[name] = canary{told: make(chan struct{})}
	e.asked(forward.Query{At: time.Now(), Name: name, Type: "A"})
	if c := e.canaries[name]; !c.asked || !c.refused {
		t.Errorf("%+v", c)
	}
	e.asked(forward.Query{At: time.Now(), Name: "x.example.com", Type: "A", Allowed: true, Outcome: "NOERROR"})
	e.asked(forward.Query{At: time.Now(), Name: "y.example.com", Type: "A", Allowed: true, Outcome: "SERVFAIL"})
	e.asked(forward.Query{At: time.Now(), Name: "z.example.com", Type: "A", Allowed: true, Outcome: "REFUSED", Why: "too many at a time"})
	e.asked(forward.Query{At: time.Now(), Name: "z.example.org", Type: "A"})
	if c := e.Policy.Counts(); c.Queries != 4 || c.Refused != 1 || c.Failures != 2 || c.Names != 1 {
		t.Errorf("%+v", c)
	}
}

// Who only learns lets everything pass but the name that shows that queries come
// here.
func TestLearningRefusesTheCanaryAlone(t *testing.T) {
	e := enforcement(rule.Rule{Name: "a.example.com"})
	e.config.Learn = true
	name := e.canaryName()
	e.canaries[name] = canary{told: make(chan struct{})}
	for asked, want := range map[string]bool{"a.example.com": true, "b.example.com": true, name: false} {
		if got := e.allow(asked, 1); got != want {
			t.Errorf("%s passes: %v", asked, got)
		}
	}
}

// An instance that asks for ever other names doesn't fill who is told of them.
func TestRefusalsAreBounded(t *testing.T) {
	e := enforcement()
	told := 0
	e.config.Refused = func(verify.Query, bool) { told++ }
	const more = 10
	ask := func(n int) { e.asked(forward.Query{At: time.Now(), Name: fmt.Sprint("x", n, ".example"), Type: "A"}) }
	n := 0
	for ; e.Policy.Counts().Beyond < more; n++ {
		ask(n)
	}
	if told != n-more {
		t.Errorf("told of %d of %d names", told, n)
	}
	ask(0)
	if told != n-more+1 {
		t.Error("not told of one that is counted")
	}
}
