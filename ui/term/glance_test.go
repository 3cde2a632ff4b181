package term

import (
	"io"
	"strings"
	"testing"
)

// held takes the lock, as who takes output and has lost the processor has it.
func held(t *testing.T, s *Screen) (release func()) {
	t.Helper()
	s.Text() // all is on the screen
	s.mu.Lock()
	return s.mu.Unlock
}

// Nothing that a frame or the leaving of the pane asks for waits for output that
// is being taken.
func TestNothingWaitsForOutput(t *testing.T) {
	s := New(20, 3)
	defer s.Close()
	io.WriteString(s, "\x1b[?1004h\x1b[?1049hone")
	s.Text()
	s.Lines()
	release := held(t, s)
	if lines := s.Lines(); len(lines) != 3 || !strings.HasPrefix(lines[0], "one ") {
		t.Errorf("shows %q", lines)
	}
	if x, y, visible := s.Cursor(); x != 3 || y != 0 || !visible {
		t.Errorf("the cursor is at %d, %d, %v", x, y, visible)
	}
	if !s.AltScreen() || s.Scrolled() != 0 || s.Entered() != nil {
		t.Errorf("alt screen %v, scrolled %d", s.AltScreen(), s.Scrolled())
	}
	if used := s.Used(); used != maxSize {
		t.Errorf("%d cells are used", used)
	}
	s.Focus(false)
	s.in.offer([]byte("!"), inputLimit)
	release()
	var report [8]byte
	if n, _ := s.Input().Read(report[:]); string(report[:n]) != "\x1b[O!" {
		t.Errorf("of the focus the program is told %q", report[:n])
	}
	s.Select(0, 0, 1, 0)
	if s.last.picture.Load() != nil {
		t.Error("what a person does may be shown later")
	}
}

// A picture that was missed is there after the output, and Changed tells.
func TestMissedPictureComes(t *testing.T) {
	s := New(20, 3)
	defer s.Close()
	s.Lines()
	held(t, s)()
	release := held(t, s)
	s.Lines()
	release()
	io.WriteString(s, "two")
	defer held(t, s)()
	if lines := s.Lines(); !strings.HasPrefix(lines[0], "two ") {
		t.Errorf("shows %q", lines[0])
	}
	select {
	case <-s.Changed():
	default:
		t.Error("nobody is told")
	}
}
