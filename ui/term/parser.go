package term

import "unicode/utf8"

// state is where in the stream the parser is.
type state uint8

const (
	ground    state = iota
	escape          // after ESC
	skipOne         // in an escape sequence of which nothing is wanted
	charset0        // after ESC (
	charset1        // after ESC )
	control         // in a control sequence, after ESC [
	command         // in an operating system command, after ESC ]; none is wanted
	ignored         // in a device control or other string
	maxParams = 128 // bytes of a control sequence; a longer one is dropped
)

// parser is the state of the stream between two feeds.
type parser struct {
	state state
	seq   []byte // what was collected of a sequence
	rune  []byte // what was collected of a character
}

const (
	bel = 0x07
	so  = 0x0e
	si  = 0x0f
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
)

// budget is how much work is done under one lock: about as much as 4 kB of
// text, which is a millisecond.
const budget = 4 << 10

// feed takes output until it is used up or the budget is, and returns how much
// it took.
func (m *machine) feed(p []byte) int {
	m.cost = 0
	n := 0
	for n < len(p) && m.cost < budget {
		if m.state != ground {
			m.sequence(p[n])
			n++
			m.cost++
			continue
		}
		taken := m.roll(p[n:])
		if taken == 0 {
			taken = m.ground(p[n:])
		}
		n += taken
	}
	return n
}

// ground takes a run of text or one control character.
func (m *machine) ground(p []byte) int {
	if len(m.rune) > 0 {
		return m.finishRune(p)
	}
	// A line feed at the bottom moves every cell of the screen.
	line := 1 + m.w*m.h/64
	rolling := m.rolling() // the strip may take over after a line
	n := 0
	for n < len(p) && m.cost < budget && isPlain(p[n]) {
		if p[n] == '\n' {
			m.cost += line
		}
		m.cost++
		n++
		if rolling && p[n-1] == '\n' {
			break
		}
	}
	switch b := p[0]; {
	case n > 0:
		m.ascii(p[:n])
		return n
	case b >= utf8.RuneSelf:
		return m.text(p)
	case b == esc:
		m.state, m.seq = escape, m.seq[:0]
	case b == so || b == si:
		m.shifted = b == so
	case b == '\v' || b == '\f':
		m.ascii([]byte{'\n'})
		m.cost += line
	}
	m.cost++
	return 1
}

// isPlain tells whether b can be handed on among text as it is.
func isPlain(b byte) bool {
	return b >= ' ' && b < del || b == '\n' || b == '\r' || b == '\t' || b == '\b'
}

// sequence takes a byte within a sequence.
func (m *machine) sequence(b byte) {
	switch {
	case b == can || b == sub:
		m.state = ground
		return
	case b == esc:
		m.state, m.seq = escape, m.seq[:0]
		return
	case b < ' ' && m.state < command:
		// Control characters within a sequence are carried out.
		was := m.state
		m.state = ground
		m.ground([]byte{b})
		m.state = was
		return
	}
	switch m.state {
	case escape:
		m.escape(b)
	case charset0, charset1:
		m.sets[m.state-charset0] = b
		m.state = ground
	case skipOne:
		if b >= '0' {
			m.state = ground
		}
	case control:
		m.seq = append(m.seq, b)
		switch {
		case b >= '@':
			m.state = ground
			m.csi(m.seq)
		case len(m.seq) > maxParams:
			m.seq = m.seq[:maxParams]
		}
	case command:
		if b == bel {
			m.state = ground
		}
	}
}

// escape takes the byte after ESC.
func (m *machine) escape(b byte) {
	m.state = ground
	switch b {
	case '[':
		m.state = control
	case ']':
		m.state = command
	case 'P', 'X', '^', '_':
		m.state = ignored
	case '(':
		m.state = charset0
	case ')':
		m.state = charset1
	case '7', 'D', 'H':
		m.tabs = m.tabs || b == 'H'
		m.raw([]byte{esc, b})
		m.trimAlt(1)
		m.cost += m.w * m.h / 64
	case 'M':
		m.rawString("\x1bM")
		m.cost += m.w * m.h / 64
	case '8':
		m.rawString("\x1b8")
		m.holdCursor()
	case 'E':
		m.ascii([]byte("\r\n"))
	case 'c':
		m.rawString("\x1bc")
		m.defaults()
	default:
		if b < '0' {
			m.state = skipOne
		}
	}
}

// holdCursor brings the cursor back onto the screen after it was restored: it may
// have been saved on a larger one.
func (m *machine) holdCursor() {
	p := m.cursor()
	m.move(p.X, p.Y)
}
