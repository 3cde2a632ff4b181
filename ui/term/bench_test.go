package term

import (
	"bytes"
	"fmt"
	"testing"
)

func BenchmarkWrite(b *testing.B) {
	streams := []struct {
		name   string
		output []byte
	}{
		{"ascii", bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog, and again, and again\r\n"), 8000)},
		{"colour", bytes.Repeat([]byte("\x1b[1;32mthe quick\x1b[0m \x1b[38;5;200mbrown fox\x1b[m jumps over\x1b[K\r\n"), 8000)},
		{"umlauts", bytes.Repeat([]byte("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich\r\n"), 8000)},
		{"flood", bytes.Repeat([]byte("y\r\n"), 180000)},
		{"screens", bytes.Repeat([]byte("\x1b[H\x1b[2Kthe quick brown fox\x1b[5;10H\x1b[Kjumps over the lazy dog"), 10000)},
	}
	for _, stream := range streams {
		b.Run(stream.name, func(b *testing.B) {
			s := New(200, 60)
			defer s.Close()
			b.SetBytes(int64(len(stream.output)))
			for b.Loop() {
				if _, err := s.Write(stream.output); err != nil {
					b.Fatal(err)
				}
			}
			s.out.drain()
		})
	}
}

func BenchmarkLines(b *testing.B) {
	for _, colour := range []bool{false, true} {
		b.Run(fmt.Sprintf("colour=%v", colour), func(b *testing.B) {
			var output bytes.Buffer
			for y := range 60 {
				fmt.Fprintf(&output, "\x1b[%dH", y+1)
				for x := range 20 {
					if colour {
						fmt.Fprintf(&output, "\x1b[38;5;%dm", (x+y)%256)
					}
					output.WriteString("0123456 ü─")
				}
			}
			s := show(b, 200, 60, output.String())
			for b.Loop() {
				s.cache = nil
				if len(s.Lines()) != 60 {
					b.Fatal("no lines")
				}
			}
		})
	}
}

// BenchmarkLock measures how long a key would wait at most while the worst
// output for the emulator comes in.
func BenchmarkLock(b *testing.B) {
	for _, output := range []string{"\n", "y\n", "\x1b[L", "\x1b[2J", "\x1b[200b", "x\x1b[200b", "\x1b[1J", "日", "\x1b[@", "\x1bM", "\x1b[?1049h\x1b[?1049l", "\x1b[c"} {
		b.Run(fmt.Sprintf("%q", output), func(b *testing.B) {
			s := New(200, 60)
			defer s.Close()
			flood := bytes.Repeat([]byte(output), 1+budget*2/len(output))
			for b.Loop() {
				if s.feed(flood) == 0 {
					b.Fatal("nothing taken")
				}
			}
		})
	}
}
