package look

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"regexp"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// A cell of an SVG picture, in its units: those of a font of 14 points.
const (
	svgCell   = 8.4
	svgLine   = 18
	svgMargin = 12
)

// SVG draws styled lines of w cells as a picture, for where a terminal isn't:
// text stays text, so that it can be searched and copied. What has no colour of
// its own has the one that stands out from the background.
func SVG(lines []string, w int, dark bool) []byte {
	paper, ink := paperOf(dark)
	width, height := float64(w)*svgCell+2*svgMargin, len(lines)*svgLine+2*svgMargin
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0[1]f %d" font-family="JetBrains Mono, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">`+"\n", width, height, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="%s"/>`+"\n", paper)
	cells := uv.NewScreenBuffer(max(w, 1), max(len(lines), 1))
	uv.NewStyledString(strings.Join(lines, "\n")).Draw(cells, cells.Bounds())
	for y := range lines {
		for x := 0; x < w; {
			style, text, n := run(cells, x, y, w)
			fore, back := hex(style.Fg, ink), hex(style.Bg, "")
			if style.Attrs&uv.AttrReverse != 0 {
				fore, back = hex(style.Bg, paper), hex(style.Fg, ink)
			}
			left, top, wide := svgMargin+float64(x)*svgCell, svgMargin+y*svgLine, float64(n)*svgCell
			if back != "" {
				fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, wide, svgLine, back)
			}
			for _, at := range words.FindAllStringIndex(text, -1) {
				word := text[at[0]:at[1]]
				fmt.Fprintf(&b, `<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s>`, left+svgCell*float64(Width(text[:at[0]])), top+svgLine-5, svgCell*float64(Width(word)), fore, emphasis(style))
				_ = xml.EscapeText(&b, []byte(word)) // a buffer takes everything
				b.WriteString("</text>\n")
			}
			x += n
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// words are what is drawn as one text each. Viewers make one space of several,
// or of those at an edge none, and would stretch what is left over the cells.
var words = regexp.MustCompile(`[^ ]+( [^ ]+)*`)

// run returns the cells from x on that have one style, and how many they are.
func run(cells uv.ScreenBuffer, x, y, w int) (style uv.Style, text string, n int) {
	for ; x+n < w; n++ {
		cell := cells.CellAt(x+n, y)
		if cell == nil {
			break
		}
		if n == 0 {
			style = cell.Style
		} else if cell.Width > 0 && !cell.Style.Equal(&style) { // else it belongs to a wide character
			break
		}
		text += cell.Content
	}
	return style, text, max(n, 1)
}

func emphasis(s uv.Style) (attributes string) {
	if s.Attrs&uv.AttrBold != 0 {
		attributes += ` font-weight="bold"`
	}
	if s.Attrs&uv.AttrFaint != 0 {
		attributes += ` opacity="0.6"`
	}
	if s.Underline != 0 {
		attributes += ` text-decoration="underline"`
	}
	return attributes
}

func hex(c color.Color, none string) string {
	if c == nil {
		return none
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
