package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/ui/dialog"
)

// made returns a file as the dialog gets it.
func (s *scene) made(f export.Format) dialog.Made {
	return s.m().makeFile(dialog.Make{Format: f})().(madeMsg).file
}

// The preview is the real output, and what is written is what was shown.
func TestExportWritesThePreview(t *testing.T) {
	s := newScene(t, 100, 40).session()
	path := filepath.Join(t.TempDir(), "out.txt")
	s.m().export.path = path
	s.press("e")
	if !strings.Contains(s.text(), "4 rules from") {
		t.Fatalf("the preview is\n%s", s.text())
	}
	shown := s.text()
	s.press("enter")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(got)) {
		if !strings.Contains(shown, "│ "+strings.TrimSpace(line)) {
			t.Errorf("the file has %q, which was not shown in\n%s", line, shown)
		}
	}
	if s.m().dialog != nil || s.result.Wrote != path {
		t.Errorf("after writing, the dialog is %v and %q was written", s.m().dialog, s.result.Wrote)
	}
}

func TestEveryFormatHasAPreview(t *testing.T) {
	for _, f := range export.Formats() {
		s := newScene(t, 120, 40).session()
		s.m().export.format = f.Name
		s.press("e")
		if made := s.made(f); made.Err != nil || len(made.Lines) == 0 || !strings.Contains(s.text(), "│ "+fmt.Sprintf("%.80s", made.Lines[0])) {
			t.Errorf("%s: %v, %v, shown as\n%s", f.Name, made.Lines, made.Err, s.text())
		}
	}
}

// A file from the screen is the one that the command line makes, with its
// ports and the host's name.
func TestExportSaysWhatTheCommandLineDoes(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"json": host, "harden-runner": ":8443"} {
		s := newScene(t, 120, 40).session()
		s.m().export = exportSettings{format: name, options: export.Options{Ports: []int{8443}}}
		s.press("e")
		f, err := export.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := export.Make(s.m().capture.Ledger.List(false), f, s.m().export.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.made(f).File.Data); got != string(want.Data) || !strings.Contains(got, says) {
			t.Errorf("%s on the screen:\n%s\nwant %s in it, as the command line has it:\n%s", name, got, says, want.Data)
		}
	}
}
