package proof

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// AdGuard Home isn't there to be run, but the engine that it asks is.
func TestAdGuard(t *testing.T) {
	binary := build(t, "vendors")
	prove(t, format(t, "adguard"), func(t *testing.T, path string) target {
		return verdicts(t, exec.Command(binary, "adguard", path))
	})
}

// verdicts is the target for a command that reads names and says of each
// whether it passes.
func verdicts(t *testing.T, cmd *exec.Cmd) target {
	t.Helper()
	said := converse(t, cmd)
	lower := func(t *testing.T, name string) bool { t.Helper(); return said(t, strings.ToLower(name)) == "pass" }
	upper := func(t *testing.T, name string) bool { t.Helper(); return said(t, strings.ToUpper(name)) == "pass" }
	return target{ask: lower, ways: []way{{"upper case", false, "", upper}}}
}

// converse starts a command that answers each line that it reads by one, and
// returns how it is asked. The command ends with the test.
func converse(t *testing.T, cmd *exec.Cmd) func(t *testing.T, line string) string {
	t.Helper()
	lines, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	said := new(transcript)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil || errIn != nil || errOut != nil {
		t.Fatal(err, errIn, errOut)
	}
	t.Cleanup(func() {
		lines.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(cmd.Path), err, said)
		}
	})
	replies := bufio.NewScanner(out)
	return func(t *testing.T, line string) string {
		t.Helper()
		fmt.Fprintln(lines, line)
		if !replies.Scan() {
			t.Fatalf("%s: no answer: %v\n%s", line, replies.Err(), said)
		}
		return replies.Text()
	}
}

// None of Envoy, Istio, AWS and Google Cloud can be asked here, but their own types take what
// they would.
func TestVendorsTypes(t *testing.T) {
	binary := build(t, "vendors")
	list := []rule.Rule{{Name: "www.example.com"}, {Name: "example.net", Suffix: true}}
	for _, name := range []string{"envoy", "gcp", "istio", "aws-nfw"} {
		f := format(t, name)
		most := manyRules()
		if name == "aws-nfw" {
			most = compiled(t, hosts())
		}
		with := list
		if f.Address != "" {
			with = append(with, rule.Rule{Name: "192.0.2.0/24:443/tcp"}, rule.Rule{Name: "[2001:db8::7]:22/tcp"})
		}
		if f.Pattern != "" {
			with = append(with, rule.Rule{Name: "sa<0-99>.blob.example.com"}, rule.Rule{Name: "api.<region>.example.org"})
		}
		for _, path := range []string{file(t, f, list), file(t, f, with), fileOf(t, f, most)} {
			if out, err := exec.Command(binary, name, path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		text := read(t, file(t, f, with))
		for word, other := range map[string]string{"google_re2: {}, ": "", "{safe_regex": "{regex", "single_predicate": "predicate", "ServerNameInput": "NameInput", "protobuf.StringValue": "protobuf.Text"} {
			if changed := strings.Replace(text, word, other, 1); f.Pattern != "" {
				if out, err := exec.Command(binary, name, write(t, "broken", []byte(changed), 0o644)).CombinedOutput(); err == nil || changed == text {
					t.Errorf("%s: it takes %s for %s: %s", name, other, word, out)
				}
			}
		}
		broken := write(t, "broken", []byte("kind: Sidecar\nspec: {nonsense: 1}\nstatic_resources: {nonsense: 1}\n"), 0o644)
		if out, err := exec.Command(binary, name, broken).CombinedOutput(); err == nil {
			t.Errorf("%s takes nonsense: %s", name, out)
		}
	}
}
