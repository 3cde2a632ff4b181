package export

import (
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
		{Name: "www.example.com"},
	}
}

// A format holds an address with its port, of either protocol and whatever the
// prefix, and reads it back; or it refuses it by name. None drops it, nor makes
// anything else of it.
func TestAddresses(t *testing.T) {
	var holds []string
	for _, f := range Formats() {
		for _, rules := range [][]rule.Rule{addressRules(), addressRules()[:4]} {
			file, err := Make(rule.List{Rules: rules}, f, Options{})
			if f.Address == "" {
				n := 0
				for _, r := range file.Refused {
					if r.Rule.Kind() == "address" && r.Target == f.Name && strings.Contains(r.Why(), "it holds names, and no addresses") {
						n++
					}
				}
				if n != 4 || strings.Contains(string(file.Data), "192.0.2.7") || strings.Contains(string(file.Data), "2001:db8") {
					t.Errorf("%s refuses %d of 4 addresses by name: %v\n%s", f.Name, n, file.Refused, file.Data)
				}
				continue
			}
			if err != nil || len(file.Refused) > 0 || len(file.Rules) != len(rules) {
				t.Errorf("%s: %v, %v, %v", f.Name, err, file.Refused, file.Rules)
				continue
			}
			got, _, err := f.Read(file.Data)
			if err != nil || rule.Difference(got, rules) != "" {
				t.Errorf("%s reads back %v, %v", f.Name, got, err)
			}
		}
		if f.Address != "" {
			holds = append(holds, f.Name)
		}
	}
	if want := []string{"plain", "json", "csv", "yaml", "markdown", "cilium", "openshift"}; !slices.Equal(holds, want) {
		t.Errorf("addresses are held by %v, want %v", holds, want)
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
		if f.Address == "" || f.Name == "plain" { // which has no room for a reason
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
		if err != nil || rule.Difference(got, addressRules()) != "" {
			t.Errorf("%s: merged are %v, %v", f.Name, got, err)
		}
		at := slices.IndexFunc(got, func(r rule.Rule) bool { return r.Name == "192.0.2.7:443/tcp" })
		if at < 0 || got[at].Reason != "the licence server: ask Jo" {
			t.Errorf("%s: the reason is lost: %+v\n%s", f.Name, got, file.Data)
		}
		if changes := there.Changes(file); len(changes) != 3 {
			t.Errorf("%s: changed are %v", f.Name, changes)
		}
	}
}

// What came of a list when it was enforced is said of what was: its names, and
// under --strict its addresses but for those of DNS.
func TestVerifiedWithoutAddresses(t *testing.T) {
	all, names := addressRules(), addressRules()[4:]
	of := rule.Header{Verified: rule.Verified{Verdict: "works with this list", Level: "names", Digest: rule.Digest(names)}}
	c, _ := rule.Compile(rule.List{Rules: all, Header: of})
	if said := verified(c); !strings.HasPrefix(said, "works with this list") || !strings.HasSuffix(said, ", without 4 of its addresses") {
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
