// Package look is how the screen looks: styles, lines and boxes of cells, and
// the few words that stand in many places. It knows nothing of what is shown.
package look

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Style is how a piece of text looks. The zero Style adds nothing to it.
type Style struct {
	sgr string // the parameters of its escape sequence: "1;38;2;205;214;244"
}

func style(s ansi.Style) Style { return Style{parameters(s)} }

func parameters(s ansi.Style) string {
	if len(s) == 0 { // it would be a reset
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(s.String(), "\x1b["), "m")
}

// Render returns the text with the style's beginning and end around it.
func (s Style) Render(text string) string { return new(Line).Add(s, text).String() }

// Styles are the program's looks, by what they mean. They are made anew when
// the terminal tells whether it is light or dark. Bubble Tea itself brings
// the colours down to what the terminal can show, and to none for NO_COLOR;
// no meaning rests on a colour alone.
type Styles struct {
	Text, Muted, Strong, Key Style
	Keep, Drop               Style
	Fresh, FreshStrong       Style
	Match                    Style
	Kept                     Style // the part of a name that a suffix rule keeps
	Bad, Warn, Good          Style
	Blocked                  Style // a name that an enforced list refused
	Rule, RuleFocused        Style // a pane's title line
	Title, TitleFocused      Style
	Brand                    Style

	selection string  // the background's parameters, see [Line.Select]
	typed     Palette // of what is typed
}

// Input gives a line that is typed the looks of the theme. The library's own are
// for no background that is known.
func (s *Styles) Input(in *textinput.Model) { in.SetStyles(s.typed.inputStyles()) }

// inputStyles are the looks of what is typed with a palette. Its cursor stands
// still: nobody has its clock tick.
func (p *Palette) inputStyles() textinput.Styles {
	fore := func(of string) lipgloss.Style {
		if of == "default" {
			return lipgloss.NewStyle()
		}
		return lipgloss.NewStyle().Foreground(lipgloss.Color(of))
	}
	typed := textinput.StyleState{Text: fore(p.Text), Placeholder: fore(p.Muted), Suggestion: fore(p.Muted), Prompt: fore(p.Accent)}
	return textinput.Styles{Focused: typed, Blurred: typed, Cursor: textinput.CursorStyle{Color: fore(p.Accent).GetForeground()}}
}

// NewStyles returns the looks of the default theme for a dark background or a
// light one.
func NewStyles(dark bool) *Styles { return themes["default"].Styles(dark, false) }

// Styles returns the looks of a theme for a dark background or a light one; few
// says that the terminal has no more than 16 colours.
func (t Theme) Styles(dark, few bool) *Styles {
	if few {
		t = t.On("")
	}
	p := t.Light
	if dark {
		p = t.Dark
	}
	fore := func(s ansi.Style, of string) Style {
		if of == "default" {
			return style(s)
		}
		return style(s.ForegroundColor(lipgloss.Color(of)))
	}
	plain := func(of string) Style { return fore(ansi.Style{}, of) }
	// Many terminals draw a bold one of their first eight colours as its bright
	// twin, which can't be read where that one can.
	strong := func(of string) ansi.Style {
		if len(of) == 1 && of < "8" {
			return ansi.Style{}
		}
		return ansi.Style{}.Bold()
	}
	bold := func(of string) Style { return fore(strong(of), of) }
	on := func(s ansi.Style, of string) ansi.Style {
		switch of {
		case "reverse":
			return s.Reverse(true)
		case "default":
			return s
		}
		return s.BackgroundColor(lipgloss.Color(of))
	}
	return &Styles{
		Text:         plain(p.Text),
		Muted:        plain(p.Muted),
		Strong:       bold(p.Text),
		Key:          bold(p.Accent),
		Keep:         plain(p.Keep),
		Drop:         plain(p.Drop),
		Fresh:        plain(p.Fresh),
		FreshStrong:  bold(p.Fresh),
		Match:        fore(ansi.Style{}.Underline(true), p.Fresh),
		Kept:         fore(ansi.Style{}.Underline(true), p.Keep),
		Bad:          bold(p.Drop),
		Blocked:      bold(p.Drop),
		Warn:         plain(p.Fresh),
		Good:         plain(p.Keep),
		Rule:         plain(p.Line),
		RuleFocused:  plain(p.Accent),
		Title:        plain(p.Muted),
		TitleFocused: bold(p.Accent),
		Brand:        fore(on(strong(p.Onto), p.Accent), p.Onto),
		selection:    parameters(on(ansi.Style{}, p.Selection)),
		typed:        p,
	}
}
