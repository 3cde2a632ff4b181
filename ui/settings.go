package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/export/owner"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Settings is what a user may set for all sessions: the file config.yaml in
// lxd-allowlist in $XDG_CONFIG_HOME, by default ~/.config.
//
//	leave-key: ctrl+g
//	witness: off
//	theme: high-contrast
//	stay: true
//	filters: ["is:new !type:ptr"]
//	format: squid
//	output: ~/allow/
//	keys:
//	  keep: [a, +]
//	  filter: [/]
type Settings struct {
	// LeaveKey is the chord that leaves the shell.
	LeaveKey string `yaml:"leave-key"`
	// Witness is "off" where nobody wants seen what an instance does with its
	// names; nil is on.
	Witness *bool `yaml:"witness"`
	// Stay has the cursor stay on what was decided; it goes on to what wasn't
	// otherwise.
	Stay bool `yaml:"stay"`
	// Filters are saved filters, in the order of their keys.
	Filters []string `yaml:"filters"`
	// Theme names a theme of the program's, or the file NAME.yaml in the
	// directory themes beside the config, see [look.Theme].
	Theme string `yaml:"theme"`
	// OwnThemes are the names of the user's own, in the directory themes.
	OwnThemes []string `yaml:"-"`
	// Colours are those of the theme.
	Colours look.Theme `yaml:"-"`
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
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		c, err = parseSettings(data)
	}
	if err != nil {
		return c, fmt.Errorf("read the config file %s: %w", path, strip(err))
	}
	return c, c.loadColours(path)
}

// loadColours takes up the theme that is named; path is the config file's.
func (c *Settings) loadColours(path string) (err error) {
	dir := filepath.Join(filepath.Dir(path), "themes")
	c.OwnThemes = ownThemes(dir)
	if c.Theme != "" {
		c.Colours, err = loadTheme(c.Theme, dir)
	}
	return err
}

// ownThemes returns the names of the themes in a directory, to be chosen from:
// whoever names one is told what is wrong with it.
func ownThemes(dir string) (names []string) {
	files, _ := os.ReadDir(dir)
	for _, file := range files {
		name, yaml := strings.CutSuffix(file.Name(), ".yaml")
		if _, taken := look.NamedTheme(name); yaml && !taken && themeName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

var themeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// loadTheme returns a theme of the program's, or of a file.
func loadTheme(name, dir string) (look.Theme, error) {
	if t, ok := look.NamedTheme(name); ok {
		return t, nil
	}
	path := filepath.Join(dir, name+".yaml")
	if !themeName.MatchString(name) {
		return look.Theme{}, fmt.Errorf("there is no theme %q: there are %s, and files of your own in %s", name, strings.Join(look.ThemeNames(), ", "), dir)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return look.Theme{}, fmt.Errorf("there is no theme %s: there are %s, and %s would be one of your own", name, strings.Join(look.ThemeNames(), ", "), path)
	}
	var t look.Theme
	if err == nil {
		t, err = parseTheme(data)
	}
	if err != nil {
		return t, fmt.Errorf("read the theme %s: %w", path, strip(err))
	}
	return t, nil
}

func parseTheme(data []byte) (t look.Theme, err error) {
	if err = yaml.UnmarshalStrict(data, &t); err != nil {
		return t, err
	}
	return t.Complete()
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

// output returns where the export goes: the directory or the file that is set,
// both "" where none is.
func (c Settings) output() (dir, file string) {
	path := c.Output
	if home, err := owner.Home(); err == nil && strings.HasPrefix(path, "~/") {
		path = home + path[1:]
	}
	if strings.HasSuffix(path, "/") {
		return path, ""
	}
	return "", path
}

// strip makes one line of an error, in words for who wrote the file.
func strip(err error) error {
	words := strings.NewReplacer("yaml: ", "", "unmarshal errors: ", "", "field ", "", "not found in type look.Theme", "is none of a theme: there are dark and light", "not found in type look.Palette", "is no colour of a theme: there are text, muted, line, accent, keep, drop, fresh, onto and selection", "not found in type ui.Settings", "is no setting; there are filters, format, keys, leave-key, output, stay, theme and witness")
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
