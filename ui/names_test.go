package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// realNames are what a machine that builds software asks for: 135 names that
// somebody has to decide about, and 24 that rules decide.
func realNames(t testing.TB) (names []string, lines [][]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, "names"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		name, result, types := f[0], f[1], f[2:]
		var log []string
		for _, typ := range types {
			log = append(log, fmt.Sprintf("query[%s] %s from 10.0.0.5", typ, name))
			switch result {
			case "resolved":
				log = append(log, "reply "+name+" is 192.0.2.1")
			case "blocked":
				log = append(log, "gravity blocked "+name+" is 0.0.0.0")
			case "SERVFAIL":
				log = append(log, "reply error is SERVFAIL")
			default:
				log = append(log, "reply "+name+" is "+result)
			}
		}
		names, lines = append(names, name), append(lines, log)
	}
	return names, lines
}

// realSession shows them, as a log that is read or beside a shell.
func (s *scene) realSession(shell bool) *scene {
	l := capture.NewLedger(capture.Info{Instance: "builder", Network: "lxdbr0", Domain: "lxd"})
	_, lines := realNames(s.t)
	for i, log := range lines {
		feed(l, noon.Add(time.Duration(i-len(lines))*time.Second), log...)
	}
	if !shell {
		s.shows(&Capture{Ledger: l, Title: "builder on lxdbr0"})
		s.m().table.Tick(s.now)
		return s
	}
	s.session()
	l.SetOwners(map[string]string{"10.0.0.5": "builder"})
	m := s.m()
	c := *m.capture
	c.Ledger, c.Title = l, "builder on lxdbr0"
	screen := m.shell.screen
	s.shows(&c)
	s.m().shell.screen, s.m().shell.starting, s.m().shell.ended = screen, false, "the shell has ended"
	s.m().arrange()
	s.m().table.Tick(s.now)
	return s.press("ctrl+]")
}
