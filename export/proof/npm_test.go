//go:build beyond

package proof

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"lxd-allowlist/export/rule"
)

// installed is a directory with what npm/package-lock.json pins, once for all
// tests.
var installed = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "npm")
	if err != nil {
		return "", err
	}
	atEnd = append(atEnd, func() { os.RemoveAll(dir) })
	for _, name := range []string{"package.json", "package-lock.json", "check.mjs"} {
		data, err := os.ReadFile(filepath.Join("npm", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return dir, err
		}
	}
	out, err := exec.Command("npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return dir, err
})

// modules is the directory of what was installed.
func modules(t *testing.T) string {
	t.Helper()
	dir, err := installed()
	if err != nil {
		t.Fatalf("npm ci: %v; apt install nodejs npm", err)
	}
	return filepath.Join(dir, "node_modules")
}

// checker returns the command that gives a file to one of the packages.
func checker(t *testing.T, target, path string) *exec.Cmd {
	t.Helper()
	return exec.Command("node", filepath.Join(modules(t), "..", "check.mjs"), target, path)
}

func TestSandboxRuntime(t *testing.T) {
	f := format(t, "sandbox-runtime")
	prove(t, f, func(t *testing.T, path string) target {
		return verdicts(t, checker(t, f.Name, path))
	}, append(slices.Clone(hostQuestions), question{"*.example.net", true, true})...)
	for _, broken := range []string{`{}`, `{"network":{"allowedDomains":["*"],"deniedDomains":[]},"filesystem":{"denyRead":[],"allowWrite":[],"denyWrite":[]}}`} {
		if out, err := checker(t, f.Name, write(t, "broken.json", []byte(broken), 0o644)).CombinedOutput(); err == nil {
			t.Errorf("it takes %s: %s", broken, out)
		}
	}
}

func TestAzure(t *testing.T) {
	f := format(t, "azure")
	var want []string
	for _, r := range hosts() {
		want = append(want, r.Name)
		if r.Suffix {
			want = append(want, "*."+r.Name)
		}
	}
	list := append(hosts(), rule.Rule{Name: "192.0.2.7:443/tcp"}, rule.Rule{Name: "198.51.100.0/24:53/udp"})
	want = append(want, "192.0.2.7/32:443/TCP", "198.51.100.0/24:53/UDP")
	slices.Sort(want)
	path := file(t, f, list)
	out, err := checker(t, "azure", path).Output()
	if got := strings.Fields(string(out)); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
	text := read(t, path)
	for _, change := range [][2]string{{`"port": 443`, `"port": 64001`}, {`"targetFqdns"`, `"targetNames"`}, {`"priority": 100`, `"priority": "x"`}, {`"ipProtocols"`, `"protocolNames"`}, {`"destinationPorts"`, `"ports"`}, {`"UDP"`, `"QUIC"`}} {
		broken := strings.Replace(text, change[0], change[1], 1)
		if out, err := checker(t, "azure", write(t, "broken.json", []byte(broken), 0o644)).CombinedOutput(); err == nil || broken == text {
			t.Errorf("it takes %s: %s", change[1], out)
		}
	}
}

// The last binding of Terraform's AWS provider for cdktf knows all that the
// formats for Terraform say, and makes the same of it.
func TestCdktf(t *testing.T) {
	for name, fields := range map[string][]string{
		"aws-nfw-terraform": {"target_types", "generated_rules_type", "rule_group"},
		"route53-terraform": {"domains", "block_response", "firewall_domain_redirection_action", "firewall_rule_group_id"},
	} {
		held, _ := hold(t, format(t, name), hosts())
		path := fileOf(t, format(t, name), held)
		if out, err := checker(t, "cdktf", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, field := range fields {
			broken := strings.ReplaceAll(read(t, path), `"`+field+`"`, `"other_`+field+`"`)
			if out, err := checker(t, "cdktf", write(t, "broken.json", []byte(broken), 0o644)).CombinedOutput(); err == nil {
				t.Errorf("%s: it takes other_%s: %s", name, field, out)
			}
		}
	}
}
