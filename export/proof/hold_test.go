package proof

import (
	"slices"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// refuses are the rules that a format leaves out, beside what is no host for one
// that looks at hosts.
var refuses = map[string][]string{
	"claude-code":       singles,
	"codex":             {"-i", "-n.example.com"},
	"gcp":               singles,
	"harden-runner":     singles,
	"gke":               {"-i", lookedUp, "-n.example.com"},
	"istio":             {"-i", "-n.example.com"},
	"pihole":            singles,
	"route53-terraform": {lookedUp},
	"sandbox-runtime":   singles,
	"smokescreen":       {"-i", "-n.example.com"},
}

// hold compiles the rules and returns those that the format holds, and the
// names that it leaves out: these and no others are to be refused.
func hold(t *testing.T, f export.Format, list []rule.Rule) (held rule.Compiled, out map[string]bool) {
	t.Helper()
	c, refused := rule.Compile(rule.List{Rules: list})
	held, left := f.Hold(c)
	out = make(map[string]bool)
	for _, r := range append(refused, left...) {
		if out[r.Rule.Name] = true; !(f.Hosts && r.Rule.Name == lookedUp) && !slices.Contains(refuses[f.Name], r.Rule.Name) {
			t.Errorf("%s %s", r.Rule.Name, r.Why())
		}
	}
	return held, out
}

// hosts are the rules without what is only looked up.
func hosts() []rule.Rule {
	return slices.DeleteFunc(rules(), func(r rule.Rule) bool { return r.Name == lookedUp })
}
