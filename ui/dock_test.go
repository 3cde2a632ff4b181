package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/table"
)

// The details stand beside the table where it is wide, at its foot where it is
// high, and nowhere else; a key takes them away, for later runs, too.
func TestDock(t *testing.T) {
	for _, test := range []struct {
		w, h, key string
		where     string
	}{
		{"80", "24", "", "nowhere"}, {"120", "40", "", "foot"}, {"160", "45", "", "foot"}, {"160", "45", "z", "side"}, {"80", "70", "", "foot"}, {"200", "60", "i", "nowhere"}, {"200", "60", "", "foot"}, {"40", "12", "", "nowhere"},
	} {
		sizes := map[string]int{"80": 80, "24": 24, "120": 120, "40": 40, "160": 160, "45": 45, "70": 70, "200": 200, "60": 60, "12": 12}
		s := newScene(t, sizes[test.w], sizes[test.h]).session()
		s.selects(ubuntu).press(test.key)
		l := s.m().layout
		where := "nowhere"
		switch {
		case l.details.h > 0 && l.details.y == l.table.y:
			where = "side"
		case l.details.h > 0:
			where = "foot"
		}
		if where != test.where {
			t.Errorf("%sx%s %s: the details are at the %s, want %s", test.w, test.h, test.key, where, test.where)
		}
		lines := s.lines()
		for i, line := range lines {
			if got := strings.Count(line, "\n"); got > 0 || len(lines) != s.h {
				t.Errorf("%sx%s: line %d of %d", test.w, test.h, i, len(lines))
			}
		}
		if shown := strings.Contains(s.text(), "192.0.2.1, 2001:db8::1"); shown != (where != "nowhere") {
			t.Errorf("%sx%s %s: that the answers are shown is %t:\n%s", test.w, test.h, test.key, shown, s.text())
		}
	}
	s := newScene(t, 80, 24).session().press("i")
	s.wants("won't stand beside the table when there is room, either")
	s.press("i").wants("as soon as there is room")
}

// What stands there is what is selected as it is now, a group too.
func TestDockFollows(t *testing.T) {
	s := newSceneWith(t, 200, 60, Settings{Stay: true}).session().sibling().selects(ubuntu)
	s.wants("queries    2  (A ×1, AAAA ×1)")
	s.press("n").types("ours").press("enter", "a")
	s.wants("mark       ✓ keep, user: ours")
	feed(s.m().capture.Ledger, noon, "query[A] "+ubuntu+" from 10.0.0.5")
	s.press("k", "j")
	s.wants("queries    3  (A ×2, AAAA ×1)")
	s.press("w", "up", "enter").selects(ubuntu).press("c")
	s.wants("kept by    .ubuntu.com")
	s.press("t").selects("[ubuntu.com]")
	s.wants("✓ keep, by one suffix rule", "suffix     2 names seen below .ubuntu.com")
	s.press("d")
	s.wants("mark       ✗ drop all")
	s = newScene(t, 200, 60)
	s.waitingForQueries()
	if got := s.text(); !strings.Contains(got, "what is known of the selected ") {
		t.Errorf("with nothing selected it says %q", got)
	}
}

// What the shell prints doesn't have the details looked up again.
func TestDockIsDrawnOnce(t *testing.T) {
	s := newScene(t, 200, 60).session()
	s.View()
	was := s.m().docked
	s.Update(screenMsg{})
	if len(was) == 0 || len(s.m().docked) == 0 || &s.m().docked[0] != &was[0] {
		t.Error("output of the shell forgets the details")
	}
	s.Update(tea.WindowSizeMsg{Width: 160, Height: 45})
	if s.View(); len(s.m().docked) != s.m().layout.details.h {
		t.Errorf("%d lines of details in %d", len(s.m().docked), s.m().layout.details.h)
	}
}

// Of a group's head stands there when its names were first and last, who asked,
// what a suffix rule would open and, where there can't be one, why.
func TestDockOfGroups(t *testing.T) {
	s := newScene(t, 120, 40).session()
	feed(s.m().capture.Ledger, noon.Add(30*time.Second), "query[A] security.ubuntu.com from 10.0.0.6", "query[A] esm.ubuntu.com from 10.0.0.6",
		"query[A] a.s3.eu-west-1.amazonaws.com from 10.0.0.6", "query[A] b.s3.eu-west-1.amazonaws.com from 10.0.0.6",
		"query[PTR] 2.2.0.192.in-addr.arpa from 10.0.0.6")
	s.m().table.Refresh(s.now)
	s.press("t").selects("[ubuntu.com]").press("space", "space")
	s.send(groupSeenMsg{"example.com", capture.Evidence{Asked: 99}}) // of a group that was gone from
	s.wants("suffix     3 names seen below .ubuntu.com", "beware: .ubuntu.com allows paste.ubuntu.com", "names      archive, security, esm",
		"queries    4 from dnstest, web", "seen       2026-11-24 12:00:00 (1m ago) to 12:00:30 (30s ago)")
	feed(s.m().capture.Ledger, noon.Add(40*time.Second), "query[A] esm.ubuntu.com from 10.0.0.7")
	s.m().groupChanged()
	s.do(s.m().lookAtGroup())
	s.wants("queries    5 from dnstest, web, 10.0.0.7", "to 12:00:40 (20s ago)")
	s.selects("[s3.eu-west-1.amazonaws.com]")
	s.do(s.m().lookAtGroup())
	s.wants("beware: anyone can have a name below s3.eu-west-", "names      a, b", "dropped    2 of 2")
	s.press("g")
	for range 20 {
		if it, _ := s.m().table.Selected(); it.Group != "in-addr.arpa" {
			s.press("j")
		}
	}
	s.wants("suffix     none: .in-addr.arpa")
}

// Whatever warns of a rule is seen beside the shell at the usual size.
func TestDockTellsWarnings(t *testing.T) {
	for _, name := range []string{"archive.ubuntu.com", "raw.githubusercontent.com", "www.googleapis.com"} {
		s := newScene(t, 120, 40).realSession(true).selects(name)
		packed := func(text string) string { return strings.Join(strings.Fields(text), "") } // it is wrapped
		docked := ansi.Strip(strings.Join(s.m().drawDock(), "\n"))
		for _, r := range []rule.Rule{{Name: name}, {Name: table.Registrable(name), Suffix: true}} {
			if warning := r.Warning(); r.Problem() == "" && warning != "" && !strings.Contains(packed(docked), packed(warning)) {
				t.Errorf("%s: want %q in\n%s", name, warning, docked)
			}
		}
	}
}

// What the details show isn't below them once more, nor in them twice.
// All details have the dock's place and the keys, the table stays in sight, and the
// mouse goes on doing what it does there.
func TestDetailsInTheDock(t *testing.T) {
	for _, size := range [][2]int{{200, 60}, {120, 40}} {
		s := newScene(t, size[0], size[1]).watched()
		s.m().table.Select("www.example.com")
		s.press("enter").wants("━ Details", "registered", "www.example.com  ")
		m := s.m()
		if lines := m.layout.table.h; lines < tableLeast {
			t.Errorf("%v: %d lines are left to the table", size, lines)
		}
		at := m.layout.details
		row := m.layout.table.y + 2
		for !strings.Contains(s.shownAt(row), "archive.ubuntu.com ") {
			row++
		}
		if s.clicks(12, row); m.selectedName() != "archive.ubuntu.com" || !strings.HasPrefix(strings.TrimSpace(s.shownIn(at, 1)), "archive.ubuntu.com") {
			t.Errorf("%v: a click on a row leaves %q in the details of %s", size, s.shownIn(at, 1), m.selectedName())
		}
		s.press("d")
		if d, _ := s.verdict("archive.ubuntu.com"); d != capture.Drop {
			t.Errorf("%v: d leaves %v", size, d)
		}
		if s.press("esc"); m.whole() != nil || m.layout.details.h > at.h {
			t.Errorf("%v: esc leaves the details at %+v", size, m.layout.details)
		}
		if s.clicks(at.x+3, at.y+at.h-2); m.whole() == nil {
			t.Errorf("%v: a click on the dock shows no more", size)
		}
	}
}

// shownIn is a line of a place, from 0.
func (s *scene) shownIn(at rect, line int) string {
	return string([]rune(s.shownAt(at.y + line))[at.x : at.x+at.w])
}

// Where not all details fit, the footer says what shows more of them, from the
// first picture on.
func TestDetailsSayThatThereIsMore(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).watched()
		s.m().table.Select("www.example.com")
		s.press("enter")
		more := strings.Contains(s.text(), "Details  ↓ ")
		if hint := strings.Contains(s.text(), "pgdn more"); hint != more || size[1] == 12 && !more {
			t.Errorf("%v: there is more: %v, and that is said: %v\n%s", size, more, hint, s.text())
		}
		for range 20 {
			s.press("pgdown")
		}
		if strings.Contains(s.text(), "pgdn more") {
			t.Errorf("%v: at the end it says that there is more", size)
		}
	}
}

func TestDetailsStandOnce(t *testing.T) {
	for _, w := range []int{120, 200} {
		s := newScene(t, w, 60).asked("github.com")
		s.selects("github.com").wants("github.com is a shared host of")
		s.press("enter").wants("━ Details ━", "━ Domains 1 ━")
		if text := s.text(); strings.Count(text, "is a shared host of") != 1 || strings.Count(text, "asked by") != 1 {
			t.Errorf("something stands there twice:\n%s", text)
		}
		s.press("esc").wants("github.com is a shared host of")
	}
}

// On the lowest screen details are scrolled to their end, whatever the footer takes.
func TestDetailsEnd(t *testing.T) {
	s := newScene(t, 40, 12).session().press("G", "enter")
	s.wants("Details  ↓ ", "pgdn more")
	for range 10 {
		s.press("pgdown")
	}
	s.wants("╭─ Details ─")
}

// Details call no name registered that nobody can register, and propose no rule
// there; a log without its bridge's domain has such names, too.
func TestLocalNamesAreRegisteredByNobody(t *testing.T) {
	s := newScene(t, 120, 40).asked("web.lxd", "www.example.com")
	s.selects("web.lxd")
	docked := s.text()
	s.press("enter").wants("by nobody")
	for _, text := range []string{docked, s.text()} {
		if strings.Contains(text, "below .web.lxd") {
			t.Errorf("a rule is proposed for what is below web.lxd:\n%s", text)
		}
	}
	s.press("esc").selects("www.example.com").wants("seen below .example.com")
	s.press("enter").wants("registered example.com")
}
