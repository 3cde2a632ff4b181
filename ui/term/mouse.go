package term

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// mouseMode is the mode that the program asked for, 0 if none.
func (m *machine) mouseMode() int {
	for _, mode := range []int{modeMouseX10, modeMouseClick, modeMouseDrag, modeMouseMotion} {
		if m.modes[mode] {
			return mode
		}
	}
	return 0
}

// Mouse sends what the mouse did at a cell of the terminal, if the program
// asked for it, and says whether it did. A drag that leaves the pane is
// reported at its edge, so that the program sees the button go up.
func (s *Screen) Mouse(msg tea.MouseMsg, x, y int) bool {
	s.mu.Lock()
	mode, sgr := s.m.mouseMode(), s.m.modes[modeMouseSGR]
	w, h := s.m.w, s.m.h
	s.mu.Unlock()
	if cx, cy := min(max(x, 0), w-1), min(max(y, 0), h-1); cx != x || cy != y {
		switch msg.(type) {
		case tea.MouseReleaseMsg, tea.MouseMotionMsg:
			x, y = cx, cy
		default:
			return false
		}
	}
	report := encodeMouse(msg, x, y, mode, sgr)
	return len(report) > 0 && s.in.offer(report, inputLimit)
}

// encodeMouse returns the report of what the mouse did, nil if the mode
// doesn't want it.
func encodeMouse(msg tea.MouseMsg, x, y, mode int, sgr bool) []byte {
	mouse := msg.Mouse()
	b, known := buttonCode(mouse.Button)
	_, released := msg.(tea.MouseReleaseMsg)
	_, moved := msg.(tea.MouseMotionMsg)
	switch {
	case mode == 0 || !known:
		return nil
	case moved && mode != modeMouseMotion && (mode != modeMouseDrag || mouse.Button == tea.MouseNone):
		return nil
	case mode == modeMouseX10 && (released || mouse.Button > tea.MouseRight):
		return nil
	}
	if moved {
		b += 32
	}
	if mode != modeMouseX10 {
		b += modCode(mouse.Mod) * 4
	}
	if sgr {
		final := 'M'
		if released {
			final = 'm'
		}
		return fmt.Appendf(nil, "\x1b[<%d;%d;%d%c", b, x+1, y+1, final)
	}
	if released {
		b = b&^3 | 3 // which button it was can't be said
	}
	// A coordinate is one byte, and 0 stands for one that doesn't fit.
	at := func(n int) byte {
		if n+33 > 255 {
			return 0
		}
		return byte(n + 33)
	}
	return []byte{esc, '[', 'M', byte(b + 32), at(x), at(y)}
}

// buttonCode is the number of a button in a report.
func buttonCode(b tea.MouseButton) (int, bool) {
	switch {
	case b == tea.MouseNone:
		return 3, true
	case b <= tea.MouseRight:
		return int(b - tea.MouseLeft), true
	case b <= tea.MouseWheelRight:
		return 64 + int(b-tea.MouseWheelUp), true
	case b <= tea.MouseButton11:
		return 128 + int(b-tea.MouseBackward), true
	}
	return 0, false
}
