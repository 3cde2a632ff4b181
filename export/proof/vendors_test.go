package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// .ci/matrix asks the library of today, and the one that came before ** did.
func TestCilium(t *testing.T) {
	if results == "" {
		t.Skip("it takes minutes to build: make matrix")
	}
	t.Run("1.18", func(t *testing.T) { proveCilium(t, "-modfile=v1.18.mod", "-tags=cilium118") })
	t.Run("1.20", func(t *testing.T) { proveCilium(t) })
}

func proveCilium(t *testing.T, flags ...string) {
	binary, crd := build(t, "cilium", flags...), build(t, "crd")
	var module struct{ Dir, Version string }
	out, err := exec.Command("go", append(append([]string{"list", "-C", "cilium"}, flags...), "-m", "-json", "github.com/cilium/cilium")...).Output()
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		t.Fatal(err)
	}
	definition := filepath.Join(module.Dir, "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml")
	f := format(t, "cilium")
	saw := observe(t, f)
	saw.software, saw.version = "Cilium", strings.TrimPrefix(module.Version, "v")
	list := append(rules(), rule.Rule{Name: "intranet"})
	path := file(t, f, list)
	fits := func(path string) ([]byte, error) { return exec.Command(crd, definition, path).CombinedOutput() }
	if out, err := fits(path); err != nil {
		t.Errorf("the definition: %v\n%s", err, out)
	}
	to := verdicts(t, exec.Command(binary, path))
	for _, q := range append(slices.Clone(questions), question{"intranet", true, true}, question{"a.intranet", false, false}) {
		if got := to.ask(t, q.name); got != q.pass {
			saw.difference(t, q.name, "", got)
		}
	}
	addresses := append(slices.Clone(list), rule.Rule{Name: "192.0.2.7:443/tcp"}, rule.Rule{Name: "[2001:db8::/48]:53/udp"})
	for _, of := range [][]rule.Rule{addresses, addresses[len(list):]} { // with names, and without
		path := file(t, f, of)
		if out, err := fits(path); err != nil {
			t.Errorf("the definition, of addresses: %v\n%s", err, out)
		}
		to := verdicts(t, exec.Command(binary, path))
		for _, q := range []question{
			{"192.0.2.7:443/tcp", true, true}, {"192.0.2.7:443/udp", false, false}, {"192.0.2.7:80/tcp", false, false}, {"192.0.2.8:443/tcp", false, false},
			{"[2001:db8::7]:53/udp", true, true}, {"[2001:db8:1::7]:53/udp", false, false}, {"evil.example", false, false},
		} {
			if got := to.ask(t, q.name); got != q.pass {
				saw.difference(t, q.name, "", got)
			}
		}
	}
	text := read(t, path)
	for _, change := range [][2]string{{"toFQDNs", "toNames"}, {`matchName: "www`, `matchName: "w ww`}, {"protocol: TCP", "protocol: TLS"}} {
		broken := strings.Replace(text, change[0], change[1], 1)
		if out, err := fits(write(t, "broken", []byte(broken), 0o644)); err == nil || broken == text {
			t.Errorf("the definition takes %s: %s", change[1], out)
		}
	}
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
