package ui

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// styles are the program's looks, by what they mean. They are made anew when
// the terminal tells whether it is light or dark. Bubble Tea itself brings
// the colours down to what the terminal can show, and to none for NO_COLOR;
// no meaning rests on a colour alone.
type styles struct {
	text, muted, strong, key lipgloss.Style
	keep, drop, fresh        lipgloss.Style
	match                    lipgloss.Style
	bad, warn, good          lipgloss.Style
	rule, ruleFocused        lipgloss.Style // a pane's title line
	title, titleFocused      lipgloss.Style
	brand                    lipgloss.Style
	selection                color.Color // the background of the row under the cursor
}

func newStyles(dark bool) styles {
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
	s := lipgloss.NewStyle()
	return styles{
		text:         s.Foreground(text),
		muted:        s.Foreground(muted),
		strong:       s.Foreground(text).Bold(true),
		key:          s.Foreground(accent).Bold(true),
		keep:         s.Foreground(green),
		drop:         s.Foreground(red),
		fresh:        s.Foreground(yellow),
		match:        s.Foreground(yellow).Underline(true),
		bad:          s.Foreground(red).Bold(true),
		warn:         s.Foreground(yellow),
		good:         s.Foreground(green),
		rule:         s.Foreground(line),
		ruleFocused:  s.Foreground(accent),
		title:        s.Foreground(muted),
		titleFocused: s.Foreground(accent).Bold(true),
		brand:        s.Foreground(onto).Background(accent).Bold(true),
		selection:    cursor,
	}
}
