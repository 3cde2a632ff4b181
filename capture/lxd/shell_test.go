package lxd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoginScript runs the script in a world of which its PATH is all.
func TestLoginScript(t *testing.T) {
	programs := map[string]string{
		"su":     `echo su "$@"`,
		"id":     `[ "$1" = ubuntu ]`,
		"id-not": `exit 1`,
	}
	for _, test := range []struct {
		what, user string
		programs   []string
		said       string
		code       int
	}{
		{"ubuntu has an account", "", []string{"su", "id"}, "su -l -- ubuntu", 0},
		{"ubuntu has none", "", []string{"su", "id-not"}, "su -l -- root", 0},
		{"nobody says who there is", "", []string{"su"}, "su -l -- root", 0},
		{"a user is named", "me", []string{"su", "id"}, "su -l -- me", 0},
		{"a name is no option and no code", "-c $(id)", []string{"su", "id"}, "su -l -- -c $(id)", 0},
		{"no su", "", []string{"id"}, "a shell", 4},
		{"no su, root", "root", nil, "a shell", 4},
		{"no su, another user", "me", nil, "there is no shell as me", 127},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := t.TempDir()
			for _, p := range test.programs {
				name, _, _ := strings.Cut(p, "-")
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+programs[p]+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.Command("/bin/sh", "-c", loginScript, "sh", test.user)
			c.Env = []string{"PATH=" + dir}
			c.Stdin = strings.NewReader("echo a shell; exit 4")
			out, err := c.CombinedOutput()
			if c.ProcessState == nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), test.said) || c.ProcessState.ExitCode() != test.code {
				t.Errorf("it said %q and ended with %d", out, c.ProcessState.ExitCode())
			}
		})
	}
}
