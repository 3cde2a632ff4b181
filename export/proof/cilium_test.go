//go:build matrix

package proof

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// The library of today, and the one that came before ** did.
func TestCilium(t *testing.T) {
	t.Run("1.18", func(t *testing.T) { proveCilium(t, "-modfile=v1.18.mod", "-tags=cilium118") })
	t.Run("1.20", func(t *testing.T) { proveCilium(t) })
}

func proveCilium(t *testing.T, flags ...string) {
	binary, schema := build(t, "cilium", flags...), build(t, "schema")
	module := moduleOf(t, "cilium", ciliumModule, flags...)
	definition := ciliumDefinition(module)
	f := format(t, "cilium")
	saw := observe(t, f)
	saw.software, saw.version = "Cilium", strings.TrimPrefix(module.Version, "v")
	list := append(rules(), rule.Rule{Name: "intranet"})
	path := file(t, f, list)
	fits := func(path string) ([]byte, error) {
		return exec.Command(schema, "crd", definition, path).CombinedOutput()
	}
	if out, err := fits(path); err != nil {
		t.Errorf("the definition: %v\n%s", err, out)
	}
	to := verdicts(t, exec.Command(binary, path))
	for _, q := range append(slices.Clone(questions), question{"intranet", true, true}, question{"a.intranet", false, false}) {
		if got := to.ask(t, q.name); got != q.pass {
			saw.difference(t, q.name, "", got)
		}
	}
	addresses := append(slices.Clone(list), rule.Rule{Name: "192.0.2.7:443/tcp"}, rule.Rule{Name: "[2001:db8::/48]:53/udp"})
	for _, of := range [][]rule.Rule{addresses, addresses[len(list):]} { // with names, and without
		path := file(t, f, of)
		if out, err := fits(path); err != nil {
			t.Errorf("the definition, of addresses: %v\n%s", err, out)
		}
		to := verdicts(t, exec.Command(binary, path))
		for _, q := range []question{
			{"192.0.2.7:443/tcp", true, true}, {"192.0.2.7:443/udp", false, false}, {"192.0.2.7:80/tcp", false, false}, {"192.0.2.8:443/tcp", false, false},
			{"[2001:db8::7]:53/udp", true, true}, {"[2001:db8:1::7]:53/udp", false, false}, {"evil.example", false, false},
		} {
			if got := to.ask(t, q.name); got != q.pass {
				saw.difference(t, q.name, "", got)
			}
		}
	}
	many := onUDP[0]
	many.Name, many.Seen = "many.example.com", &rule.Seen{Watched: true}
	for n := range uint16(100) { // more than one entry takes
		many.Seen.Ports = append(many.Seen.Ports, rule.Port{Number: 50000 + n, Protocol: "udp"})
	}
	udp := file(t, f, append(slices.Clone(onUDP), many))
	if out, err := fits(udp); err != nil {
		t.Errorf("the definition, of UDP: %v\n%s", err, out)
	}
	to = verdicts(t, exec.Command(binary, udp))
	for _, q := range []question{
		{"quic.example.com:443/tcp", true, true}, {"quic.example.com:443/udp", true, true}, {"time.example.com:123/udp", true, true}, {"many.example.com:50099/udp", true, true},
		{"time.example.com:123/tcp", false, false}, {"time.example.com:80/tcp", false, false}, {"evil.example:443/udp", false, false},
	} {
		if got := to.ask(t, q.name); got != q.pass {
			saw.difference(t, q.name, "", got)
		}
	}
	text := read(t, path)
	for _, change := range [][2]string{{"toFQDNs", "toNames"}, {`matchName: "www`, `matchName: "w ww`}, {"protocol: TCP", "protocol: TLS"}} {
		broken := strings.Replace(text, change[0], change[1], 1)
		if out, err := fits(write(t, "broken", []byte(broken), 0o644)); err == nil || broken == text {
			t.Errorf("the definition takes %s: %s", change[1], out)
		}
	}
}
