package ui

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
)

// other returns the key that stands for a default one where all are others.
func other(key string) string {
	if key == DefaultLeaveKey {
		return "f12"
	}
	return "alt+" + key
}

// allOthers gives every action other keys.
func allOthers(t *testing.T) (c Settings) {
	t.Helper()
	_, defaults, err := newKeys(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	c.Keys = make(map[string][]string)
	for _, r := range defaults.Rows() {
		for _, key := range r.Keys {
			if key != "ctrl+5" { // comes with ctrl+]
				c.Keys[r.Name] = append(c.Keys[r.Name], other(key))
			}
		}
	}
	return c
}

// told are the sentences that name a key, by the name of its row.
func told(t *testing.T, c Settings) (sentences []string) {
	t.Helper()
	tables, m, err := newKeys(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range tables.contexts() {
		for _, r := range in.Rows {
			for _, does := range []string{r.Hint, r.Help} {
				if does != "" {
					sentences = append(sentences, " "+m.Show(r.Name)+" "+does)
				}
			}
		}
	}
	for _, s := range [][2]string{
		{rowCancel, " clears it"}, {rowHideDrops, " shows it"}, {rowWiden, " keeps all below"}, {rowWiden, " on the domain takes it back"},
		{rowReopen, " to open it again"}, {"leave", " leaves"}, {rowAccept, " starts it"}, {rowDown, " move"}, {rowGroup, " does that"}, {rowVerify, " ends it"}, {"keep", " allows it"},
	} {
		sentences = append(sentences, " "+m.Show(s[0])+s[1])
	}
	return sentences
}

// Whatever a key does, and whatever a sentence says of it, it is the key that
// the user gave it.
func TestNoTextNamesAReboundKey(t *testing.T) {
	c := allOthers(t)
	before, after := told(t, Settings{}), told(t, c)
	all := scenes()
	maps.Copy(all, beginnings())
	all["nothing selected"] = func(s *scene) { s.unselected(); s.press("a") }
	all["stopped"] = func(s *scene) { s.starts().types("stopped") }
	all["not grouped"] = func(s *scene) { s.session().press("left") }
	all["overruled"] = func(s *scene) { s.session().press("G", "w", "enter", "d") }
	all["in the shell"] = func(s *scene) { s.session().m().shell.starting = true; s.press("tab") }
	all["everything hidden"] = func(s *scene) { s.session().press("D", "h") }
	all["it exists"] = func(s *scene) {
		s.session().press("e")
		s.m().dialog.(*dialog.Export).Failed(nil, true, dialog.There{})
	}
	all["a file's name"] = func(s *scene) { s.session().press("e", "f") }
	all["messages"] = func(s *scene) { s.session().press("m") }
	named := make(map[string]bool)
	for name, set := range all {
		plain := newScene(t, 200, 60)
		set(plain)
		was := plain.withAndWithoutMessages()
		s := newSceneWith(t, 200, 60, c)
		s.rebound = other
		set(s)
		is := s.withAndWithoutMessages()
		for i := range before {
			if !strings.Contains(was, before[i]) {
				continue
			}
			named[before[i]] = true
			if strings.Contains(is, before[i]) || !strings.Contains(is, after[i]) {
				t.Errorf("%s: want %q in place of %q in\n%s", name, after[i], before[i], is)
			}
		}
	}
	for _, sentence := range before[len(before)-11:] {
		if !named[sentence] {
			t.Errorf("no screen says %q", sentence)
		}
	}
}

// withAndWithoutMessages is the screen with what is said there, and then without,
// which has more hints.
func (s *scene) withAndWithoutMessages() string {
	text := s.text()
	s.messages = nil
	return text + s.text()
}

// What can't work is not offered: a log that is only read has no shell.
func TestAReadLogOffersNoShell(t *testing.T) {
	s := newScene(t, 200, 60)
	s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{}), Title: "dns.log"})
	s.press("?")
	offered, _, _ := strings.Cut(strings.ToLower(s.text()), "enter do it") // tab is a key of the palette's, too
	for _, word := range []string{"shell", "panes", " tab ", "ctrl+]"} {
		if strings.Contains(offered, word) {
			t.Errorf("the screen offers %q:\n%s", word, s.text())
		}
	}
	s.press("esc", "tab")
	if !strings.Contains(s.text(), "there is no shell here: dns.log is only read") {
		t.Errorf("tab says nothing of there being no shell:\n%s", s.text())
	}
}

// Every action is listed in the help under one of its headings, or is one of a
// dialog, the picker or the opening.
func TestHelpListsEveryAction(t *testing.T) {
	s := newScene(t, 200, 60).session()
	var listed []string
	for _, l := range s.tables.table.Lines(s.keys, s.m()) {
		if !slices.Contains([]string{"Decide", "Look", "Move", "Panes", "Shell", "Verify", "Program", "Replay"}, l.Section) {
			t.Errorf("there is a section %q", l.Section)
		}
		listed = append(listed, l.Does)
	}
	for _, r := range s.keys.Rows() {
		if elsewhere := []string{"accept", "cancel", "yes", "no", "reload", "file", "merge", "next-format", "prev-format", "quit-now", "always", "difference", "complete", "next-list", "look-only", "read-again", "play", "replay-back", "replay-on", "slower", "faster", "told", "course", "next-part", "prev-part", "whole-text"}; slices.Contains(elsewhere, r.Name) {
			continue
		}
		if !slices.Contains(listed, r.Help) {
			t.Errorf("the help leaves out %s", r.Name)
		}
	}
}

// No config panics, whatever is pressed then: it is refused or it works.
func FuzzSettings(f *testing.F) {
	f.Add("keys: {sort-by: [\",\"]}", ",")
	f.Add("keys: {sort-by: [a1, é, \"0\"], keep: [ctrl+a]}", "é")
	f.Add("keys: {up: [x], down: [x]}", "x")
	f.Add("keys: {leave: [f1], help: [f2]}", "f1")
	f.Add("leave-key: ctrl+g", "ctrl+g")
	f.Add("keys: {accept: [y], cancel: [space]}", "space")
	f.Add("keys: {keep: [\"\\n\"]}", "a")
	f.Add("keys: {quit: [\"\"]}", "q")
	f.Fuzz(func(t *testing.T, file, key string) {
		var c Settings
		if yaml.UnmarshalStrict([]byte(file), &c) != nil {
			return
		}
		if _, _, err := newKeys(c); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
			return
		}
		s := newSceneWith(t, 80, 24, c).session()
		all := []string{key, "/", "e", "?", "n", "q", "enter", "tab"}
		for _, keys := range c.Keys {
			all = append(all, keys...)
		}
		for _, k := range all {
			if k != "" {
				s.press(k)
				s.press(key)
				s.lines()
			}
		}
	})
}
