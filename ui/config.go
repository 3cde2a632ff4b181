package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"lxd-allowlist/capture/session"

	"charm.land/bubbles/v2/key"
	"go.yaml.in/yaml/v2"
)

// Config is what a user may set for all sessions: the file config.yaml in
// lxd-allowlist in $XDG_CONFIG_HOME, by default ~/.config.
//
//	leave-key: ctrl+g
//	keys:
//	  keep: [a, +]
//	  filter: [/]
type Config struct {
	// LeaveKey is the chord that leaves the shell.
	LeaveKey string `yaml:"leave-key"`
	// Keys gives actions other keys; the help lists the actions' names.
	Keys map[string][]string `yaml:"keys"`
}

// DefaultLeaveKey is the chord that leaves the shell where none is set.
const DefaultLeaveKey = "ctrl+]"

// chord is what can leave the shell: keys that terminals send as one and that
// nobody types as text.
var chord = regexp.MustCompile(`^(ctrl\+[]a-z\\^_@]|alt\+[a-z0-9]|f([1-9]|1[0-2]))$`)

// LoadConfig reads the config file; the zero Config where there is none.
func LoadConfig() (c Config, err error) {
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
		_, err = c.keys()
	}
	if err != nil {
		return c, fmt.Errorf("read the config file %s: %w", path, strip(err))
	}
	return c, nil
}

// strip makes one line of an error, in words for who wrote the file.
func strip(err error) error {
	words := strings.NewReplacer("yaml: ", "", "unmarshal errors: ", "", "field ", "", "not found in type ui.Config", "is no setting; there are leave-key and keys")
	return errors.New(words.Replace(strings.Join(strings.Fields(err.Error()), " ")))
}

// keys returns the keys as the config has them.
func (c Config) keys() (keyMap, error) {
	k := newKeys(cmp.Or(c.LeaveKey, DefaultLeaveKey))
	if c.LeaveKey != "" && !chord.MatchString(c.LeaveKey) {
		return k, fmt.Errorf("the leave key %q is no chord: write one such as ctrl+g, alt+x or f12, or there would be no way out of the shell", c.LeaveKey)
	}
	named := k.named()
	for _, name := range slices.Sorted(maps.Keys(c.Keys)) {
		b, ok := named[name]
		if !ok {
			return k, fmt.Errorf("there is no action %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(named)), ", "))
		}
		if len(c.Keys[name]) == 0 {
			return k, fmt.Errorf("%s has no key", name)
		}
		b.SetKeys(c.Keys[name]...)
		b.SetHelp(c.Keys[name][0], b.Help().Desc)
	}
	return k, k.conflict()
}

// named returns every key by its name in the config: "page-up" for PageUp.
func (k *keyMap) named() map[string]*key.Binding {
	all := make(map[string]*key.Binding)
	v := reflect.ValueOf(k).Elem()
	for i := range v.NumField() {
		var name strings.Builder
		for at, r := range v.Type().Field(i).Name {
			if unicode.IsUpper(r) && at > 0 {
				name.WriteByte('-')
			}
			name.WriteRune(unicode.ToLower(r))
		}
		all[name.String()] = v.Field(i).Addr().Interface().(*key.Binding)
	}
	return all
}

// conflict finds a key that does two things in the table.
func (k *keyMap) conflict() error {
	taken := make(map[string]string)
	for _, sec := range k.sections() {
		for _, b := range sec.keys {
			for _, name := range b.Keys() {
				if other := taken[name]; other != "" && !slices.Contains(k.Leave.Keys(), name) {
					return fmt.Errorf("the key %s does two things: %s, and %s", name, other, b.Help().Desc)
				}
				taken[name] = b.Help().Desc
			}
		}
	}
	return nil
}
