package look

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// backgrounds are those that terminals have.
var backgrounds = map[bool][]string{
	true:  {"#000000", "#1e1e2e", "#002b36", "#282c34", "#300a24"},
	false: {"#ffffff", "#eff1f5", "#fdf6e3"},
}

// xterm is what xterm shows for the sixteen colours.
var xterm = []string{"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
	"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"}

// rgb is a colour as a terminal shows it, with 256 colours or all.
func rgb(t *testing.T, of string, text string, all bool) (r, g, b float64) {
	switch n, err := strconv.Atoi(of); {
	case of == "default":
		of = text
	case err == nil && n < len(xterm):
		of = xterm[n]
	}
	c := lipgloss.Color(of)
	if !all {
		c = colorprofile.ANSI256.Convert(c)
	}
	x, y, z, _ := c.RGBA()
	return float64(x) / 0xffff, float64(y) / 0xffff, float64(z) / 0xffff
}

// luminance and contrast are those of WCAG 2.
func luminance(r, g, b float64) float64 {
	part := func(c float64) float64 {
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

// Every theme can be read on every background, with all colours, 256 and 16,
// and on the selected row: text at 4.5 to 1, what is muted at 3 to 1.
func TestContrast(t *testing.T) {
	for name, theme := range themes {
		for _, dark := range []bool{true, false} {
			p, text := theme.Light, "#000000"
			if dark {
				p, text = theme.Dark, "#e5e5e5"
			}
			behind := append([]string{p.Selection}, backgrounds[dark]...)
			if name == "terminal" { // xterm's colours on xterm's backgrounds; reversed they differ as much
				behind = map[bool][]string{true: {"#000000"}, false: {"#ffffff"}}[dark]
			}
			for _, all := range []bool{true, false} {
				of := func(c string) float64 { return luminance(rgb(t, c, text, all)) }
				for _, back := range behind {
					for role, c := range map[string]string{"text": p.Text, "muted": p.Muted, "accent": p.Accent, "keep": p.Keep, "drop": p.Drop, "fresh": p.Fresh} {
						least := 4.5
						if role == "muted" {
							least = 3
						}
						if got := contrast(of(c), of(back)); got < least {
							t.Errorf("%s, dark %t, all colours %t: %s %s on %s has %.2f to 1, want %.1f", name, dark, all, role, c, back, got, least)
						}
					}
				}
				if got := contrast(of(p.Onto), of(p.Accent)); got < 4.5 {
					t.Errorf("%s, dark %t: text on the accent has %.2f to 1", name, dark, got)
				}
			}
		}
	}
}

// In 16 colours text is the terminal's own and what is muted is bright black;
// no colour is one that a terminal would have to guess.
func TestSixteenColours(t *testing.T) {
	for _, name := range ThemeNames() {
		theme, _ := NamedTheme(name)
		for _, dark := range []bool{true, false} {
			s := theme.Styles(dark, true)
			if s.Text.sgr != "" || s.Strong.sgr != "1" || s.Muted.sgr != "90" || s.selection != "7" {
				t.Errorf("%s: text %q, strong %q, muted %q, selection %q", name, s.Text.sgr, s.Strong.sgr, s.Muted.sgr, s.selection)
			}
			if got := new(Line).Select(s).Add(s.Muted, "a").Add(s.Keep, "b").String(); got != "\x1b[7ma\x1b[m\x1b[7mb\x1b[m" {
				t.Errorf("%s: a selected row is %q", name, got)
			}
			if all := fmt.Sprint(*s); strings.Contains(all, "38;") || strings.Contains(all, "48;") {
				t.Errorf("%s has colours beyond the 16: %s", name, all)
			}
		}
	}
	if s := NewStyles(true); s.Text.sgr != "" || !strings.HasPrefix(s.Muted.sgr, "38;2;") {
		t.Errorf("in all colours text is %q, muted %q", s.Text.sgr, s.Muted.sgr)
	}
}

// A theme of one's own has the default's colours where it has none, and says
// which of its is none.
func TestOwnTheme(t *testing.T) {
	theme, err := Theme{Dark: Palette{Keep: "2", Muted: "#808080", Selection: "reverse"}}.Complete()
	if d := themes["default"]; err != nil || theme.Dark.Keep != "2" || theme.Dark.Drop != d.Dark.Drop || theme.Light != d.Light {
		t.Errorf("completed it is %+v, %v", theme, err)
	}
	if s := theme.Styles(true, true); s.Keep.sgr != "32" || s.selection != "7" {
		t.Errorf("in 16 colours its own are %q and %q", s.Keep.sgr, s.selection)
	}
	for _, wrong := range []string{"red", "256", "-1", "#12345", "reverse"} {
		if _, err := (Theme{Light: Palette{Drop: wrong}}).Complete(); err == nil || !strings.HasPrefix(err.Error(), "light: drop is \""+wrong+"\"") {
			t.Errorf("the colour %s: %v", wrong, err)
		}
	}
}

// On the Linux console, whose bright black is nearly black, all can be read.
func TestConsole(t *testing.T) {
	vga := [16]string{"#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
		"#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"}
	theme, _ := NamedTheme("default")
	p := theme.On("linux").Dark
	for role, c := range map[string]string{"text": p.Text, "muted": p.Muted, "accent": p.Accent, "keep": p.Keep, "drop": p.Drop, "fresh": p.Fresh} {
		n, err := strconv.Atoi(c)
		if err != nil {
			t.Fatalf("%s is %s: what that is isn't known", role, c)
		}
		r, g, b := rgb(t, vga[n], "", true)
		if got := contrast(luminance(r, g, b), 0); got < 4.5 {
			t.Errorf("%s %s has %.2f to 1", role, c, got)
		}
	}
	if own := (Theme{Dark: p, Own: true}); own.On("linux") != own || theme.On("xterm") != terminal {
		t.Error("the console's colours are elsewhere, or in place of the user's own")
	}
}

// Nothing is bold in one of the terminal's first eight colours, of which many
// terminals make the bright twin then: xterm's bright black on its cyan has 3 to
// 1, its bright red on white 4.
func TestNoBoldTwin(t *testing.T) {
	bold := regexp.MustCompile(`\b1;3[0-7]\b`)
	for _, name := range ThemeNames() {
		for _, of := range []string{"", "linux", "xterm"} {
			theme, _ := NamedTheme(name)
			for _, dark := range []bool{true, false} {
				if all := fmt.Sprint(*theme.On(of).Styles(dark, of != "")); bold.MatchString(all) {
					t.Errorf("%s on %q, dark %t: %s", name, of, dark, bold.FindString(all))
				}
			}
		}
	}
}
