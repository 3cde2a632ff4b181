package parse

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzParse holds the parser to the slow one, and the names to what is
// promised of them.
func FuzzParse(f *testing.F) {
	for _, seed := range lines {
		f.Add([]byte(seed.line))
	}
	var r Record
	f.Fuzz(func(t *testing.T, line []byte) {
		for range 2 { // what stands before the message is remembered
			r.Parse(line)
			if got, want := plainOf(&r), reference(string(line)); got != want {
				t.Errorf("%q\n got %v\nwant %v", line, got, want)
			}
			line = slices.Concat(bytes.TrimSuffix(line, r.Text), []byte("query[A] a.example from 10.0.0.2"))
		}
		r.Outcome()
		r.PTR()
		if at, ok := r.Time(reference2026); !ok && !at.IsZero() {
			t.Errorf("%q: time is %v, %t", line, at, ok)
		}
		name := AppendName(nil, r.Name)
		for _, c := range name {
			if (c < '!' || c > '~') && string(name) != unprintable {
				t.Errorf("%q became %q", r.Name, name)
			}
		}
		if Clean(name) != referenceClean(name) || Clean(line) != referenceClean(line) {
			t.Errorf("clean: %q is %t, %q is %t", name, Clean(name), line, Clean(line))
		}
	})
}

// FuzzSplitter holds the splitter to find the same lines however the log's
// bytes come in: sizes are those of the pieces, over and over.
func FuzzSplitter(f *testing.F) {
	long := bytes.Repeat([]byte("a"), maxLine)
	f.Add([]byte("a\nb\r\n\n\r\nc"), []byte{1})
	f.Add(slices.Concat(long[1:], []byte("\rb\nc")), []byte{})
	f.Add(slices.Concat(long, []byte("\n"), long, []byte("a\n"), long[1:], []byte("\r\n"), long[1:], []byte("\rb\nc\n")), []byte{255, 1, 200})
	f.Add(testdata(f, "shapes-extra.log"), []byte{13, 0, 100})
	var s Splitter
	f.Fuzz(func(t *testing.T, log, sizes []byte) {
		var got []string
		line := func(line []byte) { got = append(got, string(line)) }
		for i, rest := 0, log; len(rest) > 0; i++ {
			n := len(rest)
			if len(sizes) > 0 && i < 1<<10 {
				n = min(n, int(sizes[i%len(sizes)]))
			}
			s.Feed(rest[:n], line)
			rest = rest[n:]
		}
		s.Flush(line)
		if want := referenceLines(log); !slices.Equal(got, want) {
			t.Errorf("%q by %v\n got %q\nwant %q", log, sizes, got, want)
		}
	})
}
