package look

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Theme is a set of colours for dark backgrounds and one for light ones.
type Theme struct {
	Dark  Palette `yaml:"dark"`
	Light Palette `yaml:"light"`
	// Own says that somebody made it for a terminal: it is as it is where there
	// are 16 colours, too. The others are [terminal] there.
	Own bool `yaml:"-"`
}

// paperOf returns the background and the foreground of a picture, which has no
// terminal to have them from.
func paperOf(dark bool) (paper, ink string) {
	if dark {
		return "#1e1e2e", "#cdd6f4"
	}
	return "#ffffff", "#1e1e2e"
}

// Palette is colours by what they are for: "#rrggbb", the number of one of the
// terminal's own, 0 to 255, or "default" for what the terminal has for text.
type Palette struct {
	Text      string `yaml:"text"`
	Muted     string `yaml:"muted"`
	Line      string `yaml:"line"`   // rules, and what stands behind a box
	Accent    string `yaml:"accent"` // keys, what has the focus
	Keep      string `yaml:"keep"`
	Drop      string `yaml:"drop"`
	Fresh     string `yaml:"fresh"`
	Onto      string `yaml:"onto"`      // text on the accent
	Selection string `yaml:"selection"` // behind the selected row; "reverse" for its colours the other way round
}

// The colours of text have a contrast of 4.5 to 1 at least on the backgrounds
// that terminals have, muted ones 3 to 1; a test computes it.
var themes = map[string]Theme{
	"default": {
		Dark:  Palette{"default", "#8f95ad", "#585b70", "#89b4fa", "#a6e3a1", "#f38ba8", "#f9e2af", "#11111b", "#313244"},
		Light: Palette{"default", "#6c6f85", "#bcc0cc", "#0f45ac", "#256619", "#b80000", "#6b3f00", "#ffffff", "#e2e5ec"},
	},
	"catppuccin": {
		Dark:  Palette{"#cdd6f4", "#8f95ad", "#45475a", "#89b4fa", "#a6e3a1", "#f38ba8", "#f9e2af", "#11111b", "#313244"},
		Light: Palette{"#4c4f69", "#6c6f85", "#bcc0cc", "#0f45ac", "#256619", "#b80000", "#6b3f00", "#ffffff", "#e2e5ec"},
	},
	"high-contrast": {
		Dark:  Palette{"#ffffff", "#c8c8c8", "#8a8a8a", "#7fd4ff", "#7dff7d", "#ffa8a8", "#ffe36e", "#000000", "#333333"},
		Light: Palette{"#000000", "#404040", "#707070", "#0030b0", "#004d00", "#900000", "#5c3600", "#ffffff", "#e6e6e6"},
	},
	"terminal": terminal,
}

// terminal has colours of the terminal's own. Those that can't be read on a
// light background, as xterm has them, are not used there.
var terminal = Theme{
	Dark:  Palette{"default", "8", "8", "14", "10", "9", "11", "0", "reverse"},
	Light: Palette{"default", "8", "8", "4", "4", "1", "default", "15", "reverse"},
	Own:   true,
}

// console has the colours of the Linux console, which are VGA's: its bright black
// can hardly be read on black.
var console = Theme{
	Dark:  Palette{"15", "7", "8", "14", "10", "9", "11", "0", "reverse"},
	Light: terminal.Light,
	Own:   true,
}

// On returns the theme for a terminal with so few colours that all themes but
// the user's own are the terminal's there; term is the value of TERM.
func (t Theme) On(term string) Theme {
	switch {
	case t.Own && t != terminal:
		return t
	case term == "linux":
		return console
	}
	return terminal
}

// NamedTheme returns one of the program's own themes.
func NamedTheme(name string) (t Theme, ok bool) {
	t, ok = themes[name]
	return t, ok
}

// ThemeNames returns the names of the program's own themes.
func ThemeNames() []string { return slices.Sorted(maps.Keys(themes)) }

// Complete returns the theme with the default one's colours where it has none.
// The error says which colour is none.
func (t Theme) Complete() (Theme, error) {
	t.Own = true
	for _, side := range []struct {
		name     string
		of, from *Palette
	}{{"dark", &t.Dark, ptr(themes["default"].Dark)}, {"light", &t.Light, ptr(themes["default"].Light)}} {
		from := side.from.fields()
		for i, f := range side.of.fields() {
			switch {
			case *f.value == "":
				*f.value = *from[i].value
			case f.name == "selection" && *f.value == "reverse":
			case !isColour(*f.value):
				return t, fmt.Errorf("%s: %s is %q, which is no colour: write \"#rrggbb\", 0 to 255 or default", side.name, f.name, *f.value)
			}
		}
	}
	return t, nil
}

func ptr[T any](v T) *T { return &v }

type field struct {
	name  string
	value *string
}

func (p *Palette) fields() []field {
	return []field{{"text", &p.Text}, {"muted", &p.Muted}, {"line", &p.Line}, {"accent", &p.Accent}, {"keep", &p.Keep},
		{"drop", &p.Drop}, {"fresh", &p.Fresh}, {"onto", &p.Onto}, {"selection", &p.Selection}}
}

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func isColour(s string) bool {
	n, err := strconv.Atoi(s)
	return s == "default" || hexColour.MatchString(s) || err == nil && n >= 0 && n <= 255 && !strings.HasPrefix(s, "+")
}
