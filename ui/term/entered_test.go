package term

import (
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// A line is what stands on the screen behind the prompt when the program
// answers Enter: what had no echo is none.
func TestEntered(t *testing.T) {
	const prompt = "\x1b[32mubuntu@x\x1b[m:~$ "
	for name, test := range map[string]struct {
		w    int
		keys string   // that are typed; ⏎ is Enter
		out  []string // what is printed at first, and behind each Enter, the echo too
		want []string
	}{
		"a command":             {40, "l⏎", []string{prompt, "ls\r\nREADME\r\n" + prompt}, []string{"ls"}},
		"an empty line":         {40, "⏎⏎", []string{prompt, "\r\n" + prompt, "\r\n" + prompt}, nil},
		"a password":            {40, "s⏎", []string{"Password: ", "\r\n" + prompt}, nil},
		"a password with dots":  {40, "s⏎", []string{"Password: ", "******\r\n" + prompt}, nil},
		"with a blank":          {40, "s⏎", []string{prompt, " secret\r\n" + prompt}, nil},
		"out of the history":    {40, "u⏎", []string{prompt, "ls\x1b[2K\r" + prompt + "apt update\r\n"}, []string{"apt update"}},
		"over rows":             {12, "a⏎", []string{"$ ", "apt install nginx\r\n"}, []string{"apt install nginx"}},
		"over rows, at the end": {12, "a⏎", []string{"\r\n\r\n\r\n\r\n$ ", "apt install nginx\r\n"}, []string{"apt install nginx"}},
		"found in the history":  {60, "a⏎", []string{prompt, "\r(reverse-i-search)`a': apt\x1b[2K\r" + prompt + "apt update\r\n"}, []string{"apt update"}},
		"typed too early":       {40, "l⏎l⏎", []string{prompt, "ls\r\n", prompt + "ls\r\nid\r\n"}, []string{"ls", "ls"}},
		"recalled early":        {40, "e⏎x⏎", []string{prompt, "echo 1\r\n1\r\n" + prompt + "echo 1", " 2\r\n"}, []string{"echo 1", "echo 1 2"}},
		"recalled, and erased":  {40, "e⏎x⏎", []string{prompt, "echo 1\r\n1\r\n" + prompt + "echo 1", "\x1b[2K\r" + prompt + "id\r\n"}, []string{"echo 1", "id"}},
		"in a program":          {40, "x⏎", []string{"\x1b[?1049h$ ", "x\r\n"}, nil},
		"the prompt is gone":    {40, "x⏎", []string{prompt, "\x1b[2J\x1b[Hnew\r\n"}, nil},
	} {
		s := New(test.w, 5)
		out := test.out
		print := func() {
			if len(out) > 0 {
				s.Write([]byte(out[0]))
				out = out[1:]
			}
			s.Text() // all of it is drawn now
		}
		print()
		for _, key := range test.keys {
			if key != '⏎' {
				s.Key(tea.KeyPressMsg{Code: key, Text: string(key)})
				continue
			}
			s.Key(tea.KeyPressMsg{Code: tea.KeyEnter})
			print()
		}
		s.Text()
		var got []string
		for _, e := range s.Entered() {
			if e.At.IsZero() {
				t.Errorf("%s: it was entered never", name)
			}
			got = append(got, e.Line)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: entered %q, want %q", name, got, test.want)
		}
		s.Close()
	}
}
