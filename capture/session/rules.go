package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lxd-allowlist/capture"
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
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the rules file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the rules file: %w", err)
	}
	_, err = fmt.Fprintln(f, r)
	return errors.Join(err, f.Close())
}
