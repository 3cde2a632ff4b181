package term

import (
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// view is what of the terminal is seen.
type view struct {
	// back is how many lines the view is scrolled back; 0 is the live screen.
	back int
	// held is scrollback and screen as they were when scrolling back began.
	// Output that comes in meanwhile doesn't move what is being read.
	held []uv.Line
	sel  *selection
}

// selection is a range of cells from one to another, both included, in
// reading order.
type selection struct{ x0, y0, x1, y1 int }

// span returns the selected columns of a row of width w, from and up to.
func (s *selection) span(y, w int) (from, to int) {
	if s == nil || y < s.y0 || y > s.y1 {
		return 0, 0
	}
	from, to = 0, w
	if y == s.y0 {
		from = min(max(s.x0, 0), w)
	}
	if y == s.y1 {
		to = min(max(s.x1+1, 0), w)
	}
	return from, max(from, to)
}

// row returns the cells of a row of the held view.
func (v *view) row(y, h int) func(x int) *uv.Cell {
	i := len(v.held) - h - v.back + y
	if i < 0 || i >= len(v.held) {
		return func(int) *uv.Cell { return nil }
	}
	return v.held[i].At
}

// Scroll moves the view by that many lines: back if positive, forth if
// negative. At the bottom the view is live again. A full-screen program has
// nothing to scroll back to.
func (s *Screen) Scroll(lines int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view.back == 0 {
		if lines <= 0 || s.m.emu.IsAltScreen() {
			return
		}
		s.view.held = s.m.history()
	}
	s.view.back = min(max(s.view.back+lines, 0), max(len(s.view.held)-s.m.h, 0))
	if s.view.back == 0 {
		s.view.held = nil
	}
	s.touch()
}

// ScrollToBottom makes the view live.
func (s *Screen) ScrollToBottom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bottom()
}

func (s *Screen) bottom() {
	if s.view.back > 0 {
		s.view.back, s.view.held = 0, nil
		s.touch()
	}
}

// history copies scrollback and screen. Lines in the scrollback are never
// changed any more, so those are shared.
func (m *machine) history() []uv.Line {
	old := m.emu.Scrollback().Lines()
	lines := make([]uv.Line, 0, len(old)+m.h)
	lines = append(lines, old...)
	for y := range m.h {
		lines = append(lines, m.cells(0, y))
	}
	return lines
}

// Select marks the cells from one to another, in either order.
func (s *Screen) Select(x0, y0, x1, y1 int) {
	if y1 < y0 || y1 == y0 && x1 < x0 {
		x0, y0, x1, y1 = x1, y1, x0, y0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view.sel = &selection{x0, y0, x1, y1}
	s.touch()
}

// ClearSelection marks nothing.
func (s *Screen) ClearSelection() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view.sel != nil {
		s.view.sel = nil
		s.touch()
	}
}

// Selected is the marked text, without blanks at the ends of lines.
func (s *Screen) Selected() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sel := s.view.sel
	if sel == nil {
		return ""
	}
	var rows []string
	for y := max(sel.y0, 0); y <= min(sel.y1, s.m.h-1); y++ {
		from, to := sel.span(y, s.m.w)
		rows = append(rows, strings.TrimRight(plain(s.row(y), from, to), " "))
	}
	return strings.Join(rows, "\n")
}

func (s *Screen) line(y int) string {
	from, to := s.view.sel.span(y, s.m.w)
	line, simple := draw(s.row(y), s.m.w, from, to, false)
	if !simple && !fits(line, s.m.w) {
		// Characters in neighbouring cells would join, or not all agree on how
		// wide one is.
		line, _ = draw(s.row(y), s.m.w, from, to, true)
	}
	return line
}

// fits tells whether text is w cells wide for terminals that count by character
// and for those that count by cluster.
func fits(text string, w int) bool {
	return ansi.StringWidth(text) == w && ansi.StringWidthWc(text) == w
}

// draw turns a row of w cells into a line, with the columns from and up to in
// reverse. simple tells that it holds only characters whose width is beyond
// doubt. Apart, no character can join its neighbour: a sequence stands between
// them.
func draw(row func(x int) *uv.Cell, w, from, to int, apart bool) (line string, simple bool) {
	var b strings.Builder
	b.Grow(w + w/2)
	var pen uv.Style
	simple = true
	for x := 0; x < w; {
		text, width, style := cellAt(row, x, w)
		if x >= from && x < to {
			style.Attrs ^= uv.AttrReverse
		}
		sure := isSimple(text)
		simple = simple && sure
		if apart && !sure {
			if !fits(text, width) {
				text = "\ufffd" + strings.Repeat(" ", width-1)
			}
			b.WriteString(ansi.ResetStyle)
			pen = uv.Style{}
		}
		if style != pen {
			b.WriteString(style.Diff(&pen))
			pen = style
		}
		b.WriteString(text)
		x += width
	}
	b.WriteString(ansi.ResetStyle)
	return b.String(), simple
}

// isSimple tells whether text is one ASCII character or one that is simple.
func isSimple(text string) bool {
	if len(text) == 1 {
		return true
	}
	r, size := utf8.DecodeRuneInString(text)
	return size == len(text) && simple(r)
}

// cellAt returns what to draw at x: a blank where there is no cell, or only
// one half of a wide one.
func cellAt(row func(x int) *uv.Cell, x, w int) (text string, width int, style uv.Style) {
	c := row(x)
	if c == nil {
		return " ", 1, style
	}
	if c.Content == "" || c.Width < 1 || x+c.Width > w {
		return " ", 1, c.Style
	}
	return c.Content, c.Width, c.Style
}

// plain is the text of the columns from and up to.
func plain(row func(x int) *uv.Cell, from, to int) string {
	var b strings.Builder
	for x := from; x < to; {
		text, width, _ := cellAt(row, x, to)
		b.WriteString(text)
		x += width
	}
	return b.String()
}
