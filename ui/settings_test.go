package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "lxd-allowlist", "config.yaml")
	if c, err := LoadSettings(); err != nil || c.LeaveKey != "" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // the file, and what the error says
		"leave-key: ctrl+g\nwitness: off\nkeys:\n  drop: [X, Delete]\n": "",
		"keys: {jump: [b]}":     "no action \"jump\"; there are",
		"keys: {drop: [a]}":     "the key a does two things",
		"keys: {drop: []}":      "drop has no key",
		"witness: perhaps":      "cannot unmarshal",
		"leave-key: foo":        "no way out of the shell",
		"leave-key: ctrl+q9":    "no way out of the shell",
		"leave-key: a":          "no way out of the shell",
		"keys: {leave: [a]}":    "no way out of the shell",
		"keys: {merge: [y]}":    "the key y does two things in the question whether to overwrite: yes, and merge",
		"keys: {accept: [esc]}": "the key esc does two things in",
		"format: nosuch":        "no format \"nosuch\"",
		"colour: red":           "line 1: colour is no setting; there are filters, format, keys, leave-key, output, stay, theme and witness",
		"keys: [":               path,
		"leave-key: [1, 2, 3]":  "cannot unmarshal",
	}
	for file, wrong := range tests {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadSettings()
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%q: %v", file, err)
		case wrong == "":
			if _, k, err := newKeys(c); err != nil || k.Show(keys.Leave) != "ctrl+g" || k.Show("drop") != "X" || c.Witness == nil || *c.Witness {
				t.Errorf("%q: leave %s, drop %s, %v", file, k.Show(keys.Leave), k.Show("drop"), err)
			}
		case err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(wrong, path)) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %v, want one line with %s", file, err, wrong)
		}
	}
}

// A theme is one of the program's, or a file; a wrong one is told of in a line.
func TestThemes(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	path, err := session.ConfigPath()
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(filepath.Dir(path), "themes", "mine.yaml")
	if err := os.MkdirAll(filepath.Dir(mine), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ config, file, wrong string }{
		{"theme: high-contrast", "", ""},
		{"theme: mine", "dark: {keep: \"2\"}\n", ""},
		{"theme: mine", "dark: {keep: green}\n", "read the theme " + mine + ": dark: keep is \"green\", which is no colour"},
		{"theme: mine", "dark: {kep: \"2\"}\n", "kep is no colour of a theme"},
		{"theme: mine", "night: {}\n", "night is none of a theme"},
		{"theme: other", "", "there is no theme other: there are catppuccin, default, high-contrast, terminal, and "},
		{"theme: ../mine", "", "there is no theme \"../mine\""},
	} {
		for file, text := range map[string]string{path: test.config, mine: test.file} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := LoadSettings()
		switch {
		case test.wrong == "" && (err != nil || c.Colours == look.Theme{}):
			t.Errorf("%s: %+v, %v", test.config, c.Colours, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s, %s: %v, want one line with %s", test.config, test.file, err, test.wrong)
		}
	}
}
