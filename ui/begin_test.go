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
)

// sizes are those of the goldens of what comes before the table.
var sizes = [][2]int{{40, 12}, {60, 20}, {80, 24}, {120, 40}, {200, 60}}

// beginnings are what the goldens show of what comes before the table.
func beginnings() map[string]func(*scene) {
	choices := []Choice{
		{Instance: "dnstest", Status: "Running", Network: "lxdbr0"},
		{Instance: "off", Status: "Stopped", Network: "lxdbr0", Stopped: true},
		{Instance: "far", Status: "Running", Network: "eth0", Problem: "its NIC is macvlan: no bridge, no dnsmasq"},
	}
	launch := Choice{Image: "ubuntu:24.04"}
	return map[string]func(*scene){
		"picker":       func(s *scene) { s.send(choicesMsg{choices, nil}) },
		"picker-empty": func(s *scene) { s.send(choicesMsg{}) },
		"picker-error": func(s *scene) {
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
	s.phase = &picker{model: s.model}
	s.send(choicesMsg{err: failed})
	if err := s.phase.leave(); err != failed {
		t.Errorf("without a list, leaving says %v", err)
	}
}

// A report that comes late makes no step anew, and no bar goes back.
func TestOpeningSteps(t *testing.T) {
	s := newScene(t, 80, 24)
	o := s.opening(Choice{Image: "ubuntu:24.04"})
	for _, step := range []struct {
		doing string
		done  float64
	}{{"downloading", 0.5}, {"downloading", 0.4}, {"unpacking", 0.1}, {"downloading", 0.6}, {"unpacking", 0.2}} {
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

// nowhere is a backend without anything.
type nowhere struct{}

func (nowhere) Choices(context.Context) ([]Choice, error) { return nil, nil }
func (nowhere) Open(context.Context, Choice, func(string, float64)) (*Capture, error) {
	return nil, errors.New("nothing is to be opened")
}

// asked is a question.
type asked struct{}

func (asked) Error() string                { return "it is stopped. Start it?" }
func (a asked) Question() string           { return a.Error() }
func (asked) Answer(context.Context) error { return nil }
