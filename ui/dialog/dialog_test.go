package dialog

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// testKeys are the keys of the dialogs, with those of the table that they use.
func testKeys(t *testing.T) *keys.Map {
	t.Helper()
	table := keys.Context{Name: "the table"}
	for name, key := range map[string]string{"keep": "a", "drop": "d", "toggle": "space", "clear": "c", "undo": "u", "redo": "U", "widen": "w", "grant": "l", "verify": "V", "reason": "n", "filter": "/", "palette": ":", "details": "enter", "messages": "m"} {
		table.Rows = append(table.Rows, keys.Row{Name: name, Keys: []string{key}, Help: name})
	}
	m, err := keys.NewMap(append(Contexts(), table), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// press presses keys by name and returns what the last one asks for.
func press(d Dialog, names ...string) (r Result) {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"tab": tea.KeyTab, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "space": tea.KeySpace, "backspace": tea.KeyBackspace}
	for _, name := range names {
		msg := tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
		if c, ok := special[name]; ok {
			msg = tea.KeyPressMsg{Code: c}
		} else if name == "ctrl+c" {
			msg = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
		}
		r = Press(d, msg)
	}
	return r
}

// text is a dialog as it is drawn on 100 by 30 cells.
func text(t *testing.T, d Dialog) string {
	t.Helper()
	lines := d.View(Screen{Styles: look.NewStyles(true), W: 100, H: 30, Now: time.Unix(1e9, 0)})
	if len(lines) > 30 {
		t.Errorf("it takes %d lines of 30", len(lines))
	}
	for _, l := range lines {
		if look.Width(l) != look.Width(lines[0]) {
			t.Errorf("a line of %d cells in a box of %d: %q", look.Width(l), look.Width(lines[0]), l)
		}
	}
	return ansi.Strip(strings.Join(lines, "\n"))
}

func TestDetailsReturnsWhatIsToBeDone(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	l.Feed([]byte("query[A] www.example.com from 10.0.0.5\nquery[A] b.example.com from 10.0.0.5\n"), time.Unix(1e9, 0), false)
	d := NewDetails(testKeys(t), l, nil, nil, 0)
	for key, want := range map[string]Result{
		"a": Act{"keep"}, "d": Act{"drop"}, "space": Act{"toggle"}, "w": Act{"widen"}, "j": Next{1}, "k": Next{-1},
		"esc": Close{}, "enter": Close{}, "q": Close{}, "x": nil, "pgdown": nil,
	} {
		if got := press(d, key); got != want {
			t.Errorf("%s asks for %#v, want %#v", key, got, want)
		}
	}
	if got := text(t, d); !strings.Contains(got, "www.example.com") || !strings.Contains(got, "2 names seen below .example.com; w keeps all below") {
		t.Errorf("it shows\n%s", got)
	}
	d.Show(1)
	if got := text(t, d); strings.Contains(got, "www.example.com") || !strings.Contains(got, "b.example.com") {
		t.Errorf("gone on, it shows\n%s", got)
	}
}

func TestPromptIsAnsweredOnce(t *testing.T) {
	type question struct{ n int }
	p := NewPrompt(testKeys(t), "Why", "say it", "tell", "so", question{7})
	if r := press(p, " ", "q", "?"); r != nil {
		t.Errorf("typing asks for %#v", r)
	}
	if r := press(p, "enter"); r != (Answer{question{7}, "so q?"}) {
		t.Errorf("enter asks for %#v", r)
	}
	if r := press(p, "enter"); r != nil {
		t.Errorf("enter again, before it is known what became of it, asks for %#v", r)
	}
	p.Fail(errors.New("not that"))
	if got := text(t, p); !strings.Contains(got, "not that") {
		t.Errorf("it shows\n%s", got)
	}
	if r := press(p, "backspace", "enter"); r != (Answer{question{7}, "so q"}) {
		t.Errorf("mended, enter asks for %#v", r)
	}
	if got := text(t, p); strings.Contains(got, "not that") {
		t.Errorf("mended, it shows\n%s", got)
	}
}

// The palette finds by letters in their order, gives back what was picked, and
// says why what can't be done can't.
func TestPalettePicks(t *testing.T) {
	items := []Item{
		{Section: "Decide", Does: "keep", Key: "a", To: "keep"}, {Section: "Decide", Does: "quiet", Key: "q", To: "quiet"},
		{Section: "Look", Does: "sort by the next column", Key: "s", Why: "there is nothing to sort", To: "sort"},
		{Section: "Mouse", Does: "select a row", Key: "click"},
	}
	d := NewPalette(testKeys(t), items, "looking")
	if r := press(d, "q"); r != (Close{}) {
		t.Errorf("with nothing typed, q asks for %#v", r)
	}
	if r := press(d, "down", "enter"); r != (Picked{"quiet"}) {
		t.Errorf("the second line is picked: %#v", r)
	}
	press(d, "n", "x", "t", "c", "o", "l")
	if got := text(t, d); !strings.Contains(got, "sort by the next column") || strings.Contains(got, "Decide") {
		t.Errorf("nxtcol is searched for, shown is\n%s", got)
	}
	if r := press(d, "enter"); r != (Say{"there is nothing to sort"}) {
		t.Errorf("what can't be done is picked: %#v", r)
	}
	if r := press(d, "q", "q"); r != nil {
		t.Errorf("with something typed, q asks for %#v", r)
	}
	if got := text(t, d); !strings.Contains(got, "nothing has that name") {
		t.Errorf("nxtcolqq is searched for, shown is\n%s", got)
	}
	if r := press(d, "enter"); r != (Say{"nothing has that name"}) {
		t.Errorf("nothing is picked: %#v", r)
	}
	if r := press(d, "esc"); r != (Close{}) {
		t.Errorf("esc asks for %#v", r)
	}
	d = NewPalette(testKeys(t), items, "looking")
	press(d, "down", "down", "down")
	if r, ok := press(d, "enter").(Say); !ok {
		t.Errorf("what is only told is picked: %#v", r)
	}
	if got := text(t, d); !strings.Contains(got, "looking") {
		t.Errorf("that something is looked up isn't said:\n%s", got)
	}
	press(d, "up", "up")
	d.Add([]Item{{Section: "Session", Does: "last", Key: "2m", To: 7}}, "")
	if r := press(d, "enter"); r != (Picked{"quiet"}) {
		t.Errorf("what was looked up moves the cursor: %#v", r)
	}
	if r := press(d, "end", "pgdown", "enter"); r != (Picked{7}) {
		t.Errorf("at the end: %#v", r)
	}
}

// What takes a while to be looked up stands before what can't be done now, so that
// no session is taken for one that can't be opened; the cursor stays.
func TestPaletteAddsBeforeWhatCantBeDone(t *testing.T) {
	d := NewPalette(testKeys(t), []Item{{Section: "Look", Does: "a", To: 1}, {Section: "Not now", Does: "b", Why: "no"}, {Section: "Not now", Does: "c", Why: "no"}}, "looking")
	press(d, "down", "down")
	d.Add([]Item{{Section: "Session", Does: "d", To: 2}, {Section: "Session", Does: "e", Why: "in use"}}, "")
	order := ""
	for _, i := range d.items {
		order += i.Does
	}
	if on := d.items[d.found[d.at].index].Does; order != "adebc" || on != "c" {
		t.Errorf("the items are %s, want adebc; the cursor is on %s, was on c", order, on)
	}
}

func TestMessagesFollowTheLog(t *testing.T) {
	var log Log
	d := NewMessages(testKeys(t), nil, &log)
	if got := text(t, d); !strings.Contains(got, "nothing was said yet") {
		t.Errorf("an empty log:\n%s", got)
	}
	log.Say("first")
	log.Say("second")
	got := text(t, d)
	if a, b := strings.Index(got, "second"), strings.Index(got, "first"); a < 0 || b < a {
		t.Errorf("want the last first:\n%s", got)
	}
	said := log[1].At
	if now, later := log.Current(said.Add(time.Second)), log.Current(said.Add(time.Minute)); now != "second" || later != "" {
		t.Errorf("current is %q, a minute later %q", now, later)
	}
}

// made is the answer to what an export asks for.
func made(t *testing.T, r Result, names ...string) Made {
	t.Helper()
	m, ok := r.(Make)
	if !ok {
		t.Fatalf("it asks for %#v, want a file", r)
	}
	f := Made{Gen: m.Gen, File: export.File{Format: m.Format}, Lines: names, Kinds: map[string]int{"exact": len(names)}}
	for _, name := range names {
		f.File.Rules = append(f.File.Rules, rule.Rule{Name: name})
	}
	return f
}

func TestExportAsksForItsFile(t *testing.T) {
	d, r := NewExport(testKeys(t), false, "squid", "", "web")
	first := made(t, r, "the first")
	if r := press(d, "enter"); r != nil {
		t.Errorf("before there is a file, enter asks for %#v", r)
	}
	second := made(t, press(d, "down"), "the second")
	if d.Made(second); !strings.Contains(text(t, d), "the second") {
		t.Errorf("the file isn't shown:\n%s", text(t, d))
	}
	if d.Made(first); !strings.Contains(text(t, d), "the second") {
		t.Errorf("the file of a format that was left is shown:\n%s", text(t, d))
	}
	// A change is followed, one while that is being done too, but not at once.
	again, ok := d.Changed().(Make)
	if !ok || again.Rest < time.Second {
		t.Errorf("the ledger changed: %#v", again)
	}
	if r := d.Changed(); r != nil {
		t.Errorf("and once more: %#v", r)
	}
	slow := Made{Gen: again.Gen, Took: time.Minute}
	if next, ok := d.Made(slow).(Make); !ok || next.Rest < restShare*time.Minute {
		t.Errorf("the change in between is not followed at leisure: %#v", next)
	}
	if r := d.Made(slow); r != nil {
		t.Errorf("nothing has changed since: %#v", r)
	}
}

// What a file holds adds up, and one that holds nothing says that there is
// nothing to write.
func TestExportCounts(t *testing.T) {
	d, r := NewExport(testKeys(t), true, "plain", "", "web")
	m := made(t, r, "a.example", "b.example", "c.example", "d.example")
	m.Tally = capture.Tally{Keep: 3, New: 1}
	if d.Made(m); !strings.Contains(text(t, d), "4 rules from 3 keep and 1 new") {
		t.Errorf("of names it says\n%s", text(t, d))
	}
	m.Kinds = map[string]int{"exact": 1, "suffix": 2, "pattern": 1}
	if d.Made(m); !strings.Contains(text(t, d), "4 rules: 1 name, 2 suffixes, 1 pattern from 3 keep and 1 new") {
		t.Errorf("of several kinds it says\n%s", text(t, d))
	}
	d.Made(made(t, press(d, "down")))
	if !strings.Contains(text(t, d), "there is nothing to write") || d.Keys().Hints()[0].Does != "quit" {
		t.Errorf("of none it says\n%s", text(t, d))
	}
}

// Where there is no list of formats, what is typed to find one is seen, and the
// file is read page by page.
func TestExportOnALowScreen(t *testing.T) {
	d, r := NewExport(testKeys(t), false, "plain", "", "web")
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("n%d.example", i))
	}
	d.Made(made(t, r, names...))
	low := func() string {
		return ansi.Strip(strings.Join(d.View(Screen{Styles: look.NewStyles(true), W: 40, H: 10}), "\n"))
	}
	seen := low()
	for range 40 {
		press(d, "pgdown")
		seen += low()
	}
	for _, name := range names {
		if !strings.Contains(seen, name) {
			t.Errorf("%s is never seen", name)
		}
	}
	press(d, "/", "s", "q")
	if got := low(); !strings.Contains(got, "/ sq") || !strings.Contains(got, " squid ") {
		t.Errorf("while a format is searched for it shows\n%s", got)
	}
}

func TestExportWrites(t *testing.T) {
	for _, quitting := range []bool{false, true} {
		d, r := NewExport(testKeys(t), quitting, "plain", "", "web")
		d.Made(made(t, r, "a.example"))
		w, ok := press(d, "enter").(Write)
		if !ok || w.Path != "web.txt" || !w.Default || w.How != Create || w.Quit != quitting || w.File.Format.Name != "plain" {
			t.Errorf("quitting %t, enter asks for %+v", quitting, w)
		}
		d.Failed(fs.ErrExist, true, There{Exists: true, Changes: []rule.Change{{Rule: rule.Rule{Name: "gone.example"}, Gone: true}, {Rule: rule.Rule{Name: "a.example"}}}})
		if got := text(t, d); !strings.Contains(got, "it exists:") || !strings.Contains(got, "+ a.example") || !strings.Contains(got, "Difference +1 −1") || strings.Index(got, "- gone") > strings.Index(got, "+ a.") {
			t.Errorf("a file that exists is asked about by\n%s", got)
		}
		for key, want := range map[string]Writing{"y": Overwrite, "m": Merge} {
			if w, ok := press(d, key).(Write); !ok || w.How != want {
				t.Errorf("%s asks for %+v", key, w)
			}
		}
		if r := press(d, "enter"); r != nil {
			t.Errorf("enter does not answer whether to overwrite: %#v", r)
		}
		press(d, "n")
		d.Made(made(t, press(d, "f", "2", "enter"), "a.example"))
		if w, ok := press(d, "enter").(Write); !ok || w.Path != "web.txt2" || w.Default || w.How != Create {
			t.Errorf("with another name, enter asks for %+v", w)
		}
		want := map[bool]Result{true: Quit{}}[quitting]
		for _, key := range []string{"n", "ctrl+c"} {
			if r := press(d, key); r != want {
				t.Errorf("quitting %t, %s asks for %#v", quitting, key, r)
			}
		}
	}
}

// A name that nobody typed follows the format, and one that was taken away
// comes back.
func TestExportNamesTheFile(t *testing.T) {
	d, r := NewExport(testKeys(t), false, "plain", "", "web")
	d.Made(made(t, r))
	for range export.Formats() {
		d.Made(made(t, press(d, "down")))
		if got, want := d.path.Value(), "web."+d.formats[d.format].Extension; got != want {
			t.Errorf("%s: the file is %s, want %s", d.formats[d.format].Name, got, want)
		}
	}
	press(d, "f")
	d.path.SetValue("")
	d.Made(made(t, press(d, "enter")))
	if got := d.path.Value(); got != "web.txt" {
		t.Errorf("the name that was taken away is %q", got)
	}
	press(d, "f")
	d.Type(tea.PasteMsg{Content: ".bak"})
	press(d, "enter", "up")
	if got := d.path.Value(); got != "web.txt.bak" {
		t.Errorf("the name that was typed is %q in another format", got)
	}
}

// However little room there is, each option of a choice is seen, and what is
// said of the one that is chosen.
func TestChoiceIsWhole(t *testing.T) {
	says := []string{"what comes of the first, in a sentence that takes a few lines", "what comes of the second, which is quite another thing"}
	d := NewChoice(testKeys(t), "A choice", strings.Repeat("what it is about, at length ", 12), []Option{{Name: "first", Says: says[0]}, {Name: "second", Says: says[1]}}, nil)
	for i, want := range says {
		for _, h := range []int{9, 11, 23, 39} {
			lines := d.View(Screen{Styles: look.NewStyles(true), W: 40, H: h})
			got := strings.Join(strings.Fields(strings.ReplaceAll(ansi.Strip(strings.Join(lines, "\n")), "│", " ")), " ")
			if len(lines) > h || !strings.Contains(got, "first") || !strings.Contains(got, "second") || h < 20 && !strings.Contains(got, want) {
				t.Errorf("option %d on %d lines:\n%s", i, h, ansi.Strip(strings.Join(lines, "\n")))
			}
		}
		d.move(1)
	}
}
