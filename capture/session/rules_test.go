package session_test

import (
	"os"
	"path/filepath"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// A rule is taken out of the file alone: all other lines, and the file that a
// link leads to, stay as they are.
func TestRulesFile(t *testing.T) {
	for before, added := range map[string]string{
		"":                                      "",
		"keep a.example # no newline":           "keep a.example # no newline\n",
		"\ufeff# mine\r\ndrop .b.example\r\n\n": "\ufeff# mine\r\ndrop .b.example\r\n\n",
		"drop .bücher.example # ads\n":          "drop .bücher.example # ads\n",
		"drop .bücher.example #  ads\n#\n":      "drop .bücher.example #  ads\n#\n",
	} {
		stateHome(t)
		path, err := session.RulesPath()
		if err != nil {
			t.Fatal(err)
		}
		real := filepath.Join(t.TempDir(), "dotfiles-rules")
		if before != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(real, []byte(before), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(real, path); err != nil {
				t.Fatal(err)
			}
		}
		r, err := capture.ParseRule("drop .bücher.example   # ads")
		if err != nil {
			t.Fatal(err)
		}
		is := func(want string) {
			t.Helper()
			got, err := os.ReadFile(path)
			if err != nil || string(got) != want {
				t.Errorf("with %q before, the file has %q, %v, want %q", before, got, err, want)
			}
		}
		if err := session.AppendRule(r); err != nil {
			t.Fatal(err)
		}
		is(added + "drop .bücher.example # ads\n")
		if rules, err := session.LoadRules(); err != nil || len(rules) == 0 {
			t.Errorf("with %q before: %v", before, err)
		}
		if err := session.RemoveRule(r); err != nil {
			t.Fatal(err)
		}
		is(added)
		if before != "" {
			if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeSymlink == 0 {
				t.Errorf("the link is no link any more: %v, %v", st, err)
			}
			if st, err := os.Stat(real); err != nil || st.Mode().Perm() != 0o640 {
				t.Errorf("the file's mode is %v, %v", st.Mode(), err)
			}
		}
	}
	stateHome(t)
	r, _ := capture.ParseRule("drop a.example")
	if err := session.RemoveRule(r); err == nil {
		t.Error("a rule is taken out of a file that isn't there")
	}
}
