package ui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// A log's first undecided row in view is selected, however early its lines come:
// before the size of the screen is known, or while newer ones are still read.
func TestLogBeginsWithWhatIsUndecided(t *testing.T) {
	read := 0.5
	for name, test := range map[string]struct {
		progress func() float64
		then     func(s *scene)
	}{
		"size":    {nil, func(s *scene) { s.Update(tea.WindowSizeMsg{Width: 80, Height: 24}) }},
		"reading": {func() float64 { return read }, func(s *scene) { read = 1; s.Update(tickMsg(s.now.Add(time.Second))) }},
	} {
		t.Run(name, func(t *testing.T) {
			l := capture.NewLedger(capture.Info{Log: "dns.log"})
			feed(l, noon, "query[A] a.example.com from 10.0.0.5")
			feed(l, noon.Add(time.Minute), "query[PTR] 1.2.0.192.in-addr.arpa from 10.0.0.5")
			s := newScene(t, 80, 24)
			if name == "size" {
				s.w, s.h = 0, 0
			}
			s.shows(&Capture{Ledger: l, Title: "dns.log", Progress: test.progress})
			if _, ok := s.m().table.Selected(); ok {
				t.Fatalf("a row is selected already:\n%s", s.text())
			}
			test.then(s)
			it, _ := s.m().table.Selected()
			got := ""
			if it.IsDomain() {
				l.Read(func(r capture.Reader) { got = r.Name(it.ID) })
			}
			if got != "a.example.com" {
				t.Errorf("selected is %q:\n%s", got, s.text())
			}
		})
	}
}
