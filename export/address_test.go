package export

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

// addressRules are addresses of all sorts beside a name.
func addressRules() []rule.Rule {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return []rule.Rule{
		{Name: "192.0.2.7:443/tcp", Reason: "the licence server: ask Jo", Source: "user", Seen: &rule.Seen{Queries: 3, Programs: []string{"/usr/bin/curl"}, First: at, Last: at}},
		{Name: "198.51.100.0/24:53/udp", Source: "rules file"},
		{Name: "[2001:db8::7]:443/udp"},
		{Name: "[2001:db8:1::/48]:22/tcp"},
		{Name: "[2001:db8::8]:443/tcp"},
		{Name: "198.51.100.9:8443/tcp"},
		{Name: "www.example.com"},
	}
}

// held are the addresses of addressRules that a format holds, by their places.
var held = map[string][]int{
	"plain": {0, 1, 2, 3, 4, 5}, "json": {0, 1, 2, 3, 4, 5}, "csv": {0, 1, 2, 3, 4, 5}, "yaml": {0, 1, 2, 3, 4, 5}, "markdown": {0, 1, 2, 3, 4, 5},
	"cilium": {0, 1, 2, 3, 4, 5}, "openshift": {0, 1, 2, 3, 4, 5},
	"azure": {0, 1, 5},
	"istio": {0, 3, 4, 5},
	"codex": {0}, "smokescreen": {0}, "openshell": {0, 5}, "github-firewall": {0},
	"haproxy": {0}, "squid": {0, 4}, "tinyproxy": {0}, "privoxy": {0},
	"claude-code": {0, 4, 5}, "sandbox-runtime": {0, 4, 5},
}

// heldBy parts addressRules into those that a format is to hold, and the others.
func heldBy(f Format, all []rule.Rule) (in, out []rule.Rule) {
	for i, r := range all {
		if r.Kind() == "exact" {
			r.Suffix = f.Widens != ""
		}
		if r.Kind() != "address" || slices.Contains(held[f.Name], i) {
			in = append(in, r)
		} else {
			out = append(out, r)
		}
	}
	return in, out
}

// A format holds an address with its port and reads it back, or it refuses it by
// name. None drops it, nor makes anything else of it.
func TestAddresses(t *testing.T) {
	for _, f := range Formats() {
		if is := f.Address != ""; is != (held[f.Name] != nil) || is != (f.NoAddress == "") {
			t.Errorf("%s holds addresses: %v, %q", f.Name, is, f.NoAddress)
		}
		for _, rules := range [][]rule.Rule{addressRules(), addressRules()[:6]} {
			file, err := Make(rule.List{Rules: rules}, f, Options{})
			in, out := heldBy(f, rules)
			if text := string(file.Data); f.Address == "" && (strings.Contains(text, "192.0.2.7") || strings.Contains(text, "2001:db8")) {
				t.Errorf("%s, which holds none, has an address in\n%s", f.Name, text)
			}
			for _, r := range out {
				if !slices.ContainsFunc(file.Refused, func(not rule.Refused) bool {
					return not.Rule.Name == r.Name && not.Target == f.Name && strings.Contains(not.Why(), cmp.Or(f.NoAddress, "it holds "))
				}) {
					t.Errorf("%s doesn't refuse %s: %v", f.Name, r.Name, file.Refused)
				}
				at, _ := r.Endpoint()
				if strings.Contains(string(file.Data), `"`+at.Address()) || strings.Contains(string(file.Data), "\n"+at.Address()) {
					t.Errorf("%s has %s in\n%s", f.Name, r.Name, file.Data)
				}
			}
			if len(in) == 0 {
				continue // some take no empty list
			}
			if err != nil || len(file.Refused) != len(out) {
				t.Errorf("%s: %v, %v", f.Name, err, file.Refused)
				continue
			}
			got, _, err := f.Read(file.Data)
			if f.Address != "" && (err != nil || rule.Difference(got, in) != "") {
				t.Errorf("%s reads back %v, %v: want %v", f.Name, got, err, in)
			}
		}
	}
}

// The gate judges addresses, too.
func TestAddressesThatNoListHolds(t *testing.T) {
	var rules []rule.Rule
	for _, name := range []string{"192.0.2.7", "2001:db8::7", "0.0.0.0/0:443/tcp", "192.0.2.7:443", "192.0.2.7/32:443/tcp", "127.0.0.1:80/tcp", "192.0.2.7:0/tcp", "192.0.2.7:443/tcp\nevil.example", "a.example:443/tcp"} {
		rules = append(rules, rule.Rule{Name: name}, rule.Rule{Name: name, Suffix: true})
	}
	rules = append(rules, rule.Rule{Name: "192.0.2.7:443/tcp", Suffix: true})
	if c, refused := rule.Compile(rule.List{Rules: rules}); c.Len() != 0 || len(refused) != len(rules) {
		t.Errorf("passed are %v", c.Rules())
	}
}

// What is written of addresses is united, with what was said of them, and
// compared.
func TestAddressesAreMerged(t *testing.T) {
	for _, f := range Formats() {
		all, _ := heldBy(f, addressRules())
		if f.Address == "" {
			continue
		}
		path := filepath.Join(t.TempDir(), "list")
		before, err := Make(rule.List{Rules: addressRules()[:2]}, f, Options{})
		if err == nil {
			err = os.WriteFile(path, before.Data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		there, err := Look(f, path)
		if err != nil || there.Unreadable != nil {
			t.Fatalf("%s: %v, %v", f.Name, err, there.Unreadable)
		}
		file, err := there.Merge(rule.List{Rules: addressRules()[1:]}, f, Options{})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		got, _, err := f.Read(file.Data)
		if err != nil || rule.Difference(got, all) != "" {
			t.Errorf("%s: merged are %v, %v", f.Name, got, err)
		}
		at := slices.IndexFunc(got, func(r rule.Rule) bool { return r.Name == "192.0.2.7:443/tcp" })
		hasRoom := f.mark != "" && f.Name != "plain" || f.Evidence() // for a reason
		if at < 0 || hasRoom && got[at].Reason != "the licence server: ask Jo" {
			t.Errorf("%s: the reason is lost: %+v\n%s", f.Name, got, file.Data)
		}
		if changes := there.Changes(file); len(changes) != len(all)-len(before.Rules) {
			t.Errorf("%s: changed are %v", f.Name, changes)
		}
	}
}

// What came of a list when it was enforced is said of what was: its names, and
// under --strict its addresses but for those of DNS.
func TestVerifiedWithoutAddresses(t *testing.T) {
	all, names := addressRules(), addressRules()[6:]
	of := rule.Header{Verified: rule.Verified{Verdict: "works with this list", Level: "names", Digest: rule.Digest(names)}}
	c, _ := rule.Compile(rule.List{Rules: all, Header: of})
	if said := verified(c); !strings.HasPrefix(said, "works with this list") || !strings.HasSuffix(said, ", without 6 of its addresses") {
		t.Errorf("it says %q", said)
	}
	strictly := of
	strictly.Verified.Level = rule.Strictly
	strictly.Verified.Digest = rule.Digest(slices.Concat(all[:1], all[2:]))
	c, _ = rule.Compile(rule.List{Rules: all, Header: strictly})
	if said := verified(c); !strings.HasPrefix(said, "works with this list") || !strings.HasSuffix(said, ", without 1 of its addresses") {
		t.Errorf("strictly it says %q", said)
	}
	c, _ = rule.Compile(rule.List{Rules: names, Header: of})
	if said := verified(c); !strings.HasPrefix(said, "works with this list") || strings.Contains(said, "addresses") {
		t.Errorf("without any it says %q", said)
	}
}
