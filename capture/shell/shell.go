// Package shell writes words as a shell takes them, for people to paste.
package shell

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line joins the words of a command.
func Line(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Word(word)
	}
	return strings.Join(quoted, " ")
}

// Word returns a word as a shell takes it: bash, zsh and ksh where there
// is something in it that can't be printed.
func Word(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	switch {
	case word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }):
		return word
	case utf8.ValidString(word) && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for rest := word; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		letter := rest[:size]
		rest = rest[size:]
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\'' || r == '\\':
			b.WriteString(`\` + letter)
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r):
			for i := range size {
				fmt.Fprintf(&b, `\x%02x`, letter[i])
			}
		default:
			b.WriteString(letter)
		}
	}
	return b.String() + "'"
}
