package lxdtest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	client "github.com/canonical/lxd/client"
)

// Push makes an executable file of an instance.
func Push(t testing.TB, instance, path string, content io.ReadSeeker) {
	t.Helper()
	if err := Client(t).CreateInstanceFile(instance, path, client.InstanceFileArgs{Content: content, Mode: 0o755, Type: "file"}); err != nil {
		t.Fatalf("put %s into %s: %v", path, instance, err)
	}
}

// PushProgram builds a Go file of the test's own and puts the program, which needs
// no libraries, into an instance.
func PushProgram(t testing.TB, instance, path, source string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", file, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", source, err, said)
	}
	content, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	Push(t, instance, path, content)
}
