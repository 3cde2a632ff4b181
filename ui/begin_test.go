package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// sizes are those of the goldens, from the least to the widest.
var sizes = [][2]int{{40, 12}, {60, 20}, {80, 24}, {120, 40}, {200, 60}}

// beginnings are what the goldens show of what comes before the table.
func beginnings() map[string]func(*scene) {
	choices := startChoices()
	launch := Choice{Image: "ubuntu:24.04"}
	return map[string]func(*scene){
		"picker":                func(s *scene) { s.starts() },
		"picker-loading":        func(s *scene) { s.phase.start() },
		"picker-filtered":       func(s *scene) { s.starts().types("killed ux") },
		"picker-image":          func(s *scene) { s.starts().types("ubuntu:24.04") },
		"picker-no-match":       func(s *scene) { s.starts().types("xyz") },
		"picker-refused":        func(s *scene) { s.starts().types("far").press("enter") },
		"picker-palette":        func(s *scene) { s.starts().press("f1") },
		"picker-palette-found":  func(s *scene) { s.starts().press("f1").types("far") },
		"picker-palette-prompt": func(s *scene) { s.starts().press("f1").types("setting format").press("enter") },
		"picker-empty": func(s *scene) {
			s.send(choicesMsg{})
			s.send(imagesMsg{})
			s.send(sessionsMsg{counted: true})
		},
		"picker-error": func(s *scene) {
			s.starts()
			s.send(choicesMsg{err: errors.New("connect to LXD: it doesn't run; start it with `systemctl start lxd`")})
		},
		"opening": func(s *scene) {
			o := s.opening(launch)
			o.step("connecting to LXD", -1)
			o.step("creating allowlist-abcdef from ubuntu:24.04", -1)
			s.Update(tickMsg(s.now.Add(3 * time.Second)))
			o.step("downloading the image", 0.1)
			s.Update(tickMsg(s.now.Add(12 * time.Second)))
			o.step("downloading the image", 0.4)
		},
		"opening-error": func(s *scene) {
			o := s.opening(choices[0])
			o.step("taking the lease of bridge lxdbr0", -1)
			s.send(openedMsg{of: o, err: errors.New("network lxdbr0 is in use by lxd-allowlist 1.0 (root, process 4711 on host)")})
		},
		"opening-error-long": func(s *scene) {
			o := s.opening(choices[0])
			for i := range 30 {
				o.step(fmt.Sprintf("step number %d", i), -1)
			}
			s.send(openedMsg{of: o, err: errors.New(strings.Repeat("something in LXD went wrong, in a way of which it tells much. ", 8) + "what to do stands at the end")})
		},
	}
}

func startChoices() []Choice {
	return []Choice{
		{Server: "local", Instance: "dnstest", Status: "Running", Network: "lxdbr0", Address: "10.97.12.5", Started: noon.Add(-3 * time.Hour)},
		{Server: "local", Instance: "far", Status: "Running", Network: "", Started: noon.Add(-2 * time.Minute), Problem: "eth0: a macvlan device goes past the host's dnsmasq"},
		{Server: "local", Instance: "off", Status: "Stopped", Network: "lxdbr0", Stopped: true},
		{Server: "local", Instance: "ux-a", Status: "Running", Network: "lxdbr1", Address: "10.97.13.77", Started: noon.Add(-50 * time.Hour), Use: "in use by process 4711 since 11:58"},
	}
}

// starts shows the start with all three lists.
func (s *scene) starts() *scene {
	entry := func(name, instance string, ago time.Duration, e session.Entry) session.Entry {
		e.Path, e.Modified = "/sessions/"+name+".jsonl", s.now.Add(-ago)
		e.Info = capture.Info{Session: name, Server: "local", Instance: instance, Network: "lxdbr0"}
		return e
	}
	written := &capture.Written{Format: "squid", Path: "/root/allow.txt", At: noon}
	log := entry("20261120-090000-dns.log", "", 90*time.Hour, session.Entry{Domains: 800, Exported: written})
	log.Info.Log = "dns.log"
	gone := entry("20261123-080000-gone", "dnstest", 27*time.Hour, session.Entry{Killed: true, Domains: 7})
	gone.Info.Server = "lab" // that has a dnstest of its own
	s.send(choicesMsg{startChoices(), nil})
	s.send(imagesMsg{[]Choice{{Image: "24.04", About: "ubuntu 24.04 LTS amd64 (release) (20261110)"}, {Image: "alpine", About: "Alpine 3.22"}}, nil})
	s.send(sessionsMsg{counted: true, all: []session.Entry{
		entry("20261124-110000-web", "web", 10*time.Minute, session.Entry{Domains: 12, Marks: 3, Kept: 2, Exported: written}),
		entry("20261124-105500-dnstest", "dnstest", 20*time.Minute, session.Entry{Domains: 40, Marks: 9, Kept: 7, Exported: written, Stale: true}),
		entry("20261124-115622-ux-a", "ux-a", 2*time.Minute, session.Entry{Killed: true, Domains: 53, Marks: 5, Kept: 5}),
		gone,
		entry("20261122-100000-ci", "ci", 50*time.Hour, session.Entry{Domains: 31}),
		entry("20261124-115900-off", "off", time.Second, session.Entry{InUse: true, Domains: 2}),
		entry("20261101-000000-bad", "bad", 600*time.Hour, session.Entry{Err: errors.New("its journal is empty")}),
		log,
	}})
	return s
}

func TestBeginnings(t *testing.T) {
	for name, set := range beginnings() {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, size[0], size[1])
				set(s)
				s.golden(name)
			})
		}
	}
}

func (s *scene) opening(c Choice) *opening {
	o := newOpening(s.model, c)
	s.enter(o)
	return o
}

// What a session's row has no room for goes as a whole: no word of it is cut.
func TestSessionRowsCutNoWord(t *testing.T) {
	for w := leastWidth; w <= 120; w++ {
		s := newScene(t, w, 40).starts()
		s.press("tab") // one of them is selected, with what enter does
		for line := range strings.Lines(s.text()) {
			if strings.Contains(line, "-dnstest") && strings.Contains(line, "…") || strings.Contains(line, "-ux-a") && strings.Contains(line, "…") {
				t.Errorf("at %d columns a session is %q", w, line)
			}
		}
	}
}

// Why it failed can be read at every size, however many steps there were, and
// leaving ends the program with it.
func TestOpeningShowsItsError(t *testing.T) {
	for _, size := range append(sizes, [2]int{leastWidth, leastHeight}) {
		s := newScene(t, size[0], size[1])
		beginnings()["opening-error-long"](s)
		for range 40 {
			s.press("down")
		}
		if !strings.Contains(strings.Join(strings.Fields(s.text()), " "), "what to do stands at the end") {
			t.Errorf("%v: the end of the error can't be read:\n%s", size, s.text())
		}
		if err := s.phase.leave(); err == nil || !strings.Contains(err.Error(), "at the end") {
			t.Errorf("%v: leaving says %v", size, err)
		}
	}
}

// The step that failed stands above why it failed wherever that leaves a line.
func TestOpeningShowsTheStepThatFailed(t *testing.T) {
	for h := leastHeight; h < 24; h++ {
		s := newScene(t, 40, h)
		o := s.opening(Choice{Instance: "a"})
		o.step("connecting to LXD", -1)
		o.step("taking the lease of bridge lxdbr0", -1)
		s.send(openedMsg{of: o, err: errors.New(strings.Repeat("in use since a while; ", 11) + "quit that one first")})
		if room := h - 2 - openingChrome - len(o.says()); room > 0 != strings.Contains(s.text(), "✗ taking the lease") || len(o.draw()) > h-2 {
			t.Errorf("with room for %d lines more the screen is\n%s", room, s.text())
		}
	}
}

// Who goes back to the list after a failure and leaves has failed; who opened
// something since has not. What waits for an answer has not failed.
func TestLeavingAfterAFailure(t *testing.T) {
	s := newScene(t, 80, 24)
	s.opts.Backend = nowhere{}
	failed := errors.New("no LXD is running here")
	s.send(openedMsg{of: s.opening(Choice{Instance: "a"}), err: failed})
	s.press("esc")
	if err := s.phase.leave(); err != failed {
		t.Errorf("back in the list, leaving says %v", err)
	}
	s.send(openedMsg{of: s.opening(Choice{Instance: "a"}), capture: &Capture{Ledger: capture.NewLedger(capture.Info{})}})
	if s.failed != nil {
		t.Errorf("a capture runs, and leaving says %v", s.failed)
	}
	s.send(openedMsg{of: s.opening(Choice{Instance: "a"}), err: asked{}})
	if err := s.phase.leave(); err != nil {
		t.Errorf("asked, leaving says %v", err)
	}
	s.phase = newPicker(s.model)
	s.send(choicesMsg{err: failed})
	if err := s.phase.leave(); err != failed {
		t.Errorf("without a list, leaving says %v", err)
	}
}

// What is typed filters all lists by all that is known of a row, and enter opens
// what is first among what is left.
func TestStartOpens(t *testing.T) {
	for typed, want := range map[string]Choice{
		"":                 startChoices()[0],
		"10.97.13":         startChoices()[3],
		"stopped":          startChoices()[2],
		"killed ux-a":      {Instance: "ux-a", Session: "20261124-115622-ux-a", Stopped: true},
		"gone":             {Session: "20261123-080000-gone"}, // there is no such instance any more
		"session 105500":   {Session: "20261124-105500-dnstest"},
		"dns.log exported": {Session: "20261120-090000-dns.log"},
		"alpine":           {Image: "alpine", About: "Alpine 3.22"},
		"images:alpine/3":  {Image: "images:alpine/3", About: "downloaded first, and removed at the end"},
		"far":              {}, "in use 115900": {}, "bad": {}, "xyz": {}, "fd42::1": {},
	} {
		s := newScene(t, 120, 40)
		s.opts.Backend = nowhere{}
		s.starts().types(typed).press("enter")
		var got Choice
		if o, ok := s.phase.(*opening); ok {
			got = o.choice
		}
		if got != want {
			t.Errorf("%q opens %+v, want %+v", typed, got, want)
		}
	}
}

// Sessions that were killed come first, then those with names or decisions that
// no file has; what can't be opened is last.
func TestStartOrdersSessions(t *testing.T) {
	s := newScene(t, 120, 40).starts()
	var got []string
	for _, r := range s.phase.(*picker).rows {
		if r.kind == ofSessions {
			got = append(got, r.state())
		}
	}
	want := []string{"killed", "killed", "changed since its export", "unexported", "exported", "exported", "in use", "unreadable"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Lists that come in late leave alone what the user has gone to, and the marked
// row is seen wherever it is.
func TestStartKeepsTheChoice(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).starts()
		p := s.phase.(*picker)
		for i := range p.rows {
			if !strings.Contains(s.text(), "▌") {
				t.Fatalf("%v: row %d is marked, and not seen:\n%s", size, i, s.text())
			}
			was := p.selected().id()
			s.send(imagesMsg{[]Choice{{Image: "24.04", About: "ubuntu 24.04 LTS amd64 (release) (20261110)"}, {Image: "alpine", About: "Alpine 3.22"}}, nil})
			if got := p.selected().id(); i > 0 && got != was {
				t.Errorf("%v: %s is selected, was %s", size, got, was)
			}
			s.press("down")
		}
	}
	s := newScene(t, 80, 24).starts()
	for _, want := range []rowKind{ofSessions, ofImages, ofInstances} {
		if s.press("tab"); s.phase.(*picker).selected().kind != want {
			t.Errorf("tab goes to %v, want %v", s.phase.(*picker).selected().kind, want)
		}
	}
	s.types("killed").press("ctrl+o")
	if o, ok := s.phase.(*opening); !ok || o.choice != (Choice{Session: "20261124-115622-ux-a"}) {
		t.Errorf("only to look opens %+v", s.phase)
	}
}

// A report that comes late makes no step anew, and no bar goes back.
func TestOpeningSteps(t *testing.T) {
	s := newScene(t, 80, 24)
	o := s.opening(Choice{Image: "ubuntu:24.04"})
	for _, step := range []struct {
		doing string
		done  float64
	}{{"downloading", 0.5}, {"downloading", 0.4}, {"unpacking", 0.1}, {"downloading", 0.6}, {"downloading", 0.5}, {"unpacking", 0.2}} {
		o.step(step.doing, step.done)
	}
	var got []string
	for _, step := range o.steps {
		got = append(got, fmt.Sprint(step.doing, " ", step.done))
	}
	if want := []string{"downloading 0.6", "unpacking 0.2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// How far a step is stands whole on the narrowest screen, whatever is done.
func TestOpeningBarIsWhole(t *testing.T) {
	for _, doing := range []string{"unpacking", "downloading the image", "downloading the image of a long name from far away"} {
		s := newScene(t, leastWidth, leastHeight)
		o := s.opening(Choice{Image: "ubuntu:24.04"})
		o.step(doing, 1)
		s.Update(tickMsg(s.now.Add(12 * time.Minute)))
		if line := s.shownAt(4); !strings.Contains(line, "━━━━━━━━ 100%  12m") || !strings.Contains(line, doing[:9]) {
			t.Errorf("the step is %q", line)
		}
	}
}

// nowhere is a backend without anything.
type nowhere struct{}

func (nowhere) Choices(context.Context) ([]Choice, error) { return nil, nil }
func (nowhere) Images(context.Context) ([]Choice, error)  { return nil, nil }
func (nowhere) Open(context.Context, Choice, func(string, float64)) (*Capture, error) {
	return nil, errors.New("nothing is to be opened")
}

// asked is a question.
type asked struct{}

func (asked) Error() string                { return "it is stopped. Start it?" }
func (a asked) Question() string           { return a.Error() }
func (asked) Answer(context.Context) error { return nil }

// A question says what becomes of it without a yes.
func TestQuestionCanBeLeft(t *testing.T) {
	s := newScene(t, 80, 24)
	s.opening(Choice{Instance: "web"}).err = asked{}
	s.wants("Start it?", "y yes", "esc leave it")
}
