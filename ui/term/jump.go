package term

import (
	"bytes"
	"time"
)

// A flood is output that comes in pieces of floodSize or more. What comes
// within gather of one is taken as one: the more waits, the more of it can be
// jumped over. A piece that took long has twice as much time gone by, up to
// longest, so that a flood leaves the processor to the rest of the program,
// however slow that is: at most a third of a core.
const (
	floodSize = 16 << 10
	gather    = 12 * time.Millisecond
	longest   = 50 * time.Millisecond
)

// glimpse is how often a piece that takes long is shown while it is taken.
const glimpse = 30 * time.Millisecond

// pump moves output from the queue to the screen until Close.
func (s *Screen) pump() {
	var buf []byte
	for {
		buf = s.out.take(buf)
		if buf == nil {
			return
		}
		begin := time.Now()
		shown := begin
		for rest := buf; len(rest) > 0; {
			rest = s.step(rest)
			if time.Since(shown) >= glimpse {
				s.show()
				shown = time.Now()
			}
		}
		s.show()
		if len(buf) >= floodSize {
			<-time.After(min(max(gather, 2*time.Since(begin)), longest))
		}
	}
}

// step takes some of the output, with what it can jump over, and returns the
// rest.
func (s *Screen) step(p []byte) []byte {
	block, skip := s.jump(p)
	for n := skip; n < block; {
		n += s.feed(p[n:block])
	}
	return p[block:]
}

// feed takes output under one lock and returns how much.
func (s *Screen) feed(p []byte) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = len(p) // what made the emulator panic is not tried again
	s.m.guard(func() { n = s.m.feed(p) })
	s.cache = nil // pump tells
	s.look()
	return n
}

// jump looks at how p begins. block is how much of it is of one kind: lines
// that scroll by, or the rest up to where such lines may begin again. The
// first skip bytes of it are done with: of lines that scroll by, only as many
// as screen and scrollback hold can be seen in the end.
func (s *Screen) jump(p []byte) (block, skip int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.m
	keep := scrollback + m.h
	if m.state == ground && len(m.rune) == 0 && !m.emu.IsAltScreen() && !m.region[0] {
		block = scanLines(p)
		if skip = findCut(p[:block], keep); skip > 0 {
			s.m.guard(func() { m.skip(p[:skip]) })
			s.cache = nil
			s.look()
			return block, skip
		}
	}
	// What ended the block is fed with the rest of its line.
	if next := bytes.IndexByte(p[block:], '\n'); next >= 0 {
		return block + next + 1, 0
	}
	return len(p), 0
}

// skip brings the screen to where the lines would have brought it, as far as
// that can be seen in the end: with their pen, in the last row. What that row
// holds is the first thing to leave the scrollback.
func (m *machine) skip(lines []byte) {
	m.typing.begun, m.typing.pressed = false, time.Time{} // what was typed is among them
	for pens := pensOf(lines); len(pens) > 0; {
		pens = pens[m.feed(pens):]
	}
	m.move(0, m.h-1)
}

// findCut returns where the last keep lines begin, at a point where the cursor
// is known to be at the start of a line; 0 if there is nothing to cut.
func findCut(p []byte, keep int) int {
	end := len(p)
	for range keep {
		end = bytes.LastIndexByte(p[:end], '\n')
		if end < 0 {
			return 0
		}
	}
	if end = bytes.LastIndex(p[:end], []byte("\r\n")); end < 0 {
		return 0
	}
	return end + len("\r\n")
}

// scanLines returns how much of p is nothing but lines: text, and sequences
// that change the pen or the line that the cursor is in.
func scanLines(p []byte) int {
	n := 0
	for n < len(p) {
		b := p[n]
		if b >= ' ' && b != del || b == '\n' || b == '\r' || b == '\t' {
			n++
			continue
		}
		size := lineSequence(p[n:])
		if size == 0 {
			break
		}
		n += size
	}
	return n
}

// lineSequence returns the length of the SGR or EL sequence that p begins
// with, 0 if it begins with something else.
func lineSequence(p []byte) int {
	if len(p) < 3 || p[0] != esc || p[1] != '[' {
		return 0
	}
	for i, b := range p[2:min(len(p), maxParams)] {
		switch {
		case b == 'm' || b == 'K':
			return i + 3
		case b != ';' && b != ':' && (b < '0' || b > '9'):
			return 0
		}
	}
	return 0
}

// pensOf returns the SGR sequences of p from the last one on that undoes all
// before it.
func pensOf(p []byte) []byte {
	var pens []byte
	for {
		i := bytes.IndexByte(p, esc)
		if i < 0 {
			return pens
		}
		p = p[i:]
		size := max(lineSequence(p), 1)
		if seq := p[:size]; seq[size-1] == 'm' {
			if isReset(seq[2 : size-1]) {
				pens = pens[:0]
			}
			pens = append(pens, seq...)
		}
		p = p[size:]
	}
}
