package session

import (
	"fmt"
	"os"
	"path/filepath"

	"lxd-allowlist/export/owner"
)

// program names the program's own directories.
const program = "lxd-allowlist"

// Dir returns the directory of the journals: lxd-allowlist/sessions in
// $XDG_STATE_HOME, by default ~/.local/state.
func Dir() (string, error) { return state("sessions") }

// ScreenPath returns where the screen's own choices are remembered, beside
// the journals.
func ScreenPath() (string, error) { return state("screen.json") }

// RulesPath returns where the user's rules are: lxd-allowlist/rules in
// $XDG_CONFIG_HOME, by default ~/.config.
func RulesPath() (string, error) { return config("rules") }

// ConfigPath returns where the user's settings are, beside the rules.
func ConfigPath() (string, error) { return config("config.yaml") }

// ListsPath returns the directory of the user's lists of names, beside the
// rules.
func ListsPath() (string, error) { return config("lists") }

func state(name string) (string, error) { return path("XDG_STATE_HOME", ".local/state", name) }

func config(name string) (string, error) { return path("XDG_CONFIG_HOME", ".config", name) }

// path follows the XDG base directory specification, which has a variable
// ignored that is no absolute path.
func path(variable, below, name string) (string, error) {
	dir := os.Getenv(variable)
	if !filepath.IsAbs(dir) {
		home, err := owner.Home()
		if err != nil {
			return "", fmt.Errorf("find the directory of %s: %w; set %s", name, err, variable)
		}
		dir = filepath.Join(home, below)
	}
	return filepath.Join(dir, program, name), nil
}
