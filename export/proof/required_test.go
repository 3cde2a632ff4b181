//go:build beyond || matrix

package proof

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

const ciliumModule = "github.com/cilium/cilium"

// ciliumDefinition is what Cilium installs in a cluster.
func ciliumDefinition(of required) string {
	return filepath.Join(of.Dir, "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml")
}

// required is a module that one of the programs here requires.
type required struct{ Dir, Version string }

// moduleOf returns the module that a program is built with, by the same flags.
func moduleOf(t *testing.T, program, path string, flags ...string) (m required) {
	t.Helper()
	args := append(append([]string{"list", "-C", program}, flags...), "-m", "-json", path)
	out, err := exec.Command("go", args...).Output()
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err != nil {
		t.Fatalf("go %q: %v", args, err)
	}
	return m
}
