package export

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

func patternRules() []rule.Rule {
	return []rule.Rule{
		{Name: "api.<region>.example.com", Source: "rules file"},
		{Name: "blob.core.windows.net"}, // which a pattern's line has, too
		{Name: "sa1.blob.core.windows.net"},
		{Name: "sa2.blob.core.windows.net"},
		{Name: "sa<0-99>.blob.core.windows.net", Reason: "results: ask Jo", Source: "rules file"},
	}
}

// A format holds a pattern, with what was said of it, and unites it; or it
// refuses it by name, and has what was seen.
func TestPatternsInFiles(t *testing.T) {
	var holds []string
	for _, f := range Formats() {
		file, err := Make(rule.List{Rules: patternRules()}, f, Options{})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if (f.Pattern == "") != (f.NoPattern != "") {
			t.Errorf("%s holds patterns %q, and none since %q", f.Name, f.Pattern, f.NoPattern)
		}
		if f.Pattern == "" {
			n := 0
			for _, r := range file.Refused {
				if strings.Contains(r.Why(), "lists the 2 names") && r.Rule.Name == patternRules()[4].Name || strings.Contains(r.Why(), "lists the 0 names") && r.Rule.Name == patternRules()[0].Name {
					n++
				}
			}
			if n != 2 || len(file.Refused) != 2 || len(file.Rules) < 1 {
				t.Errorf("%s refuses %v, holds %v", f.Name, file.Refused, file.Rules)
			}
			continue
		}
		holds = append(holds, f.Name)
		all := patternRules()
		if f.Name == "knot-resolver" || f.Name == "dnscrypt-proxy" { // which have no regions
			all = all[1:]
		}
		if rule.Difference(file.Rules, all) != "" || len(file.Refused) != len(patternRules())-len(all) {
			t.Errorf("%s holds %v, refuses %v", f.Name, file.Rules, file.Refused)
		}
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		there, err := Look(f, path)
		if err != nil || there.Unreadable != nil {
			t.Fatalf("%s: %v, %v", f.Name, err, there.Unreadable)
		}
		merged, err := there.Merge(rule.List{Rules: patternRules()[:3]}, f, Options{})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		got, loose, err := f.Read(merged.Data)
		if err != nil || rule.Difference(got, all) != "" || len(loose) > 0 {
			t.Errorf("%s: merged are %v, %v, %v", f.Name, got, loose, err)
		}
		for _, r := range got {
			if want := r.Name == patternRules()[4].Name && f.Name != "plain"; (r.Reason == "results: ask Jo") != want {
				t.Errorf("%s: the reason of %s is %q\n%s", f.Name, r.Name, r.Reason, merged.Data)
			}
		}
	}
	if want := []string{"plain", "squid", "json", "csv", "yaml", "markdown", "knot-resolver", "coredns", "dnsdist", "dnscrypt-proxy", "haproxy", "nginx", "tinyproxy", "privoxy", "adguard", "pihole", "envoy"}; !slices.Equal(holds, want) {
		t.Errorf("patterns are held by %v, want %v", holds, want)
	}
}

// Patterns of any shape are written for each target, and read back: two numbers,
// one beside another, a hyphen before one. What Lua's patterns would read
// otherwise is refused.
func TestOddPatterns(t *testing.T) {
	list := []rule.Rule{{Name: "www.example.com"}}
	for _, text := range []string{"n<0-99>-<000-9999>.example.com", "n<0-99><00-99>.example.com", "n-<0-9>.d-1.example.com", "<0-9999>.example.com", "a.<00-99>x.example.com"} {
		if _, ok := rule.ParsePattern(text); !ok {
			t.Fatalf("%s is no pattern", text)
		}
		list = append(list, rule.Rule{Name: text})
	}
	for _, f := range Formats() {
		if f.Pattern == "" {
			continue
		}
		file, err := Make(rule.List{Rules: list}, f, Options{})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		for _, r := range file.Refused {
			if f.Name != "knot-resolver" || r.Rule.Name != "n<0-99><00-99>.example.com" {
				t.Errorf("%s: %s %s", f.Name, r.Rule.Name, r.Why())
			}
		}
	}
}

// What isn't a pattern, where one is to stand, is no list.
func TestDamagedPatterns(t *testing.T) {
	for _, f := range Formats() {
		file, err := Make(rule.List{Rules: []rule.Rule{{Name: "www.example.com"}, {Name: "sa<0-99>.example.com"}}}, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range [][2]string{{"[0-9]{1,2}", "[0-9]*"}, {"[0-9]{1,2}", "."}, {"%d?%d", "."}, {"sa<0-99>", "sa<0-98>"}, {"[0-9][0-9]", "[0-9]*"}, {"sa[0-9].", "sb[0-9]."}} {
			damaged := strings.ReplaceAll(string(file.Data), change[0], change[1])
			if damaged == string(file.Data) {
				continue
			}
			if rules, err := f.Decode([]byte(damaged)); err == nil && rule.Difference(rules, file.Rules) == "" {
				t.Errorf("%s reads %s for %s as the same list", f.Name, change[1], change[0])
			}
		}
	}
}

// Every target's line reads an expression of the longest pattern.
func TestLongPatterns(t *testing.T) {
	for _, text := range []string{strings.Repeat("a.", 90) + "<region>.example.com", strings.Repeat("a-a-a-a-a-a-a-a-a-a-a-a.", 6) + "<region>.example.com"} {
		for _, f := range Formats() {
			file, err := Make(rule.List{Rules: []rule.Rule{{Name: "x.example.com"}, {Name: text}}}, f, Options{})
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			for line := range strings.Lines(string(file.Data)) {
				if f.Name == "tinyproxy" && len(line) > 511 {
					t.Errorf("a line of %d bytes", len(line))
				}
			}
		}
	}
}

// Envoy's matcher is read as what it says, and not as what should stand there.
func TestEnvoyMatcherIsRead(t *testing.T) {
	file, err := Make(rule.List{Rules: []rule.Rule{{Name: "example.net", Suffix: true}, {Name: "sa<0-99>.example.com"}, {Name: "www.example.com"}}}, envoy, Options{Ports: []int{443, 8443}})
	if err != nil || len(file.Refused) > 0 || strings.Contains(string(file.Data), "server_names:\n") {
		t.Fatalf("%v, %v\n%s", err, file.Refused, file.Data)
	}
	for _, change := range [][2]string{
		{`{suffix: ".example.net"}`, `{suffix: ".net"}`}, {`{suffix: ".example.net"}`, `{suffix: "example.net"}`}, {`{exact: "www.example.com"}`, `{suffix: ".www.example.com"}`},
		{`{exact: "example.net"}`, `{exact: "www.example.net"}`}, {`{exact: "www.example.com"}`, `{}`}, {"          name: allowed\n", "          filter_chain_match: {server_names: [x.example.com]}\n"},
	} {
		damaged := strings.Replace(string(file.Data), change[0], change[1], 1)
		if rules, err := envoy.Decode([]byte(damaged)); damaged == string(file.Data) || err == nil {
			t.Errorf("%s for %s is read as %v", change[1], change[0], rules)
		}
	}
}
