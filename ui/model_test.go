package ui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// A terminal that changes while the program begins is drawn at its size: that is
// asked for once more, and once only.
func TestSizeIsAskedForAgain(t *testing.T) {
	s := newScene(t, 80, 24)
	asks := func() (times int) {
		_, cmd := s.Update(tickMsg(s.now.Add(time.Second)))
		var run func(tea.Cmd)
		run = func(cmd tea.Cmd) {
			if cmd == nil {
				return
			}
			switch msg := cmd().(type) {
			case tea.BatchMsg:
				for _, c := range msg {
					run(c)
				}
			default:
				if msg == tea.RequestWindowSize() {
					times++
				}
			}
		}
		run(cmd)
		return times
	}
	if first, then := asks(), asks(); first != 1 || then != 0 {
		t.Errorf("asked %d times at the first tick, and %d at the second", first, then)
	}
}
