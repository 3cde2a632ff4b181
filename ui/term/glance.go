package term

import "sync/atomic"

// glance is what is asked of the terminal with each frame and each key, as it
// was when output was last taken. Under a flood whoever takes it has the lock
// nearly all the time, and may lose the processor while holding it: a key that
// leaves the pane must not wait for that.
type glance struct {
	x, y    int
	cursor  bool // is to be drawn
	alt     bool // a full-screen program has the screen
	focus   bool // the program wants to be told of the focus
	entered bool // lines wait to be asked for
	back    int  // of the view
}

// glances is the last glance, and the last picture while that may be shown
// instead of a newer one.
type glances struct {
	glance  atomic.Pointer[glance]
	picture atomic.Pointer[[]string]
	missed  atomic.Bool // a newer one was asked for
}

// look takes a glance. The lock is held.
func (s *Screen) look() {
	at := s.m.cursor()
	g := glance{
		x: at.X, y: at.Y, cursor: s.m.modes[modeCursor] && s.view.back == 0, alt: s.m.emu.IsAltScreen(),
		focus: s.m.modes[modeFocus], entered: len(s.m.typing.entered) > 0, back: s.view.back,
	}
	if last := s.last.glance.Load(); last == nil || *last != g {
		s.last.glance.Store(&g)
	}
}

// Cursor returns the cursor's cell, and whether it is to be drawn.
func (s *Screen) Cursor() (x, y int, visible bool) {
	g := s.last.glance.Load()
	return g.x, g.y, g.cursor
}

// AltScreen tells whether a full-screen program has the screen.
func (s *Screen) AltScreen() bool { return s.last.glance.Load().alt }

// Scrolled is how many lines the view is scrolled back.
func (s *Screen) Scrolled() int { return s.last.glance.Load().back }

// Lines is the picture: as many lines as the terminal is high, each exactly as
// many cells wide as it is. They contain text and SGR sequences, and each ends
// with a reset. The slice is not to be written to. While output is taken it is
// the last one, and Changed tells once there is another.
func (s *Screen) Lines() []string {
	if !s.mu.TryLock() {
		if last := s.last.picture.Load(); last != nil {
			s.last.missed.Store(true)
			return *last
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.cache == nil {
		lines := make([]string, s.m.h)
		for y := range lines {
			lines[y] = s.line(y)
		}
		s.cache = lines
		s.last.picture.Store(&lines)
	}
	return s.cache
}

// show tells that output was taken. A picture that was missed is drawn here: who
// asks again may find the lock taken again.
func (s *Screen) show() {
	if s.last.missed.Swap(false) {
		s.Lines()
	}
	s.tell()
}
