package ui

import (
	"strings"
	"testing"
	"time"
)

// Who pauses at the table is shown what keys do, until the next key, and no more
// once that was often enough.
func TestNewcomerIsShownKeys(t *testing.T) {
	const title = "while you pause"
	s := newScene(t, 80, 24).session()
	pause := func(d time.Duration) bool {
		s.messages = nil
		s.Update(tickMsg(s.now.Add(d)))
		if len(s.lines()) != s.h {
			t.Errorf("%d lines", len(s.lines()))
		}
		return strings.Contains(s.text(), title)
	}
	if s.press("tab", "ctrl+]"); pause(hintPause) {
		t.Error("it is shown before a key was pressed at the table")
	}
	if s.press("j"); pause(hintPause / 2) {
		t.Error("it is shown at once")
	}
	if !pause(hintPause) {
		t.Errorf("after a pause:\n%s", s.text())
	}
	if _, hints, _ := strings.Cut(s.text(), title); strings.Contains(hints, "…") {
		t.Errorf("a hint is cut:\n%s", s.text())
	}
	if s.press("k"); strings.Contains(s.text(), title) {
		t.Error("a key leaves it there")
	}
	if s.press("/"); pause(hintPause) {
		t.Error("it is shown while the filter is typed")
	}
	s.press("esc")
	for range 2 * hintTimes {
		s.press("j")
		pause(hintPause)
	}
	if s.press("j"); pause(hintPause) || s.prefs.Hinted != hintTimes {
		t.Errorf("shown %d times, and still", s.prefs.Hinted)
	}
}
