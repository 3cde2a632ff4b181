package parse

import (
	"strings"
	"testing"
)

// Logs that are the same to a line are so to all that follow it: whatever lines
// stood in the two before.
func TestSameStates(t *testing.T) {
	lines := []string{
		"dnsmasq[1]: query[A] a.example from 10.0.0.2",
		"Nov 23 10:00:00 web a[1]: dnsmasq[1]: query[A] b.example from 10.0.0.2",
		"Nov 23 10:00:00 web b[1]: dnsmasq[1]: query[A] c.example from 10.0.0.2",
		"Nov 23 10:00:00 web b[1]: started",
		"no form",
		" dnsmasq[1]: query[A] d.example from 10.0.0.2",
		strings.Repeat(" ", len("dnsmasq[1]: ")) + "dnsmasq[1]: query[A] e.example from 10.0.0.2",
	}
	var logs [][]string
	for _, first := range lines {
		logs = append(logs, []string{first})
		for _, second := range lines {
			logs = append(logs, []string{first, second})
			for _, third := range lines {
				logs = append(logs, []string{first, second, third})
			}
		}
	}
	records := make([]Record, len(logs))
	for i := range logs {
		for _, line := range logs[i] {
			records[i].Parse([]byte(line))
		}
	}
	same, differ := 0, 0
	for i := range logs {
		for j := range logs[:i] {
			for _, next := range lines {
				if !records[i].Same(&records[j].State, []byte(next)) {
					differ++
					continue
				}
				same++
				a, b := records[i], records[j]
				for _, line := range append([]string{next}, lines...) {
					a.Parse([]byte(line))
					b.Parse([]byte(line))
					if a.Kind != b.Kind || string(a.Name) != string(b.Name) {
						t.Fatalf("%q then %q is %v of %q behind %q, %v of %q behind %q", next, line, a.Kind, a.Name, logs[i], b.Kind, b.Name, logs[j])
					}
				}
			}
		}
	}
	if same == 0 || differ == 0 {
		t.Errorf("%d are the same, %d aren't", same, differ)
	}
}
