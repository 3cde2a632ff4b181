package shell

import (
	"os/exec"
	"strings"
	"testing"
)

// A shell splits a line into the words that it is of.
func TestLine(t *testing.T) {
	words := []string{"sh", "-c", "wget -q a; nslookup \"b\" | tail", "it's", "", "$HOME", "*", "a.b:c,d=@%+"}
	line := Line(words)
	if want := `sh -c 'wget -q a; nslookup "b" | tail' 'it'\''s' '' '$HOME' '*' a.b:c,d=@%+`; line != want {
		t.Errorf("%s, want %s", line, want)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\n' "+line).Output()
	if err != nil || string(out) != strings.Join(words, "\n")+"\n" {
		t.Errorf("%q, %v", out, err)
	}
	if got := Word("a\nb'\x01"); got != `$'a\nb\'\x01'` {
		t.Error(got)
	}
	for word, want := range map[string]string{"\xff": `$'\xff'`, "\u009bé\u202e": `$'\xc2\x9bé\xe2\x80\xae'`} {
		if got := Word(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}
