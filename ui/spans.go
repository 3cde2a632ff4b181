package ui

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// line is a line of the screen in the making: styled pieces side by side. A
// style's end would also end a background around it, so the background is
// given to each piece.
type line struct {
	b          strings.Builder
	w          int
	background color.Color
}

func (l *line) add(s lipgloss.Style, text string) *line {
	if text == "" {
		return l
	}
	if l.background != nil {
		s = s.Background(l.background)
	}
	l.b.WriteString(s.Render(text))
	l.w += width(text)
	return l
}

// join puts another line behind this one.
func (l *line) join(o *line) *line {
	l.b.WriteString(o.b.String())
	l.w += o.w
	return l
}

// pad fills up to the given column with spaces.
func (l *line) pad(to int) *line {
	if n := to - l.w; n > 0 {
		l.add(lipgloss.NewStyle(), strings.Repeat(" ", n))
	}
	return l
}

// cell adds a text cut or filled to exactly w cells.
func (l *line) cell(s lipgloss.Style, text string, w int, right bool) *line {
	text = ansi.Truncate(text, w, "…")
	blank := max(0, w-width(text))
	if right {
		return l.pad(l.w+blank).add(s, text)
	}
	return l.add(s, text).pad(l.w + blank)
}

// cut returns the line cut or filled to exactly w cells.
func (l *line) cut(w int) string { return fit(l.b.String(), w) }

func (l *line) String() string { return l.b.String() }

// fit cuts or fills a styled text to exactly w cells.
func fit(s string, w int) string {
	s = ansi.Truncate(s, w, "…")
	if n := w - width(s); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}

// overlay puts the lines of a box over a screen of w cells, at (x, y).
func overlay(screen, box []string, x, y, w int) {
	for i, b := range box {
		if y+i >= len(screen) {
			return
		}
		under := screen[y+i]
		bw := width(b)
		screen[y+i] = fit(ansi.Truncate(under, x, ""), x) + b + ansi.TruncateLeft(fit(under, w), x+bw, "")
	}
}

// width is how many cells a styled text takes.
func width(s string) int { return ansi.StringWidth(s) }
