package proof

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
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
	names, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil || errIn != nil || errOut != nil {
		t.Fatal(err, errIn, errOut)
	}
	t.Cleanup(func() {
		names.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", cmd, err)
		}
	})
	said := bufio.NewScanner(out)
	ask := func(t *testing.T, name string) bool {
		t.Helper()
		fmt.Fprintln(names, name)
		if !said.Scan() {
			t.Fatalf("%s: no verdict: %v", name, said.Err())
		}
		return said.Text() == "pass"
	}
	lower := func(t *testing.T, name string) bool { t.Helper(); return ask(t, strings.ToLower(name)) }
	upper := func(t *testing.T, name string) bool { t.Helper(); return ask(t, strings.ToUpper(name)) }
	return target{ask: lower, ways: []way{{"upper case", false, "", upper}}}
}

// None of Envoy, Istio and AWS can be asked here, but their own types take what
// they would.
func TestVendorsTypes(t *testing.T) {
	binary := build(t, "vendors")
	list := []rule.Rule{{Name: "www.example.com"}, {Name: "example.net", Suffix: true}}
	for _, name := range []string{"envoy", "istio", "aws-nfw"} {
		f := format(t, name)
		most := manyRules()
		if name == "aws-nfw" {
			most = compiled(t, hosts())
		}
		for _, path := range []string{file(t, f, list), fileOf(t, f, most)} {
			if out, err := exec.Command(binary, name, path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		broken := write(t, "broken", []byte("kind: Sidecar\nspec: {nonsense: 1}\nstatic_resources: {nonsense: 1}\n"), 0o644)
		if out, err := exec.Command(binary, name, broken).CombinedOutput(); err == nil {
			t.Errorf("%s takes nonsense: %s", name, out)
		}
	}
}
