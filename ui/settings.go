package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/keys"
)

// Settings is what a user may set for all sessions: the file config.yaml in
// lxd-allowlist in $XDG_CONFIG_HOME, by default ~/.config.
//
//	leave-key: ctrl+g
//	format: squid
//	output: ~/allow/
//	keys:
//	  keep: [a, +]
//	  filter: [/]
type Settings struct {
	// LeaveKey is the chord that leaves the shell.
	LeaveKey string `yaml:"leave-key"`
	// Format is what the export begins with, and Output where it goes: a file,
	// or with a slash at its end a directory; "~/" is the user's own.
	Format string `yaml:"format"`
	Output string `yaml:"output"`
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
		c, err = parseSettings(data)
	}
	if err != nil {
		return c, fmt.Errorf("read the config file %s: %w", path, strip(err))
	}
	return c, nil
}

func parseSettings(data []byte) (c Settings, err error) {
	if err = yaml.UnmarshalStrict(data, &c); err == nil {
		_, _, err = newKeys(c)
	}
	if err == nil && c.Format != "" {
		_, err = export.Lookup(c.Format)
	}
	return c, err
}

// setting is one of the config file's that has one value.
type setting struct{ name, says, value string }

func (c Settings) list() []setting {
	return []setting{
		{"leave-key", "the chord that leaves the shell", cmp.Or(c.LeaveKey, DefaultLeaveKey)},
		{"format", "what the export begins with", cmp.Or(c.Format, export.Formats()[0].Name)},
		{"output", "the file that the export goes to, or a directory with a slash at its end", c.Output},
	}
}

// setSetting gives a setting of the config file a value, "" for that which it
// has without the file, and returns the settings then. All other lines stay as
// they are.
func setSetting(name, value string) (c Settings, err error) {
	path, err := session.ConfigPath()
	if err != nil {
		return c, err
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read the config file: %w", err)
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(data), "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, name+":")
	})
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += "\n"
	}
	if value != "" {
		line, err := yaml.Marshal(map[string]string{name: value})
		if err != nil {
			return c, err
		}
		lines = append([]string{string(line)}, lines...)
	}
	data = []byte(strings.Join(lines, ""))
	if c, err = parseSettings(data); err != nil {
		return c, strip(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return c, fmt.Errorf("write the config file: %w", err)
	}
	return c, export.WriteFile(path, data, true)
}

// output returns where the export goes: the directory or the file that is set,
// both "" where none is.
func (c Settings) output() (dir, file string) {
	path := c.Output
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(path, "~/") {
		path = home + path[1:]
	}
	if strings.HasSuffix(path, "/") {
		return path, ""
	}
	return "", path
}

// strip makes one line of an error, in words for who wrote the file.
func strip(err error) error {
	words := strings.NewReplacer("yaml: ", "", "unmarshal errors: ", "", "field ", "", "not found in type ui.Settings", "is no setting; there are leave-key, format, output and keys")
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
