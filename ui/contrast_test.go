package ui

import (
	"fmt"
	"image/color"
	"maps"
	"math"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// screenOf is a terminal: its paper and its ink, and what it shows for the first
// sixteen colours; nil for those of xterm.
type screenOf struct {
	term       string
	few, dark  bool
	paper, ink string
	sixteen    []string
}

var (
	xtermColours = strings.Fields("#000000 #cd0000 #00cd00 #cdcd00 #0000ee #cd00cd #00cdcd #e5e5e5 #7f7f7f #ff0000 #00ff00 #ffff00 #5c5cff #ff00ff #00ffff #ffffff")
	vgaColours   = strings.Fields("#000000 #aa0000 #00aa00 #aa5500 #0000aa #aa00aa #00aaaa #aaaaaa #555555 #ff5555 #55ff55 #ffff55 #5555ff #ff55ff #55ffff #ffffff")
	terminals    = []screenOf{
		{"xterm-256color", false, true, "#1e1e2e", "#e5e5e5", xtermColours},
		{"xterm-256color", false, true, "#300a24", "#e5e5e5", xtermColours},
		{"xterm-256color", false, false, "#fdf6e3", "#000000", xtermColours},
		{"xterm", true, true, "#000000", "#e5e5e5", xtermColours},
		{"xterm", true, false, "#ffffff", "#000000", xtermColours},
		{"linux", true, true, "#000000", "#aaaaaa", vgaColours},
	}
)

// luminance is that of WCAG 2, of a colour as the terminal shows it.
func (on *screenOf) luminance(c color.Color, none string) float64 {
	switch of := c.(type) {
	case nil:
		c = lipgloss.Color(none)
	case ansi.BasicColor:
		c = lipgloss.Color(on.sixteen[of])
	}
	part := func(n uint32) float64 {
		if c := float64(n) / 0xffff; c > 0.04045 {
			return math.Pow((c+0.055)/1.055, 2.4)
		} else {
			return c / 12.92
		}
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

// Whatever is drawn on any screen can be read, in every theme, and with 16
// colours: text at 4.5 to 1, what is muted at 3. Rules, and what stands behind a
// box, are no text.
func TestEveryCellHasContrast(t *testing.T) {
	all := scenes()
	maps.Copy(all, beginnings())
	all["a format search"] = func(s *scene) { s.session().press("e", "/") }
	all["a file's name"] = func(s *scene) { s.session().press("e", "f") }
	all["a ladder's reason"] = func(s *scene) { s.session().press("w", "n").types("why") }
	all["a replay"] = func(s *scene) { s.replays(200) }
	for name, set := range all {
		s := newScene(t, 120, 40)
		set(s)
		if m, ok := s.phase.(*monitor); ok && m.shell.screen != nil {
			m.shell.wipe() // its colours are the instance's
			m.shell.screen.Text()
		}
		for _, theme := range look.ThemeNames() {
			for _, on := range terminals {
				s.reads(name, theme, on)
			}
		}
	}
}

// reads reads the screen on a terminal.
func (s *scene) reads(name, themeName string, on screenOf) {
	s.t.Helper()
	theme, _ := look.NamedTheme(themeName)
	switch {
	case !on.few && themeName == "terminal":
		return // its colours are whatever the terminal has for them
	case on.few && themeName != "default":
		return // all are the same there
	}
	s.opts.Settings.Colours, s.dark, s.few, s.term = theme, on.dark, on.few, on.term
	s.restyle()
	if m, ok := s.phase.(*monitor); ok {
		m.table.Restyle()
		m.docked = nil
	}
	if on.few {
		theme = theme.On(on.term)
	}
	p := theme.Light
	if on.dark {
		p = theme.Dark
	}
	cells := uv.NewScreenBuffer(s.w, s.h)
	uv.NewStyledString(strings.Join(s.lines(), "\n")).Draw(cells, cells.Bounds())
	bad := make(map[string]string)
	for y := range s.h {
		for x := range s.w {
			c := cells.CellAt(x, y)
			if c == nil || strings.TrimSpace(c.Content) == "" {
				continue
			}
			fore := ""
			switch of := c.Style.Fg.(type) {
			case nil:
			case ansi.BasicColor:
				fore = fmt.Sprint(int(of))
			default:
				r, g, b, _ := of.RGBA()
				fore = fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
			}
			least := 4.5
			switch fore {
			case p.Muted:
				least = 3
			case p.Line:
				continue
			}
			a, b := on.luminance(c.Style.Fg, on.ink), on.luminance(c.Style.Bg, on.paper)
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < least {
				bad[fmt.Sprintf("%s on %v: %.2f to 1, want %.1f", fore, c.Style.Bg, got, least)] += c.Content
			}
		}
	}
	for what, text := range bad {
		s.t.Errorf("%s in %s on %s, dark %t: %s, of %.40q", name, themeName, on.term, on.dark, what, text)
	}
}

// What is typed has the theme's colours wherever that is.
func TestInputsHaveTheTheme(t *testing.T) {
	theme := look.Theme{Dark: look.Palette{Text: "#010203", Muted: "#040506"}}
	theme, err := theme.Complete()
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func(*scene){
		"the start":       func(s *scene) { s.starts().types("typed") },
		"the filter":      func(s *scene) { s.session().press("/").types("typed") },
		"the palette":     func(s *scene) { s.session().press(":").types("typed") },
		"a format search": func(s *scene) { s.session().press("e", "/").types("typed") },
		"a file's name":   func(s *scene) { s.session().press("e", "f", "ctrl+u").types("typed") },
		"a reason":        func(s *scene) { s.session().press("n").types("typed") },
		"a ladder's":      func(s *scene) { s.session().press("w", "n").types("typed") },
		"a placeholder":   func(s *scene) { s.session().press("e") },
	} {
		s := newSceneWith(t, 120, 40, Settings{Colours: theme})
		set(s)
		want := "\x1b[38;2;1;2;3mtyped"
		if m, ok := s.phase.(*monitor); ok && m.shell.screen != nil {
			if _, export := m.dialog.(*dialog.Export); export && name == "a placeholder" {
				want = "\x1b[38;2;4;5;6m format"
			}
		}
		if text := strings.Join(s.lines(), "\n"); !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%q", name, want, text)
		}
	}
}
