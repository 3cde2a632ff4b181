//go:build beyond

package proof

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// ovnModule has the types of which OVN-Kubernetes' makers generate its
// definitions, which are in no module. Not every checksum database knows this
// version: its sum stands here instead.
const (
	ovnModule  = "github.com/ovn-org/ovn-kubernetes/go-controller"
	ovnVersion = "v0.0.0-20250901081027-bc4f9b80d20d"
	ovnSum     = "h1:TsSXE+gWbClecCcfbGIRWGLAGUZgqLAixCJCyTmynEU="
)

// ovnDefinition generates the definition of an EgressFirewall as its makers do
// (hack/update-codegen.sh there), who add that it has one name alone.
func ovnDefinition(t *testing.T) string {
	t.Helper()
	source, sum := download(t, ovnModule, ovnVersion, "GONOSUMDB="+ovnModule)
	if sum != ovnSum {
		t.Fatalf("%s %s has the checksum %s", ovnModule, ovnVersion, sum)
	}
	dir := t.TempDir()
	files, _ := filepath.Glob(filepath.Join(source, "pkg/crd/egressfirewall/v1/*.go"))
	for _, path := range append(files, "openshift/go.mod", "openshift/go.sum") {
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, []byte(read(t, path)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "tool", "controller-gen", "crd", "paths=.", "output:crd:stdout")
	cmd.Dir = dir
	out, err := cmd.Output()
	const metadata = "          metadata:\n            type: object\n"
	if err != nil || strings.Count(string(out), metadata) != 1 {
		t.Fatalf("no definition: %v\n%s", err, out)
	}
	named := metadata + "            properties: {name: {type: string, pattern: ^default$}}\n"
	return write(t, "definition.yaml", []byte(strings.Replace(string(out), metadata, named, 1)), 0o644)
}

// The definition takes the file, and no broken one.
func TestOpenShift(t *testing.T) {
	binary, f, definition := build(t, "schema"), format(t, "openshift"), ovnDefinition(t)
	fits := func(path string) ([]byte, error) {
		return exec.Command(binary, "crd", definition, path).CombinedOutput()
	}
	held, _ := hold(t, f, append(append(rules(), onUDP...), rule.Rule{Name: "192.0.2.0/24:443/tcp"}, rule.Rule{Name: "[2001:db8::7]:53/udp"}))
	path := fileOf(t, f, held)
	for _, path := range []string{path, file(t, f, nil)} {
		if said, err := fits(path); err != nil {
			t.Errorf("%v\n%s", err, said)
		}
	}
	text := read(t, path)
	for word, broken := range map[string]string{
		"name: default": "name: other", "type: Allow": "type: Permit", "{cidrSelector": "{cidr", "protocol: UDP": "protocol: udp", "port: 443": "port: 443000",
		`{dnsName: "*.`: `{dnsName: "*.*.`, `{dnsName: "www.example.com"`: `{cidrSelector: 192.0.2.7/32, dnsName: "www.example.com"`,
	} {
		changed := strings.Replace(text, word, broken, 1)
		if said, err := fits(write(t, "broken.yaml", []byte(changed), 0o644)); err == nil || changed == text {
			t.Errorf("it takes %s: %s", broken, said)
		}
	}
	// What the format leaves out the definition doesn't take.
	const name = "a_b.example.com"
	if held, _ := f.Hold(compiled(t, []rule.Rule{{Name: name}})); held.Len() > 0 {
		t.Errorf("it holds %s", name)
	}
	if _, err := fits(write(t, "broken.yaml", []byte(strings.Replace(text, "www.example.com", name, 1)), 0o644)); err == nil {
		t.Errorf("the definition takes %s: the format may hold it now", name)
	}
}
