// Package term is the terminal in a pane: it turns what a program in the
// instance prints into lines of cells, and what the user types into the bytes
// that the program expects.
//
//	instance -> Write -> queue -> jump -> parser -> emulator -> Lines -> pane
//	user -> Key, Paste, Mouse, Focus -> queue -> Input -> instance
//	                           replies -^ (from the parser)
//
// The instance may be hostile. So its bytes are parsed here, and the emulator
// is handed only sequences from a list, with parameters that fit the screen;
// everything else ends in the parser. What leaves through Lines is text and
// SGR sequences that are written here, never bytes as they came.
package term

import (
	"bytes"
	"io"
	"strings"
	"sync"

	uv "github.com/charmbracelet/ultraviolet"

	"lxd-allowlist/capture/crash"
)

const (
	// minSize is the smallest width and height: a wide character must fit.
	minSize = 2
	// maxSize bounds what a wrong resize can make the emulator allocate.
	maxSize = 2000
	// scrollback is how many lines are kept above the screen. A line of 200
	// cells takes 22 kB in the emulator, so more of them are a burden.
	scrollback = 1000
	// outputLimit is how much output may wait: all of it may have to be drawn
	// after ctrl+c has ended a flood.
	outputLimit = 512 << 10
	// linesLimit is how much may wait with lines behind it, which are jumped over
	// but for the last. It is what makes jumps worth their while: in a longest
	// it is more than LXD hands over.
	linesLimit = 2 << 20
	// inputLimit is how much input may wait for the instance: a large paste.
	inputLimit = 4 << 20
	// replyLimit is how much may wait before replies to the program are
	// dropped: a program that asks and never reads gets no more of them.
	replyLimit = 16 << 10
)

// Screen is an embedded terminal. Its methods may be called from any
// goroutine, and only Write and Input's Read wait for the other side.
type Screen struct {
	out     *queue // what the instance printed
	in      *queue // what it shall be sent
	changed chan struct{}

	mu    sync.Mutex
	m     *machine
	view  view
	cache []string // what Lines returned, nil when something has changed since
	last  glances
}

// New returns a terminal of that size. Close ends it.
func New(width, height int) *Screen {
	s := &Screen{
		out:     newQueue(),
		in:      newQueue(),
		changed: make(chan struct{}, 1),
	}
	s.m = newMachine(clampSize(width), clampSize(height), func(reply []byte) {
		s.in.offer(reply, replyLimit)
	})
	s.look()
	go crash.Guarded("the terminal pane", s.pump)()
	return s
}

func clampSize(n int) int { return min(max(n, minSize), maxSize) }

// Write takes output of the instance. It returns when the output is queued and
// waits only while the queue is full; what is queued appears on the screen a
// moment later, and Changed tells.
func (s *Screen) Write(p []byte) (int, error) { return s.out.put(p, s.limit(p)) }

// limit returns how much may wait with p behind it, which may end within a sequence.
// As many lines as are kept are to be no more than may have to be drawn: long text
// without an end of a line in it is nothing to jump over. A short piece may be of a
// line that others go on with.
func (s *Screen) limit(p []byte) int {
	short := (bytes.Count(p, []byte{'\n'})+1)*(outputLimit/scrollback) >= len(p)
	if short && !s.AltScreen() && len(p)-scanLines(p) < maxParams {
		return linesLimit
	}
	return outputLimit
}

// Changed receives when the screen has changed since the last receive.
func (s *Screen) Changed() <-chan struct{} { return s.changed }

// Input is what the instance is to be sent. Read ends with io.EOF after Close.
func (s *Screen) Input() io.Reader { return s.in }

// Close ends the terminal. Output that is queued still appears, and the screen
// can still be read.
func (s *Screen) Close() error {
	s.out.end()
	s.in.end()
	return nil
}

// Resize sets the size, at least 2 by 2.
func (s *Screen) Resize(width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, height = clampSize(width), clampSize(height)
	if width == s.m.w && height == s.m.h {
		return
	}
	s.m.guard(func() { s.m.resize(width, height) })
	s.touch()
}

// Reset makes the terminal as new: screen, scrollback and modes. It helps
// after binary output.
func (s *Screen) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.rebuild()
	s.view = view{}
	s.touch()
}

// Text is the screen as plain text, without blanks at the ends of lines. It
// waits until all output written before it is on the screen.
func (s *Screen) Text() string {
	s.out.drain()
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := make([]string, s.m.h)
	for y := range rows {
		rows[y] = strings.TrimRight(plain(s.row(y), 0, s.m.w), " ")
	}
	return strings.Join(rows, "\n")
}

// Used is how many cells wide the screen has to be to lose nothing of what is on
// it: as wide as one may be while a full-screen program has it, or while output
// is taken, for which nobody who leaves the pane waits.
func (s *Screen) Used() int {
	if !s.mu.TryLock() {
		return maxSize
	}
	defer s.mu.Unlock()
	if s.m.emu.IsAltScreen() {
		return maxSize
	}
	used := s.m.cursor().X + 1
	for y := range s.m.h {
		row := s.m.rowAt(y)
		for x := s.m.w - 1; x >= used; x-- {
			if c := row(x); c != nil && strings.TrimSpace(c.Content) != "" {
				used = x + max(1, c.Width)
			}
		}
	}
	return min(used, s.m.w)
}

// row returns the cells of a row of what is seen: the screen, or the text that
// was scrolled to.
func (s *Screen) row(y int) func(x int) *uv.Cell {
	if s.view.back > 0 {
		return s.view.row(y, s.m.h)
	}
	return s.m.rowAt(y)
}

// touch notes a change that is not the program's: it is shown at once. The lock
// is held.
func (s *Screen) touch() {
	s.cache = nil
	s.last.picture.Store(nil)
	s.look()
	s.tell()
}

// tell tells that the screen has changed.
func (s *Screen) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
