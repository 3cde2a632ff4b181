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

// checker returns the command that gives a file to one of the packages.
func checker(t *testing.T, target, path string) *exec.Cmd {
	t.Helper()
	dir, err := installed()
	if err != nil {
		t.Fatalf("npm ci: %v; apt install nodejs npm", err)
	}
	return exec.Command("node", filepath.Join(dir, "check.mjs"), target, path)
}

func TestSandboxRuntime(t *testing.T) {
	f := format(t, "sandbox-runtime")
	prove(t, f, func(t *testing.T, path string) target {
		return verdicts(t, checker(t, f.Name, path))
	}, question{"example.net.", false, false}, question{"127.0.0.10", false, false}, question{"*.example.net", true, true})
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
	slices.Sort(want)
	path := file(t, f, hosts())
	out, err := checker(t, "azure", path).Output()
	if got := strings.Fields(string(out)); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
	text := read(t, path)
	for _, change := range [][2]string{{`"port": 443`, `"port": 64001`}, {`"targetFqdns"`, `"targetNames"`}, {`"priority": 100`, `"priority": "x"`}} {
		broken := strings.Replace(text, change[0], change[1], 1)
		if out, err := checker(t, "azure", write(t, "broken.json", []byte(broken), 0o644)).CombinedOutput(); err == nil || broken == text {
			t.Errorf("it takes %s: %s", change[1], out)
		}
	}
}
