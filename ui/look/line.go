package look

import (
	"image/color"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Line is a line of the screen in the making: styled pieces side by side. The
// zero Line is an empty one. A style's end would also end a background around
// it, so the background is given to each piece.
type Line struct {
	b          strings.Builder
	w          int
	background color.Color
}

// Add puts a text behind what is there.
func (l *Line) Add(s Style, text string) *Line {
	if text == "" {
		return l
	}
	if l.background != nil {
		s.s = s.s.Background(l.background)
	}
	l.b.WriteString(s.Render(text))
	l.w += Width(text)
	return l
}

// Raw puts a text that is styled already behind what is there.
func (l *Line) Raw(styled string) *Line {
	l.b.WriteString(styled)
	l.w += Width(styled)
	return l
}

// Join puts another line behind this one.
func (l *Line) Join(o *Line) *Line {
	l.b.WriteString(o.b.String())
	l.w += o.w
	return l
}

// Select gives what is added from now on the background of what is selected.
func (l *Line) Select(s *Styles) *Line {
	l.background = s.selection
	return l
}

// Pad fills up to the given column with spaces.
func (l *Line) Pad(to int) *Line {
	if n := to - l.w; n > 0 {
		l.Add(Style{}, strings.Repeat(" ", n))
	}
	return l
}

// Cell adds a text cut or filled to exactly w cells, at the left of them or
// at the right.
func (l *Line) Cell(s Style, text string, w int, right bool) *Line {
	text = ansi.Truncate(text, w, "…")
	blank := max(0, w-Width(text))
	if right {
		return l.Pad(l.w+blank).Add(s, text)
	}
	return l.Add(s, text).Pad(l.w + blank)
}

// Width returns how many cells the line takes.
func (l *Line) Width() int { return l.w }

// Cut returns the line cut or filled to exactly w cells.
func (l *Line) Cut(w int) string { return Fit(l.b.String(), w) }

// String returns the line as it is.
func (l *Line) String() string { return l.b.String() }

// Fit cuts or fills a styled text to exactly w cells.
func Fit(s string, w int) string {
	s = ansi.Truncate(s, w, "…")
	if n := w - Width(s); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}

// Overlay puts the lines of a box over a screen of w cells, at (x, y).
func Overlay(screen, box []string, x, y, w int) {
	for i, b := range box {
		if y+i >= len(screen) {
			return
		}
		under := screen[y+i]
		bw := Width(b)
		screen[y+i] = Fit(ansi.Truncate(under, x, ""), x) + b + ansi.TruncateLeft(Fit(under, w), x+bw, "")
	}
}

// Faint returns a styled line as one that stands behind another thing.
func Faint(s *Styles, styled string) string { return s.Rule.Render(ansi.Strip(styled)) }

// Width returns how many cells a styled text takes.
func Width(s string) int { return ansi.StringWidth(s) }
