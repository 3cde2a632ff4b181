package term

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// ascii prints a run of plain bytes.
func (m *machine) ascii(run []byte) {
	if end := bytes.IndexByte(run, '\n'); end >= 0 && !m.typing.pressed.IsZero() {
		m.ascii(run[:end])
		m.lineFeed()
		run = run[end:]
	}
	if m.emu.IsAltScreen() {
		m.trimAlt(bytes.Count(run, []byte{'\n'}) + len(run)/m.w)
	}
	if m.insert || m.drawing() {
		for _, b := range run {
			m.asciiSlow(b)
		}
		return
	}
	m.raw(run)
	for i := len(run) - 1; i >= 0; i-- {
		if run[i] >= ' ' {
			m.last = rune(run[i])
			return
		}
	}
}

// asciiSlow prints a byte in insert mode or in the line drawing set.
func (m *machine) asciiSlow(b byte) {
	if b < ' ' {
		m.raw([]byte{b})
		return
	}
	r := rune(b)
	if s := vt.SpecialDrawing[b]; s != "" && m.drawing() {
		r, _ = utf8.DecodeRuneInString(s)
	}
	m.put(r, 1)
}

// drawing tells whether letters stand for lines and corners. The emulator
// knows the set, but not the characters that shift into it.
func (m *machine) drawing() bool {
	if m.shifted {
		return m.sets[1] == '0'
	}
	return m.sets[0] == '0'
}

// text prints characters beyond ASCII from the start of p and returns how many
// bytes it took.
func (m *machine) text(p []byte) int {
	n, run := 0, 0
	for n < len(p) && p[n] >= utf8.RuneSelf && m.cost < budget {
		r, size := utf8.DecodeRune(p[n:])
		m.cost += 4
		if simple(r) && !m.insert {
			m.last = r
			n += size
			continue
		}
		m.raw(p[run:n])
		if size == 1 { // broken, or not all there yet
			m.rune = append(m.rune[:0], p[n])
			return n + 1
		}
		n += size
		run = n
		m.print1(r)
	}
	m.raw(p[run:n])
	m.trimAlt(1 + n/m.w)
	return n
}

// finishRune goes on with a character that isn't complete.
func (m *machine) finishRune(p []byte) int {
	n := 0
	for n < len(p) && !utf8.FullRune(m.rune) && !utf8.RuneStart(p[n]) {
		m.rune = append(m.rune, p[n])
		n++
	}
	m.cost += 4
	if n == len(p) && !utf8.FullRune(m.rune) {
		return n
	}
	r, _ := utf8.DecodeRune(m.rune) // the replacement character if it never ended
	m.rune = m.rune[:0]
	m.print1(r)
	return n
}

// narrow is false where the user has told the libraries, by an environment
// variable, that characters of doubtful width take two cells.
var narrow = ansi.StringWidth("─") == 1

// simple tells whether r is one cell wide and never joins its neighbours, so
// that a run of such characters can be handed on as it is.
func simple(r rune) bool {
	return narrow && isSimpleRange(r)
}

func isSimpleRange(r rune) bool {
	return r >= 0xa1 && r < 0x300 && r != 0xad && r != 0xa9 && r != 0xae || // Latin
		r >= 0x370 && r < 0x483 || // Greek, Cyrillic
		r >= 0x2500 && r < 0x25a0 // lines and blocks
}

// print1 prints a character of any kind. Each has its cells to itself, as for
// wcwidth(3), by which the programs in the instance count: clusters of emoji
// are not joined. Marks go onto the character before them. What formats,
// reorders or joins text is dropped.
func (m *machine) print1(r rune) {
	if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector) {
		return
	}
	switch ansi.StringWidth(string(r)) {
	case 0:
		m.combine(r)
	case 2:
		m.wide(r)
	default:
		m.put(r, 1)
	}
}

// put hands on a character of that width.
func (m *machine) put(r rune, width int) {
	if m.insert {
		m.shift(width)
	}
	var b [utf8.UTFMax]byte
	m.raw(b[:utf8.EncodeRune(b[:], r)])
	m.last = r
}

// combine puts a mark onto the character before the cursor, which the emulator
// would lose.
func (m *machine) combine(r rune) {
	const most = 32 // bytes in a cell
	p := m.cursor()
	x := p.X - 1
	if c := m.emu.CellAt(m.w-1, p.Y); p.X == m.w-1 && !c.Equal(&uv.EmptyCell) {
		x = p.X // the line is full and about to wrap
	}
	if x > 0 && m.emu.CellAt(x, p.Y).Width == 0 {
		x--
	}
	if x < 0 {
		return
	}
	c := m.emu.CellAt(x, p.Y)
	if s := c.Content + string(r); len(s) <= most && ansi.StringWidth(s) == c.Width {
		c.Content = s
	}
}

// wide prints a character of two cells. At the right edge the emulator loses
// it, or lets the next one overwrite it: it doesn't know that the line is full
// then. It learns that when something narrow is printed in the last cell, and
// what belongs there is put back afterwards.
func (m *machine) wide(r rune) {
	wrap := m.modes[modeWrap]
	p := m.cursor()
	if p.X == m.w-1 {
		if !wrap {
			return
		}
		m.fill(p.Y)
	}
	m.put(r, 2)
	p = m.cursor()
	if wrap && p.X == m.w-1 && m.emu.CellAt(m.w-2, p.Y).Width == 2 {
		m.fill(p.Y)
	}
}

// fill makes the emulator think that a line was printed up to its end, and
// leaves the cells as they are.
func (m *machine) fill(y int) {
	x := m.w - 2 // a wide character may end the line
	row := m.cells(x, y)
	m.move(m.w-1, y)
	m.rawString("x")
	m.restore(row, x, y)
}

// shift moves the cells from the cursor on to the right by n, or to the left
// if n is negative. The emulator's own way tears wide characters apart;
// here only one that loses a half does, which is drawn as a blank.
func (m *machine) shift(n int) {
	p := m.cursor()
	row := m.cells(p.X, p.Y)
	m.send('K', 0) // blanks in the colour of the pen
	n = min(max(n, -len(row)), len(row))
	to := p.X + max(n, 0)
	row = row[max(-n, 0) : len(row)-max(n, 0)]
	m.restore(row, to, p.Y)
}
