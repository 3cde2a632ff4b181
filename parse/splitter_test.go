package parse

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitter(t *testing.T) {
	var s Splitter
	var got []string
	line := func(line []byte) { got = append(got, string(line)) }
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: lines are %q, want %q", what, got, want)
		}
		got = nil
	}
	s.Feed([]byte("a\nb"), line)
	expect("a line and a half", "a")
	s.Feed([]byte("c\r"), line)
	expect("more of it")
	s.Feed([]byte("\n\nd"), line)
	expect("its end, an empty line and the next", "bc", "")
	s.Reset()
	s.Feed([]byte("e\nf"), line)
	expect("another log", "e")
	s.Flush(line)
	expect("the log's end", "f")
	s.Flush(line)
	expect("nothing is left")
}

// TestSplitterBound feeds a line without an end.
func TestSplitterBound(t *testing.T) {
	var s Splitter
	var got []string
	line := func(line []byte) { got = append(got, string(line)) }
	s.Feed([]byte(tag+"query[A] "), line)
	piece := []byte(strings.Repeat("a", 10_000))
	for range 10_000 {
		s.Feed(piece, line)
	}
	if len(got) != 0 || cap(s.tail) > 2*maxLine {
		t.Errorf("%d lines seen and %d bytes held of one line", len(got), cap(s.tail))
	}
	s.Feed([]byte("a\nb\n"), line)
	if want := []string{tag + "query[A] " + strings.Repeat("a", maxLine-len(tag+"query[A] ")), "b"}; !slices.Equal(got, want) {
		t.Errorf("%d lines, the first of %d bytes", len(got), len(got[0]))
	}
	var r Record
	if r.Parse([]byte(got[0])); r.Kind != Cut {
		t.Errorf("its beginning is %v", r.Kind)
	}
}
