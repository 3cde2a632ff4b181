package ui

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/session"
)

// replays shows the sample session, replayed, and stopped after so many seconds
// of it.
func (s *scene) replays(seconds int) *scene {
	s.t.Helper()
	p, err := session.PlayFrom("sample", bytes.NewReader(sampleJournal))
	if err != nil {
		s.t.Fatal(err)
	}
	s.shows(&Capture{Player: p, Speed: 10, Title: "shop on lxdbr0", Live: true})
	r := s.m().replay
	r.plays = false
	s.plays(s.m().seek(r.begin.Add(time.Duration(seconds) * time.Second)))
	return s
}

// plays has the player go where it was sent, and where it is sent then.
func (s *scene) plays(to tea.Cmd) {
	s.t.Helper()
	for to != nil {
		s.m().played(to().(playedMsg))
		to = nil
		if r := s.m().replay; r.busy {
			want := r.want
			to = func() tea.Msg { return playedMsg{r.player.To(want), want} }
		}
	}
}

// sampleJournal is that of the demo.
var sampleJournal = func() []byte {
	journal, err := os.ReadFile("cli/sample.jsonl")
	if err != nil {
		panic(err)
	}
	return journal
}()

func TestReplayScreens(t *testing.T) {
	for name, set := range map[string]func(*scene){
		"replay":       func(s *scene) { s.replays(120) },
		"replay-begin": func(s *scene) { s.replays(0) },
		"replay-end":   func(s *scene) { s.replays(1000).press("}", "}") },
		"read-only": func(s *scene) {
			p, _ := session.PlayFrom("sample", bytes.NewReader(sampleJournal))
			_, end := p.Span()
			s.now = end
			s.shows(&Capture{Ledger: p.To(end), Title: "a session", ReadOnly: "it is only looked at"})
			s.m().table.Refresh(end)
		},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, size[0], size[1])
				set(s)
				s.golden(name)
			})
		}
	}
}

// A replay goes on by itself as fast as it is set, over long times in which
// nothing happens, to its end, and from there from the beginning.
func TestReplayPlays(t *testing.T) {
	s := newScene(t, 120, 40).replays(0)
	m := s.m()
	r := m.replay
	m.play()
	at := noon
	tick := func() {
		at = at.Add(replayEvery)
		msg := replayTickMsg{r.gen, at}
		if cmd := m.ticks(msg); cmd != nil {
			m.played(cmd().(playedMsg))
		}
	}
	tick()
	if got := r.at.Sub(r.begin); got != time.Second {
		t.Errorf("a tenth of a second at ten times the speed is %v", got)
	}
	if m.ticks(replayTickMsg{r.gen - 1, at}) != nil {
		t.Error("a tick of before it was stopped counts")
	}
	ticks := 1
	for ; r.plays && ticks < 1000; ticks++ {
		tick()
	}
	if r.plays || m.table.Tally().Total() < 40 || ticks > 310 || !strings.Contains(s.text(), "plays it again") || !strings.Contains(s.header(), "■ replay") {
		t.Errorf("after %d ticks it plays: %v, and %d domains are there\n%s", ticks, r.plays, m.table.Tally().Total(), s.text())
	}
	m.played(m.play()().(playedMsg))
	if !r.at.Equal(r.begin) || !r.plays || strings.Contains(s.text(), "the session ends here") {
		t.Errorf("it is at %v, and plays: %v\n%s", r.at.Sub(r.begin), r.plays, s.text())
	}
}

// What is passed over is said, and not for ever.
func TestReplaySaysWhatItPassesOver(t *testing.T) {
	s := newScene(t, 200, 40).replays(0).press("{", "{", "{")
	m, at := s.m(), s.now
	m.play()
	for i := 0; m.replay.note == "" && i < 1000; i++ {
		at = at.Add(replayEvery)
		m.played(m.ticks(replayTickMsg{m.replay.gen, at})().(playedMsg))
	}
	m.now = at
	if got := s.header(); !strings.Contains(got, "passed over ") {
		t.Errorf("the header is %q", got)
	}
	m.now = at.Add(noteLife)
	if got := s.header(); strings.Contains(got, "passed over ") {
		t.Errorf("later it is %q", got)
	}
}

// Back in time another ledger is shown, with the filter that there was, and what
// was sought meanwhile is gone to.
func TestReplayScrubs(t *testing.T) {
	s := newScene(t, 120, 40).replays(260).press("/").types("ubuntu").press("enter")
	m := s.m()
	before := m.capture.Ledger
	was := m.table.Tally().Total()
	s.plays(m.key(press(",")))
	s.plays(m.key(press(",")))
	if m.capture.Ledger == before || m.rules.ledger != m.capture.Ledger || m.table.Tally().Total() >= was || m.table.Filter() != "ubuntu" || strings.Contains(s.text(), "github") {
		t.Errorf("%d domains, were %d, filter %q\n%s", m.table.Tally().Total(), was, m.table.Filter(), s.text())
	}
	now := m.capture.Ledger
	s.plays(m.key(press(".")))
	if m.capture.Ledger != now {
		t.Error("on in time the ledger is another one")
	}
	first := m.seek(m.replay.begin.Add(100 * time.Second))
	if m.seek(m.replay.begin.Add(200*time.Second)) != nil || m.seek(m.replay.begin.Add(30*time.Second)) != nil {
		t.Error("the player is sent to two times at once")
	}
	if s.plays(first); m.replay.at.Sub(m.replay.begin) != 30*time.Second {
		t.Errorf("it is at %v", m.replay.at.Sub(m.replay.begin))
	}
	x, cells := s.m().timelineBar()
	s.plays(m.mouse(tea.MouseClickMsg{X: x + cells/2, Y: s.h - 2, Button: tea.MouseLeft}))
	if got, all := m.replay.at.Sub(m.replay.begin), m.replay.end.Sub(m.replay.begin); got < all*4/10 || got > all*6/10 {
		t.Errorf("a click in the middle goes to %v of %v", got, all)
	}
}

// What is selected stays so wherever in time it goes, and whose an address is is
// known there.
func TestReplayKeepsTheSelection(t *testing.T) {
	s := newScene(t, 200, 60).replays(260).selects("api.github.com")
	m := s.m()
	for _, at := range []time.Duration{200, 30, 150} {
		s.plays(m.seek(m.replay.begin.Add(at * time.Second)))
		want := map[bool]string{false: "api.github.com"}[at == 30] // it isn't there yet
		if got := m.selectedName(); got != want || strings.Contains(s.text(), "10.97.12.5") {
			t.Errorf("at %d s %q is selected, want %q\n%s", at, got, want, s.text())
		}
	}
	s.press("t", "T", "g", "down", "down")
	was, _ := m.table.Selected()
	if s.plays(m.seek(m.replay.begin.Add(149 * time.Second))); was.Group == "" {
		t.Fatalf("no group is selected\n%s", s.text())
	}
	if is, _ := m.table.Selected(); is.Group != was.Group {
		t.Errorf("%q is selected, was %q", is.Group, was.Group)
	}
}

// What is decided while a session is replayed is there wherever that goes, from
// when the name comes up, and can be undone there; while it goes back in time
// nothing is decided.
func TestReplayKeepsDecisions(t *testing.T) {
	s := newScene(t, 120, 40).replays(260)
	m := s.m()
	s.selects("github.com").press("a").selects("archive.ubuntu.com").press("d").selects("api.stripe.com").press("d")
	for _, at := range []time.Duration{30, 200, 320, 1} {
		back := m.seek(m.replay.begin.Add(at * time.Second))
		if back != nil && m.replay.back {
			if s.press("u"); !strings.Contains(s.text(), "it goes back in time") {
				t.Errorf("something is undone on the way to %d s:\n%s", at, s.text())
			}
		}
		s.plays(back)
		if n := map[time.Duration]int{30: 1, 200: 2, 320: 3, 1: 0}[at]; m.table.Tally().Keep+m.table.Tally().DropByUser != n {
			t.Errorf("at %d s %+v is decided, want %d of it\n%s", at, m.table.Tally(), n, s.text())
		}
	}
	s.plays(m.seek(m.replay.begin.Add(200 * time.Second)))
	s.press("u")
	s.plays(m.seek(m.replay.begin.Add(100 * time.Second)))
	s.plays(m.seek(m.replay.begin.Add(200 * time.Second)))
	if s.press("U"); m.table.Tally().Keep+m.table.Tally().DropByUser != 2 {
		t.Errorf("what was undone before it went back can't be done again:\n%s", s.text())
	}
	if s.press("u", "u"); m.table.Tally().Keep+m.table.Tally().DropByUser != 0 {
		t.Errorf("undone there are %+v", m.table.Tally())
	}
	if s.press("u"); !strings.Contains(s.text(), "nothing to undo") {
		t.Errorf("more is undone:\n%s", s.text())
	}
}

// A trial leaves the user's files as they are, and says so.
func TestTrialLeavesNothing(t *testing.T) {
	s := newScene(t, 120, 40)
	s.opts.Trial = true
	s.replays(260).press("t", "H")
	if err := s.m().leave(); err != nil {
		t.Error(err)
	}
	s.press("p").types("old.example").press("enter")
	s.wants("this is a trial")
	s.press("esc", ":").types("setting stay").press("enter", "enter")
	s.wants("this is a trial")
	for _, dir := range []string{os.Getenv("XDG_STATE_HOME"), os.Getenv("XDG_CONFIG_HOME")} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("it leaves %v, %v", left, err)
		}
	}
}

// Of what is only looked at nothing is decided, and no key for that is offered.
func TestReadOnly(t *testing.T) {
	s := newScene(t, 200, 60).session()
	s.m().capture.ReadOnly = "it is only looked at"
	s.press("g")
	for _, a := range s.tables.table.Actions {
		if a.Section != "Decide" {
			continue
		}
		s.press(a.Keys[0])
		if s.m().dialog != nil || !strings.Contains(s.text(), "it is only looked at") {
			t.Errorf("%s does something, or doesn't say why not:\n%s", a.Name, s.text())
		}
		s.messages = nil
	}
	if s.m().capture.Ledger.CanUndo() || strings.Contains(s.text(), "a keep") {
		t.Errorf("something was decided, or is offered:\n%s", s.text())
	}
}

// A picture of the table is a file of its own each time.
func TestPicture(t *testing.T) {
	newScene(t, 120, 40).session().press("S", "S")
	for _, path := range []string{"dnstest-table.svg", "dnstest-table-2.svg"} {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("archive.")) || !bytes.Contains(text, []byte("dnstest on lxdbr0")) {
			t.Errorf("%s: %v, %s", path, err, text)
		}
	}
	s := newScene(t, 200, 60).replays(200).press("S") // with details beside the table
	text, err := os.ReadFile("shop-table.svg")
	for _, want := range []string{">shop on lxdbr0<", ">decided<", " keep<", "0 drop<"} {
		if err != nil || !bytes.Contains(text, []byte(want)) {
			t.Errorf("its header has no %s: %v\n%s", want, err, text)
		}
	}
	if !strings.Contains(s.text(), "wrote a picture of the table to shop-table.svg") {
		t.Errorf("nothing is said of it:\n%s", s.text())
	}
}

// What is played goes so fast as was asked for, and from there to the speeds that
// the keys have.
func TestSpeeds(t *testing.T) {
	for _, test := range []struct {
		asked int
		keys  []string
		want  int
	}{{30, nil, 30}, {30, []string{"}"}, 50}, {30, []string{"{"}, 20}, {10, []string{"}"}, 20}, {10, []string{"{"}, 5}, {1, []string{"{"}, 1}, {MaxSpeed, []string{"}"}, MaxSpeed}} {
		s := newScene(t, 120, 40)
		p, err := session.PlayFrom("sample", bytes.NewReader(sampleJournal))
		if err != nil {
			t.Fatal(err)
		}
		s.shows(&Capture{Player: p, Speed: test.asked, Title: "shop on lxdbr0", Live: true})
		s.press(test.keys...)
		if got := s.m().replay.speed; got != test.want || !strings.Contains(s.text(), fmt.Sprintf("×%d", test.want)) {
			t.Errorf("%d and %v: %d times, want %d", test.asked, test.keys, got, test.want)
		}
	}
}

// On the smallest screen the timeline has the keys that the footer has no room for,
// at all sizes a click before it plays and pauses.
func TestTimelineHasItsKeys(t *testing.T) {
	for _, size := range [][2]int{{40, 12}, {60, 20}, {79, 24}, {80, 24}, {200, 60}} {
		s := newScene(t, size[0], size[1]).replays(100)
		m := s.m()
		for _, key := range []string{rowPlay, "replay-back", "replay-on"} {
			if low := s.shownAt(s.h-2) + s.foot(); !strings.Contains(low, m.keys.Show(key)) {
				t.Errorf("at %v the foot of the screen has no %s: %q", size, key, low)
			}
		}
		x, cells := m.timelineBar()
		if was := m.replay.at; size[0] < roomForEnd {
			s.plays(m.mouse(tea.MouseClickMsg{X: x - 2, Y: s.h - 2, Button: tea.MouseLeft}))
			back := m.replay.at
			s.plays(m.mouse(tea.MouseClickMsg{X: x + cells + 1, Y: s.h - 2, Button: tea.MouseLeft}))
			if !back.Before(was) || !m.replay.at.Equal(was) {
				t.Errorf("at %v clicks on the keys beside the bar go from %v to %v and %v", size, was, back, m.replay.at)
			}
		}
		for _, plays := range []bool{true, false} {
			if m.mouse(tea.MouseClickMsg{X: x - 6, Y: s.h - 2, Button: tea.MouseLeft}); m.replay.plays != plays {
				t.Errorf("at %v a click before the bar: it plays: %v", size, m.replay.plays)
			}
		}
	}
}
