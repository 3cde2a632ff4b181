package term

import (
	"bytes"

	uv "github.com/charmbracelet/ultraviolet"
)

// The emulator moves every cell of the screen for every line that scrolls by,
// which is most of its work. Lines that do nothing but scroll by are therefore
// printed on a strip, a second emulator two rows high that begins with the last
// two rows of the screen, and put in their places afterwards.

const (
	// stripBytes is how much is printed on the strip at a time.
	stripBytes = 4 << 10
	// stripLines is how many lines make it worth while to fetch the strip.
	stripLines = 6
	// stripScrollback is more than the lines that stripBytes can make.
	stripScrollback = 2 * stripBytes
)

// rolling tells whether lines would do nothing but scroll by, if the cursor
// were at the start of the last row.
func (m *machine) rolling() bool {
	return m.h > 2 && !m.tabs && !m.newline && !m.insert && !m.drawing() && m.modes[modeWrap] &&
		!m.emu.IsAltScreen() && !m.region[0]
}

// roll prints the lines at the start of p by means of the strip and returns
// how many bytes those were; 0 if it isn't possible or not worth while.
func (m *machine) roll(p []byte) int {
	if len(m.rune) > 0 || !m.rolling() {
		return 0
	}
	if at := m.cursor(); at.X != 0 || at.Y != m.h-1 {
		return 0
	}
	p = p[:min(len(p), stripBytes)]
	p = p[:bytes.LastIndex(p[:scanLines(p)], []byte("\r\n"))+1]
	if bytes.Count(p, []byte("\r")) < stripLines {
		return 0
	}
	p = p[:len(p)+1] // the last line feed, too

	s := m.fetchStrip()
	for n := 0; n < len(p); {
		n += s.feed(p[n:])
	}
	m.paste(s)
	m.cost += budget
	return len(p)
}

// fetchStrip returns the strip with the last two rows, the cursor and the pen
// of the screen.
func (m *machine) fetchStrip() *machine {
	if m.strip == nil || m.strip.w != m.w {
		m.strip = newMachine(m.w, 2, func([]byte) {})
		m.strip.emu.SetScrollbackSize(stripScrollback)
	}
	s := m.strip
	s.emu.ClearScrollback()
	s.restore(m.cells(0, m.h-2), 0, 0)
	s.restore(m.cells(0, m.h-1), 0, 1)
	s.move(0, 1)
	s.setPen(m.pen())
	return s
}

// paste takes over what was printed on the strip: its first rows push rows of
// the screen into the scrollback, its last ones become the screen.
func (m *machine) paste(s *machine) {
	rolled := s.emu.Scrollback().Lines()
	above := m.h - 2 // rows of the screen that aren't on the strip
	for i := range rolled {
		if i < above {
			m.emu.Scrollback().Push(m.cells(0, i))
		} else {
			m.emu.Scrollback().Push(rolled[i-above])
		}
	}
	for y := range above {
		if from := y + len(rolled); from < above {
			m.restore(m.cells(0, from), 0, y)
		} else {
			m.restoreTrimmed(rolled[from-above], y)
		}
	}
	m.restore(s.cells(0, 0), 0, m.h-2)
	m.restore(s.cells(0, 1), 0, m.h-1)
	m.move(0, m.h-1)
	m.setPen(s.pen())
	m.last = s.last
}

// restoreTrimmed writes a line of a scrollback, where what is blank at the end
// was left out, and with it the second half of a wide character.
func (m *machine) restoreTrimmed(line uv.Line, y int) {
	m.restore(line, 0, y)
	for x := len(line); x < m.w; x++ {
		*m.emu.CellAt(x, y) = uv.EmptyCell
	}
	if n := len(line); n > 0 && n < m.w && line[n-1].Width == 2 {
		*m.emu.CellAt(n, y) = uv.Cell{}
	}
}

// pen returns the style that is printed in, which the emulator shows only by
// printing. The cursor is at the start of a row.
func (m *machine) pen() uv.Style {
	y := m.cursor().Y
	row := m.cells(0, y)
	m.rawString("x")
	style := m.emu.CellAt(0, y).Style
	m.restore(row, 0, y)
	m.move(0, y)
	return style
}

func (m *machine) setPen(style uv.Style) { m.rawString("\x1b[m" + style.String()) }
