package parse_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"lxd-allowlist/parse"
	"lxd-allowlist/parse/source"
)

// names returns the names that a log has queries for, in their order, and how
// many lines hold a query that can't be read.
func names(t *testing.T, log []byte) (names []string, garbled int) {
	t.Helper()
	in, err := source.NewReader(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	var s parse.Splitter
	var r parse.Record
	line := func(line []byte) {
		for len(line) > 0 {
			switch r.Parse(line); r.Kind {
			case parse.Query:
				names = append(names, string(parse.AppendName(nil, r.Name)))
			case parse.Garbled, parse.Cut:
				garbled++
			}
			line = r.Rest
		}
	}
	s.Feed(text, line)
	s.Flush(line)
	return names, garbled
}

// TestJournal reads what journalctl 252 printed of one journal, in all of its
// forms. Other programs' messages in it look like dnsmasq's, one of them on a
// line of its own.
func TestJournal(t *testing.T) {
	logs, err := filepath.Glob("testdata/journal/*.log")
	if err != nil || len(logs) != 15 {
		t.Fatalf("%d logs: %v", len(logs), err)
	}
	want := []string{"n1.example.com", "n2.example.com", `a"b\092c.example.com`, "n3.example.com"}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, garbled := names(t, log); !slices.Equal(got, want) || garbled > 0 {
			t.Errorf("%s: %q are asked for and %d lines garbled, want %q", path, got, garbled, want)
		}
	}
}
