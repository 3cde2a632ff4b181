package keys

import (
	"reflect"
	"strings"
	"testing"

	"lxd-allowlist/ui/look"
)

// door is something with actions.
type door struct {
	open, locked bool
	steps        int
}

var (
	doorKeys = Table[*door, string]{Context: "the door", Actions: []Action[*door, string]{
		{Row: Row{Name: "open", Keys: []string{"o", "enter"}, Help: "open it", Hint: "open", Section: "Door"},
			Can: func(d *door) string { return map[bool]string{true: "it is locked"}[d.locked] },
			Do:  func(d *door) string { d.open = true; return "creak" }},
		{Row: Row{Name: "step", Keys: []string{"1", "2", "3"}, Show: 3, Help: "go so many steps", Section: "Way"},
			Nth: func(d *door, n int) string { d.steps += n + 1; return "" }},
		{Row: Row{Name: "up"}, Do: func(*door) string { return "" }},
		{Row: Row{Name: "down", Hint: "stairs", Beside: "up"}, Do: func(*door) string { return "" }},
		{Row: Row{Name: "bell", Keys: []string{"b"}, Help: "ring", Hint: "ring", Section: "Door"},
			Has: func(*door) string { return "there is no bell" },
			Do:  func(*door) string { panic("there is no bell") }},
		{Row: Row{Name: Leave}, Do: func(*door) string { return "gone" }},
	}}
	signKeys = Table[*door, string]{Context: "the sign", Typing: true, Actions: []Action[*door, string]{
		{Row: Row{Name: "accept"}, Do: func(*door) string { return "written" }},
		{Row: Row{Name: "down"}, Do: func(*door) string { return "" }},
	}}
)

func newTestMap(user map[string][]string) (*Map, error) {
	return NewMap([]Context{doorKeys.Rows(), signKeys.Rows()}, user)
}

func TestPress(t *testing.T) {
	m, err := newTestMap(map[string][]string{"step": {"x", ",", "z"}, Leave: {`ctrl+\`}})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	tests := []struct {
		key  string
		want Outcome[string]
	}{
		{"o", Outcome[string]{Bound: true, Of: "creak"}},
		{"enter", Outcome[string]{Bound: true, Of: "creak"}},
		{"b", Outcome[string]{Bound: true, Why: "there is no bell"}},
		{",", Outcome[string]{Bound: true}},
		{"1", Outcome[string]{}},
		{"ctrl+4", Outcome[string]{Bound: true, Of: "gone"}}, // what kitty calls ctrl+\
		{"ctrl+]", Outcome[string]{}},
	}
	for _, test := range tests {
		if got := doorKeys.Press(m, test.key, d); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.key, got, test.want)
		}
	}
	if !d.open || d.steps != 2 {
		t.Errorf("the door is %+v: open, and 2 steps for the second key", d)
	}
	d.locked = true
	for _, o := range []Outcome[string]{doorKeys.Press(m, "o", d), doorKeys.Run("open", d)} {
		if o.Why != "it is locked" || o.Of != "" {
			t.Errorf("locked: %+v", o)
		}
	}
	if o := doorKeys.Run("dance", d); o.Bound {
		t.Errorf("an action that isn't there: %+v", o)
	}
}

// Where text is typed, a key that is text is none, and a row that has no other
// keys has those that it had by default.
func TestTyping(t *testing.T) {
	m, err := newTestMap(map[string][]string{"accept": {"y", "space"}, "down": {"n", "ctrl+n"}})
	if err != nil {
		t.Fatal(err)
	}
	for key, bound := range map[string]bool{"y": false, "space": false, "enter": true, "n": false, "ctrl+n": true, "down": false} {
		if got := signKeys.Press(m, key, nil).Bound; got != bound {
			t.Errorf("while a sign is written, %s is a key: %t, want %t", key, got, bound)
		}
	}
}

func TestWrongKeys(t *testing.T) {
	for name, test := range map[string]struct {
		user map[string][]string
		says string
	}{
		"no such row":       {map[string][]string{"dance": {"x"}}, `there is no action "dance"; there are accept, bell`},
		"no key":            {map[string][]string{"open": {}}, "open has no key"},
		"an empty key":      {map[string][]string{"open": {""}}, "open has no key"},
		"no key at all":     {map[string][]string{"open": {"a\nb"}}, `open has the key "a\nb", which no terminal sends`},
		"two of the door":   {map[string][]string{"open": {"k"}}, "the key k does two things in the door: open it, and up"},
		"one that it had":   {map[string][]string{"step": {"o"}}, "the key o does two things in the door: open it, and go so many steps"},
		"a fallback":        {map[string][]string{"accept": {"x"}, "down": {"enter"}}, "the key enter does two things in"},
		"no way out":        {map[string][]string{Leave: {"ctrl+g", "x"}}, `"x" is no chord`},
		"a twin of another": {map[string][]string{"open": {"ctrl+5"}}, "the key ctrl+5 does two things in the door: open it, and leave the shell"},
	} {
		if _, err := newTestMap(test.user); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %s", name, err, test.says)
		}
	}
}

func TestShown(t *testing.T) {
	d := &door{}
	for _, test := range []struct {
		user  map[string][]string
		hints []look.Hint
		lines []Line
	}{
		{nil,
			[]look.Hint{{Name: "open", Key: "o", Does: "open"}, {Name: "down", Key: "↑/↓", Does: "stairs"}},
			[]Line{{"open", "Door", "o", "open it", "", false}, {"step", "Way", "1-3", "go so many steps", "", true}}},
		{map[string][]string{"open": {"alt+o"}, "step": {"x", "shift+pgdown"}, "up": {"left"}, "down": {"right", "d"}},
			[]look.Hint{{Name: "open", Key: "alt+o", Does: "open"}, {Name: "down", Key: "←/→", Does: "stairs"}},
			[]Line{{"open", "Door", "alt+o", "open it", "", false}, {"step", "Way", "x/shift+pgdn", "go so many steps", "", true}}},
	} {
		m, err := newTestMap(test.user)
		if err != nil {
			t.Fatal(err)
		}
		if got := doorKeys.Hints(m, d); !reflect.DeepEqual(got, test.hints) {
			t.Errorf("%v: hints %v, want %v", test.user, got, test.hints)
		}
		if got := doorKeys.Lines(m, d); !reflect.DeepEqual(got, test.lines) {
			t.Errorf("%v: lines %v, want %v", test.user, got, test.lines)
		}
	}
	m, _ := newTestMap(nil)
	d.locked = true // it can't be done now: the palette says why, the footer leaves it out
	if got := doorKeys.Hints(m, d); len(got) != 1 {
		t.Errorf("locked: hints %v", got)
	}
	if got := doorKeys.Lines(m, d); got[0].Why == "" {
		t.Errorf("locked: lines %v", got)
	}
}
