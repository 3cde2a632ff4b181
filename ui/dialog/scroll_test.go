package dialog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// hinted are what a dialog's footer says, once it was drawn on a low screen.
func hinted(d Dialog) (says []string) {
	d.View(Screen{Styles: look.NewStyles(true), W: 40, H: 11, Now: time.Unix(1e9, 0)})
	for _, h := range d.Keys().Hints() {
		says = append(says, h.Does)
	}
	return says
}

// A footer offers to scroll, to choose and to undo where there is something that
// isn't seen, chosen or undone.
func TestHintsAreForWhatIsThere(t *testing.T) {
	k := testKeys(t)
	few, many := Log{{Text: "one"}}, Log{}
	for n := range 30 {
		many.Say(fmt.Sprint("sentence ", n))
	}
	report := func(n int) Dialog { return NewReport(k, Summary{make([]summaryLine, n)}, "r") }
	choice := func(text string) Dialog {
		d := NewChoice(k, "V", text, []Option{{Name: "only"}}, nil)
		d.whole = true
		return d
	}
	told := func(n int) Dialog {
		return NewToldLog(k, func() []Told { return make([]Told, n) })
	}
	course := func(n int) Dialog {
		d := NewCourse(k)
		d.Counted(Course{Commands: make([]Entered, n)})
		return d
	}
	l := capture.NewLedger(capture.Info{})
	l.Feed([]byte("query[A] www.example.com from 10.0.0.5\n"), time.Unix(1e9, 0), false)
	marked := capture.NewLedger(capture.Info{})
	marked.Feed([]byte("query[A] www.example.com from 10.0.0.5\n"), time.Unix(1e9, 0), false)
	marked.Mark(capture.Mark{Decision: capture.Keep}, 0)
	for _, test := range []struct {
		what string
		d    Dialog
		keys []string
		says string
		want bool
	}{
		{"one message", NewMessages(k, nil, &few), nil, "older", false},
		{"one message", NewMessages(k, nil, &few), nil, "newer", false},
		{"many messages", NewMessages(k, nil, &many), nil, "older", true},
		{"many messages", NewMessages(k, nil, &many), nil, "newer", false},
		{"the oldest message", NewMessages(k, nil, &many), slices.Repeat([]string{"down"}, 40), "older", false},
		{"the oldest message", NewMessages(k, nil, &many), slices.Repeat([]string{"down"}, 40), "newer", true},
		{"a short report", report(2), nil, "more", false},
		{"a long report", report(30), nil, "more", true},
		{"its end", report(30), slices.Repeat([]string{"down"}, 90), "more", true},
		{"a short text", choice("short"), nil, "more", false},
		{"a long text", choice(strings.Repeat("long ", 200)), nil, "more", true},
		{"one option", NewChoice(k, "V", "", make([]Option, 1), nil), nil, "choose", false},
		{"two options", NewChoice(k, "V", "", make([]Option, 2), nil), nil, "choose", true},
		{"one command", told(1), nil, "choose", false},
		{"two commands", told(2), nil, "choose", true},
		{"one line in the shell", course(1), nil, "choose", false},
		{"two lines in the shell", course(2), nil, "choose", true},
		{"details without a decision", NewDetails(k, l, nil, nil, 0), nil, "undo", false},
		{"details with one", NewDetails(k, marked, nil, nil, 0), nil, "undo", true},
	} {
		hinted(test.d)
		press(test.d, test.keys...)
		if got := hinted(test.d); slices.Contains(got, test.says) != test.want {
			t.Errorf("%s: %q, with %q: %v, want %v", test.what, got, test.says, !test.want, test.want)
		}
	}
}
