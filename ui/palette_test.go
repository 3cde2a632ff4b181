package ui

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// lxd is a backend that knows instances, or why it doesn't.
type lxd struct {
	choices []Choice
	err     error
}

func (l lxd) Choices(context.Context) ([]Choice, error) { return l.choices, l.err }
func (l lxd) Images(context.Context) ([]Choice, error)  { return nil, nil }
func (l lxd) Open(context.Context, Choice, func(string, float64)) (*Capture, error) {
	return nil, errors.New("not here")
}

// Whatever has a name is in the palette, from both of its keys and from help's.
func TestPaletteHasEverything(t *testing.T) {
	for _, key := range []string{":", "ctrl+p", "?"} {
		s := newScene(t, 120, 200)
		kept, err := session.Create(capture.Info{Instance: "other"})
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
		var name string
		kept.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
		s.opts.Backend = lxd{choices: []Choice{{Instance: "dnstest"}, {Instance: "web", Status: "Running"}, {Instance: "far", Problem: "it has no bridge"}}}
		s.session().press(key)
		text := s.text()
		wants := []string{"look at " + name, "watch web", "watch far", "leave-key: ", "output: ", "names that contain it", "drag"}
		for _, f := range export.Formats() {
			wants = append(wants, "as "+f.Name+": ")
		}
		for _, l := range s.tables.table.Lines(s.keys, s.m()) {
			wants = append(wants, l.Does)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the palette has no %q:\n%s", key, want, text)
			}
		}
		if strings.Contains(text, "watch dnstest") {
			t.Errorf("%s: the palette has the instance that is watched", key)
		}
	}
}

// An action is found by what other programs call it, too.
func TestPaletteFindsByOtherWords(t *testing.T) {
	s := newScene(t, 120, 40).session()
	for name := range alsoCalled {
		if !slices.ContainsFunc(s.tables.table.Actions, func(a action) bool { return a.Name == name }) {
			t.Errorf("%q is no action", name)
		}
	}
	s.press(":").types("screenshot").wants("write a picture (SVG)", "1 line")
}

// What is picked is done: an action, a format's export, another session or
// instance, a setting.
func TestPaletteDoes(t *testing.T) {
	s := newScene(t, 120, 40).session().selects(ubuntu)
	s.press(":").types("drop").press("enter")
	if d, _ := s.verdict(ubuntu); d != capture.Drop || s.m().dialog != nil {
		t.Errorf("drop leaves %v, and %T open", d, s.m().dialog)
	}
	s.press(":").types("as squid").press("enter")
	s.wants("▌squid", "Squid, a file for acl dstdomain")
	s.press("esc")
	s.m().table.EditFilter()
	s.types("a:").press("ctrl+p")
	if _, open := s.m().dialog.(*dialog.Palette); !open || s.m().table.Filter() != "a:" {
		t.Errorf("in the filter %q, ctrl+p opens %T", s.m().table.Filter(), s.m().dialog)
	}
	s.press("esc", "esc")
	s.press(":").types("redo").press("enter")
	s.wants("nothing to do again")

	s = newScene(t, 120, 40)
	s.opts.Backend = lxd{choices: []Choice{{Instance: "web"}, {Instance: "far", Problem: "it has no bridge"}}}
	s.session().press(":").types("watch far").press("enter")
	if s.wants("it has no bridge"); s.result.Next != nil {
		t.Errorf("goes on with %v", s.result.Next)
	}
	s.press("esc", ":").types("watch web")
	_, quit := s.Update(press("enter"))
	if s.result.Next == nil || *s.result.Next != (Next{Instance: "web"}) || quit == nil {
		t.Errorf("goes on with %v", s.result.Next)
	} else if _, ok := quit().(tea.QuitMsg); !ok {
		t.Error("the screen doesn't end")
	}

	s = newScene(t, 120, 40)
	s.opts.Backend = lxd{err: errors.New("LXD doesn't run")}
	s.session().press(":").types("instance")
	s.wants("LXD doesn't run")
}

// The Linux console has colours of its own where there are few.
func TestConsoleColours(t *testing.T) {
	s := newScene(t, 80, 24).session()
	s.Update(tea.EnvMsg{"TERM=linux"})
	theme, _ := look.NamedTheme("default")
	want := *theme.On("linux").Styles(true, true)
	if *s.styles == want {
		t.Error("they are there before it is known how many there are")
	}
	if s.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI}); *s.styles != want {
		t.Errorf("the styles are %+v, want %+v", *s.styles, want)
	}
}

// A setting is written into the config file, whose other lines stay; one that
// is wrong is not.
func TestPaletteSets(t *testing.T) {
	s := newScene(t, 120, 40)
	const before = "# mine\nkeys:\n  drop: [X]\nformat: plain\n"
	path := configured(t, before)
	set := func(value string) {
		s.press(":").types("setting format").press("enter", "ctrl+u").types(value).press("enter")
	}
	s.session()
	set("nosuch")
	s.wants(`no format "nosuch"`)
	if data, _ := os.ReadFile(path); string(data) != before {
		t.Errorf("a wrong value leaves %q", data)
	}
	s.press("esc")
	set("squid")
	if data, _ := os.ReadFile(path); string(data) != "format: squid\n# mine\nkeys:\n  drop: [X]\n" {
		t.Errorf("the file is %q", data)
	}
	s.wants("format is set in the config file")
	s.press("e")
	s.wants("▌squid")
	s.press("esc")
	set("")
	if data, _ := os.ReadFile(path); string(data) != "# mine\nkeys:\n  drop: [X]\n" {
		t.Errorf("without a value the file is %q", data)
	}
}

// From the shell, whose keys are all the instance's, the chord that leaves it
// and then a key of the table's opens the palette; the footer says so, and a
// click on that does it. Picked there, an action is the table's.
func TestPaletteFromTheShell(t *testing.T) {
	for _, w := range []int{40, 80, 120} {
		s := newScene(t, w, 40).session()
		s.m().shell.starting = true
		s.press("tab")
		if s.press("ctrl+p", ":", "?"); s.m().dialog != nil {
			t.Fatalf("a key of the shell opens %T", s.m().dialog)
		}
		s.clicksHint("ctrl+] ? help")
		if _, open := s.m().dialog.(*dialog.Palette); !open || s.m().focus != onTable {
			t.Errorf("%d wide: a click opens %T", w, s.m().dialog)
		}
		s.press("esc", "tab", "ctrl+]", "?").types("filter").press("enter").types("ubu")
		if got := s.m().table.Filter(); got != "ubu" {
			t.Errorf("%d wide: the filter is %q", w, got)
		}
	}
	s := newScene(t, 80, 24).session().press("tab")
	if s.press("ctrl+p"); s.m().dialog == nil || s.m().focus != onTable {
		t.Error("a shell that has ended keeps the palette away")
	}
}

// What is cut in the palette's line is whole at its foot, once it is chosen.
func TestPaletteSaysAll(t *testing.T) {
	s := newScene(t, 80, 24).session()
	s.press(":").types("doubts").wants("above: names may be missing; m says why", "! doubts")
	s = newScene(t, 60, 20).session()
	s.press(":").types("suffix rule of").wants("underlined part", "keeps it")
	for w, whole := range map[int]bool{60: false, 80: true} {
		s = newScene(t, w, 24).session()
		s.press(":").types("sign ")
		if signs, _, _ := strings.Cut(s.text(), "best first"); !strings.Contains(signs, "…") != whole {
			t.Errorf("%d wide, the signs are whole: want %v\n%s", w, whole, s.text())
		}
	}
}

// The palette begins with what can be done here and now, then the signs; what
// can't be done stands behind all that can, and says why. A key goes from part to
// part.
func TestPaletteBeginsWithWhatCanBeDone(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).session().press("g", ":")
		var parts []string
		for {
			row, _, _ := strings.Cut(s.text()[strings.Index(s.text(), "▌ ")+len("▌ "):], "  ")
			if len(parts) > 0 && row == parts[0] {
				break
			}
			parts = append(parts, row)
			s.press("tab")
		}
		signs, formats, later := slices.Index(parts, "Sign"), slices.Index(parts, "Export"), slices.Index(parts, notNow)
		if parts[0] != "Decide" || signs < 0 || signs > formats || later < formats {
			t.Errorf("%v: the parts are %v", size, parts)
		}
		for range signs {
			s.press("tab")
		}
		s.wants("new: exported until somebody")
		s.press("tab").wants("as plain")
		s.press("shift+tab").wants("new: exported until somebody")
		for range len(parts) - signs {
			s.press("tab")
		}
		s.wants("▌ Decide     keep")
	}
}
