package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// foot is the last line of the screen.
func (s *scene) foot() string { return s.shownAt(s.h - 1) }

// clicksHint clicks a hint of the footer, on its last cell.
func (s *scene) clicksHint(hint string) *scene {
	s.t.Helper()
	before, _, ok := strings.Cut(s.foot(), " "+hint+" ")
	if !ok {
		s.t.Fatalf("the footer has no %q: %q", hint, s.foot())
	}
	s.clicks(len([]rune(before+hint)), s.h-1)
	return s
}

// The footer says what can be done here and now.
func TestFooterSaysWhatCanBeDone(t *testing.T) {
	for name, test := range map[string]struct {
		do        func(*scene)
		has, lacs string
	}{
		"a row":           {func(s *scene) { s.press("g") }, "a keep|d drop|enter details|V verify", "keep all|fold|end it"},
		"a head":          {func(s *scene) { s.press("t", "g") }, "a keep all|d drop all|enter fold", "details|keep 2"},
		"a folded head":   {func(s *scene) { s.press("t", "T", "g") }, "a keep all|enter unfold", "details"},
		"a range":         {func(s *scene) { s.press("g", "v", "j", "j") }, "a keep 3|d drop 3|esc end the range", "clear"},
		"a filter":        {func(s *scene) { s.press("/").types("ubu").press("enter") }, "esc clear the filter", "end the range"},
		"filter mode":     {func(s *scene) { s.press("/").types("ubu") }, "enter done|esc clear it", "drop"},
		"the ladder":      {func(s *scene) { s.press("w") }, "enter keep it|tab for always|n reason", "drop"},
		"always":          {func(s *scene) { s.press("w", "tab") }, "tab this session", "for always"},
		"a refused rung":  {func(s *scene) { s.press("w", "up", "up", "up", "up") }, "esc cancel", "keep it"},
		"a reason":        {func(s *scene) { s.press("w", "n") }, "enter done", "always"},
		"details":         {func(s *scene) { s.press("enter") }, "a keep|↓/j next|esc close", "filter"},
		"a file's name":   {func(s *scene) { s.press("e", "f") }, "enter done", "write"},
		"a format search": {func(s *scene) { s.press("e", "/") }, "enter take it", "write"},
		"enforcing":       {func(s *scene) { s.press("V", "enter"); s.proves("") }, "V end it", "V verify|l let through"},
		"blocked":         {func(s *scene) { s.press("V", "enter"); s.proves(""); s.refuses().press("g") }, "a keep|l let through|V end it", ""},
		"ending":          {func(s *scene) { s.press("V", "enter"); s.proves(""); s.m().enforcing.stage = stageEnding }, "a keep", "V "},
	} {
		s := newScene(t, 120, 40).session()
		test.do(s)
		s.messages = nil
		foot := s.foot() + " "
		for word := range strings.SplitSeq(test.has, "|") {
			if !strings.Contains(foot, " "+word+" ") {
				t.Errorf("%s: the footer has no %q: %q", name, word, foot)
			}
		}
		for word := range strings.SplitSeq(test.lacs, "|") {
			if test.lacs != "" && strings.Contains(foot, word+" ") {
				t.Errorf("%s: the footer has %q: %q", name, word, foot)
			}
		}
	}
	s := newScene(t, 80, 24).enforcing(verify.Names)
	s.refuses().press("g")
	if foot := s.foot(); !strings.Contains(foot, " l let through ") || !strings.Contains(foot, " ? help ") {
		t.Errorf("80 wide, on a name that was refused: %q", foot)
	}
}

// What a rule of the program drops is kept, and not let through for a time.
func TestNoGrantForWhatARuleDrops(t *testing.T) {
	s := newScene(t, 200, 60).enforcing(verify.Names)
	s.selects("archive.ubuntu.com.lxd").press("l")
	s.wants("archive.ubuntu.com.lxd is dropped by a rule: in the bridge's own domain lxd; a keeps it")
	if s.m().dialog != nil {
		t.Errorf("the dialog is %T", s.m().dialog)
	}
}

// A click on each hint of the footer does what its key does.
func TestClickOnTheFooter(t *testing.T) {
	for _, w := range []int{80, 120, 200} {
		s := newScene(t, w, 40).session()
		s.selects(ubuntu).clicksHint("d drop")
		if d, _ := s.verdict(ubuntu); d != capture.Drop {
			t.Errorf("%d wide: a click on drop leaves %v", w, d)
		}
		s.messages = nil
		s.selects(ubuntu).clicksHint("e export")
		if _, open := s.m().dialog.(*dialog.Export); !open {
			t.Errorf("%d wide: a click on export opens %T", w, s.m().dialog)
		}
		was := s.text()
		s.clicksHint("tab difference")
		s.wants("no file is there yet")
		s.clicksHint("tab the file").clicksHint("esc back")
		if s.m().dialog != nil {
			t.Errorf("%d wide: a click on back leaves\n%s", w, was)
		}
		s.clicksHint("/ filter").clicksHint("esc clear it")
		if s.m().table.Editing() {
			t.Errorf("%d wide: the filter is still typed", w)
		}
	}
}

// Every cell of the footer belongs to the hint that is drawn there, also beside
// a message.
func TestFooterCells(t *testing.T) {
	for _, said := range []string{"", "said", strings.Repeat("said at length ", 20)} {
		for w := leastWidth; w <= 200; w += 7 {
			s := newScene(t, w, 24).session()
			s.messages = nil
			if said != "" {
				s.say(said)
			}
			foot := []rune(s.foot())
			names := make(map[string]string) // what is drawn in a hint's cells
			for x := range w {
				if name := s.m().hintAt(x, s.h-1); name != "" {
					names[name] += string(foot[x])
				}
			}
			for _, h := range s.m().footHints() {
				drawn, ok := names[h.Name]
				if want := " " + h.Key + " " + h.Does + " "; ok && drawn != want && !strings.HasSuffix(drawn, "…") {
					t.Errorf("%d wide, %.10q said: in the cells of %s is %q, want %q in %q", w, said, h.Name, drawn, want, string(foot))
				}
				if !ok && strings.Contains(string(foot), " "+h.Key+" "+h.Does+" ") {
					t.Errorf("%d wide, %.10q said: no cell of %q is %s's", w, said, string(foot), h.Name)
				}
			}
		}
	}
}

// However long a message is, the table keeps most of its rows; a key that is said
// there has the rest.
func TestMessagesLeaveTheTableItsRows(t *testing.T) {
	for _, size := range append([][2]int{{40, 10}, {80, 10}}, sizes...) {
		for _, keys := range []string{"", "x", "z", "tab"} {
			s := newScene(t, size[0], size[1]).session()
			s.m().shell.shell = newFakeShell()
			s.asksFor(60)
			if keys != "" {
				s.press(keys)
			}
			rows := func() (n int) {
				for i := range s.m().layout.table.h {
					if marked := strings.TrimLeft(s.shownIn(s.m().layout.table, i), "▌│ "); strings.HasPrefix(marked, "·") || strings.HasPrefix(marked, "●") || strings.HasPrefix(marked, "–") {
						n++
					}
				}
				return n
			}
			s.messages = nil
			before := rows()
			s.say(strings.Repeat("said ", 399) + "last")
			if is := rows(); is == 0 || is < before/2 {
				t.Errorf("%v, %q: %d rows of %d are left:\n%s", size, keys, is, before, s.text())
			}
			if strings.Contains(s.text(), "last") {
				continue
			}
			if s.wants("m has all"); keys == "tab" {
				s.press("ctrl+]")
			}
			for s.press("m"); !strings.Contains(s.text(), "last"); s.press("down") {
				if strings.Contains(s.text(), "nothing was said") {
					t.Fatal("it is gone")
				}
			}
		}
	}
}

// A message that is longer than the footer stands above it, whole where there is
// a pane that nobody looks at.
func TestLongMessagesAreWhole(t *testing.T) {
	words := make([]string, 40)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	for _, size := range [][2]int{{40, 24}, {80, 24}, {200, 60}} {
		s := newScene(t, size[0], size[1]).session()
		s.say(strings.Join(words, " "))
		if lines := s.lines(); len(lines) != s.h {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		said := strings.Fields(s.text())
		for _, w := range words {
			if !slices.Contains(said, w) {
				t.Fatalf("%v: %s is missing in\n%s", size, w, s.text())
			}
		}
		if !strings.Contains(s.foot(), "a keep") {
			t.Errorf("%v: the footer is %q", size, s.foot())
		}
	}
}

// A message covers neither the line of the shell that somebody types on nor the
// row that is selected, wherever these are and however the panes stand; what there
// is no room for the messages have.
func TestMessagesCoverNothingInUse(t *testing.T) {
	sizes := append([][2]int{{40, 10}, {80, 10}}, sizes...)
	for _, size := range sizes {
		for _, keys := range []string{"", "x", "z", "Z"} {
			for _, words := range []int{12, 25, 90} {
				text := strings.TrimSpace(strings.Repeat("said ", words))
				s := newScene(t, size[0], size[1]).session()
				s.m().shell.shell = newFakeShell()
				s.asksFor(60)
				if keys == "x" {
					s.press(keys)
				}
				s.press("tab")
				if keys == "Z" {
					s.press("ctrl+]", keys)
				}
				for i := range 60 {
					fmt.Fprintf(s.m().shell.screen, "\r\nline%d$ ", i)
				}
				s.m().shell.screen.Text()
				s.say(text)
				if at := s.m().layout.shell; !strings.Contains(s.shownIn(at, at.h-1), "line59$") {
					t.Errorf("%v, %q, %d words: the prompt is covered:\n%s", size, keys, words, s.text())
				}
				for i := range s.m().layout.shell.h {
					if keys != "Z" && strings.Contains(s.shownIn(s.m().layout.shell, i), "said") {
						t.Fatalf("%v, %q, %d words: it stands over the shell:\n%s", size, keys, words, s.text())
					}
				}
				if !strings.Contains(s.text(), "said") {
					t.Errorf("%v, %q, %d words: nothing is said:\n%s", size, keys, words, s.text())
				}
				if s.press("ctrl+]"); keys == "z" {
					s.press(keys)
				}
				for _, key := range []string{"g", "G"} {
					s.press(key)
					if !strings.Contains(s.text(), "▌") {
						t.Errorf("%v, %q, %s, %d words: the selected row is covered:\n%s", size, keys, key, words, s.text())
					}
				}
			}
		}
	}
	s := newScene(t, 40, 12).session()
	s.m().shell.shell = newFakeShell()
	s.press("tab").say(strings.Repeat("said ", 90))
	s.wants(" … m has all")
}

// A dialog is whole, and has most of the screen, however long a message is.
func TestMessagesLeaveDialogsTheirRoom(t *testing.T) {
	for _, size := range append([][2]int{{40, 10}, {80, 10}}, sizes...) {
		for _, key := range []string{"e", "q", "w", "V", "enter", "n", "p", "I", "M", "?", "m"} {
			for _, words := range []int{24, 60, 400} {
				s := newScene(t, size[0], size[1]).session().press("g", key)
				s.messages = nil
				s.say(strings.Repeat("said ", words))
				if lines := s.lines(); len(lines) != size[1] {
					t.Errorf("%v, %s, %d words: %d lines", size, key, words, len(lines))
				}
				if over := strings.Count(s.text(), "\n said"); over > max(1, size[1]/3) {
					t.Errorf("%v, %s, %d words: %d lines of them:\n%s", size, key, words, over, s.text())
				}
			}
		}
	}
}

// Beside the pane that has the cursor a message stands at the foot of the other one,
// wherever the cursor is.
func TestMessagesBesideTheCursor(t *testing.T) {
	s := newScene(t, 160, 40).session()
	s.m().shell.shell = newFakeShell()
	s.asksFor(60)
	s.press("tab")
	for _, prompt := range []string{"$ ", strings.Repeat("\r\nline", 60)} {
		fmt.Fprint(s.m().shell.screen, prompt)
		s.m().shell.screen.Text()
		s.messages = nil
		s.say(strings.Repeat("said ", 30))
		if lines := s.lines(); !strings.Contains(lines[s.h-2], "said") || strings.Contains(strings.Join(lines[:s.h/2], ""), "said") {
			t.Errorf("a prompt behind %d characters:\n%s", len(prompt), s.text())
		}
	}
}

// A message leaves the hints where they are, as far as there is room, and a
// replay its timeline: at no size a footer has no hint of what is done most, of
// help and of how to quit.
func TestMessagesLeaveTheHints(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).replays(200).press("j")
		hints := strings.Fields(s.foot())
		for n := range size[0] - 6 {
			s.messages = nil
			said := strings.Repeat("x", n+1)
			s.say(said)
			foot := s.foot()
			for _, want := range []string{"a keep ", "? help ", "q quit"} {
				if !strings.Contains(foot, want) {
					t.Fatalf("%v, %d said: the footer is %q", size, n+1, foot)
				}
			}
			if room := size[0] - n - 5; room >= look.HintsWidth(s.m().footHints()) && len(strings.Fields(foot)) != len(hints)+2 {
				t.Errorf("%v, %d said: %q leaves hints out", size, n+1, foot)
			}
			if !strings.Contains(s.text(), said) || !strings.Contains(s.shownAt(s.h-2), "┃") {
				t.Fatalf("%v, %d said: it isn't whole, or the timeline isn't seen:\n%s", size, n+1, s.text())
			}
		}
	}
}

// What can be done in a dialog is seen at the least size, too, and a click does
// it on either line.
func TestDialogsHaveTheirHints(t *testing.T) {
	for keys, want := range map[string]string{
		"e":     "enter write it|↑/↓ format|tab difference|f name|esc back",
		"q":     "enter write and quit|n quit, no file|↑/↓ format|esc back",
		"w":     "enter keep it|↑/↓ how wide|tab for always|n reason|esc cancel",
		"enter": "a keep|d drop|↓/j next|esc close",
	} {
		s := newScene(t, 40, 12).session().press("g", keys)
		foot := s.shownAt(s.h-2) + "\n" + s.foot() + " "
		for hint := range strings.SplitSeq(want, "|") {
			if !strings.Contains(foot, " "+hint+" ") {
				t.Errorf("%s: the footer has no %q:\n%s", keys, hint, s.text())
			}
		}
	}
	s := newScene(t, 40, 12).session().press("q")
	s.wants("─ tab Difference ")
	s.press("tab")
	s.wants("─ tab File ─")
	s = newScene(t, 40, 12).session().press("e")
	s.clicks(strings.Index(s.shownAt(s.h-2), "format"), s.h-2)
	s.wants("format  squid")
	if s.clicksHint("esc back"); s.m().dialog != nil {
		t.Errorf("a click on back leaves\n%s", s.text())
	}
}

// The wheel chooses in a dialog, and no click goes through it.
func TestMouseInADialog(t *testing.T) {
	s := newScene(t, 120, 40).session().press("V")
	s.turns(tea.MouseWheelDown, 60, 20)
	s.wants("▸ names and packets")
	s.turns(tea.MouseWheelUp, 60, 20)
	s.wants("▸ names  ")
	s.clicks(5, 5)
	if _, open := s.m().dialog.(*dialog.Choice); !open {
		t.Error("a click went through the dialog")
	}
}

// A dialog that opens takes away what was said before: it is read, and in the
// messages; what is said while it is open is shown.
func TestADialogHidesOldMessages(t *testing.T) {
	s := newScene(t, 40, 12).session()
	s.say(strings.Repeat("said before ", 10))
	s.press("e")
	if strings.Contains(s.text(), "said before") {
		t.Errorf("it is still there:\n%s", s.text())
	}
	s.say("said meanwhile")
	s.wants("said meanwhile")
	s.press("esc", "m")
	s.wants("said before")
}

// Who has nothing selected is told how to.
func TestNothingSelected(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1])
		s.unselected()
		s.wants("↑/↓ select")
		if says := strings.Contains(s.foot(), "select to decide"); says != (size[0] >= roomForPurpose) {
			t.Errorf("%v: the footer is %q", size, s.foot())
		}
		if s.press("down"); strings.Contains(s.foot(), "select") || !strings.Contains(s.foot(), "a keep") {
			t.Errorf("%v: with a row selected the footer is %q", size, s.foot())
		}
	}
}

// The keys to the first and the last row go there at once, where nothing was
// selected, too.
func TestEndsWithNothingSelected(t *testing.T) {
	for key, want := range map[string]string{"G": "d0.example", "g": "d59.example"} {
		s := newScene(t, 80, 24)
		s.waitingForQueries()
		s.asksFor(60)
		if s.press(key); s.m().selectedName() != want {
			t.Errorf("%s selects %q, want %q:\n%s", key, s.m().selectedName(), want, s.text())
		}
	}
}

// Where no row is shown nothing offers to select one, and whoever wants one is told
// why there is none.
func TestNothingToSelect(t *testing.T) {
	for what, of := range map[string]struct {
		empty func(*scene)
		why   string
	}{
		"filtered": {func(s *scene) { s.press("/").types("xyz").press("enter") }, "no domain matches the filter: esc clears it"},
		"hidden":   {func(s *scene) { s.press("A", "H") }, "everything is decided, and hidden: H shows it"},
	} {
		for _, size := range [][2]int{{40, 12}, {80, 24}, {200, 60}} {
			s := newScene(t, size[0], size[1]).session()
			of.empty(s)
			s.press("down")
			if foot := s.foot(); strings.Contains(foot, "select") || strings.Contains(foot, "details") || strings.Contains(foot, "a keep") {
				t.Errorf("%s at %v it offers %q", what, size, foot)
			}
			s.press("a")
			if got := s.m().messages.Current(s.now); got != of.why {
				t.Errorf("%s at %v it says %q, want %q", what, size, got, of.why)
			}
		}
	}
}
