// Package look is how the screen looks: styles, lines and boxes of cells, and
// the few words that stand in many places. It knows nothing of what is shown.
package look

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Style is how a piece of text looks. The zero Style adds nothing to it.
type Style struct {
	sgr string // the parameters of its escape sequence: "1;38;2;205;214;244"
}

func style(s ansi.Style) Style { return Style{parameters(s)} }

func parameters(s ansi.Style) string {
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
	Bad, Warn, Good          Style
	Blocked                  Style // a name that an enforced list refused
	Rule, RuleFocused        Style // a pane's title line
	Title, TitleFocused      Style
	Brand                    Style

	selection string // the background's parameters, see [Line.Select]
}

// NewStyles returns the looks for a dark background or a light one.
func NewStyles(dark bool) *Styles {
	pick := lipgloss.LightDark(dark)
	c := func(light, dark string) color.Color { return pick(lipgloss.Color(light), lipgloss.Color(dark)) }
	var (
		text   = c("#4c4f69", "#cdd6f4")
		muted  = c("#8c8fa1", "#7f849c")
		line   = c("#bcc0cc", "#45475a")
		accent = c("#1e66f5", "#89b4fa")
		green  = c("#2f7d20", "#a6e3a1")
		red    = c("#d70000", "#f38ba8")
		yellow = c("#a5670f", "#f9e2af")
		onto   = c("#ffffff", "#11111b")
		cursor = c("#dce0e8", "#313244")
	)
	plain := func(fore color.Color) Style { return style(ansi.Style{}.ForegroundColor(fore)) }
	bold := func(fore color.Color) Style { return style(ansi.Style{}.Bold().ForegroundColor(fore)) }
	return &Styles{
		Text:         plain(text),
		Muted:        plain(muted),
		Strong:       bold(text),
		Key:          bold(accent),
		Keep:         plain(green),
		Drop:         plain(red),
		Fresh:        plain(yellow),
		FreshStrong:  bold(yellow),
		Match:        style(ansi.Style{}.Underline(true).ForegroundColor(yellow)),
		Bad:          bold(red),
		Blocked:      bold(red),
		Warn:         plain(yellow),
		Good:         plain(green),
		Rule:         plain(line),
		RuleFocused:  plain(accent),
		Title:        plain(muted),
		TitleFocused: bold(accent),
		Brand:        style(ansi.Style{}.Bold().ForegroundColor(onto).BackgroundColor(accent)),
		selection:    parameters(ansi.Style{}.BackgroundColor(cursor)),
	}
}
