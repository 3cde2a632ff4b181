package term

import (
	"strconv"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// machine is the emulator with the parser in front of it. It is not safe for
// use by several goroutines.
//
// The emulator's own parser gets text and sequences that were judged here. It
// answers into a pipe that nobody reads and would hang there, so no sequence
// that it answers to is handed on: replies come from here.
type machine struct {
	emu   *vt.Emulator
	w, h  int
	reply func([]byte)

	parser
	modes    map[int]bool // the private modes that are set
	insert   bool         // IRM: text shifts what is right of it
	sets     [2]byte      // the character sets of G0 and G1
	shifted  bool         // G1 is in use
	last     rune         // what REP repeats
	region   [2]bool      // main and alternate screen have a scroll region
	newline  bool         // LNM: a line feed returns the carriage
	tabs     bool         // the tab stops aren't the usual ones
	strip    *machine     // see strip.go
	altLines int          // lines that may have gone to the hidden scrollback
	cost     int          // of what was fed since the lock was taken
	scratch  []byte
	typing   typing
}

func newMachine(w, h int, reply func([]byte)) *machine {
	m := &machine{w: w, h: h, reply: reply}
	m.rebuild()
	return m
}

// rebuild starts over with a new emulator.
func (m *machine) rebuild() {
	m.emu = vt.NewEmulator(m.w, m.h)
	m.emu.SetScrollbackSize(scrollback)
	m.parser = parser{}
	m.strip = nil
	m.typing = typing{entered: m.typing.entered}
	m.defaults()
}

// defaults sets what a reset of the terminal sets.
func (m *machine) defaults() {
	m.modes = map[int]bool{modeWrap: true, modeCursor: true}
	m.insert, m.shifted, m.sets = false, false, [2]byte{}
	m.newline, m.tabs = false, false
	m.last = 0
	m.region = [2]bool{}
	m.altLines = 0
}

// guard calls do. When the emulator panics, which it has done on sequences
// that nobody had thought of, a new one takes its place: an empty screen is
// better than a dead program and a bridge that is left as it was changed.
func (m *machine) guard(do func()) {
	defer func() {
		if recover() != nil {
			m.rebuild()
		}
	}()
	do()
}

func (m *machine) cursor() uv.Position {
	p := m.emu.CursorPosition()
	p.X = min(max(p.X, 0), m.w-1)
	p.Y = min(max(p.Y, 0), m.h-1)
	return p
}

// move puts the cursor at a cell of the screen, whatever the origin mode. It
// forgets that a line was full and about to wrap.
func (m *machine) move(x, y int) { m.send('f', y+1, x+1) }

// send hands a control sequence to the emulator.
func (m *machine) send(final byte, params ...int) {
	b := append(m.scratch[:0], "\x1b["...)
	for i, p := range params {
		if i > 0 {
			b = append(b, ';')
		}
		b = strconv.AppendInt(b, int64(p), 10)
	}
	b = append(b, final)
	m.scratch = b
	m.raw(b)
}

func (m *machine) raw(b []byte) {
	_, _ = m.emu.Write(b) // fails only on a closed emulator; this one is never closed
}

func (m *machine) rawString(s string) { m.raw([]byte(s)) }

// resize sets the size. The emulator drops rows at the bottom, where a shell
// has its prompt, so rows at the top are scrolled out first.
func (m *machine) resize(w, h int) {
	if p := m.cursor(); p.Y >= h && !m.emu.IsAltScreen() {
		m.rawString("\x1b[r")
		m.send('S', p.Y-h+1)
		m.move(p.X, h-1)
	}
	m.emu.Resize(w, h)
	m.w, m.h = w, h
	m.tabs = false
	m.region = [2]bool{}
	p := m.cursor()
	m.move(p.X, p.Y)
}

// alt is the index of the screen in use.
func (m *machine) alt() int {
	if m.emu.IsAltScreen() {
		return 1
	}
	return 0
}

// rowAt returns the cells of a row.
func (m *machine) rowAt(y int) func(x int) *uv.Cell {
	return func(x int) *uv.Cell { return m.emu.CellAt(x, y) }
}

// cells copies a row from x on.
func (m *machine) cells(x, y int) []uv.Cell {
	row := make([]uv.Cell, 0, m.w-x)
	for ; x < m.w; x++ {
		row = append(row, *m.emu.CellAt(x, y))
	}
	return row
}

// restore writes cells back to where they came from.
func (m *machine) restore(row []uv.Cell, x, y int) {
	for i := range row {
		*m.emu.CellAt(x+i, y) = row[i]
	}
}

// trimAlt empties the scrollback that the emulator keeps for the alternate
// screen, which nobody can look at and whose size can't be set: 10,000 lines.
// The sequence that does it clears the screen, too.
func (m *machine) trimAlt(lines int) {
	const most = 250
	if !m.emu.IsAltScreen() {
		return
	}
	if m.altLines += lines; m.altLines < most {
		return
	}
	m.altLines = 0
	rows := make([][]uv.Cell, m.h)
	for y := range rows {
		rows[y] = m.cells(0, y)
	}
	m.send('J', 3)
	for y := range rows {
		m.restore(rows[y], 0, y)
	}
}
