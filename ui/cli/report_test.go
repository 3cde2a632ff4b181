package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/verify"
)

// A report that can't be written where it should be isn't lost.
func TestReportThatCantBeWritten(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	stdout := os.Stdout
	os.Stdout = out
	err = writeReport(verify.Report{Instance: "web"}, filepath.Join(t.TempDir(), "not-there", "report.json"))
	os.Stdout = stdout
	if err == nil {
		t.Error("no error")
	}
	if text, err := os.ReadFile(out.Name()); err != nil || !strings.Contains(string(text), `"instance": "web"`) {
		t.Errorf("%v: on standard output: %q", err, text)
	}
}
