package ui

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/table"
)

// selects selects a domain, or a group for a name in brackets.
func (s *scene) selects(name string) *scene {
	s.t.Helper()
	m := s.m()
	group, isGroup := strings.CutPrefix(name, "[")
	m.table.Top()
	for was := (table.Selection{Group: "-"}); ; m.table.Move(1) {
		it, _ := m.table.Selected()
		switch {
		case it == was:
			s.t.Fatalf("there is no %s", name)
		case it.Group == strings.TrimSuffix(group, "]") && isGroup, it.Group == "" && m.nameOf(it) == name:
			return s
		}
		was = it
	}
}

func (s *scene) verdict(name string) (d capture.Decision, reason string) {
	s.m().capture.Ledger.Read(func(r capture.Reader) {
		id, ok := r.Lookup(name)
		if !ok {
			s.t.Fatalf("nobody asked for %s", name)
		}
		v := r.Verdict(r.Domain(id))
		d, reason = v.Decision, v.Reason
	})
	return d, reason
}

func (s *scene) group(name string) (m capture.Mark) {
	s.m().capture.Ledger.Read(func(r capture.Reader) { m = r.Group(name) })
	return m
}

const ubuntu = "archive.ubuntu.com"

// sibling has a second name of ubuntu.com be asked for: two make a group.
func (s *scene) sibling() *scene {
	feed(s.m().capture.Ledger, noon, "query[A] security.ubuntu.com from 10.0.0.5")
	s.m().table.Refresh(s.now)
	return s
}

// Toggling keeps what is new, and then leads to and fro, for a domain as for a group.
func TestToggleTogglesBack(t *testing.T) {
	s := newScene(t, 120, 40).session().sibling()
	for _, of := range []string{ubuntu, "[ubuntu.com]"} {
		if of != ubuntu {
			s.press("t")
		}
		s.selects(of)
		for i, want := range []capture.Decision{capture.Keep, capture.Drop, capture.Keep, capture.Drop} {
			s.press("space")
			if got, _ := s.verdict(ubuntu); got != want {
				t.Errorf("%s toggled %d times: %v, want %v", of, i+1, got, want)
			}
		}
		s.press("c")
	}
}

// What is toggled while a large step runs is what that step leaves.
func TestToggleWaitsItsTurn(t *testing.T) {
	s := newScene(t, 120, 40).session()
	s.asksFor(3 * manyDomains)
	s.selects(ubuntu)
	_, all := s.Update(press("D"))
	s.press("space")
	s.do(all)
	if d, _ := s.verdict(ubuntu); d != capture.Keep {
		t.Errorf("space on what D drops leaves %v, want %v", d, capture.Keep)
	}
}

// A suffix rule is taken back by the key that made it, with a reason too; who
// wrote that first does not lose it.
func TestWidenTakesBack(t *testing.T) {
	for name, keys := range map[string][]string{
		"without a reason": {"w", "up", "enter"}, "a reason written after": {"w", "up", "enter", "t", "left", "n", "!", "enter", "t"}, "a reason written before": {"t", "left", "n", "!", "enter", "t", "w", "up", "enter"},
	} {
		s := newScene(t, 120, 40).session().sibling().selects(ubuntu).press(keys...)
		if got := s.group("ubuntu.com"); !got.Suffix || got.Decision != capture.Keep || len(keys) > 3 && got.Reason != "!" {
			t.Errorf("%s: w makes %+v", name, got)
		}
		s.selects(ubuntu).press("w", "enter")
		if got := s.group("ubuntu.com"); got.Suffix || got.Decision != capture.New {
			t.Errorf("%s: w again leaves %+v", name, got)
		}
	}
}

// What a person wrote stays when the decision changes.
func TestReasonsStay(t *testing.T) {
	for _, of := range []string{ubuntu, "[ubuntu.com]"} {
		s := newScene(t, 120, 40).session().sibling()
		if of != ubuntu {
			s.press("t")
		}
		s.selects(of).press("n").types("mirror").press("enter")
		for _, key := range []string{"a", "d", "space"} {
			s.selects(of).press(key)
			if _, reason := s.verdict(ubuntu); reason != "mirror" {
				t.Errorf("%s: after %s the reason is %q", of, key, reason)
			}
		}
	}
}

// Dropping what a suffix rule allows is warned of, dropping another is not.
func TestOverruledIsSaid(t *testing.T) {
	s := newScene(t, 200, 60).session().selects(ubuntu).press("w", "enter", "d")
	if text := s.text(); !strings.Contains(text, "beware: a suffix rule allows "+ubuntu+" all the same; w on the domain takes it back") {
		t.Errorf("nothing warns:\n%s", text)
	}
	s.selects("www.example.com").press("d")
	if text := s.text(); strings.Contains(text, "beware") {
		t.Errorf("a name that no rule allows is warned of:\n%s", text)
	}
}

// A rule is written away from the screen, once; a wrong one stays in the prompt
// to be mended.
func TestNewRule(t *testing.T) {
	s := newScene(t, 120, 40).session().selects(ubuntu)
	path, err := session.RulesPath()
	if err != nil {
		t.Fatal(err)
	}
	s.press("p").types(" x").press("enter")
	if text := s.text(); !strings.Contains(text, "want \"keep PATTERN") {
		t.Errorf("a wrong rule is not refused:\n%s", text)
	}
	s.press("esc", "p")
	_, write := s.Update(press("enter"))
	if _, err := os.Stat(path); err == nil {
		t.Error("Update wrote the file itself")
	}
	if _, again := s.Update(press("enter")); again != nil {
		t.Error("a second enter writes the rule twice")
	}
	s.do(write)
	if got, err := os.ReadFile(path); err != nil || string(got) != "keep "+ubuntu+"\n" {
		t.Errorf("the rules file has %q, %v", got, err)
	}
	if d, _ := s.verdict(ubuntu); d != capture.Keep || s.m().dialog != nil {
		t.Errorf("the domain is %v, the dialog %v", d, s.m().dialog)
	}
}

// Details are of what is selected, for that is what their keys decide about:
// they go on from domain to domain, past the heads of groups, and close where
// nothing is left.
func TestDetailsFollowTheSelection(t *testing.T) {
	title := func(s *scene) (name string) {
		lines := strings.Split(s.text(), "\n")
		for i, l := range lines {
			if strings.Contains(l, "━ Details") {
				name, _, _ = strings.Cut(lines[i+1], "│")
				name = strings.TrimSpace(name)
			}
		}
		return name
	}
	s := newScene(t, 80, 60).session()
	s.press("t", "g", "down", "enter")
	m := s.m()
	seen := make(map[string]bool)
	for range 8 {
		it, _ := m.table.Selected()
		if it.Group != "" || title(s) != m.nameOf(it) {
			t.Fatalf("shown is %q, selected %+v %s", title(s), it, m.nameOf(it))
		}
		seen[title(s)] = true
		s.press("down")
	}
	if len(seen) != 6 {
		t.Errorf("going down, %d domains were shown, there are 6", len(seen))
	}
	s.press("esc", "t", "h").selects(ubuntu).press("enter", "d")
	if got := title(s); got == ubuntu || got == "" {
		t.Errorf("%s is dropped and hidden, shown is %q", ubuntu, got)
	}
	for range 6 {
		s.press("d")
	}
	if m.dialog != nil {
		t.Errorf("all is dropped and hidden, shown is %q", title(s))
	}
}

// A person may not believe an upstream's NXDOMAIN, and then does again.
func TestBelieve(t *testing.T) {
	s := newScene(t, 120, 40)
	l := capture.NewLedger(capture.Info{})
	feed(l, noon, "query[A] gone.ubuntu.com from 10.0.0.5", "reply gone.ubuntu.com is NXDOMAIN")
	s.shows(&Capture{Ledger: l, Title: "dns.log"})
	for _, want := range []int{0, 1, 0, 1} {
		if got := s.m().table.Tally().New; got != want {
			t.Errorf("%d names are new, want %d", got, want)
		}
		s.press("N")
	}
}

// A decision about a great many domains is made away from the screen, and what
// is decided meanwhile waits for its turn.
func TestManyAreDecidedAwayFromTheScreen(t *testing.T) {
	s := newScene(t, 120, 40).session()
	var lines []string
	for i := range 3 * manyDomains {
		lines = append(lines, fmt.Sprintf("query[A] d%d.example from 10.0.0.5", i))
	}
	ledger := s.m().capture.Ledger
	feed(ledger, noon, lines...)
	for s.m().table.Tally().Total() < len(lines) {
		s.m().table.Refresh(s.now)
	}
	s.selects(ubuntu)
	_, all := s.Update(press("D"))
	if d, _ := s.verdict(ubuntu); d != capture.New || !strings.Contains(s.text(), "dropping 3006 domains…") {
		t.Errorf("Update decided itself, or doesn't say what is being done: %v\n%s", d, s.text())
	}
	if _, cmd := s.Update(press("a")); cmd != nil {
		t.Error("the next decision doesn't wait for its turn")
	}
	s.do(all)
	if d, _ := s.verdict("d1.example"); d != capture.Drop {
		t.Errorf("what D dropped is %v", d)
	}
	if d, _ := s.verdict(ubuntu); d != capture.Keep {
		t.Errorf("%s, which was kept after that, is %v", ubuntu, d)
	}
	s.press("u")
	if d, _ := s.verdict(ubuntu); d != capture.Drop {
		t.Errorf("undone, %s is %v", ubuntu, d)
	}
	s.press("u")
	if d, _ := s.verdict("d1.example"); d != capture.New {
		t.Errorf("undone twice, d1.example is %v", d)
	}
}

// An empty table says after a while why that may be so, and looks once.
func TestUnheard(t *testing.T) {
	s := newScene(t, 100, 30)
	looks := 0
	s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dnstest on lxdbr0", Live: true, Unheard: func(context.Context) string {
		looks++
		return "its /etc/resolv.conf names 192.0.2.53"
	}})
	for _, after := range []time.Duration{time.Second, patience, 2 * patience} {
		s.now = s.m().begun.Add(after)
		s.do(s.m().wonder())
		if said := strings.Contains(s.text(), "no query was heard yet: its /etc/resolv.conf names 192.0.2.53"); said != (after >= patience) {
			t.Errorf("after %v it is said: %v\n%s", after, said, s.text())
		}
	}
	if looks != 1 {
		t.Errorf("it looked %d times", looks)
	}
}
