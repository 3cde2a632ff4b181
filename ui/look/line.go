package look

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Line is a line of the screen in the making: styled pieces side by side. The
// zero Line is an empty one. A style's end would also end a background around
// it, so the background is given to each piece.
type Line struct {
	b          []byte
	w          int
	background string // SGR parameters
}

// Reset empties the line and keeps its room, for the next one.
func (l *Line) Reset() *Line {
	l.b, l.w, l.background = l.b[:0], 0, ""
	return l
}

// Add puts a text behind what is there.
func (l *Line) Add(s Style, text string) *Line { return add(l, s, text, Width(text)) }

// reversed is the background of what is selected where a theme has none.
const reversed = "7"

// add is Add for a text whose width is known.
func add[T string | []byte](l *Line, s Style, text T, w int) *Line {
	if len(text) == 0 {
		return l
	}
	l.w += w
	if l.background == reversed {
		s = Style{} // each colour would be a patch of its own
	}
	if s.sgr == "" && l.background == "" {
		l.b = append(l.b, text...)
		return l
	}
	l.b = append(l.b, "\x1b["...)
	l.b = append(l.b, s.sgr...)
	if s.sgr != "" && l.background != "" {
		l.b = append(l.b, ';')
	}
	l.b = append(l.b, l.background...)
	l.b = append(l.b, 'm')
	l.b = append(l.b, text...)
	l.b = append(l.b, "\x1b[m"...)
	return l
}

// Raw puts a text that is styled already behind what is there.
func (l *Line) Raw(styled string) *Line {
	l.b = append(l.b, styled...)
	l.w += Width(styled)
	return l
}

// Another returns an empty line on the same background.
func (l *Line) Another() *Line { return &Line{background: l.background} }

// Join puts another line behind this one.
func (l *Line) Join(o *Line) *Line {
	l.b = append(l.b, o.b...)
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
		add(l, Style{}, spaces(n), n)
	}
	return l
}

// Cell adds a text cut or filled to exactly w cells, at the left of them or
// at the right.
func (l *Line) Cell(s Style, text string, w int, right bool) *Line { return cell(l, s, text, w, right) }

// CellOf is Cell for a text in bytes, which it doesn't keep.
func (l *Line) CellOf(s Style, text []byte, w int, right bool) *Line {
	return cell(l, s, text, w, right)
}

func cell[T string | []byte](l *Line, s Style, text T, w int, right bool) *Line {
	n, end := width(text), l.w+max(0, w)
	switch {
	case n > w && w > 0 && isPlain(text): // by far the most that are cut
		return add(add(l, s, text[:w-1], w-1), s, "…", 1)
	case n > w:
		text = T(ansi.Truncate(string(text), w, "…"))
		n = width(text)
	}
	if right {
		l.Pad(end - n)
	}
	return add(l, s, text, n).Pad(end)
}

// Width returns how many cells the line takes.
func (l *Line) Width() int { return l.w }

// Cut returns the line cut or filled to exactly w cells.
func (l *Line) Cut(w int) string {
	if l.w > w {
		return Fit(string(l.b), w)
	}
	l.b = append(l.b, spaces(w-l.w)...)
	l.w = w
	return string(l.b)
}

// String returns the line as it is.
func (l *Line) String() string { return string(l.b) }

// Fit cuts or fills a styled text to exactly w cells.
func Fit(s string, w int) string {
	n := Width(s)
	if n > w {
		s = ansi.Truncate(s, w, "…")
		n = Width(s) // one less where a wide character didn't fit
	}
	if n < w {
		s += spaces(w - n)
	}
	return s
}

// blank is where spaces come from: a screen is seldom wider.
var blank = strings.Repeat(" ", 256)

func spaces(n int) string {
	if n <= len(blank) {
		return blank[:n]
	}
	return strings.Repeat(" ", n)
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

// Faint returns a styled line as one that stands behind another thing. There are
// sequences where it had some: those of a terminal pane keep characters apart
// that would join with their neighbours, over a box's border, too.
func Faint(s *Styles, styled string) string {
	begin, end, _ := strings.Cut(s.Rule.Render("x"), "x")
	return begin + styles.ReplaceAllString(styled, ansi.ResetStyle+begin) + end
}

var styles = regexp.MustCompile(`(\x1b\[[0-9;:]*m)+`)

// Width returns how many cells a styled text takes.
func Width(s string) int { return width(s) }

func width[T string | []byte](s T) int {
	if n, ok := simpleWidth(s); ok {
		return n
	}
	return ansi.StringWidth(string(s))
}

// simpleWidth returns how many cells a text takes that holds nothing but styles
// and characters that take one each and never join: nearly all that is drawn,
// for which looking for clusters costs more than drawing does.
func simpleWidth[T string | []byte](s T) (n int, ok bool) {
	for i := 0; i < len(s); {
		switch b := s[i]; {
		case b >= ' ' && b <= '~':
			n++
			i++
		case b == '\x1b' && i+1 < len(s) && s[i+1] == '[':
			for i += 2; i < len(s) && (s[i] >= '0' && s[i] <= ';'); {
				i++
			}
			if i == len(s) || s[i] != 'm' {
				return 0, false
			}
			i++
		case b >= 0xc2 && b < 0xe0 && i+1 < len(s) && s[i+1]>>6 == 2 && single[rune(b&0x1f)<<6|rune(s[i+1]&0x3f)]:
			n++
			i += 2
		case b == 0xe2 && i+2 < len(s) && s[i+1]>>6 == 2 && s[i+2]>>6 == 2 && single[0x2000|rune(s[i+1]&0x3f)<<6|rune(s[i+2]&0x3f)]:
			n++
			i += 3
		default:
			return 0, false
		}
	}
	return n, true
}

// single has the characters that the screen is made of: Latin letters, dashes
// and the ellipsis, raised numbers, arrows, lines and blocks, ticks and crosses.
var single = func() (is [0x3000]bool) {
	for _, part := range [][2]rune{{0xa1, 0x24f}, {0x2010, 0x2027}, {0x2070, 0x208e}, {0x2190, 0x2193}, {0x2500, 0x25ff}, {0x2713, 0x2713}, {0x2717, 0x2717}} {
		for r := part[0]; r <= part[1]; r++ {
			is[r] = ansi.StringWidth(string(r)) == 1
		}
	}
	return is
}()

// isPlain reports whether each byte is a cell.
func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
