package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/owner"
)

// LoadRules reads the user's rules; none where there is no such file.
func LoadRules() ([]capture.UserRule, error) {
	path, err := RulesPath()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the rules file: %w", err)
	}
	defer f.Close()
	rules, err := capture.ReadRules(f)
	if err != nil {
		return nil, fmt.Errorf("rules file %s, %w", path, err)
	}
	return rules, nil
}

// AppendRule puts a rule at the end of the user's rules file, which is made
// if there is none.
func AppendRule(r capture.UserRule) error {
	path, err := RulesPath()
	if err != nil {
		return err
	}
	if err := owner.MkdirAll(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write the rules file: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the rules file: %w", err)
	}
	if n := len(text); n > 0 && text[n-1] != '\n' {
		text = append(text, '\n')
	}
	return export.WritePrivate(path, fmt.Appendln(text, r))
}

// RemoveRule takes out of the user's rules file the last line that AppendRule
// wrote of that rule; all others stay as they are.
func RemoveRule(r capture.UserRule) error {
	path, err := RulesPath()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the rules file: %w", err)
	}
	lines := slices.Collect(strings.Lines(string(text)))
	for at, line := range slices.Backward(lines) {
		if strings.TrimRight(line, "\r\n") == r.String() {
			return export.WritePrivate(path, []byte(strings.Join(slices.Delete(lines, at, at+1), "")))
		}
	}
	return fmt.Errorf("the rules file %s has no line %q any more", path, r)
}
