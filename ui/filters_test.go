package ui

import (
	"fmt"
	"strings"
	"testing"

	"lxd-allowlist/capture"
)

// What can't be understood shows nothing, and nothing is decided about it; the
// whole error can be read.
func TestWrongFilterDecidesNothing(t *testing.T) {
	for _, key := range []string{"A", "D"} {
		s := newScene(t, 80, 24).realSession(false).press("/").types("foo:bar").press("enter", key)
		if tally := s.m().table.Tally(); tally.New != 135 {
			t.Errorf("%s decided about %d names", key, 135-tally.New)
		}
		text := strings.Join(strings.Fields(s.text()), " ")
		for _, want := range []string{"Domains 0 of 159", "there is no filter foo: there are is:, type:, result:, from:, by:, port:,", "cmd:, seen:, state:", "the filter can't be understood"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: want %q in\n%s", key, want, s.text())
			}
		}
	}
}

// While a great many are being filtered, what is shown isn't what was typed.
func TestNothingIsDecidedWhileFiltering(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	var log strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&log, "query[A] d%d.example from 10.0.0.5\n", i)
	}
	l.Feed([]byte(log.String()), noon, false)
	s := newScene(t, 120, 40).shows(&Capture{Ledger: l, Title: "dns.log"})
	s.do(s.m().table.Work())
	s.press("/")
	s.Update(press("x"))
	s.Update(press("enter"))
	s.Update(press("D"))
	if tally := s.m().table.Tally(); tally.DropByUser > 0 || !strings.Contains(s.text(), "the table is still filtering…") {
		t.Errorf("%d were dropped:\n%s", tally.DropByUser, s.text())
	}
}

// What is typed is seen to its end, whatever else the title has to say.
func TestTypedFilterIsSeen(t *testing.T) {
	for _, w := range []int{40, 60, 80} {
		s := newScene(t, w, 12).realSession(false).press("h", "/").types("is:new !type:ptr cdn.snapcraft")
		s.wants("snapcraft ")
		if s.press("ctrl+u").types("is:new"); w > 40 {
			s.wants(" more, dropped hidden  /is:new ")
		} else {
			s.wants("Domains 135 of 159  /is:new ")
		}
	}
}

// Tab completes keys, and their values with how many there are.
func TestCompletion(t *testing.T) {
	s := newScene(t, 120, 40).realSession(false).press("/").types("res").press("tab")
	s.wants("/result:", "result:resolved 136  result:nxdomain 20")
	s.press("tab")
	s.wants("result:resolved 136", "Domains 136 of 159")
	s.press("tab")
	s.wants("/result:nxdomain", "Domains 20 of 159")
	s.types(" !is:a").press("tab")
	s.wants("/result:nxdomain !is:auto", "is:auto 24")
	s.press("enter").wants("⁵result")
}

// Up recalls, down goes forth, past what was typed to the table.
func TestRecall(t *testing.T) {
	s := newScene(t, 120, 40).realSession(false)
	for _, text := range []string{"ubuntu", "google", "ubuntu", "foo:bar"} {
		s.press("esc", "/").types(text).press("enter")
	}
	s.press("esc", "/").types("x")
	for _, step := range [][2]string{{"up", "ubuntu"}, {"up", "google"}, {"up", "google"}, {"down", "ubuntu"}, {"down", "x"}} {
		if s.press(step[0]); s.m().table.Filter() != step[1] {
			t.Errorf("after %s the filter is %q, want %q", step[0], s.m().table.Filter(), step[1])
		}
	}
	if s.press("down"); s.m().table.Editing() {
		t.Error("down doesn't go to the table")
	}
}

// A saved filter has a key, of the config's the first; it is forgotten by the
// key that saved it, and remembered in the next run.
func TestSavedFilters(t *testing.T) {
	s := newSceneWith(t, 120, 40, Settings{Filters: []string{"is:auto"}}).realSession(false)
	s.press("/").types("google").press("ctrl+s")
	s.messages.Say("")
	s.press("enter", "esc", "f3")
	if got := s.m().table.Filter(); got != "google" {
		t.Errorf("f3 filters by %q", got)
	}
	s.press("F").wants("Saved filters", "f2  is:auto", "f3  google")
	s.press("enter")
	if got := s.m().table.Filter(); got != "is:auto" {
		t.Errorf("chosen is %q", got)
	}
	if err := s.m().leave(); err != nil {
		t.Fatal(err)
	}
	if got := loadPrefs().Filters; len(got.Saved) != 1 || len(got.Past) != 2 {
		t.Errorf("remembered is %+v", got)
	}
	s.press("f3", "ctrl+s", "f3").wants("1 filter saved: F lists them")
	s.press("esc", "ctrl+s").wants("there is no filter to save")
}
