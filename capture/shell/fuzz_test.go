package shell

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// split takes a line apart as bash does, as far as Line writes any: words as they
// are, in '…' and in $'…'.
func split(t *testing.T, line string) (words []string) {
	word, begun := "", false
	for line != "" {
		switch {
		case line[0] == ' ':
			words, word, begun, line = append(words, word), "", false, line[1:]
			continue
		case strings.HasPrefix(line, "$'"):
			for line = line[2:]; line[0] != '\''; {
				switch {
				case line[0] != '\\':
					word, line = word+line[:1], line[1:]
				case line[1] == 'x':
					n, err := strconv.ParseUint(line[2:4], 16, 8)
					if err != nil {
						t.Fatal(err)
					}
					word, line = word+string([]byte{byte(n)}), line[4:]
				case line[1] == 'n':
					word, line = word+"\n", line[2:]
				default:
					word, line = word+line[1:2], line[2:]
				}
			}
			line = line[1:]
		case line[0] == '\'':
			end := strings.IndexByte(line[1:], '\'') + 1
			word, line = word+line[1:end], line[end+1:]
		case line[0] == '\\':
			word, line = word+line[1:2], line[2:]
		case strings.ContainsRune("\"$`*?[#~=&|;<>()!{}\n\t", rune(line[0])) && line[0] != '=':
			t.Fatalf("a shell does something about %q", line)
		default:
			word, line = word+line[:1], line[1:]
		}
		begun = true
	}
	if begun {
		words = append(words, word)
	}
	return words
}

// FuzzLine holds a line to be split into the words that it is of.
func FuzzLine(f *testing.F) {
	f.Add("it's", "a\nb'\x01")
	f.Add("", "\xff\x1b[31m\\")
	f.Add("$HOME `x` \"y\"", "*.?")
	f.Add("a=b", "~")
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") { // which no word can have
			return
		}
		line := Line([]string{a, b})
		if strings.ContainsFunc(line, func(r rune) bool { return r == '\uFFFD' && !strings.ContainsRune(a+b, r) || !unicode.IsPrint(r) }) {
			t.Errorf("%q can't be printed", line)
		}
		if got := split(t, line); len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("%q %q is %q, which is %q", a, b, line, got)
		}
	})
}
