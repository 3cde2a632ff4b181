package proof

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// The definition that GKE's API server has takes the file, and no broken one.
func TestGKE(t *testing.T) {
	binary, f := build(t, "schema"), format(t, "gke")
	definition := gkeDefinition(t)
	held, _ := hold(t, f, rules())
	path := fileOf(t, f, held)
	if out, err := exec.Command(binary, "crd", definition, path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command(binary, "crd", definition, file(t, f, onUDP)).CombinedOutput(); err != nil {
		t.Errorf("of UDP: %v\n%s", err, out)
	}
	for word, broken := range map[string]string{
		`name: "www.`: `name: "_www.`, "podSelector": "podselector", "protocol: TCP": "protocol: tcp", "port: 443": "port: 443000",
	} {
		text := strings.Replace(read(t, path), word, broken, 1)
		if out, err := exec.Command(binary, "crd", definition, write(t, "broken.yaml", []byte(text), 0o644)).CombinedOutput(); err == nil {
			t.Errorf("it takes %s: %s", broken, out)
		}
	}
	// What the format leaves out the definition doesn't take.
	for _, name := range []string{"_x.example.com", "x_.example.com", "-x.example.com", "x-.example.com"} {
		c, _ := rule.Compile(rule.List{Rules: []rule.Rule{{Name: name}}})
		if held, _ := f.Hold(c); held.Len() > 0 {
			t.Errorf("it holds %s", name)
		}
		text := strings.Replace(read(t, path), "www.example.com", name, 1)
		if err := exec.Command(binary, "crd", definition, write(t, "broken.yaml", []byte(text), 0o644)).Run(); err == nil {
			t.Errorf("the definition takes %s: the format may hold it now", name)
		}
	}
}

// onUDP are names that were connected to by UDP, and by both.
var onUDP = []rule.Rule{
	{Name: "time.example.com", Seen: &rule.Seen{Watched: true, Ports: []rule.Port{{Number: 123, Protocol: "udp"}}}},
	{Name: "quic.example.com", Seen: &rule.Seen{Watched: true, Ports: []rule.Port{{Number: 443, Protocol: "tcp"}, {Number: 443, Protocol: "udp"}}}},
}

func gkeDefinition(t *testing.T) string {
	t.Helper()
	return filepath.Join(module(t, "github.com/GoogleCloudPlatform/gke-networking-api", "v0.2.11"), "config/crds/networking.gke.io_fqdnnetworkpolicies.yaml")
}

// module returns the directory of a module's source.
func module(t *testing.T, path, version string) string {
	t.Helper()
	dir, _ := download(t, path, version)
	return dir
}

// download returns the directory of a module's source and its checksum, as a
// go.sum has it.
func download(t *testing.T, path, version string, env ...string) (dir, sum string) {
	t.Helper()
	if root != "" {
		t.Fatal(everywhere)
	}
	cmd := exec.Command("go", "mod", "download", "-json", path+"@"+version)
	cmd.Dir = t.TempDir() // outside any module
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.Output()
	var m struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &m); err != nil || m.Dir == "" {
		t.Fatalf("fetch %s %s: %v, %s", path, version, err, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.Dir, m.Sum
}
