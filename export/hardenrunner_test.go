package export

import (
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// hardenAgent is what StepSecurity's agent 0.16 makes of allowed-endpoints, as its
// source has it: config.go parts the text at blanks, dnsproxy.go compares names,
// and opens of a name that a wildcard matches that one's first port alone. The
// agent itself is in no registry of packages, and runs on GitHub's machines.
type hardenAgent map[string][]string // ports by name or wildcard

func (a hardenAgent) read(t *testing.T, endpoints string) {
	t.Helper()
	for one := range strings.SplitSeq(endpoints, " ") {
		name, port, ok := strings.Cut(one, ":")
		if !ok || strings.ContainsAny(one, "\n\t") || strings.Count(name, "*") > 1 {
			t.Fatalf("it reads %q", one)
		}
		a[name] = append(a[name], port)
	}
}

// ports returns those that are open for a name, none for one that is blocked.
func (a hardenAgent) ports(name string) []string {
	if exact, ok := a[name]; ok {
		return exact
	}
	for wildcard, ports := range a {
		before, after, is := strings.Cut(wildcard, "*")
		if is && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			return ports[:1]
		}
	}
	return nil
}

func TestHardenRunnersAgent(t *testing.T) {
	at := func(ports ...uint16) *rule.Seen {
		s := &rule.Seen{Watched: true, Queries: 1, Outcome: "resolved"}
		for _, p := range ports {
			s.Ports = append(s.Ports, rule.Port{Number: p, Protocol: "tcp"})
		}
		return s
	}
	c, _ := rule.Compile(rule.List{Rules: []rule.Rule{
		{Name: "www.example.com"}, {Name: "git.example.com", Seen: at(22, 443)},
		{Name: "example.net", Suffix: true},
		{Name: "example.org", Suffix: true}, {Name: "example.org", Seen: at(443)},
	}})
	data, err := Render(hardenRunner, c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	steps, err := yamlDocument[[]struct {
		Uses string
		With map[string]string
	}](data)
	if err != nil || len(steps) != 1 || steps[0].With["egress-policy"] != "block" {
		t.Fatalf("%v: %+v", err, steps)
	}
	agent := make(hardenAgent)
	agent.read(t, strings.TrimSpace(steps[0].With["allowed-endpoints"])) // as GitHub's toolkit gives an input
	for name, want := range map[string]string{
		"www.example.com": "443 80", "git.example.com": "443 22", "example.org": "443",
		"a.example.net": "443", "a.b.example.net": "443", "a.example.org": "443",
		"example.net": "", "example.com": "", "a.www.example.com": "", "wwwxexample.com": "", "notexample.net": "", "example.net.evil.org": "", "notexample.org": "",
	} {
		if got := agent.ports(name); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s is open at %q, want %q", name, got, want)
		}
	}
}
