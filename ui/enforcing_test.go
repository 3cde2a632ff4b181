package ui

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/dialog"
)

// header is the screen's first line.
func (s *scene) header() string {
	first, _, _ := strings.Cut(s.text(), "\n")
	return first
}

func (s *scene) wants(words ...string) {
	s.t.Helper()
	for _, w := range words {
		if !strings.Contains(s.text(), w) {
			s.t.Errorf("want %q in\n%s", w, s.text())
		}
	}
}

func TestVerifyAsksFirst(t *testing.T) {
	for _, test := range []struct {
		keys   string
		called bool
		level  verify.Level
	}{
		{"V esc", false, 0}, {"V q", false, 0}, {"V enter", true, verify.Names}, {"V down enter", true, verify.Strict},
		{"V down down up enter", true, verify.Strict}, {"V down down enter", true, verify.Learn}, {"V down down down enter", true, verify.Learn},
	} {
		s := newScene(t, 120, 40).session()
		called, chosen := false, verify.Names
		s.m().capture.Enforce = func(ctx context.Context, level verify.Level) (*Enforcement, error) {
			called, chosen = true, level
			return s.target.enforce(ctx, level)
		}
		s.press(strings.Fields(test.keys)...)
		if called != test.called || chosen != test.level || s.m().dialog != nil {
			t.Errorf("%s: enforced %t, level %d, dialog %v", test.keys, called, chosen, s.m().dialog)
		}
	}
}

func TestEnforcingIsRefusedInALine(t *testing.T) {
	s := newScene(t, 120, 40).session()
	s.m().capture.Enforce = func(context.Context, verify.Level) (*Enforcement, error) {
		return nil, errors.New("that takes root on LXD's host")
	}
	s.press("V", "enter")
	s.wants("that takes root on LXD's host", "● live")
	s.press("l")
	s.wants("no list is enforced: V does that")
	s.shows(&Capture{Ledger: s.target.ledger, Title: "dns.log"})
	s.press("V")
	s.wants("there is nobody to enforce the list on: dns.log is only read")
}

// While one only learns nothing is said to be in force: a name that the list
// doesn't have would be blocked, stands above all others and is decided about as a
// refused one is. The log may tell of it before or after.
func TestLearning(t *testing.T) {
	s := newScene(t, 200, 40).session().press("V", "down", "down", "enter")
	if h := s.header(); !strings.Contains(h, "▣ proving…") {
		t.Errorf("before the proof the header is %q", h)
	}
	s.proves("")
	if h := s.header(); !strings.Contains(h, "▣ learning against 4 rules · 0 would be blocked") {
		t.Errorf("the header is %q", h)
	}
	s.refuses().m().table.Rest()
	s.press("g")
	s.wants("learning against 4 rules · 2 would be blocked", "would block ×3", "would block ×1", "covered", "unused")
	if strings.Contains(s.text(), "enforcing") || strings.Contains(s.text(), "▣ blocked") {
		t.Errorf("it says that something is enforced:\n%s", s.text())
	}
	if got := s.m().selectedName(); got != "updates.telemetry.example" {
		t.Errorf("the first row is %q", got)
	}
	s.messages = nil
	s.press("l")
	s.wants("nothing is refused: a keeps what is needed")
	s.press("a")
	s.target.follow()
	s.press("d")
	s.Update(enforcementMsg{of: s.m().enforcing.of})
	s.wants("learning against 5 rules · 0 would be blocked", "allowed late", "expected ×3")
	s.press("q")
	s.wants("not yet: learning, and nothing is refused; V in the table ends it")
	s.press("esc", "V")
	s.wants("✗ the list would block something", "Names that it would block (2)", "▣ updates.telemetry.example  ×1 A", "nothing was refused")
	// What came up is learnt: undecided, it is new as ever.
	s.press("esc")
	feed(s.target.ledger, noon.Add(2*time.Minute), "query[A] later.example from 10.0.0.5")
	names := make(map[string]bool)
	for _, r := range s.target.ledger.List(false).Rules {
		names[r.Name] = true
	}
	if !names["updates.telemetry.example"] || names["licence.example.net"] {
		t.Errorf("the list is %v", names)
	}
}

// A name whose query the log told of first stands above as soon as the list is
// known not to have it.
func TestLearningAfterTheLog(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Learn)
	at := noon.Add(63 * time.Second)
	feed(s.target.ledger, at, "query[A] early.example from 10.0.0.5")
	s.m().table.Refresh(s.now)
	s.target.policy.Asked(verify.Query{At: at, Name: "early.example", Type: "A", WouldRefuse: true})
	s.target.ledger.Reshow("early.example")
	s.m().table.Refresh(s.now)
	if n := s.m().table.Blocked(); n != 1 {
		t.Errorf("%d names stand above, want 1:\n%s", n, s.text())
	}
}

// Whatever is not proven is not said to be in force, nor that anything works.
func TestNothingIsSaidBeforeTheProof(t *testing.T) {
	s := newScene(t, 120, 40).session()
	s.press("V", "enter")
	if h := s.header(); !strings.Contains(h, "▣ proving…") || strings.Contains(h, "enforcing") || strings.Contains(h, "live") {
		t.Errorf("before the proof the header is %q", h)
	}
	s.proves("it was answered")
	if h := s.header(); !strings.Contains(h, "▣ NOT PROVEN") {
		t.Errorf("without a proof it is %q", h)
	}
	s.send(provenMsg{of: s.m().enforcing.of, proven: true})
	if h := s.header(); !strings.Contains(h, "NOT PROVEN") {
		t.Errorf("a proof that comes again is taken: %q", h)
	}
	s.press("V")
	s.wants("! enforcement is not proven", "it was answered")
	if strings.Contains(s.text(), "works with") {
		t.Errorf("without a proof it says\n%s", s.text())
	}
	s = newScene(t, 120, 40).session()
	s.press("V", "enter")
	s.m().enforcing.stage = stageProving
	s.send(provenMsg{of: s.m().enforcing.of, why: "tried the name x: it was answered"})
	s.wants("is not proven: tried the name x: it was answered")
	s.m().enforcing.stage = stageProving
	s.send(provenMsg{of: s.m().enforcing.of, proven: true})
	if h := s.header(); !strings.Contains(h, "▣ enforcing 4 rules · 0 blocked") {
		t.Errorf("proven, the header is %q", h)
	}
}

// What is decided counts at once: a kept name is allowed late, a dropped one is
// expected, and neither is counted as blocked. The report has both as well.
func TestBlockedIsDecided(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Names).refuses()
	s.m().table.Rest()
	s.press("g")
	if h := s.header(); !strings.Contains(h, "4 rules · 2 blocked") {
		t.Errorf("the header is %q", h)
	}
	s.press("a")
	s.target.follow()
	if h := s.header(); !strings.Contains(h, "5 rules · 1 blocked · 1 allowed late") {
		t.Errorf("after keep the header is %q", h)
	}
	s.press("d")
	s.Update(enforcementMsg{of: s.m().enforcing.of})
	s.wants("▣ enforcing 5 rules · 0 blocked · 1 allowed late", "expected ×3")
	s.press("V")
	s.wants("✗ something was blocked", "▣ updates.telemetry.example  ×1 A", "allowed late, at ", "– licence.example.net", "expected: dropped")
}

func TestLetThrough(t *testing.T) {
	for key, until := range map[string]time.Duration{"": -1, "down": 5 * time.Minute, "down down": 0} {
		s := newScene(t, 120, 40).enforcing(verify.Names).refuses()
		s.press("g", "l")
		s.press(strings.Fields(key)...).press("enter")
		at, once, granted := s.target.policy.Granted("updates.telemetry.example", time.Now())
		if !granted || once != (until < 0) || at.IsZero() != (until <= 0) || until > 0 && time.Until(at) > until {
			t.Errorf("%q: granted %t, once %t, until %v", key, granted, once, at)
		}
		s.wants("let through")
		s.press("G")
		s.messages = nil
		s.press("l")
		s.wants("the list allows archive.ubuntu.com")
	}
}

// A refused name is said beside the shell while it is news, and leaving the
// shell goes to it; nothing of that is within the terminal.
func TestShellSaysWhatWasRefused(t *testing.T) {
	s := newScene(t, 80, 24).enforcing(verify.Names)
	s.m().shell.starting = true
	s.press("tab")
	cells := s.m().shell.screen.Text()
	s.refuses()
	s.wants("▣ blocked: A updates.telemetry.example  ctrl+] a allows it")
	if s.m().shell.screen.Text() != cells {
		t.Error("the terminal's cells were written to")
	}
	s.target.refuse(noon.Add(67*time.Second), "AAAA", "licence.example.net")
	s.m().followRefused()
	s.wants("▣ blocked: AAAA licence.example.net")
	s.press("ctrl+]")
	if got := s.m().selectedName(); got != "licence.example.net" {
		t.Errorf("leaving the shell selects %q", got)
	}
	s.wants("blocked: AAAA licence.example.net  a allows it")
	s.press("k")
	if strings.Contains(s.text(), "allows it") {
		t.Errorf("another row is selected:\n%s", s.text())
	}
	s.target.ledger.DecideGroup(1, "licence.example.net")
	s.target.follow()
	if strings.Contains(s.text(), "blocked: AAAA") {
		t.Errorf("it is allowed by now:\n%s", s.text())
	}
	s.target.refuse(noon.Add(68*time.Second), "A", strings.Repeat("long.", 30)+"example")
	s.m().followRefused()
	s.wants("blocked: A …", ".long.example\n")
	s.press("/").types("archive").press("enter")
	s.m().focusOn(onShell)
	s.press("ctrl+]")
	s.wants("the filter hides what was refused:")
	s.now = s.now.Add(blockedLife)
	if strings.Contains(s.text(), "▣ blocked:") {
		t.Errorf("it is no news any more:\n%s", s.text())
	}
}

// What is refused stands in view while the shell is used, wherever the table
// was.
func TestRefusedStandInView(t *testing.T) {
	s := newScene(t, 80, 24).enforcing(verify.Names)
	s.asksFor(50)
	s.m().shell.starting = true
	s.press("G", "tab")
	s.refuses()
	s.wants("▣ out    updates.telemetry.example", "▣ out    licence.example.net")
}

func TestReportIsWritten(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Strict).refuses().press("V")
	s.wants("Refused packets, by where they were to go (2)", "▣ 198.51.100.7:443/tcp  ×2", "Keep what is needed, drop what is to be blocked")
	if strings.Contains(s.text(), "--expect") {
		t.Errorf("it names a flag:\n%s", s.text())
	}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	s.press("enter")
	if got := read("dnstest-verified.md"); !strings.HasPrefix(got, "# dnstest on lxdbr0: something was blocked") {
		t.Errorf("as Markdown it is\n%s", got)
	}
	os.WriteFile("dnstest-verified.json", []byte("mine"), 0o600)
	s.press("V", "down", "down", "down", "enter", "right", "enter")
	s.wants("it exists:", "y overwrite")
	if got := read("dnstest-verified.json"); got != "mine" {
		t.Errorf("it was overwritten unasked: %s", got)
	}
	s.press("esc", "enter", "f").types("2").press("enter", "enter")
	s.wants("wrote the report to dnstest-verified.json2")
	s.press("V", "down", "down", "down", "enter", "left", "enter", "y")
	if got := read("dnstest-verified.json"); !strings.Contains(got, `"verdict": "something was blocked"`) {
		t.Errorf("as JSON it is\n%s", got)
	}
	s.press("V", "down", "down", "down", "enter", "f", "backspace", "backspace", "backspace", "backspace", "backspace")
	s.types("/no/such/dir/x").press("enter", "enter")
	if _, open := s.m().dialog.(*dialog.Report); !open || !strings.Contains(s.text(), "there is no directory for it") {
		t.Errorf("a file that can't be written:\n%s", s.text())
	}
}

// An export says what came of its list, and nothing of another.
func TestExportSaysWhatWasVerified(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Names)
	s.press("q")
	s.wants("verified not yet: the list is in force")
	s.press("esc", "V", "esc", "e")
	s.wants("works with this list, tried at 2026-11-24T12:05:00Z, other names refused")
	feed(s.target.ledger, noon, "query[A] late.example from 10.0.0.5")
	s.press("esc", "e")
	s.wants("no, another list was")
	s.m().export.format = "squid"
	s.press("esc", "e", "enter")
	text, err := os.ReadFile("dnstest-allowlist.domains")
	if err != nil || !strings.Contains(string(text), "# verified: no, another list was") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestSomebodyElseEndsIt(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Strict).refuses()
	s.Update(outOfForceMsg{s.m().enforcing.of})
	s.wants("the list is out of force", "● live")
	if strings.Contains(s.text(), "▣") || strings.Contains(s.text(), "Refused packets") {
		t.Errorf("out of force, it shows\n%s", s.text())
	}
	s = newScene(t, 120, 40).enforcing(verify.Names)
	s.target.stopped = errors.New("take the list off dnstest: run lxd-allowlist restore")
	s.press("V")
	s.press("esc")
	s.wants("take the list off dnstest: run lxd-allowlist restore")
	s = newScene(t, 120, 40).enforcing(verify.Names)
	s.target.stopped = errors.New("take the list off dnstest: run lxd-allowlist restore")
	s.m().shell.shell, s.m().focus = newFakeShell(), onShell // where no report comes up
	s.messages = nil
	s.do(s.m().relax())
	var said []string
	for _, m := range s.messages {
		if strings.Contains(m.Text, "restore") {
			said = append(said, m.Text)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "; V in the table shows the report") {
		t.Errorf("it says %q", said)
	}
}

// Quitting waits for what changes the host, and has what only begins given up.
func TestQuittingWaitsForTheHost(t *testing.T) {
	s := newScene(t, 120, 40).session()
	synctest.Test(t, func(t *testing.T) {
		e, begun, ended := &enforcing{}, false, false
		ctx, cancel := context.WithCancel(context.Background())
		e.cancel = cancel
		e.work(func() tea.Msg {
			begun = true
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return nil
		})
		synctest.Wait()
		if e.leave(); !begun || !ended {
			t.Errorf("left while the host was being changed: begun %t, ended %t", begun, ended)
		}
	})
	var given context.Context
	s.m().capture.Enforce = func(ctx context.Context, _ verify.Level) (*Enforcement, error) {
		given = ctx
		return nil, errors.New("no")
	}
	s.press("V", "enter")
	if s.m().leave(); given.Err() == nil {
		t.Error("what begins isn't given up when the program ends")
	}
}

// What the chosen level does is said, and nothing of another.
func TestVerifySaysWhatTheLevelDoes(t *testing.T) {
	for i, want := range []string{"Other names have no answer", "It reaches nothing else", "Nothing is refused: what dnstest asks for"} {
		s := newScene(t, 80, 24).session().press("V")
		for range i {
			s.press("down")
		}
		s.wants(want)
		if refuses := strings.Contains(s.text(), "is refused and arrives"); refuses == (i == 2) {
			t.Errorf("the level %d refuses: %t\n%s", i, refuses, s.text())
		}
	}
}

// What will happen when a list is enforced is whole at each size: where it is cut,
// a key of the footer's has it alone, and goes back.
func TestVerifyCanBeRead(t *testing.T) {
	for _, size := range append([][2]int{{40, 10}}, sizes...) {
		for at, want := range []string{"Other names have no answer", "no DNS over HTTPS or TLS", "Nothing is refused"} {
			s := newScene(t, size[0], size[1]).session().press("V")
			for range at {
				s.press("down")
			}
			read := ""
			for range 20 {
				words := strings.Fields(strings.NewReplacer("│", " ", "\n", " ").Replace(s.text()))
				read += " " + strings.Join(words, " ")
				if strings.Contains(s.foot()+s.shownAt(s.h-2), "tab read it all") {
					s.press("tab")
				} else {
					s.press("down")
				}
			}
			for _, part := range []string{want, "connections", "V ends it and reports."} {
				if !strings.Contains(strings.ToLower(read), strings.ToLower(part)) {
					t.Errorf("%v: it doesn't say %q:\n%s", size, part, s.text())
				}
			}
			if strings.Contains(s.foot(), "tab choose") {
				s.press("tab")
				s.wants("Enforce the list", "▸ ")
			}
		}
	}
}
