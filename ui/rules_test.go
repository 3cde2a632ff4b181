package ui

import (
	"os"
	"strings"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// rules writes a rule.
func (s *scene) rules(text string) *scene {
	return s.press("p", "ctrl+e", "ctrl+u").types(text).press("enter")
}

// Where nobody has decided, a rule that is accepted as it stands leaves no name
// missing, and opens no group; it says what was decided elsewhere.
func TestRuleBegins(t *testing.T) {
	s := newScene(t, 120, 40).session()
	for _, step := range []struct{ on, decide, want string }{
		{ubuntu, "", "keep " + ubuntu}, {ubuntu, "d", "drop " + ubuntu}, {ubuntu, "a", "keep " + ubuntu},
		{"1.2.0.192.in-addr.arpa", "", "drop 1.2.0.192.in-addr.arpa"},
	} {
		if s.selects(step.on); step.decide != "" {
			s.press(step.decide).selects(step.on)
		}
		s.press("p").wants("│  " + step.want + " ")
		s.press("esc")
	}
	s.sibling().press("t").selects("[ubuntu.com]").press("p").wants("│   .ubuntu.com ")
	s.press("enter").wants("want \"keep PATTERN")
	s.types("drop").press("enter").wants("rule added: drop .ubuntu.com")
}

// What a rule of the user's drops has the sign of what they dropped, and counts
// there.
func TestRuleOfTheUsersDrops(t *testing.T) {
	s := newScene(t, 120, 40).session().selects(ubuntu).rules("drop " + ubuntu)
	s.wants("✗ drop   "+ubuntu, "mark       ✗ drop", "1 drop · 2 auto")
	s.press("/").types("is:").wants("is:auto 2", "is:drop 1")
	s.types("drop").wants("Domains 1 of 6")
	s.press("esc", "/").types("is:auto").wants("Domains 2 of 6")
}

// A rule that was added is taken back by undo among the other steps, in the
// file too, and added again by redo.
func TestUndoTakesARuleBack(t *testing.T) {
	s := newScene(t, 120, 40).session()
	file := func(want string) {
		t.Helper()
		path, err := session.RulesPath()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("the rules file has %q, %v, want %q", got, err, want)
		}
	}
	is := func(want capture.Decision) {
		t.Helper()
		if got, _ := s.verdict(ubuntu); got != want {
			t.Errorf("%s is %v, want %v", ubuntu, got, want)
		}
	}
	s.rules("drop " + ubuntu)
	file("drop " + ubuntu + "\n")
	is(capture.Drop)
	if text := s.text(); !strings.Contains(text, "rule added: drop "+ubuntu+"; u takes it back") {
		t.Errorf("nothing says so:\n%s", text)
	}
	s.selects(ubuntu).press("a")
	is(capture.Keep)
	s.press("u")
	is(capture.Drop)
	s.press("u")
	file("")
	is(capture.New)
	if text := s.text(); !strings.Contains(text, "undid: rule drop "+ubuntu) {
		t.Errorf("nothing says so:\n%s", text)
	}
	s.press("U", "U")
	file("drop " + ubuntu + "\n")
	is(capture.Keep)
}

// While a decision about a great many domains is being made, what comes of undo
// and of a rule waits for its turn, in the user's file too.
func TestUndoOfARuleWaitsForItsTurn(t *testing.T) {
	s := newScene(t, 120, 40).session()
	path, err := session.RulesPath()
	if err != nil {
		t.Fatal(err)
	}
	holds := func(when, want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: the rules file has %q, %v, want %q", when, got, err, want)
		}
	}
	s.asksFor(3 * manyDomains)
	rule := "drop " + ubuntu + "\n"
	s.rules("drop " + ubuntu)

	_, all := s.Update(press("D"))
	s.press("u") // what D does, and not the rule
	holds("while D runs", rule)
	s.do(all)
	holds("u is about D", rule)
	if d, _ := s.verdict("d1.example"); d != capture.New {
		t.Errorf("d1.example is %v", d)
	}

	_, all = s.Update(press("D"))
	s.press("u", "u") // and the rule
	holds("while D runs again", rule)
	s.do(all)
	holds("u is about D and the rule", "")

	_, all = s.Update(press("D"))
	s.press("U", "u").rules("drop www.example.com").press("u")
	s.do(all)
	holds("u is about D and a rule of meanwhile", "")

	s.press("U")
	_, remove := s.Update(press("u"))
	if _, add := s.Update(press("U")); add != nil {
		t.Error("the file is changed by two steps at once")
	}
	s.do(remove)
	holds("undone and done again at once", "drop www.example.com\n")
}

// What somebody changed in the file meanwhile stays, and is said.
func TestUndoOfARuleThatIsGone(t *testing.T) {
	for name, text := range map[string]string{"gone": "# mine\n", "broken": "kep a.example\n"} {
		s := newScene(t, 160, 40).session().rules("drop " + ubuntu)
		path, err := session.RulesPath()
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.press("u")
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s: the rules file has %q, %v", name, got, err)
		}
		if screen := s.text(); !strings.Contains(screen, "rules file") {
			t.Errorf("%s: nothing says so:\n%s", name, screen)
		}
	}
}

// Details say what people read in a name, beside it, and whole dates.
func TestDetailsOfANameInAnotherAlphabet(t *testing.T) {
	s := newScene(t, 120, 40)
	l := capture.NewLedger(capture.Info{})
	l.Feed([]byte("Jan  8 21:51:56 dnsmasq[1]: query[A] xn--bcher-kva.example from 192.0.2.5\n"), noon, true)
	s.shows(&Capture{Ledger: l, Title: "dns.log"}).press("down", "enter")
	for _, want := range []string{"xn--bcher-kva.example", "reads bücher.example", "2026-01-08 21:51:56  "} {
		if text := s.text(); !strings.Contains(text, want) {
			t.Errorf("the details lack %q:\n%s", want, text)
		}
	}
}
