package ui

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := time.NewTicker(still)
		defer clock.Stop()
		f := frames{find: func() *time.Ticker { return clock }}
		ticks := func(d time.Duration) (n int) {
			for end := time.After(d); ; {
				select {
				case <-clock.C:
					n++
				case <-end:
					return n
				}
			}
		}
		for range 2 { // it can be stirred again once it has settled
			f.stir()
			if n := ticks(frame * 3 / 2); n != 1 {
				t.Errorf("%d ticks in one frame and a half, want 1", n)
			}
			f.stir()
			if n := ticks(calm); n < 5 {
				t.Errorf("%d ticks while it isn't calm yet", n)
			}
			if n := ticks(time.Minute); n > 2 {
				t.Errorf("%d ticks in a calm minute", n)
			}
		}
		// What answers a key, or new cells, waits for no frame, and the clock
		// doesn't go on like that; what comes much later is no answer.
		for _, msg := range []tea.Msg{tea.KeyPressMsg{}, tea.WindowSizeMsg{}} {
			f.stir()
			f.note(msg)
			f.stir()
			if n := ticks(2 * soon); n < 1 {
				t.Error("no tick for the answer to a key")
			}
			ticks(frame)
			if n := ticks(frame * 5 / 2); n < 2 || n > 3 {
				t.Errorf("%d ticks in two frames and a half later on", n)
			}
			f.note(screenMsg{})
			f.stir()
			if n := ticks(2 * soon); n < 1 {
				t.Error("no tick for the echo of a key")
			}
			ticks(time.Minute)
		}
		f.note(screenMsg{})
		f.stir()
		if n := ticks(frame / 2); n > 0 {
			t.Errorf("%d ticks at once for what no key asked for", n)
		}
	})
}

// What has come up to the first frame is in it.
func TestFirstRowsWaitForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 80, 24)
		l := capture.NewLedger(capture.Info{})
		m := newMonitor(s.model, &Capture{Ledger: l})
		feed(l, noon, "query[A] www.example.com from 10.0.0.5")
		begin := time.Now()
		await := m.start()().(tea.BatchMsg)[0]
		if msg := await(); msg != tea.Msg(ledgerMsg{}) || time.Since(begin) > 0 {
			t.Errorf("%T came after %v", msg, time.Since(begin))
		}
	})
}

type stirred struct{}

func (s stirred) Init() tea.Cmd                       { return nil }
func (s stirred) Update(tea.Msg) (tea.Model, tea.Cmd) { return s, tea.Quit }
func (s stirred) View() tea.View                      { return tea.NewView("") }

// A new Bubble Tea may have no such clock, or somewhere else.
func TestClockOf(t *testing.T) {
	p := tea.NewProgram(stirred{}, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithoutSignalHandler())
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if clockOf(p) == nil {
		t.Error("Bubble Tea's clock isn't found: frames come at its own rate now, and it never stands still")
	}
}
