package proof

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// AdGuard Home isn't there to be run, but the engine that it asks is.
func TestAdGuard(t *testing.T) {
	binary := build(t, "vendors")
	prove(t, format(t, "adguard"), func(t *testing.T, path string) target {
		cmd := exec.Command(binary, "adguard", path)
		names, errIn := cmd.StdinPipe()
		out, errOut := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil || errIn != nil || errOut != nil {
			t.Fatal(err, errIn, errOut)
		}
		t.Cleanup(func() {
			names.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("the engine: %v", err)
			}
		})
		verdicts := bufio.NewScanner(out)
		return target{ask: func(t *testing.T, name string) bool {
			t.Helper()
			fmt.Fprintln(names, strings.ToLower(name)) // as AdGuard Home does before it asks
			if !verdicts.Scan() {
				t.Fatalf("%s: no verdict: %v", name, verdicts.Err())
			}
			return verdicts.Text() == "pass"
		}}
	})
}

// Neither Envoy nor Istio can be asked here, but their own types take what
// they would.
func TestVendorsTypes(t *testing.T) {
	binary := build(t, "vendors")
	list := []rule.Rule{{Name: "www.example.com"}, {Name: "example.net", Suffix: true}}
	for _, name := range []string{"envoy", "istio"} {
		f := format(t, name)
		for _, path := range []string{file(t, f, list), fileOf(t, f, manyRules())} {
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
