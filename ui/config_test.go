package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "lxd-allowlist", "config.yaml")
	if c, err := LoadConfig(); err != nil || c.LeaveKey != "" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // the file, and what the error says
		"leave-key: ctrl+g\nkeys:\n  drop: [X, Delete]\n": "",
		"keys: {jump: [b]}":    "no action \"jump\"; there are",
		"keys: {drop: [a]}":    "the key a does two things",
		"keys: {drop: []}":     "drop has no key",
		"leave-key: foo":       "no way out of the shell",
		"leave-key: ctrl+q9":   "no way out of the shell",
		"leave-key: a":         "no way out of the shell",
		"colour: red":          "line 1: colour is no setting; there are leave-key and keys",
		"keys: [":              path,
		"leave-key: [1, 2, 3]": "cannot unmarshal",
	}
	for file, wrong := range tests {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig()
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%q: %v", file, err)
		case wrong == "":
			k, _ := c.keys()
			if k.Leave.Help().Key != "ctrl+g" || strings.Join(k.Drop.Keys(), " ") != "X Delete" || k.Drop.Help().Key != "X" {
				t.Errorf("%q: leave %v, drop %v", file, k.Leave.Keys(), k.Drop.Keys())
			}
		case err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(wrong, path)) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %v, want one line with %s", file, err, wrong)
		}
	}
}

// The defaults are free of conflicts, and the help lists every action.
func TestKeys(t *testing.T) {
	k := newKeys(DefaultLeaveKey)
	if err := k.conflict(); err != nil {
		t.Error(err)
	}
	listed := map[string]bool{}
	for _, sec := range k.sections() {
		for _, b := range sec.keys {
			listed[b.Help().Desc] = true
		}
	}
	inDialogs := []string{"accept", "cancel", "yes", "no", "again", "file name", "format", "merge"}
	for _, d := range inDialogs {
		listed[d] = true
	}
	for name, b := range k.named() {
		if !listed[b.Help().Desc] {
			t.Errorf("the help leaves out %s", name)
		}
	}
}
