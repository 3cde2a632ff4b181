package term

import (
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// show returns a terminal on which output has been printed.
func show(t testing.TB, w, h int, output string) *Screen {
	t.Helper()
	s := New(w, h)
	t.Cleanup(func() { s.Close() })
	write(t, s, output)
	return s
}

// write prints output and waits until it is on the screen.
func write(t testing.TB, s *Screen, output string) {
	t.Helper()
	if _, err := s.Write([]byte(output)); err != nil {
		t.Fatal(err)
	}
	s.out.drain()
}

// sent returns what has been queued for the instance.
func sent(s *Screen) string {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	b := string(s.in.buf)
	s.in.buf = nil
	return b
}

// checkLines is a strict reader of what the outer terminal would get: as many
// lines and cells as the terminal has, printable characters, SGR sequences and
// a reset at the end of each line.
func checkLines(t testing.TB, s *Screen) {
	t.Helper()
	lines := s.Lines()
	if len(lines) != s.m.h {
		t.Fatalf("%d lines on a screen of %d", len(lines), s.m.h)
	}
	for y, line := range lines {
		if !strings.HasSuffix(line, "\x1b[m") {
			t.Fatalf("line %d doesn't end with a reset: %q", y, line)
		}
		if w, wc := ansi.StringWidth(line), ansi.StringWidthWc(line); w != s.m.w || wc != s.m.w {
			t.Fatalf("line %d is %d or %d cells wide, not %d: %q", y, w, wc, s.m.w, line)
		}
		for rest := line; rest != ""; {
			if after, ok := strings.CutPrefix(rest, "\x1b["); ok {
				end := strings.IndexFunc(after, func(r rune) bool { return !strings.ContainsRune("0123456789;:", r) })
				if end < 0 || after[end] != 'm' {
					t.Fatalf("line %d contains more than SGR sequences: %q", y, line)
				}
				rest = after[end+1:]
				continue
			}
			r, size := utf8.DecodeRuneInString(rest)
			if r == utf8.RuneError && size == 1 || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Fatalf("line %d contains %q: %q", y, rest[:size], line)
			}
			rest = rest[size:]
		}
	}
}

func TestOutput(t *testing.T) {
	tests := []struct{ name, output, want string }{
		{"text", "hello\r\nworld", "hello\nworld\n\n"},
		{"wrap", "0123456789ab", "0123456789\nab\n\n"},
		{"wide at the edge", "012345678日x", "012345678\n日x\n\n"},
		{"wide up to the edge", "01234567日x", "01234567日\nx\n\n"},
		{"wide twice at the edge", "01234567日本", "01234567日\n本\n\n"},
		{"wide after the edge", "0123456789日x", "0123456789\n日x\n\n"},
		{"wide at the edge without wrap", "\x1b[?7l012345678日", "012345678\n\n\n"},
		{"mark on ASCII", "e\u0301x", "e\u0301x\n\n\n"},
		{"mark on the last cell", "\x1b[10Ge\u0301x", "         e\u0301\nx\n\n"},
		{"mark on wide", "日\u0301x", "日\u0301x\n\n\n"},
		{"mark at the start", "\u0301x", "x\n\n\n"},
		{"joined emoji fall apart", "👩\u200d🚀x", "👩🚀x\n\n\n"},
		{"variation selector", "❤\ufe0fx", "❤x\n\n\n"},
		{"bidi override", "a\u202eb", "ab\n\n\n"},
		{"C1 as UTF-8", "a\u0090b\u009bc", "abc\n\n\n"},
		{"C1 raw", "a\x90b\x9bc", "a�b�c\n\n\n"},
		{"invalid", "a\xe6\x97b", "a�b\n\n\n"},
		{"lines by G0", "\x1b(0lqk\x1b(Bq", "┌─┐q\n\n\n"},
		{"lines by shift", "\x1b)0\x0elqk\x0fq", "┌─┐q\n\n\n"},
		{"repeat", "a\x1b[3b", "aaaa\n\n\n"},
		{"repeat wide", "日\x1b[2b", "日日日\n\n\n"},
		{"insert mode", "abc\x1b[2G\x1b[4hX\x1b[4lY", "aXYc\n\n\n"},
		{"next line", "ab\x1bEc", "ab\nc\n\n"},
		{"save and restore", "a\x1b[sbc\x1b[uX", "aXc\n\n\n"},
		{"restore after a full line", "ab\x1b7\x1b[3H0123456789\x1b8X", "abX\n\n0123456789\n"},
		{"insert before wide", "a日b\x1b[2G\x1b[@", "a 日b\n\n\n"},
		{"insert into wide", "a日b\x1b[3G\x1b[@", "a   b\n\n\n"},
		{"delete before wide", "ab日c\x1b[1G\x1b[P", "b日c\n\n\n"},
		{"delete half of wide", "日bc\x1b[1G\x1b[P", " bc\n\n\n"},
		{"erase above", "ab\r\ncdef\x1b[2G\x1b[1J", "\n  ef\n\n"},
		{"insert line in a region", "1\r\n2\r\n3\x1b[2;4r\x1b[3H\x1b[Lx", "1\n2\nx\n3"},
		{"alternate screen", "main\x1b[?1049h\x1b[Halt", "alt\n\n\n"},
		{"back to main", "main\x1b[?1049h\x1b[Halt\x1b[?1049lX", "mainX\n\n\n"},
		{"region is clamped", "\x1b[1;999r\x1b[10La", "a\n\n\n"},
		{"cancelled sequence", "a\x1b[3\x18b", "ab\n\n\n"},
		{"control within a sequence", "a\x1b[1\rCb", "ab\n\n\n"},
		{"strings are swallowed", "a\x1bPq123\x1b\\b\x1b_x\x1b\\c\x1b^y\x1b\\d", "abcd\n\n\n"},
		{"unknown escapes", "a\x1b#8b\x1b%Gc\x1b=d", "abcd\n\n\n"},
		{"soft reset", "\x1b[4h\x1b[?7l\x1b[!p0123456789x", "0123456789\nx\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := show(t, 10, 4, tt.output)
			if got := s.Text(); got != tt.want {
				t.Errorf("%q shows\n%q, want\n%q", tt.output, got, tt.want)
			}
			checkLines(t, s)
			// The same a byte at a time.
			s = New(10, 4)
			defer s.Close()
			for i := range len(tt.output) {
				s.feed([]byte(tt.output[i : i+1]))
			}
			if got := s.Text(); got != tt.want {
				t.Errorf("%q bytewise shows\n%q, want\n%q", tt.output, got, tt.want)
			}
		})
	}
}

func TestColours(t *testing.T) {
	s := show(t, 8, 2, "\x1b[1;31ma\x1b[mb\x1b[38;5;200;48;2;1;2;3mc")
	want := "\x1b[31;1ma\x1b[mb\x1b[38;5;200;48;2;1;2;3mc\x1b[m     \x1b[m"
	if got := s.Lines()[0]; got != want {
		t.Errorf("the line is\n%q, want\n%q", got, want)
	}
}

func TestReplies(t *testing.T) {
	tests := []struct{ output, want string }{
		{"\x1b[c", "\x1b[?62;22c"},
		{"\x1b[>c", "\x1b[>1;10;0c"},
		{"\x1b[5n", "\x1b[0n"},
		{"ab\r\nc\x1b[6n", "\x1b[2;2R"},
		{"\x1b[?6n", "\x1b[?1;1R"},
		{"\x1b[?7$p\x1b[?1$p\x1b[?2026$p", "\x1b[?7;1$y\x1b[?1;2$y\x1b[?2026;0$y"},
		{"\x1b]11;?\x07", ""},
	}
	for _, tt := range tests {
		if got := sent(show(t, 10, 4, tt.output)); got != tt.want {
			t.Errorf("%q is answered by %q, want %q", tt.output, got, tt.want)
		}
	}
}

// Nobody reads the replies, and there are many; keys must still get through.
func TestRepliesWithoutReader(t *testing.T) {
	s := show(t, 10, 4, strings.Repeat("\x1b[c", 100000)+"end")
	if got := s.Text(); !strings.HasPrefix(got, "end") {
		t.Errorf("the screen shows %q", got)
	}
	s.Key(tea.KeyPressMsg{Code: 'x', Text: "x"})
	if got := sent(s); len(got) > replyLimit+1 || !strings.HasSuffix(got, "x") {
		t.Errorf("%d bytes are queued, at the end %q", len(got), got[max(len(got)-5, 0):])
	}
}

func TestPanicRebuilds(t *testing.T) {
	s := show(t, 10, 4, "before")
	s.mu.Lock()
	s.m.guard(func() { panic("as the emulator would") })
	s.mu.Unlock()
	write(t, s, "after")
	if got := s.Text(); got != "after\n\n\n" {
		t.Errorf("the screen shows %q", got)
	}
}

// Titles and other commands of the operating system end where they should, and
// leave nothing.
func TestCommandsLeaveNothing(t *testing.T) {
	for _, output := range []string{"\x1b]0;one\x07", "\x1b]2;a;b\x1b\\", "\x1b]2;\u202e x\u0090\xff\x9c\n y \x07", "\x1b]2;" + strings.Repeat("x", 5000) + "\x07", "\x1b]2;cut\x18"} {
		if got := show(t, 10, 4, "a"+output+"b").Text(); got != "ab\n\n\n" {
			t.Errorf("%.40q leaves %q", output, got)
		}
	}
}

func TestCursor(t *testing.T) {
	s := show(t, 10, 4, "ab\r\nc")
	if x, y, visible := s.Cursor(); x != 1 || y != 1 || !visible {
		t.Errorf("the cursor is at %d,%d, visible %v", x, y, visible)
	}
	write(t, s, "\x1b[?25l\x1b[?1049h")
	if x, y, visible := s.Cursor(); x != 1 || y != 1 || visible || !s.AltScreen() {
		t.Errorf("the cursor is at %d,%d, visible %v, alternate screen %v", x, y, visible, s.AltScreen())
	}
}

func TestResizeKeepsThePrompt(t *testing.T) {
	s := show(t, 10, 4, "1\r\n2\r\n3\r\n$ ")
	s.Resize(10, 2)
	if got := s.Text(); got != "3\n$" {
		t.Errorf("the screen shows %q", got)
	}
	if x, y, _ := s.Cursor(); x != 2 || y != 1 {
		t.Errorf("the cursor is at %d,%d", x, y)
	}
	s.Scroll(2)
	if got := s.Text(); got != "1\n2" {
		t.Errorf("scrolled back, the screen shows %q", got)
	}
	s.Resize(-5, 0)
	if s.m.w != minSize || s.m.h != minSize {
		t.Errorf("the size is %d by %d", s.m.w, s.m.h)
	}
	checkLines(t, s)
}

func TestReset(t *testing.T) {
	s := show(t, 10, 3, "\x1b[?1h\x1b[?1003h1\r\n2\r\n3\r\n4\x1bPstuck")
	s.Reset()
	write(t, s, "new")
	if got := s.Text(); got != "new\n\n" || s.m.mouseMode() != 0 {
		t.Errorf("the screen shows %q, the mouse's mode is %d", got, s.m.mouseMode())
	}
	if s.Scroll(1); s.Scrolled() != 0 {
		t.Error("there is something to scroll back to")
	}
}

func TestRestoreAfterShrinking(t *testing.T) {
	for _, restore := range []string{"\x1b8", "\x1b[u", "\x1b[?1048l"} {
		s := show(t, 40, 10, "\x1b[99;99H\x1b7")
		s.Resize(5, 3)
		write(t, s, restore+"\x1bH\x1b[gX")
		if got := s.Text(); got != "\n\n    X" {
			t.Errorf("after %q the screen shows %q", restore, got)
		}
	}
}

func TestClearingTheScrollback(t *testing.T) {
	s := show(t, 10, 3, "1\r\n2\r\n3\r\n4\x1b[3J")
	if got := s.Text(); got != "2\n3\n4" {
		t.Errorf("the screen shows %q", got)
	}
	if s.Scroll(1); s.Scrolled() != 0 {
		t.Error("there is something to scroll back to")
	}
}

// The scrollback of the alternate screen can't be looked at, only weighed:
// unbounded, it would take 110 MB here.
func TestAltScrollbackIsBounded(t *testing.T) {
	line := "\x1b[31m" + strings.Repeat("x", 100) + "\r\n"
	s := show(t, 100, 3, "main\x1b[?1049h"+strings.Repeat(line, 10000)+"\x1b[Hkept")
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	if mem.HeapAlloc > 60<<20 {
		t.Errorf("%d MB are in use", mem.HeapAlloc>>20)
	}
	if got, want := s.Text(), "kept"+strings.Repeat("x", 96)+"\n"+strings.Repeat("x", 100)+"\n"; got != want {
		t.Errorf("the screen shows %q", got)
	}
	write(t, s, "\x1b[?1049l")
	if got := s.Text(); got != "main\n\n" {
		t.Errorf("the main screen shows %q", got)
	}
}

func TestChanged(t *testing.T) {
	s := show(t, 10, 3, "x")
	<-s.Changed()
	before := s.Lines()
	if after := s.Lines(); &before[0] != &after[0] {
		t.Error("the lines were drawn again though nothing had changed")
	}
	write(t, s, "y")
	<-s.Changed()
	if got := s.Lines()[0]; !strings.HasPrefix(got, "xy") {
		t.Errorf("the line is %q", got)
	}
}

func TestClose(t *testing.T) {
	s := show(t, 10, 3, "")
	s.Write([]byte("last words"))
	s.Paste("bye")
	s.Close()
	if got, err := io.ReadAll(s.Input()); err != nil || string(got) != "bye" {
		t.Errorf("the input is %q, %v", got, err)
	}
	if got := s.Text(); got != "last words\n\n" {
		t.Errorf("the screen shows %q", got)
	}
	if _, err := s.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("writing gives %v", err)
	}
}
