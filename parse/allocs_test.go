package parse

import (
	"bytes"
	"testing"
)

// Speed is a matter of allocations first, which are the same on each machine:
// a line has none, whatever it says and whatever wrapped it. Objects in JSON are
// taken apart by a library.
func TestParseAllocatesNothing(t *testing.T) {
	var logs [][]byte
	for _, name := range []string{"session.log", "session-extra.log", "session-journald.log", "shapes-extra.log", "dhcp-sample.log"} {
		logs = append(logs, testdata(t, name))
	}
	for _, w := range wrappers {
		if !bytes.Contains([]byte(w.form), []byte(`{"`)) {
			line := bytes.ReplaceAll([]byte(w.form), []byte("%s"), []byte("query[AAAA] a.example from 10.0.0.2"))
			logs = append(logs, bytes.Repeat(append(line, '\n'), 10))
		}
	}
	for _, log := range logs {
		var s Splitter
		var r Record
		var l Losses
		name := make([]byte, 0, 1<<10)
		line := func(line []byte) {
			r.Parse(line)
			l.Count(&r)
			r.Outcome()
			r.Time(reference2026)
			name = AppendName(name[:0], r.Name)
			Classify(name)
		}
		s.Feed(log, line)
		if n := testing.AllocsPerRun(5, func() { s.Feed(log, line) }); n > 0 {
			t.Errorf("%.0f allocations for\n%.120s", n, log)
		}
	}
}
