package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/keys"
)

// Settings is what a user may set for all sessions: the file config.yaml in
// lxd-allowlist in $XDG_CONFIG_HOME, by default ~/.config.
//
//	leave-key: ctrl+g
//	witness: off
//	keys:
//	  keep: [a, +]
//	  filter: [/]
type Settings struct {
	// LeaveKey is the chord that leaves the shell.
	LeaveKey string `yaml:"leave-key"`
	// Witness is "off" where nobody wants seen what an instance does with its
	// names; nil is on.
	Witness *bool `yaml:"witness"`
	// Keys gives actions other keys; the help lists the actions' names.
	Keys map[string][]string `yaml:"keys"`
}

// DefaultLeaveKey is the chord that leaves the shell where none is set.
const DefaultLeaveKey = keys.DefaultLeave

// LoadSettings reads the config file; the zero Settings where there is none.
func LoadSettings() (c Settings, err error) {
	path, err := session.ConfigPath()
	if err != nil {
		return c, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = yaml.UnmarshalStrict(data, &c)
	}
	if err == nil {
		_, _, err = newKeys(c)
	}
	if err != nil {
		return c, fmt.Errorf("read the config file %s: %w", path, strip(err))
	}
	return c, nil
}

// strip makes one line of an error, in words for who wrote the file.
func strip(err error) error {
	words := strings.NewReplacer("yaml: ", "", "unmarshal errors: ", "", "field ", "", "not found in type ui.Settings", "is no setting; there are leave-key, witness and keys")
	return errors.New(words.Replace(strings.Join(strings.Fields(err.Error()), " ")))
}

// bindings returns the keys that are not the default ones, by the rows' names.
func (c Settings) bindings() map[string][]string {
	b := maps.Clone(c.Keys)
	if c.LeaveKey != "" {
		if b == nil {
			b = make(map[string][]string)
		}
		b[keys.Leave] = []string{c.LeaveKey}
	}
	return b
}
