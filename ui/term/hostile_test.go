package term

import (
	"bytes"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// hostile is what must not reach the outer terminal or break the emulator.
func hostile(t testing.TB) (all []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		output, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, output)
	}
	return all
}

func TestHostileOutput(t *testing.T) {
	for _, output := range hostile(t) {
		for _, size := range [][2]int{{2, 2}, {7, 3}, {40, 10}} {
			s := show(t, size[0], size[1], output)
			checkLines(t, s)
			s.Resize(3, 5)
			write(t, s, output)
			checkLines(t, s)
		}
	}
}

// Ten megabytes in one line, and one in a sequence or string that never ends, are
// bounded, and the screen is usable after them.
func TestFloodsAreBounded(t *testing.T) {
	for _, begin := range []string{"", "\x1b[", "\x1b]2;", "\x1b]52;c;", "\x1bPq", "\x1b_G", "\x1b^", "\x1bX", "\x1bk"} {
		fill, much := "1", 1<<20
		if begin == "" {
			fill, much = "x", 10<<20
		}
		s := show(t, 40, 10, begin)
		for range much / (64 << 10) {
			write(t, s, strings.Repeat(fill, 64<<10))
		}
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		if mem.HeapAlloc > 60<<20 {
			t.Errorf("%q: %d MB are in use", begin, mem.HeapAlloc>>20)
		}
		checkLines(t, s)
		write(t, s, "\x18\x1b\\\x1bc\x1b[2J\x1b[Hback")
		if got := s.Text(); !strings.HasPrefix(got, "back\n") {
			t.Errorf("%q: the screen shows %.60q after that", begin, got)
		}
		if n := len(sent(s)); n > replyLimit {
			t.Errorf("%q: %d bytes were answered", begin, n)
		}
	}
}

func TestNoLinksInLines(t *testing.T) {
	s := show(t, 20, 2, "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07")
	if got := s.Lines()[0]; strings.Contains(got, "evil") || !strings.HasPrefix(got, "link ") {
		t.Errorf("the line is %q", got)
	}
}

// What the pane answers is typed into the instance's shell, where it must be
// nothing that does harm: reports of a fixed form, in which nothing is the
// instance's own but numbers.
func TestRepliesToHostileOutput(t *testing.T) {
	reports := regexp.MustCompile(`^(\x1b\[\?62;22c|\x1b\[>1;10;0c|\x1b\[0n|\x1b\[\??[0-9]+;[0-9]+R|\x1b\[\?[0-9]{1,4};[0-2]\$y)*$`)
	answered := 0
	check := func(output string) {
		t.Helper()
		got := sent(show(t, 40, 10, output))
		if !reports.MatchString(got) {
			t.Errorf("%q is answered by %q", output, got)
		}
		answered += len(got)
	}
	for _, output := range hostile(t) {
		check(output)
	}
	check(strings.Join(hostile(t), "\x18"))
	if answered == 0 {
		t.Error("nothing was answered: the corpus asks for something else")
	}
}

func FuzzWrite(f *testing.F) {
	for _, output := range hostile(f) {
		f.Add([]byte(output), uint8(20), uint8(6))
		f.Add([]byte("$ \n$ "+output+"x\n"), uint8(20), uint8(6)) // as the answer to Enter
	}
	f.Fuzz(func(t *testing.T, output []byte, w, h uint8) {
		if len(output) > 2048 { // more of the same, and slow
			return
		}
		s := New(20, 6)
		defer s.Close()
		for i, part := range bytes.SplitAfterN(output, []byte{'\n'}, 16) {
			if i%2 == 1 {
				s.Key(tea.KeyPressMsg{Code: 'x', Text: "x"})
				s.Key(tea.KeyPressMsg{Code: tea.KeyEnter})
			}
			s.mu.Lock()
			for len(part) > 0 {
				part = part[s.m.feed(part):] // unguarded, so that a panic is a failure
			}
			s.touch()
			s.mu.Unlock()
			checkLines(t, s)
			if i%3 == 1 {
				s.Resize(int(w)%16*(i%5), int(h)%16/(i%4+1))
				checkLines(t, s)
			}
			s.Scroll(int(w%3) - 1)
		}
		for _, e := range s.Entered() {
			if strings.ContainsFunc(e.Line, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
				t.Errorf("%q was entered", e.Line)
			}
		}
	})
}
