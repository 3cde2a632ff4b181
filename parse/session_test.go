package parse

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSessions holds the parser to what was really asked for in a recorded
// session, however dnsmasq logged it.
func TestSessions(t *testing.T) {
	want := strings.Fields(string(testdata(t, "session.names")))
	for log, queries := range map[string]int{"session.log": 862, "session-extra.log": 862, "session-journald.log": 862} {
		names := make(map[string]bool)
		kinds := make(map[Kind]int)
		var s Splitter
		var r Record
		line := func(line []byte) {
			r.Parse(line)
			kinds[r.Kind]++
			if r.Kind != Query {
				return
			}
			if name := AppendName(nil, r.Name); Clean(name) {
				names[string(name)] = true
			}
		}
		s.Feed(testdata(t, log), line)
		s.Flush(line)
		if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
			t.Errorf("%s: %d names\n%v\nwant %d\n%v", log, len(got), got, len(want), want)
		}
		if kinds[Query] != queries || kinds[Garbled]+kinds[Cut]+kinds[Loss] != 0 || kinds[Start] != 1 {
			t.Errorf("%s: kinds are %v", log, kinds)
		}
	}
}

// TestLogsLeaveNoAnswerOut holds the parser to find every line with an answer
// or a forwarded query in the recorded logs, and no other, and to read each as
// the slow parser does.
func TestLogsLeaveNoAnswerOut(t *testing.T) {
	for _, log := range []string{"session.log", "session-extra.log", "session-journald.log", "shapes-extra.log", "dhcp-sample.log"} {
		var r Record
		for line := range bytes.Lines(testdata(t, log)) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			want := Other
			switch {
			case bytes.Contains(line, []byte("]: started, version ")):
				want = Start
			case bytes.Contains(line, []byte(" query[")):
				want = Query
			case bytes.Contains(line, []byte(" forwarded ")):
				want = Forward
			case bytes.Contains(line, []byte(" is ")):
				want = Answer
			}
			if r.Parse(line); r.Kind != want {
				t.Errorf("%s: %q is %v, want %v", log, line, r.Kind, want)
			}
			if want, ok := reference(string(line)); ok && plainOf(&r) != want {
				got := plainOf(&r)
				t.Errorf("%s: %q\n got %v\nwant %v", log, line, got, want)
			}
		}
	}
}
