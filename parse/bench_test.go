package parse

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// benchLog is the log to measure with instead of the recorded one: the
// environment variable PARSE_BENCH_LOG names a larger one.
func benchLog(b *testing.B, name string) []byte {
	if path := os.Getenv("PARSE_BENCH_LOG"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	return testdata(b, name)
}

// BenchmarkParse measures the parser alone, BenchmarkRead all that a reader
// does with a line before it looks the name up.
func BenchmarkParse(b *testing.B) {
	for _, log := range []string{"session.log", "session-extra.log"} {
		b.Run(log, func(b *testing.B) {
			data := benchLog(b, log)
			lines := bytes.Split(data, []byte("\n"))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			var r Record
			for b.Loop() {
				for _, line := range lines {
					r.Parse(line)
				}
			}
			perLine(b, len(lines))
		})
	}
}

func BenchmarkRead(b *testing.B) {
	data := benchLog(b, "session.log")
	var s Splitter
	var r Record
	var l Losses
	var name []byte
	lines := 0
	ref := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	line := func(line []byte) {
		lines++
		r.Parse(line)
		l.Count(&r)
		switch r.Kind {
		case Query:
			r.Time(ref)
			name = AppendName(name[:0], r.Name)
		case Answer:
			r.Outcome()
			name = AppendName(name[:0], r.Name)
		}
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	loops := 0
	for b.Loop() {
		s.Feed(data, line)
		loops++
	}
	perLine(b, lines/loops)
}

// BenchmarkLog reads a log as a piece of a large one is read: plain lines going
// forward from one to the next, all others by the parser.
func BenchmarkLog(b *testing.B) {
	data := benchLog(b, "session.log")
	var s Splitter
	var r Record
	var p Plain
	lines, loops := 0, 0
	plain := func(log []byte) (length int) {
		for {
			n := r.Plain(log[length:], &p, false)
			if n == 0 {
				return length
			}
			length += n
			lines += p.Lines
		}
	}
	line := func(line []byte) {
		lines++
		r.Parse(line)
	}
	s.FeedBut(data, plain, line) // its buffers are as large as they get
	lines = 0
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s.FeedBut(data, plain, line)
		loops++
	}
	perLine(b, lines/loops)
}

func perLine(b *testing.B, lines int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
}
