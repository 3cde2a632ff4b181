package term

import (
	"bytes"
	"fmt"
)

// The private modes that matter here. All others are ignored.
const (
	modeCursorKeys  = 1
	modeOrigin      = 6
	modeWrap        = 7
	modeMouseX10    = 9
	modeCursor      = 25
	modeAltOld      = 47
	modeMouseClick  = 1000
	modeMouseDrag   = 1002
	modeMouseMotion = 1003
	modeFocus       = 1004
	modeMouseSGR    = 1006
	modeAlt         = 1047
	modeSaveCursor  = 1048
	modeAltSave     = 1049
	modePaste       = 2004
)

// csi takes a control sequence: what follows ESC [, up to the final byte.
func (m *machine) csi(seq []byte) {
	final := seq[len(seq)-1]
	body := seq[:len(seq)-1]
	if len(seq) > maxParams {
		return
	}
	if final == 'm' {
		m.sgr(body)
		return
	}
	var prefix, inter byte
	if len(body) > 0 && body[0] >= '<' {
		prefix, body = body[0], body[1:]
	}
	if n := len(body); n > 0 && body[n-1] < '0' {
		inter, body = body[n-1], body[:n-1]
	}
	args, ok := parseArgs(body)
	if !ok {
		return
	}
	switch {
	case prefix == 0 && inter == 0:
		m.plainCSI(final, args)
	case prefix == '?' && inter == 0:
		m.privateCSI(final, args)
	case prefix == '>' && final == 'c' && args.at(0, 0) == 0:
		m.answer("\x1b[>1;10;0c")
	case prefix == '?' && inter == '$' && final == 'p':
		m.answer(fmt.Sprintf("\x1b[?%d;%d$y", args.at(0, 0), m.setting(args.at(0, 0))))
	case prefix == 0 && inter == '!' && final == 'p':
		m.softReset()
	}
}

// args are the numbers of a control sequence; -1 stands for one left out.
type args []int

// at returns argument i, or def if it is missing.
func (a args) at(i, def int) int {
	if i < len(a) && a[i] >= 0 {
		return a[i]
	}
	return def
}

// count returns the first argument as a number of things: at least 1, at most
// limit.
func (a args) count(limit int) int { return min(max(a.at(0, 1), 1), limit) }

// parseArgs reads numbers between semicolons. Large ones are cut to what is
// more than any screen has.
func parseArgs(body []byte) (args, bool) {
	const most = 9999
	a := args{-1}
	for _, b := range body {
		last := &a[len(a)-1]
		switch {
		case b >= '0' && b <= '9':
			*last = min(max(*last, 0)*10+int(b-'0'), most)
		case b == ';':
			a = append(a, -1)
		default:
			return nil, false
		}
	}
	return a, true
}

// sgr hands on a change of the pen: numbers of up to five digits.
func (m *machine) sgr(body []byte) {
	digits := 0
	for _, b := range body {
		switch {
		case b >= '0' && b <= '9':
			digits++
		case b == ';' || b == ':':
			digits = 0
		default:
			return
		}
		if digits > 5 {
			return
		}
	}
	m.scratch = append(append(append(m.scratch[:0], "\x1b["...), body...), 'm')
	m.raw(m.scratch)
}

// plainCSI carries out a sequence without prefix. What the emulator gets is
// written anew, with numbers that fit the screen: it repeats and fills as
// often as it is told to, and takes 0 for 0 where terminals take it for 1.
func (m *machine) plainCSI(final byte, a args) {
	whole := m.w * m.h / 16 // the price of moving or clearing all cells
	switch final {
	case 'A', 'B', 'E', 'F':
		m.send(final, a.count(m.h))
	case 'C', 'D', 'G', 'I', 'X', 'Z', '`':
		m.send(final, a.count(m.w))
	case 'a':
		m.send('C', a.count(m.w))
	case 'e':
		m.send('B', a.count(m.h))
	case 'd':
		m.send('d', a.count(m.h))
	case 'H', 'f':
		row, col := max(a.at(0, 1), 1), max(a.at(1, 1), 1)
		m.send('H', min(row, m.h), min(col, m.w))
	case 'J':
		m.eraseScreen(a.at(0, 0))
		m.cost += whole
	case 'K':
		if n := a.at(0, 0); n <= 2 {
			m.send('K', n)
		}
	case 'L', 'M':
		// The emulator counts the row twice when it moves the cursor to the
		// left margin of a region that doesn't start at the top.
		y := m.cursor().Y
		m.send(final, a.count(m.h))
		m.move(0, y)
		m.trimAlt(m.h)
		m.cost += whole
	case 'S', 'T':
		m.send(final, a.count(m.h))
		m.trimAlt(m.h)
		m.cost += whole
	case '@':
		m.shift(a.count(m.w))
	case 'P':
		m.shift(-a.count(m.w))
	case 'b':
		m.repeat(a.count(m.w))
	case 'g':
		if n := a.at(0, 0); n == 0 || n == 3 {
			m.tabs = true
			m.send('g', n)
		}
	case 'r':
		m.setRegion(a)
	case 's':
		m.rawString("\x1b7")
	case 'u':
		m.rawString("\x1b8")
		m.holdCursor()
	case 'h', 'l':
		m.ansiMode(a, final == 'h')
	case 'c', 'n':
		m.report(final, a)
	}
	m.cost += m.w / 4
}

// repeat prints the last character again. More than a line of it would be a
// way to keep the emulator busy.
func (m *machine) repeat(n int) {
	if m.last == 0 {
		return
	}
	for range n {
		m.print1(m.last)
	}
	m.trimAlt(2)
	m.cost += 4 * n
}

// eraseScreen carries out ED. The emulator clears all of the cursor's line in
// kind 1, and the screen with the scrollback in kind 3.
func (m *machine) eraseScreen(kind int) {
	switch kind {
	case 0, 2:
		m.send('J', kind)
		m.trimAlt(m.h)
	case 1:
		p := m.cursor()
		m.send('K', 1)
		row := m.cells(0, p.Y)
		m.send('J', 1)
		m.restore(row, 0, p.Y)
	case 3:
		m.emu.ClearScrollback()
	}
}

// setRegion carries out DECSTBM. A region beyond the screen makes the emulator
// panic later.
func (m *machine) setRegion(a args) {
	top, bottom := max(a.at(0, 1), 1), a.at(1, m.h)
	if bottom < 1 || bottom > m.h {
		bottom = m.h
	}
	if top >= bottom {
		return
	}
	m.region[m.alt()] = top > 1 || bottom < m.h
	m.send('r', top, bottom)
}

// ansiMode carries out SM and RM.
func (m *machine) ansiMode(a args, on bool) {
	for _, mode := range a {
		switch mode {
		case 4:
			m.insert = on
		case 20:
			m.newline = on
			m.send(onOff(on), 20)
		}
	}
}

func onOff(on bool) byte {
	if on {
		return 'h'
	}
	return 'l'
}

// privateCSI carries out a sequence with a question mark.
func (m *machine) privateCSI(final byte, a args) {
	switch final {
	case 'h', 'l':
		for _, mode := range a {
			m.privateMode(mode, final == 'h')
		}
	case 'J', 'K': // selective erase; nothing is ever protected
		m.plainCSI(final, a)
	case 'n':
		if a.at(0, 0) == 6 {
			p := m.cursor()
			m.answer(fmt.Sprintf("\x1b[?%d;%dR", p.Y+1, p.X+1))
		}
	}
}

// privateMode sets a mode that matters and hands on those that the emulator
// has to know.
func (m *machine) privateMode(mode int, on bool) {
	switch mode {
	case modeCursorKeys, modeCursor, modeFocus, modeMouseSGR, modePaste:
	case modeMouseX10, modeMouseClick, modeMouseDrag, modeMouseMotion:
		// One of them holds at a time, the last one that was set.
		for _, other := range []int{modeMouseX10, modeMouseClick, modeMouseDrag, modeMouseMotion} {
			delete(m.modes, other)
		}
	case modeWrap:
		m.rawMode(mode, on)
	case modeOrigin:
		m.rawMode(mode, on)
		m.send('H', 1, 1)
	case modeSaveCursor:
		m.rawMode(mode, on)
		if !on {
			m.holdCursor()
		}
		return
	case modeAltOld, modeAlt, modeAltSave:
		m.switchScreen(mode, on)
	default:
		return
	}
	m.modes[mode] = on
}

func (m *machine) rawMode(mode int, on bool) {
	m.rawString(fmt.Sprintf("\x1b[?%d%c", mode, onOff(on)))
}

// switchScreen goes to the alternate screen or back. The cursor stays where it
// is; the emulator would send it home. Only 1049 brings the old one back.
func (m *machine) switchScreen(mode int, on bool) {
	if on == m.emu.IsAltScreen() {
		return
	}
	p := m.cursor()
	m.rawMode(max(mode, modeAlt), on) // 1047 is what 47 is called there
	if on || mode != modeAltSave {
		m.move(p.X, p.Y)
	} else {
		m.holdCursor()
	}
	m.cost += m.w * m.h / 16
}

// setting is a mode's state as DECRQM reports it: 0 unknown, 1 set, 2 reset.
func (m *machine) setting(mode int) int {
	switch mode {
	case modeCursorKeys, modeOrigin, modeWrap, modeMouseX10, modeCursor, modeAltOld, modeMouseClick,
		modeMouseDrag, modeMouseMotion, modeFocus, modeMouseSGR, modeAlt, modeAltSave, modePaste:
		if m.modes[mode] {
			return 1
		}
		return 2
	}
	return 0
}

// softReset carries out DECSTR.
func (m *machine) softReset() {
	p := m.cursor()
	m.rawString("\x1b[r\x1b[?6l\x1b[?7h\x1b[m")
	m.move(p.X, p.Y)
	m.insert, m.shifted, m.sets = false, false, [2]byte{}
	m.region[m.alt()] = false
	m.modes[modeCursor], m.modes[modeWrap] = true, true
	m.modes[modeOrigin], m.modes[modeCursorKeys] = false, false
}

// report answers DA and DSR: a VT220 with colours, in good order.
func (m *machine) report(final byte, a args) {
	switch n := a.at(0, 0); {
	case final == 'c' && n == 0:
		m.answer("\x1b[?62;22c")
	case final == 'n' && n == 5:
		m.answer("\x1b[0n")
	case final == 'n' && n == 6:
		p := m.cursor()
		m.answer(fmt.Sprintf("\x1b[%d;%dR", p.Y+1, p.X+1))
	}
}

func (m *machine) answer(s string) { m.reply([]byte(s)) }

// isReset tells whether a change of the pen undoes all earlier ones.
func isReset(body []byte) bool {
	return len(body) == 0 || string(body) == "0" || bytes.HasPrefix(body, []byte("0;"))
}
