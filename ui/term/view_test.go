package term

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestScroll(t *testing.T) {
	s := show(t, 10, 3, "1\r\n2\r\n3\r\n4\r\n5")
	s.Scroll(1)
	want := "2\n3\n4"
	if got := s.Text(); got != want || s.Scrolled() != 1 {
		t.Fatalf("scrolled by %d, the screen shows %q", s.Scrolled(), got)
	}
	if _, _, visible := s.Cursor(); visible {
		t.Error("the cursor is visible")
	}
	write(t, s, strings.Repeat("more\r\n", 3000))
	if got := s.Text(); got != want || s.Scrolled() != 1 {
		t.Errorf("after more output, scrolled by %d, the screen shows %q", s.Scrolled(), got)
	}
	checkLines(t, s)
	s.Scroll(100)
	if got := s.Text(); got != "1\n2\n3" || s.Scrolled() != 2 {
		t.Errorf("scrolled by %d, the screen shows %q", s.Scrolled(), got)
	}
	s.Scroll(-2)
	if got := s.Text(); got != "more\nmore\n" || s.Scrolled() != 0 {
		t.Errorf("scrolled by %d, the screen shows %q", s.Scrolled(), got)
	}
	if s.Scroll(5000); s.Scrolled() != scrollback {
		t.Errorf("scrolled back by %d, want %d", s.Scrolled(), scrollback)
	}
	s.Key(tea.KeyPressMsg{Code: tea.KeyLeftShift})
	if s.Scrolled() == 0 {
		t.Error("a key that sends nothing went to the bottom")
	}
	s.Key(tea.KeyPressMsg{Code: 'x', Text: "x"})
	if s.Scrolled() != 0 {
		t.Error("typing didn't go to the bottom")
	}
	write(t, s, "\x1b[?1049h")
	if s.Scroll(1); s.Scrolled() != 0 {
		t.Error("a full-screen program was scrolled back")
	}
}

func TestSelection(t *testing.T) {
	s := show(t, 10, 3, "one two\r\n日本 x\r\nend")
	s.Select(1, 2, 4, 0)
	if got, want := s.Selected(), "two\n日本 x\nen"; got != want {
		t.Errorf("%q is selected, want %q", got, want)
	}
	if got, want := s.Lines()[0], "one \x1b[7mtwo   \x1b[m"; got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
	checkLines(t, s)
	s.ClearSelection()
	if got := s.Selected(); got != "" {
		t.Errorf("%q is selected", got)
	}
	if got := s.Lines()[0]; strings.Contains(got, "\x1b[7m") {
		t.Errorf("the line is %q", got)
	}
}

// A screen can shrink to what is on it, but for a full-screen program's.
func TestUsed(t *testing.T) {
	for output, want := range map[string]int{
		"":                       1,
		"hello":                  6, // with the cursor
		"hello\r\n\x1b[44m     ": 6,
		"\x1b[2;9H日\r":           10,
		"0123456789":             10,
		"\x1b[?1049hvi":          maxSize,
	} {
		s := New(10, 4)
		fmt.Fprint(s, output)
		s.Text()
		if got := s.Used(); got != want {
			t.Errorf("%q uses %d cells, want %d", output, got, want)
		}
		s.Close()
	}
}
