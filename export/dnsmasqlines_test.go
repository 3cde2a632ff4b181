package export

import (
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// What a bridge is told while a list is enforced is what the file says, but that
// a server is asked for what is refused.
func TestDnsmasqLines(t *testing.T) {
	c, _ := rule.Compile(rule.List{Rules: []rule.Rule{{Name: "exact.example.com"}, {Name: "wide.example.net", Suffix: true}}})
	file, err := Render(lxdRawDnsmasq, c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := DnsmasqLines(c, "127.0.0.1#5")
	asked := 0
	for i, l := range lines {
		if names, ok := between(l, "server=", "127.0.0.1#5"); ok {
			lines[i], asked = "local="+names, asked+1
		}
	}
	// Each last character, and what is below the exact name.
	if want := slices.Collect(content(file, "#")); !slices.Equal(lines, want) || asked != len(denyAll) {
		t.Errorf("%d lines ask, and all are\n%s\nwant\n%s", asked, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}
