package ui

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/session"
)

// start is the start that the scene shows.
func (s *scene) start() *picker { return s.phase.(*picker) }

// All that can be done at the start is in its palette; what is typed before and
// behind it stays what it is.
func TestPickerPaletteHasEverything(t *testing.T) {
	for _, key := range []string{"ctrl+p", "f1"} {
		s := newScene(t, 120, 60).starts().types("u").press(key)
		wants := []string{"watch dnstest", "start and watch off", "watch far", "go on with 20261124-115622-ux-a", "look at 20261124-110000-web",
			"launch one of alpine", "leave-key: ", "output: "}
		for _, l := range s.tables.picker.Lines(s.keys, s.start()) {
			wants = append(wants, l.Does)
		}
		for _, a := range s.tables.picker.Actions {
			if a.Section == "" && !slices.Contains([]string{"up", "down", "page-up", "page-down", "help", "palette"}, a.Name) {
				t.Errorf("the palette leaves out %s", a.Name)
			}
		}
		for _, want := range wants {
			s.wants(want)
		}
		if s.press("esc"); s.start().dialog != nil || s.start().input.Value() != "u" {
			t.Errorf("%s, closed: %T is open, the filter is %q", key, s.start().dialog, s.start().input.Value())
		}
	}
}

// What is picked of it is done.
func TestPickerPaletteDoes(t *testing.T) {
	for typed, want := range map[string]Choice{
		"watch ux":       startChoices()[3],
		"start off":      startChoices()[2],
		"go on ux-a":     {Instance: "ux-a", Session: "20261124-115622-ux-a", Stopped: true},
		"look web":       {Session: "20261124-110000-web"},
		"launch alpine":  {Image: "alpine", About: "Alpine 3.22"},
		"open what is":   startChoices()[0],
		"watch far":      {},
		"look at 115900": {},
	} {
		s := newScene(t, 120, 40)
		s.opts.Backend = nowhere{}
		s.starts().press("ctrl+p").types(typed).press("enter")
		var got Choice
		if o, ok := s.phase.(*opening); ok {
			got = o.choice
		}
		if got != want {
			t.Errorf("%q opens %+v, want %+v\n%s", typed, got, want, s.text())
		}
	}
	s := newScene(t, 120, 40).starts().press("ctrl+p").types("start quit")
	if _, cmd := s.Update(press("enter")); cmd == nil {
		t.Error("quit does nothing")
	} else if _, ok := cmd().(tea.QuitMsg); !ok {
		t.Error("quit doesn't end the program")
	}
}

// Lists that come in while it is open join it, and the cursor stays where it is;
// an LXD that can't be asked is a reason.
func TestPickerPaletteFollows(t *testing.T) {
	s := newScene(t, 120, 60)
	s.phase.start()
	s.press("ctrl+p")
	s.wants("looking for instances, sessions and images…")
	s.press("pgdown", "pgdown")
	s.starts()
	s.wants("watch dnstest")
	if text := s.text(); !regexp.MustCompile(`▌ .*wheel`).MatchString(text) {
		t.Errorf("the cursor has gone elsewhere:\n%s", text)
	}
	s.send(choicesMsg{err: errors.New("LXD doesn't run")})
	s.types("instance")
	s.wants("LXD doesn't run")
}

// A setting that is set there is in the file, and counts at once.
func TestPickerPaletteSets(t *testing.T) {
	s := newScene(t, 120, 40).starts()
	set := func(name, value string) {
		s.press("ctrl+p").types("setting "+name).press("enter", "ctrl+u").types(value).press("enter")
	}
	set("leave-key", "x")
	s.wants("is no chord")
	s.press("esc")
	set("leave-key", "ctrl+g")
	s.wants("leave-key is set in the config file")
	path, err := session.ConfigPath()
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "leave-key: ctrl+g\n" {
		t.Errorf("the file is %q", data)
	}
	if got := s.keys.Show("leave"); got != "ctrl+g" {
		t.Errorf("%s leaves the shell", got)
	}
}

// Why something can't be done can be read whole beside it, at every size.
func TestPaletteReasonsAreWhole(t *testing.T) {
	const why = "a reason of some length, which says what is wrong, with what, why that is so, and at its end what is to be done next"
	for _, size := range sizes {
		s := newScene(t, size[0], size[1])
		choices := append(startChoices(), Choice{Instance: "odd", Problem: why})
		s.opts.Backend = lxd{choices: choices}
		s.starts()
		s.send(choicesMsg{choices: choices})
		s.press("ctrl+p").types("watch odd")
		begin := newScene(t, size[0], size[1])
		begin.opts.Backend = s.opts.Backend
		begin.session().press(":").types("watch odd")
		for _, s := range []*scene{s, begin} {
			if text := s.words(); !strings.Contains(text, why) || !strings.Contains(text, "▌ Instance") {
				t.Errorf("%v: the reason isn't whole:\n%s", size, s.text())
			}
		}
	}
}

// words are the words in the box of the dialog.
func (s *scene) words() string {
	lines := strings.Split(s.text(), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "╭") })
	if at < 0 {
		return ""
	}
	top := []rune(lines[at])
	left, right := slices.Index(top, '╭'), slices.Index(top, '╮')
	var words []string
	for _, l := range lines[at:] {
		words = append(words, strings.Fields(string([]rune(l)[left+1:right]))...)
	}
	return strings.Join(words, " ")
}

// A click chooses and a second one opens; the wheel moves, and the footer does
// what it says.
func TestPickerMouse(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1])
		s.opts.Backend = nowhere{}
		s.starts()
		s.turns(tea.MouseWheelDown, 5, 5)
		if got := s.start().selected().choice.Instance; got != "far" {
			t.Errorf("%v: the wheel goes to %q", size, got)
		}
		for range 3 {
			s.turns(tea.MouseWheelDown, 5, 5)
		}
		p := s.start()
		line := slices.IndexFunc(strings.Split(s.text(), "\n"), func(l string) bool { return strings.Contains(l, "115622-ux-a") })
		if line < 0 {
			t.Fatalf("%v: the session is not in view:\n%s", size, s.text())
		}
		s.clicks(5, 0)
		s.clicks(5, 3)
		s.clicks(5, line)
		if got := s.start().selected().choice.Session; got != "20261124-115622-ux-a" {
			t.Errorf("%v: a click chooses %q", size, got)
		}
		s.clicksHint("ctrl+p help")
		s.wants("What can be done")
		s.types("look at web")
		y := s.lineOf("look at 2026")
		s.clicks(size[0]/2, y)
		if s.clicks(size[0]/2, y); s.phase == phase(p) {
			t.Errorf("%v: two clicks in the palette show\n%s", size, s.text())
		}
		s.phase = p
		s.clicksHint("ctrl+p help")
		s.types("mouse")
		s.wants("open it; in")
		s.clicksHint("esc close")
		s.clicks(5, line)
		s.clicks(5, line)
		if o, ok := s.phase.(*opening); !ok || o.choice.Session != "20261124-115622-ux-a" {
			t.Errorf("%v: two clicks show %T", size, s.phase)
		}
	}
}
