package term

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// randomLines is output as of a program that prints and prints.
func randomLines(r *rand.Rand, n int) []byte {
	parts := []string{
		"a", "bc ", "\t", "word", "日本", "ü", "e\u0301", "\x1b[31m", "\x1b[m", "\x1b[0;1;44m", "\x1b[K",
		"\x1b[7m", "\r", "0123456789012345678901234567890123456789", "\xff", "👍🏽", "\x1b[38;5;200m",
	}
	ends := []string{"\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\n\r\n"}
	var b bytes.Buffer
	for range n {
		for range r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		b.WriteString(ends[r.IntN(len(ends))])
	}
	b.WriteString("end")
	return b.Bytes()
}

// picture is all that can be seen of a terminal: scrollback and screen with
// their styles, the cursor, and the pen.
func picture(s *Screen) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for part := []byte("pen"); len(part) > 0; {
		part = part[s.m.feed(part):]
	}
	var b bytes.Buffer
	for i, line := range s.m.history() {
		text, _ := draw(line.At, s.m.w, 0, 0, true)
		fmt.Fprintf(&b, "%d %s\n", i, text)
	}
	for y := range s.m.h {
		for _, c := range s.m.cells(0, y) {
			fmt.Fprintf(&b, "%s|%d ", c.Content, c.Width)
		}
		b.WriteByte('\n')
	}
	fmt.Fprint(&b, s.m.cursor())
	return b.String()
}

func TestJumpShowsTheSame(t *testing.T) {
	jumps := 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		before := "\x1b[1;33m" + strings.Repeat("some text before ", 60) + "\x1b[1;3H"
		output := randomLines(r, 1000+r.IntN(3000))
		w, h := 5+r.IntN(40), 2+r.IntN(10)
		if seed == 0 { // nothing wraps, so that each line counts
			output, w, h = bytes.Repeat([]byte("y\r\n"), 3000), 20, 10
		}

		slow, fast := show(t, w, h, before), show(t, w, h, before)
		slow.m.tabs = true // so that the strip isn't used
		for n := 0; n < len(output); {
			n += slow.feed(output[n:])
		}
		for rest := output; len(rest) > 0; {
			block, skip := fast.jump(rest)
			if skip > 0 {
				jumps++
			}
			for n := skip; n < block; {
				n += fast.feed(rest[n:block])
			}
			rest = rest[block:]
		}
		if got, want := picture(fast), picture(slow); got != want {
			t.Fatalf("seed %d, %d by %d: %s", seed, w, h, firstDifference(got, want))
		}
	}
	if jumps < 20 {
		t.Errorf("only %d jumps", jumps)
	}
}

// The strip alone, without jumps, and with other output in between.
func TestStripShowsTheSame(t *testing.T) {
	others := []string{"\x1b[2;4H", "\x1b[J", "\x1b[2;3r", "\x1b[r", "\x1b[99H", "\x1b[41m", "\x1b[99;3Hx", "\b", "\xe6\x97"}
	used := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		w, h := 3+r.IntN(40), 2+r.IntN(10)
		slow, fast := show(t, w, h, ""), show(t, w, h, "")
		slow.m.tabs = true
		for range 10 {
			output := append(randomLines(r, r.IntN(100)), others[r.IntN(len(others))]...)
			for _, s := range []*Screen{slow, fast} {
				for n := 0; n < len(output); {
					n += s.feed(output[n:])
				}
			}
		}
		if fast.m.strip != nil {
			used++
		}
		if got, want := picture(fast), picture(slow); got != want {
			t.Fatalf("seed %d, %d by %d: %s", seed, w, h, firstDifference(got, want))
		}
	}
	if used < 20 {
		t.Errorf("the strip was used for only %d of 40 seeds", used)
	}
}

func firstDifference(got, want string) string {
	g, w := bytes.Split([]byte(got), []byte("\n")), bytes.Split([]byte(want), []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d is\n%q, slowly it is\n%q", i, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, slowly %d", len(g), len(w))
}

func TestJumpOnlyOverLines(t *testing.T) {
	flood := bytes.Repeat([]byte("y\r\n"), 3000)
	tests := []struct {
		name, before string
		output       []byte
		jumps        bool
	}{
		{"lines", "", flood, true},
		{"few lines", "", flood[:3*(scrollback+4)], false},
		{"lines without CR", "", bytes.Repeat([]byte("y\n"), 3000), false},
		{"in a region", "\x1b[2;3r", flood, false},
		{"region undone", "\x1b[2;3r\x1b[r", flood, true},
		{"alternate screen", "\x1b[?1049h", flood, false},
		{"in a string", "\x1b]0;", flood, false},
		{"in a character", "\xe6", flood, false},
		{"behind a sequence", "", append([]byte("\x1b[H"), flood...), false},
	}
	for _, tt := range tests {
		s := show(t, 10, 4, tt.before)
		if _, skip := s.jump(tt.output); skip > 0 != tt.jumps {
			t.Errorf("%s: %d bytes are jumped over", tt.name, skip)
		}
	}
}

func TestPensOf(t *testing.T) {
	tests := []struct{ lines, want string }{
		{"a\x1b[31mb\x1b[Kc\x1b[1md", "\x1b[31m\x1b[1m"},
		{"a\x1b[31mb\x1b[mc\x1b[1md", "\x1b[m\x1b[1m"},
		{"a\x1b[31mb\x1b[0;32mc", "\x1b[0;32m"},
		{"a", ""},
	}
	for _, tt := range tests {
		if got := string(pensOf([]byte(tt.lines))); got != tt.want {
			t.Errorf("the pens of %q are %q, want %q", tt.lines, got, tt.want)
		}
	}
}

// Lines may wait in such a number that most of them can be jumped over; of all else
// only so much that it is drawn soon.
func TestLimit(t *testing.T) {
	long := strings.Repeat("\x1b[5;10Hjumps over\r\n", 1000)
	for _, test := range []struct {
		before, output string
		want           int
	}{
		{"", strings.Repeat("jumps over\r\n", 1000), linesLimit},
		{"", strings.Repeat("\x1b[1;31mjumps\x1b[m over\x1b[K\r\n", 1000) + "\x1b[1;3", linesLimit},
		{"", long, outputLimit},
		{"", "a piece of a line", linesLimit},
		{"", strings.Repeat("text without an end", 1000), outputLimit},
		{"", strings.Repeat(strings.Repeat("long", 200)+"\r\n", 40), outputLimit},
		{"", strings.Repeat("jumps over\r\n", 1000) + long, outputLimit},
		{"\x1b[?1049h", strings.Repeat("jumps over\r\n", 1000), outputLimit},
	} {
		s := show(t, 40, 10, test.before)
		if got := s.limit([]byte(test.output)); got != test.want {
			t.Errorf("behind %q up to %d bytes may wait with %.20q, want %d", test.before, got, test.output, test.want)
		}
	}
}

// What waits is never more than may.
func TestQueueWaits(t *testing.T) {
	q := newQueue()
	put := make(chan int)
	go func() {
		q.put(make([]byte, 10), 4)
		put <- 1
		q.put(make([]byte, 3), 8)
		put <- 2
	}()
	got, spare := 0, []byte(nil)
	for got < 10 {
		spare = q.take(spare)
		if len(spare) > 4 {
			t.Errorf("%d bytes wait, of 4 that may", len(spare))
		}
		got += len(spare)
	}
	<-put
	<-put
	if spare = q.take(spare); len(spare) != 3 {
		t.Errorf("%d bytes wait, want 3", len(spare))
	}
}
