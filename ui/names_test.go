package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
)

// realNames are what a machine that builds software asks for: 135 names that
// somebody has to decide about, and 24 that rules decide.
func realNames(t testing.TB) (names []string, lines [][]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, "names"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		name, result, types := f[0], f[1], f[2:]
		var log []string
		for _, typ := range types {
			log = append(log, fmt.Sprintf("query[%s] %s from 10.0.0.5", typ, name))
			switch result {
			case "resolved":
				log = append(log, "reply "+name+" is 192.0.2.1")
			case "blocked":
				log = append(log, "gravity blocked "+name+" is 0.0.0.0")
			case "SERVFAIL":
				log = append(log, "reply error is SERVFAIL")
			default:
				log = append(log, "reply "+name+" is "+result)
			}
		}
		names, lines = append(names, name), append(lines, log)
	}
	return names, lines
}

// realSession shows them, as a log that is read or beside a shell.
func (s *scene) realSession(shell bool) *scene {
	l := capture.NewLedger(capture.Info{Instance: "builder", Network: "lxdbr0", Domain: "lxd"})
	_, lines := realNames(s.t)
	for i, log := range lines {
		feed(l, noon.Add(time.Duration(i-len(lines))*time.Second), log...)
	}
	if !shell {
		s.shows(&Capture{Ledger: l, Title: "builder on lxdbr0"})
		s.m().table.Tick(s.now)
		return s
	}
	s.session()
	l.SetOwners(map[string]string{"10.0.0.5": "builder"})
	m := s.m()
	c := *m.capture
	c.Ledger, c.Title = l, "builder on lxdbr0"
	screen := m.shell.screen
	s.shows(&c)
	s.m().shell.screen, s.m().shell.starting, s.m().shell.ended = screen, false, "the shell has ended"
	s.m().arrange()
	s.m().table.Tick(s.now)
	return s.press("ctrl+]")
}

// Goals for the keys that 135 undecided names take.
const (
	keysSingly  = 135
	keysByGroup = 60
)

// Who decides never has to go to the next name: each decision goes on to what
// nobody has decided about.
func TestKeysToDecide(t *testing.T) {
	for _, test := range []struct {
		how   string
		begin []string
		most  int
	}{{"singly", nil, keysSingly}, {"by group", []string{"t", "T"}, keysByGroup}} {
		s := newScene(t, 120, 40).realSession(false)
		undecided := s.m().table.Tally().New
		keys := len(test.begin)
		s.press(test.begin...)
		for s.m().table.Tally().New > 0 && keys < 2*undecided {
			before := s.m().table.Tally().New
			s.press([]string{"a", "d"}[keys%2])
			keys++
			if after := s.m().table.Tally().New; after >= before {
				t.Fatalf("%s: key %d decides nothing:\n%s", test.how, keys, s.text())
			}
		}
		t.Logf("%d names take %d keys %s, of %d", undecided, keys, test.how, test.most)
		if left := s.m().table.Tally().New; left > 0 || keys > test.most {
			t.Errorf("%s, %d keys leave %d of %d names, want all with %d", test.how, keys, left, undecided, test.most)
		}
		s.wants("nothing left to decide", "; nothing is left to decide: e exports the list")
		s.press("]")
		if text := s.text(); !strings.Contains(text, "all that is shown is decided") {
			t.Errorf("there is nothing to go to, and nothing says so:\n%s", text)
		}
	}
}

// What is next is below, past what is decided, and at the end on top; it can be
// gone to both ways, and who wants to stay does.
func TestGoingOn(t *testing.T) {
	selected := func(s *scene) string { return s.m().selectedName() }
	s := newScene(t, 120, 40).session().selects("telemetry.example.org").press("a")
	if got := selected(s); got != "www.example.com" { // past two that rules dropped
		t.Errorf("after a the selection is %s", got)
	}
	for _, step := range [][2]string{{"]", ubuntu}, {"]", "a-rather-long-name-for-a-host.with.several.labels.cdn.example.com"}, {"[", ubuntu}, {"d", "a-rather-long-name-for-a-host.with.several.labels.cdn.example.com"}} {
		if s.press(step[0]); selected(s) != step[1] {
			t.Errorf("after %s the selection is %s, want %s", step[0], selected(s), step[1])
		}
	}
	s.press("g", "v", "j", "j", "d") // the range ends above www
	if got := selected(s); got != "www.example.com" {
		t.Errorf("after a range the selection is %s", got)
	}
	s.press("H")
	if text := s.text(); !strings.Contains(text, "Domains 1 of 6, decided hidden") {
		t.Errorf("what is decided is not hidden:\n%s", text)
	}
	s.wants("what is decided is hidden in this session: H shows it")
	if s.press("a"); !strings.Contains(s.text(), "everything is decided, and hidden") || !strings.Contains(s.text(), "H shows it") {
		t.Errorf("the empty table doesn't say why:\n%s", s.text())
	}
	s.press("h").wants("what is dropped is hidden, in later sessions, too: h shows it")
	s.press("H")
	if err := s.m().leave(); err != nil {
		t.Fatal(err)
	}
	if s.prefs = loadPrefs(); s.session().m().table.DecidedHidden() {
		t.Error("what is decided is hidden in the next session, too")
	}
	s = newSceneWith(t, 120, 40, Settings{Stay: true}).session().selects(ubuntu).press("a")
	if got := selected(s); got != ubuntu {
		t.Errorf("who wants to stay is at %s", got)
	}
}

// That nothing is left to decide is said when it is so, and until then what of it a
// filter hides; what rules dropped is nobody's work.
func TestEndOfTriage(t *testing.T) {
	for _, test := range []struct {
		w, h         int
		done, before string
	}{{120, 40, "nothing left to decide", "decided 3/4 ▓▓▓▓░░"}, {40, 12, "4/4 ✓", "3/4"}} {
		s := newScene(t, test.w, test.h).session().selects("telemetry.example.org").press("a", "a", "a")
		s.wants(test.before)
		s.press("/").types("telemetry").press("enter", "c", "a").wants("; all that", "decided, and 1 more not")
		s.press("esc", "]", "d").wants(test.done, "nothing is", "exports")
		if s.press("u"); strings.Contains(s.text(), test.done) {
			t.Errorf("%dx%d: something is left again, and it says %q", test.w, test.h, test.done)
		}
	}
}

// How much is decided is told at every size, and beside it what is weightier:
// the instance's name, that names may be missing, that nothing is written.
func TestHeaderTellsWhatIsDecided(t *testing.T) {
	for _, test := range []struct {
		w, h                     int
		plain, doubtful, without string
	}{
		{120, 40, "lxd-allowlist builder on lxdbr0 decided 0/135 ░░░░░░ 135 new · 0 keep · 0 drop · 24 auto", "! 1 doubt (m) read only decided 0/135 ░░░░░░ 135 new", "135·"},
		{80, 24, "lxd-allowlist builder on lxdbr0 decided 0/135 ░░░░░░ 135· 0✓ 0✗ 24–", "! 1 doubt read only 0/135 135· 0✓ 0✗ 24–", "new"},
		{60, 20, "builder on lxdbr0 0/135 135· 0✓ 0✗ 24–", "builder ! 1 doubt (m) read only 0/135", "new"},
		{40, 12, "builder decided 0/135 135· 0✓ 0✗ 24–", "builder ! 1 doubt (m) read only 0/135", "lxdbr0"},
	} {
		s := newScene(t, test.w, test.h).realSession(false)
		header := func() string { return strings.Join(strings.Fields(s.shownAt(0)), " ") }
		if got := header(); !strings.Contains(got, test.plain) || strings.Contains(got, test.without) {
			t.Errorf("%dx%d: the header is %q, want %q", test.w, test.h, got, test.plain)
		}
		title := s.m().capture.Title
		s.m().capture.Title = "/var/log/" + strings.Repeat("rotated/", 10) + "builder.log on lxdbr0"
		if got, want := header(), test.plain[strings.Index(test.plain, "0/135"):]; !strings.Contains(got, want) && test.w < 120 {
			t.Errorf("%dx%d: the header of a log is %q, without %q", test.w, test.h, got, want)
		}
		s.m().capture.Title = title
		s.m().capture.Ledger.Unread(strings.Repeat("a file that can't be read; ", 5))
		s.m().capture.ReadOnly = "it was asked for"
		if got := header(); !strings.Contains(got, test.doubtful) {
			t.Errorf("%dx%d: the header is %q, want %q", test.w, test.h, got, test.doubtful)
		}
	}
}

// Beside the shell, too, queries and results are told, and no name of the usual
// length is cut for them.
func TestNamesBesideTheShell(t *testing.T) {
	s := newScene(t, 120, 40).realSession(true)
	s.wants("productionresultssa17.blob.core.windows.net          3  ✓              1m", "github.com.lxd                                       1  NX             1m")
}

// A name that a suffix rule keeps says by which, behind it or in it, and never is
// cut for that.
func TestKeptBySuffixIsShown(t *testing.T) {
	const long = "productionresultssa17.blob.core.windows.net"
	for _, test := range []struct {
		w, h                int
		name, filter, shown string
	}{
		{120, 40, "archive.ubuntu.com", "", "✓   archive.ubuntu.com  ✓ .ubuntu.com "},
		{80, 24, "archive.ubuntu.com", "", "✓ keep   archive.ubuntu.com  ✓ .ubuntu.com "},
		{60, 20, "archive.ubuntu.com", "", "✓   archive.ubuntu.com  ✓ .ubuntu.com "},
		{40, 12, "archive.ubuntu.com", "", "✓   archive.ubuntu.com  ✓ .ubuntu.com"},
		{120, 40, long, "", "✓ * " + long + " "},
		{80, 24, long, "", "✓ keep * " + long + " "},
		{60, 20, long, "", "✓ * " + long + " "},
		{40, 12, long, "", "✓ * productionresultssa17.…windows.net"},
		{40, 12, long, "17.b", "✓ * productionresultssa17.blob.…ws.net"},
	} {
		s := newScene(t, test.w, test.h).realSession(test.w == 120)
		for _, suffix := range []string{"ubuntu.com", "blob.core.windows.net"} {
			if _, err := s.m().capture.Ledger.KeepSuffix(suffix, ""); err != nil {
				t.Fatal(err)
			}
		}
		s.press("/").types(test.filter).press("enter").selects(test.name).wants(test.shown)
		underlined, _, _ := strings.Cut(s.styles.Kept.Render("x"), "mx") // its beginning, whatever stands behind it
		drawn := ""
		for _, line := range s.lines() {
			if strings.Contains(ansi.Strip(line), test.shown) {
				drawn = line
			}
		}
		if got := strings.Contains(drawn, underlined); got != strings.Contains(test.shown, "*") {
			t.Errorf("%dx%d: that the rule's part of %s is underlined is %v", test.w, test.h, test.name, got)
		}
	}
}

// A doubt leaves the header that the capture goes on, and an enforced list how the
// domains stand, wherever there is room for a word of each.
func TestHeaderSaysAllInAWord(t *testing.T) {
	for _, size := range sizes[2:] {
		s := newScene(t, size[0], size[1]).session()
		s.m().capture.Ledger.Unread(strings.Repeat("a file that can't be read; ", 5))
		if h := s.shownAt(0); !strings.Contains(h, "● live") || !strings.Contains(h, "doubt") && !strings.Contains(h, "can't be read") || !strings.Contains(h, "✓") && !strings.Contains(h, "keep") {
			t.Errorf("%v: with a doubt the header is %q", size, h)
		}
		for _, level := range []verify.Level{verify.Names, verify.Strict, verify.Learn} {
			s = newScene(t, size[0], size[1]).enforcing(level).refuses().press("g", "a")
			s.target.follow()
			s.Update(enforcementMsg{of: s.m().enforcing.of, places: 2})
			if h := s.shownAt(0); !strings.Contains(h, "▣ ") || !strings.Contains(h, "✓") && !strings.Contains(h, "keep") {
				t.Errorf("%v: after a name is allowed the header is %q", size, h)
			}
		}
	}
}

// A short name of an instance is whole beside an enforced list and a doubt, on the
// smallest screen, too, and what was refused and what is decided is counted there.
func TestHeaderKeepsTheNameUnderAList(t *testing.T) {
	for w := leastWidth; w <= 80; w++ {
		s := newScene(t, w, 24).enforcing(verify.Names).refuses()
		s.m().capture.Ledger.Unread("a file that can't be read")
		if h := s.shownAt(0); !strings.Contains(h, "dnstest ") || !strings.Contains(h, "2 blocked") || !strings.Contains(h, "doubt") || !strings.Contains(h, "0/6") && !strings.Contains(h, "✗") {
			t.Errorf("at %d columns the header is %q", w, h)
		}
		s.m().enforcing.stage = stageUnproven
		if h := s.shownAt(0); !strings.Contains(h, "NOT PROVEN") {
			t.Errorf("without a proof, at %d columns the header is %q", w, h)
		}
	}
}

// What is said of a doubt is said once: where the header has it whole, not in the
// foot as well.
func TestDoubtIsSaidOnce(t *testing.T) {
	const doubt = "a file that was rotated away can't be read: permission denied"
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).session()
		s.messages = nil
		s.m().capture.Ledger.Unread(doubt)
		s.say(doubt)
		text := strings.Join(strings.Fields(s.text()), " ")
		if n := strings.Count(text, doubt); n != 1 && size[0] > 60 || !strings.Contains(text, "rotated") {
			t.Errorf("%v: it is said %d times:\n%s", size, n, s.text())
		}
		if s.say("something else"); !strings.Contains(s.text(), "something else") {
			t.Errorf("%v: nothing else is said:\n%s", size, s.text())
		}
	}
}
