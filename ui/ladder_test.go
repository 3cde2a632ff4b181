package ui

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/dialog"
)

// asked shows a capture in which these names were asked for.
func (s *scene) asked(names ...string) *scene {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	for _, name := range names {
		feed(l, noon, "query[A] "+name+" from 10.0.0.5")
	}
	return s.shows(&Capture{Ledger: l, Title: "dns.log"})
}

// list is what would be exported, as a plain list has it.
func (s *scene) list() string {
	var rules []string
	for _, r := range s.m().capture.Ledger.List(false).Rules {
		rules = append(rules, r.Dotted())
	}
	return strings.Join(rules, " ")
}

// The rung to begin with is the lowest that speaks of several names and opens
// nothing that is known; a name that is shared by all never is it.
func TestLadderBeginsSafely(t *testing.T) {
	for _, test := range []struct{ name, others, rung string }{
		{"a.telemetry.corp.example", "b.telemetry.corp.example www.corp.example", ".telemetry.corp.example"},
		{"a.telemetry.corp.example", "www.corp.example", ".corp.example"},
		{"a.telemetry.corp.example", "", ".telemetry.corp.example"},
		{"corp.example", "a.corp.example", ".corp.example"},
		{"corp.example", "", ".corp.example"},
		{"x0.blob.core.windows.net", "x1.blob.core.windows.net x2.blob.core.windows.net", ".x0.blob.core.windows.net"},
		{"me.github.io", "you.github.io", ".me.github.io"},
		{"images.s3.dualstack.us-east-1.amazonaws.com", "", ".images.s3.dualstack.us-east-1.amazonaws.com"},
		{"a.demo.datadetect.com", "", ".a.demo.datadetect.com"}, // anyone's are below demo.datadetect.com
		{"www.example.co.uk", "www.other.co.uk", ".example.co.uk"},
	} {
		s := newScene(t, 100, 40).asked(append(strings.Fields(test.others), test.name)...)
		s.selects(test.name).press("w", "enter")
		if got := s.list(); !strings.Contains(" "+got+" ", " "+test.rung+" ") {
			t.Errorf("%s beside %s: the list is %s, want %s in it", test.name, test.others, got, test.rung)
		}
	}
}

// Every rung can be chosen but those that open what nobody can mean, which say
// why; the one that is kept is what the ladder begins with, to be taken back.
func TestLadderIsClimbed(t *testing.T) {
	s := newScene(t, 100, 40).asked("a.b.corp.example", "c.corp.example", "d.corp.example")
	s.press("D").selects("a.b.corp.example").press("w", "up", "up", "up", "up", "enter")
	s.wants(".example is a top-level domain")
	s.press("down")
	s.wants("3 seen", "it allows what is dropped now: a.b.corp.example, c.corp.example, d.corp.example")
	s.press("n").types("ticket 4711").press("enter", "enter")
	if g := s.group("corp.example"); !g.Suffix || g.Reason != "ticket 4711" {
		t.Errorf("it is kept as %+v", g)
	}
	s.press("w")
	s.wants("take it back", "✓ kept already")
	s.press("enter")
	if g := s.group("corp.example"); g.Suffix {
		t.Errorf("taken back, it is %+v", g)
	}
	s.press("w", "w")
	if s.m().dialog != nil {
		t.Error("w doesn't close the ladder")
	}
}

// A rung that is kept for always goes into the user's rules file, and undo
// takes it out there.
func TestLadderForAlways(t *testing.T) {
	s := newScene(t, 100, 40).asked("a.corp.example")
	s.press("w", "tab", "n").types("ours").press("enter", "enter")
	path, err := session.RulesPath()
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "keep .corp.example # ours\n" || s.m().dialog != nil {
		t.Errorf("the rules file has %q, %v; the dialog is %T", data, err, s.m().dialog)
	}
	s.press("w", "enter")
	s.wants("is kept by your rules file already")
	s.press("esc", "u")
	if data, err := os.ReadFile(path); err != nil || len(data) > 0 {
		t.Errorf("after the undo it has %q, %v", data, err)
	}
	if err := os.WriteFile(path, []byte("broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.press("w", "tab", "enter")
	if _, open := s.m().dialog.(*dialog.Ladder); !open || !strings.Contains(s.text(), "rules file") {
		t.Errorf("a file that is broken: the dialog is %T:\n%s", s.m().dialog, s.text())
	}
	s.press("tab", "enter")
	if g := s.group("corp.example"); !g.Suffix {
		t.Errorf("for the session it is %+v", g)
	}
}

// What was seen is looked up away from the screen, and nobody's choice is moved
// by it.
func TestLadderWeighsAside(t *testing.T) {
	s := newScene(t, 100, 40).asked("a.b.corp.example", "c.b.corp.example")
	_, late := s.Update(press("w"))
	s.wants("  …")
	s.press("up")
	s.do(late)
	s.wants("▸ .corp.example", "2 seen")
	s.press("esc", "w")
	s.do(late)
	if text := s.text(); !strings.Contains(text, "▸ .b.corp.example") {
		t.Errorf("what is of a ladder that was closed is shown:\n%s", text)
	}
}

var rungLine = regexp.MustCompile(`(?m)^│  [▸ ] \S`)

// On the least screen three rungs stand around the chosen one, whatever is said
// of that, and its reason, what it opens and why it failed are seen.
func TestLadderShowsRungsOnALowScreen(t *testing.T) {
	var names []string
	for i := range 4 {
		names = append(names, fmt.Sprintf("productionresultssa%d.blob.core.windows.net", i))
	}
	s := newScene(t, 40, 12).session().asked(names...).selects(names[1]).press("w")
	for range 6 {
		if n := len(rungLine.FindAllString(s.text(), -1)); n < 3 {
			t.Errorf("%d rungs:\n%s", n, s.text())
		}
		s.press("up")
	}
	s.press("n").types("ticket 4711").wants("reason    ticket 4711", "refused")
}

// At least the rungs around the chosen one stand on the lowest screen.
func TestLadderOnALowScreen(t *testing.T) {
	name := strings.Repeat("a.", 30) + "corp.example"
	s := newScene(t, 40, 12).asked(name)
	s.press("w")
	for i := range 35 {
		if text := s.text(); strings.Count(text, " ▸ .") != 1 || len(s.lines()) != s.h {
			t.Fatalf("%d up:\n%s", i, text)
		}
		s.press("up")
	}
	s.wants(fmt.Sprintf(" ▸ .%s", "example"))
}

// Names of a series can be kept by a pattern, with what it opens; those that
// come later are kept then. Random labels are told to be none.
func TestLadderProposesPatterns(t *testing.T) {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("productionresultssa%d.blob.core.windows.net", i))
	}
	s := newScene(t, 120, 40).asked(names...)
	s.selects(names[7]).press("w", "down")
	s.wants("▸ productionresultssa<0-99>.blob.core.windows.net", "20 seen", "productionresultssa0.blob", "anyone can have a name below blob.core.windows.net", "an export holds the pattern")
	path, err := session.RulesPath()
	if err != nil {
		t.Fatal(err)
	}
	s.press("n").types("results").press("enter", "enter")
	if _, err := os.Stat(path); err == nil || s.m().table.Tally().Keep != 20 {
		t.Errorf("for the session it keeps %d, and the rules file is there: %v", s.m().table.Tally().Keep, err)
	}
	s.selects(names[7]).press("w", "down").wants("✓ kept already", "take it back")
	s.press("enter")
	if n := s.m().table.Tally().Keep; n > 0 {
		t.Errorf("taken back, %d are kept", n)
	}
	s.selects(names[7]).press("w", "down", "tab", "enter")
	if data, err := os.ReadFile(path); err != nil || string(data) != "keep ~^productionresultssa[0-9]{1,2}\\.blob\\.core\\.windows\\.net$\n" {
		t.Errorf("the rules file has %q, %v", data, err)
	}
	feed(s.m().capture.Ledger, noon, "query[A] productionresultssa77.blob.core.windows.net from 10.0.0.5", "query[A] xproductionresultssa77.blob.core.windows.net from 10.0.0.5")
	for name, want := range map[string]capture.Decision{"productionresultssa77.blob.core.windows.net": capture.Keep, "x" + "productionresultssa77.blob.core.windows.net": capture.New} {
		if got, _ := s.verdict(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	s = newScene(t, 120, 40).asked("a8f3.example.com", "c01d.example.com", "77be.example.com")
	s.selects("a8f3.example.com").press("w")
	s.wants("none: 3 names differ in the label")
}

// Where there is room for it, all that is said of a rung is whole; on the least
// screen what is typed as a reason is seen.
func TestLadderIsWhole(t *testing.T) {
	names := []string{"canonical-lgw01.cdn.example.com", "canonical-lcy01.cdn.example.com", "canonical-bos01.cdn.example.com"}
	s := newScene(t, 80, 24).session().asked(names...).selects(names[0]).press("w")
	if text := s.words(); !strings.Contains(text, "a pattern would allow anything") {
		t.Errorf("it is cut:\n%s", s.text())
	}
	s = newScene(t, 40, 12).session().asked(names...).selects(names[0]).press("w", "n").types("ticket 4711")
	s.wants("ticket 4711")
}

// Each rung says what was seen below it and what else it opens, chosen or not.
func TestLadderSaysWhatEachRungOpens(t *testing.T) {
	s := newScene(t, 120, 40).asked("a.paste.ubuntu.com", "b.paste.ubuntu.com", "www.ubuntu.com").selects("www.ubuntu.com").press("d").selects("a.paste.ubuntu.com").press("w")
	box := s.words()
	for _, want := range []string{
		".com ✗ refused: it is a top-level domain or a single label: as a suffix it allows everything below it",
		".ubuntu.com 3 seen ! .ubuntu.com allows paste.ubuntu.com (paste or file drop) and geoip.ubuntu.com (what-is-my-address service), too, and 1 dropped name",
		".paste.ubuntu.com 2 seen ! ",
		".a.paste.ubuntu.com 1 seen",
	} {
		if !strings.Contains(box, want) {
			t.Errorf("want %q in %q:\n%s", want, box, s.text())
		}
	}
	few := func(w, h int) *scene {
		return newScene(t, w, h).asked("a.corp.example", "b.corp.example").selects("b.corp.example").press("d").selects("a.corp.example").press("w")
	}
	few(60, 20).wants(".example                 ✗ refused: it is", "▸ .corp.example    2 seen  ! any other name, and 1")
	few(60, 15).wants(".example                 ✗ refused", "▸ .corp.example    2 seen  ! 1 dropped")
	few(40, 15).wants(".example                ✗ refused", "▸ .corp.example  2 seen ! 1 dropped", ".a.corp.example            1 seen")
	for _, w := range []int{40, 60} { // whatever a name takes
		s := newScene(t, w, 12).asked("a.paste.ubuntu.com", "productionresultssa0.blob.core.windows.net").selects("productionresultssa0.blob.core.windows.net").press("w", "up")
		s.wants(".core.windows.net", ".blob.core.windows.net", "! shared", ".productionresultssa0.")
	}
}

// On the smallest screen a rung that is too long is cut in its middle, as in the
// table: its beginning tells it from the others, its end says whose it is.
func TestRungsAreCutInTheMiddle(t *testing.T) {
	s := newScene(t, 40, 12).asked("a-rather-long-name-for-a-host.with.labels.cdn.example.com").press("g", "w")
	for range 8 {
		s.press("down")
	}
	s.wants("▸ .a-rather-lon…example.com  1 seen", ".with.labels.…example.com  1 seen")
}
