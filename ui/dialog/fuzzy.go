package dialog

import (
	"cmp"
	"slices"
	"strings"

	"lxd-allowlist/ui/look"
)

// found is a text that a search found, and the bytes of it that it was found by.
type found struct {
	index int // of the text
	bytes []int
	fit   fit
}

// fit is how well a text fits what is searched for, the best first.
type fit int

const (
	fitsBegin    fit = iota // the text begins with it
	fitsLine                // another line of the text does
	fitsWord                // a word of it does
	fitsWithin              // it is within a word
	fitsInitials            // it is beginnings of words, one after the other
	fitsNear                // its letters come in their order, near each other
	fitsNot
)

// nearWithin is in how many times its length a word's letters are near each
// other, and nearLeast from how many letters on that is no accident.
const (
	nearWithin = 2
	nearLeast  = 3
)

// search returns the texts that each word of a query fits, the best first; all
// of them in their order for an empty query. The first line of a text is what it
// is called. Letters that are only near each
// other count where nothing fits better.
func search(query string, texts []string) (all []found) {
	words := strings.Fields(strings.Map(asciiLower, query))
	for i, text := range texts {
		f := found{index: i}
		text = strings.Map(asciiLower, text)
		for _, word := range words {
			fit, at := fitOf(text, word)
			f.fit, f.bytes = max(f.fit, fit), append(f.bytes, at...)
		}
		if f.fit < fitsNot {
			slices.Sort(f.bytes)
			f.bytes = slices.Compact(f.bytes)
			all = append(all, f)
		}
	}
	if len(words) == 0 {
		return all
	}
	slices.SortStableFunc(all, func(a, b found) int {
		order := cmp.Compare(a.fit, b.fit)
		switch {
		case order != 0:
		case a.fit == fitsBegin:
			order = cmp.Compare(strings.Index(texts[a.index]+"\n", "\n"), strings.Index(texts[b.index]+"\n", "\n"))
		case a.fit == fitsNear:
			order = cmp.Compare(a.bytes[0], b.bytes[0])
		}
		return order
	})
	if n := slices.IndexFunc(all, func(f found) bool { return f.fit == fitsNear }); n > 0 {
		all = all[:n]
	}
	return all
}

// asciiLower leaves a text as long as it is: its bytes are counted.
func asciiLower(c rune) rune {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// fitOf says how well a text fits a word, and by which of its bytes.
func fitOf(text, word string) (best fit, at []int) {
	best = fitsNot
	for from := range len(text) {
		fit, by := fitFrom(text, word, from)
		if fit < best || fit == fitsNear && best == fitsNear && by[len(by)-1]-by[0] < at[len(at)-1]-at[0] {
			best, at = fit, by
		}
	}
	return best, at
}

// fitFrom is [fitOf] of the text from one of its bytes on.
func fitFrom(text, word string, from int) (fit, []int) {
	begins := beginsWord(text, from)
	switch {
	case strings.HasPrefix(text[from:], word):
		at := make([]int, len(word))
		for i := range at {
			at[i] = from + i
		}
		switch {
		case from == 0:
			return fitsBegin, at
		case text[from-1] == '\n':
			return fitsLine, at
		case begins:
			return fitsWord, at
		}
		return fitsWithin, at
	case text[from] != word[0]:
		return fitsNot, nil
	}
	if begins {
		if at := initials(text, word, from); at != nil {
			return fitsInitials, at
		}
	}
	if at := near(text, word, from); at != nil && len(word) >= nearLeast {
		return fitsNear, at
	}
	return fitsNot, nil
}

// initials returns where a word is beginnings of words of a text, one after the
// other from a byte on; nil for nowhere.
func initials(text, word string, from int) (at []int) {
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == word[len(at)]:
			if at = append(at, i); len(at) == len(word) {
				return at
			}
			continue
		case beginsWord(text, i):
			return nil
		}
		for i+1 < len(text) && !beginsWord(text, i+1) {
			i++
		}
	}
	return nil
}

// near returns where a word's letters come near each other in a text, from a
// byte on; nil for nowhere.
func near(text, word string, from int) (at []int) {
	for i := from; i < min(len(text), from+nearWithin*len(word)); i++ {
		if text[i] == word[len(at)] {
			if at = append(at, i); len(at) == len(word) {
				return at
			}
		}
	}
	return nil
}

func beginsWord(text string, at int) bool {
	return isLetter(text[at]) && (at == 0 || !isLetter(text[at-1]))
}

// isLetter reports whether a byte is part of a word: what is no ASCII is.
func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80
}

// addFound adds a part of a text that begins at a byte of it, in w cells, with
// what it was found by marked.
func addFound(l *look.Line, s Screen, style look.Style, part string, begin int, by []int, w int) {
	end := l.Width() + w
	shown := look.Shorten(part, w)
	whole := len(shown)
	if shown != part {
		whole -= len("…")
	}
	at := 0
	for n := 0; n < len(by); n++ {
		from, to := by[n]-begin, by[n]-begin+1
		for n+1 < len(by) && by[n+1]-begin == to { // together, or a letter of two bytes is cut
			n, to = n+1, to+1
		}
		if from >= at && to <= whole {
			l.Add(style, shown[at:from]).Add(s.Match, shown[from:to])
			at = to
		}
	}
	l.Add(style, shown[at:]).Pad(end)
}
