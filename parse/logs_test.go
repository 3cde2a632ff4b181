package parse_test

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/parse"
	"lxd-allowlist/parse/source"
)

// read returns the names that a log has queries for, in their order, what
// became of each, and what of the log is lost.
func read(t *testing.T, log []byte) (names []string, outcomes map[string]parse.Outcome, lost parse.Losses) {
	t.Helper()
	in, err := source.NewReader(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	outcomes = make(map[string]parse.Outcome)
	var s parse.Splitter
	var r parse.Record
	line := func(line []byte) {
		for len(line) > 0 {
			r.Parse(line)
			lost.Count(&r)
			name := string(parse.AppendName(nil, r.Name))
			switch r.Kind {
			case parse.Query:
				names = append(names, name)
			case parse.Answer:
				outcomes[name] = r.Outcome()
			}
			line = r.Rest
		}
	}
	s.Feed(text, line)
	s.Flush(line)
	return names, outcomes, lost
}

// TestCases reads small logs of the kinds that people have.
func TestCases(t *testing.T) {
	logs, err := filepath.Glob("testdata/cases/*.log")
	if err != nil || len(logs) != 10 {
		t.Fatalf("%d logs: %v", len(logs), err)
	}
	const blocked, none = parse.Blocked, parse.NoName
	results := map[string]map[string]parse.Outcome{
		"config-nxdomain": {"blocked1.example.com": blocked, "blocked2.example.com": blocked, "gone.example.com": none, "ok.example.com": parse.Address},
		"csv-pihole-verdicts": {"gravity.example.com": blocked, "exact.example.com": blocked, "regex.example.com": blocked,
			"special.example.com": blocked, "limited.example.com": blocked},
	}
	losses := map[string]string{"silent-mixed": "2 lost: 2 not understood", "guard-forged-tag": "1 lost: 1 not understood"}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(path, ".log") + ".want")
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		names, outcomes, lost := read(t, log)
		slices.Sort(names)
		if got := strings.Join(names, "\n") + "\n"; got != string(want) {
			t.Errorf("%s: names are %q, want %q", name, got, want)
		}
		if lost.String() != losses[name] {
			t.Errorf("%s: %q, want %q", name, lost.String(), losses[name])
		}
		if want := results[name]; want != nil && !maps.Equal(outcomes, want) {
			t.Errorf("%s: outcomes are %v, want %v", name, outcomes, want)
		}
	}
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
		if got, _, lost := read(t, log); !slices.Equal(got, want) || lost.Total() > 0 {
			t.Errorf("%s: %q are asked for, %v, want %q", path, got, &lost, want)
		}
	}
}
