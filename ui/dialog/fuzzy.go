package dialog

import (
	"github.com/sahilm/fuzzy"

	"lxd-allowlist/ui/look"
)

// found is a text that a search found, and the bytes of it that it was found by.
type found struct {
	index int // of the text
	bytes []int
}

// search returns the texts that a query fits, the best first; all of them in
// their order for an empty query.
func search(query string, texts []string) (all []found) {
	if query == "" {
		for i := range texts {
			all = append(all, found{index: i})
		}
		return all
	}
	for _, m := range fuzzy.Find(query, texts) {
		all = append(all, found{m.Index, m.MatchedIndexes})
	}
	return all
}

// addFound adds a part of a text that begins at a byte of it, in w cells, with
// what it was found by marked.
func addFound(l *look.Line, s Screen, style look.Style, part string, begin int, by []int, w int) {
	end := l.Width() + w
	if look.Width(part) > w {
		l.Cell(style, part, w, false)
		return
	}
	at := 0
	for _, b := range by {
		if b -= begin; b >= at && b < len(part) {
			l.Add(style, part[at:b]).Add(s.Match, part[b:b+1])
			at = b + 1
		}
	}
	l.Add(style, part[at:]).Pad(end)
}
