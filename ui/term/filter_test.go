package term

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// passable is all that a filter may let through.
var passable = regexp.MustCompile(`^(?:[^\x00-\x1f\x7f-\x9f]|[\n\r\t\x08]|\x1b\[[0-9;:]*m|\x1b\[[0-9]*[KCDG])*$`)

// filtered returns what a filter lets through of writes.
func filtered(t testing.TB, writes ...string) string {
	t.Helper()
	var to bytes.Buffer
	f := NewFilter(&to)
	for _, output := range writes {
		before := to.Len()
		if n, err := f.Write([]byte(output)); n != len(output) || err != nil {
			t.Fatalf("%q: %d bytes were taken: %v", output, n, err)
		}
		if got := to.String()[before:]; !utf8.ValidString(got) || !passable.MatchString(got) {
			t.Errorf("%q: the terminal is sent %q", writes, got)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return to.String()
}

func TestFilter(t *testing.T) {
	for _, tt := range []struct{ output, want string }{
		{"a\tb\r\nc\b\x00\x07\x0e\x7f é日👩\u200d🚀\u00a0", "a\tb\r\nc\b é日👩\u200d🚀\u00a0"},
		{"\x1b[1;38:2::1:2:3;4:3mx\x1b[;7m\x1b[m", "\x1b[1;38:2::1:2:3;4:3mx\x1b[;7m\x1b[m"},
		{"\x1b[31mred", "\x1b[31mred\x1b[m"},
		{" 10%\r\x1b[K 20%\x1b[4D\x1b[2K\x1b[1G\x1b[7C", " 10%\r\x1b[K 20%\x1b[4D\x1b[2K\x1b[1G\x1b[7C"},
		{"a\x1b]52;c;aGk=\x07b\x1b]2;t\x1b\\c\x1b[cd\x1b[>4;2me\x1b[?25lf", "abcdef"},
		{"a\x1b[2Jb\x1b[3;4Hc\x1b[Ad\x1bce\x1b7f\x1b[6ng\x1b[1;2Kh\x1b[99999mi", "abcdefghi"},
		{"a\x1b[2147487000Cb\x1b[2147483653mc\x1b[4294967301md\x1b[1:2147483653me", "abcde"},
		{"a\u009b31mb\x9b31m\x9d2;t\x9cc", "a31mb�31m�2;t�c"},
		{"\xe9t\xe9\n\xe2\x82\nx\xc3", "�t�\n��\nx�"},
		{"\xc2\x1b[31m\x1b]2;\xc2\x9cx\x9c\x07y", "�\x1b[31my\x1b[m"},
		{"\u202eabc\u2066", "abc"},
		{"\x1b]2;cut\x18a\x1bPcut\x1ab", "ab"},
	} {
		if got := filtered(t, tt.output); got != tt.want {
			t.Errorf("of %q it lets through\n%q, want\n%q", tt.output, got, tt.want)
		}
	}
}

// Wherever output is split, the same passes of it, and nothing that isn't text
// or from the list.
func TestFilterOfHostileOutput(t *testing.T) {
	for _, output := range hostile(t) {
		whole := filtered(t, output)
		for at := range output {
			if got := filtered(t, output[:at], output[at:]); got != whole {
				t.Errorf("%q, split at %d, gives\n%q, want\n%q", output, at, got, whole)
			}
		}
		if got := filtered(t, strings.Split(output, "")...); got != whole {
			t.Errorf("%q bytewise gives\n%q, want\n%q", output, got, whole)
		}
	}
}

// What never ends is neither kept nor shown.
func TestFilterIsBounded(t *testing.T) {
	for _, begin := range []string{"\x1b[", "\x1b]2;", "\x1bPq", "\x1b_G", "\x1b^", "\x1bX"} {
		var to bytes.Buffer
		f := NewFilter(&to)
		f.Write([]byte(begin))
		part := []byte(strings.Repeat("1", 64<<10))
		if n := testing.AllocsPerRun(100, func() { f.Write(part) }); n > 0 || to.Len() > 0 {
			t.Errorf("%q: it allocates %v times for 64 kB, and shows %d bytes", begin, n, to.Len())
		}
		f.Write([]byte("\x18back"))
		if to.String() != "back" {
			t.Errorf("%q: after that it shows %.60q", begin, to.String())
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, output := range hostile(f) {
		f.Add([]byte(output), uint(len(output)/2))
	}
	f.Fuzz(func(t *testing.T, output []byte, at uint) {
		at %= uint(len(output) + 1)
		whole := filtered(t, string(output))
		if got := filtered(t, string(output[:at]), string(output[at:])); got != whole {
			t.Errorf("%q, split at %d, gives\n%q, want\n%q", output, at, got, whole)
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	f := NewFilter(io.Discard)
	output := []byte(strings.Repeat("\x1b[32mok\x1b[m  a line of a build that compiles something\r\n", 1000))
	b.SetBytes(int64(len(output)))
	for b.Loop() {
		f.Write(output)
	}
}
