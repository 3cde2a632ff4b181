package proof

import (
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// askAddresses runs the software with addresses beside a name, and asks for them
// as hosts, for their like and for others, in all ways: what isn't held is
// reached no more than what isn't on the list.
func askAddresses(t *testing.T, f export.Format, launch func(t *testing.T, path string) target) {
	t.Helper()
	hosts := map[string]string{"192.0.2.7:443/tcp": "192.0.2.7", "[2001:db8::7]:443/tcp": "[2001:db8::7]"}
	list := []rule.Rule{{Name: "www.example.com"}, {Name: "198.51.100.0/24:443/tcp"}, {Name: "198.51.100.8:22/tcp"}, {Name: "198.51.100.9:443/udp"}}
	want := map[string]bool{"www.example.com": true}
	for name, host := range hosts {
		list, want[host] = append(list, rule.Rule{Name: name}), false
	}
	held, _ := f.Hold(compiled(t, list))
	for _, r := range held.Rules() {
		if host := hosts[r.Name]; host != "" {
			want[host] = true
		}
	}
	if !want["192.0.2.7"] {
		t.Error("it holds no address")
	}
	for _, other := range []string{
		"192.0.2.8", "192.0.2.70", "92.0.2.7", "192.0.27", "2.7", "x192.0.2.7", "192x0.2.7", "192.0.2.7.evil.org", "www.192.0.2.7",
		"[2001:db8::8]", "[2001:db8::7:7]", "[::ffff:192.0.2.8]", "198.51.100.1", "198.51.100.8", "198.51.100.9", "example.com",
	} {
		want[other] = false
	}
	to := launch(t, fileOf(t, f, held))
	for host, pass := range want {
		if got := to.ask(t, host); got != pass {
			observed(t).difference(t, host, "", got)
		}
	}
	probe(t, f, to, want)
}
