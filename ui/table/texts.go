package table

import (
	"slices"
	"strings"
	"sync"

	"lxd-allowlist/capture"
)

// texts are those that domains are sorted by. They lie side by side, and a
// domain has the place of its own and no pointer: of a million the garbage
// collector would have to look at each.
type texts struct {
	pages []string
	mu    sync.Mutex
	open  *strings.Builder // what the last page is made in; nil for a page that is whole
	at    map[string]textAt
}

// textAt is where a text is; the zero value is the empty one.
type textAt struct{ page, begin, n uint32 }

// pageTexts is how many bytes of texts that come one by one are allocated at
// once.
const pageTexts = 1 << 14

// shared returns the same texts, to which others can be added.
func (t *texts) shared() texts { return texts{pages: slices.Clone(t.pages)} }

// text returns the one at a place.
func (t *texts) text(at textAt) string {
	if at.n == 0 {
		return ""
	}
	return t.pages[at.page][at.begin : at.begin+at.n]
}

// add returns the place of a text, and a copy of the text that may be kept. It
// may be called by several at once, while nobody reads. A text that comes again
// has the same place, where common says that it may.
func (t *texts) add(text string, common bool) (textAt, string) {
	if text == "" {
		return textAt{}, ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.at[text]; common && ok {
		return at, t.text(at)
	}
	if t.open == nil || t.open.Cap()-t.open.Len() < len(text) {
		t.open = new(strings.Builder)
		t.open.Grow(max(pageTexts, len(text)))
		t.pages = append(t.pages, "")
	}
	page := len(t.pages) - 1
	at := textAt{uint32(page), uint32(t.open.Len()), uint32(len(text))}
	t.open.WriteString(text)
	t.pages[page] = t.open.String()
	text = t.text(at)
	if common {
		if t.at == nil {
			t.at = make(map[string]textAt)
		}
		t.at[text] = at
	}
	return at, text
}

// addPage adds many texts at once, and returns which page they are. It may be
// called as add may.
func (t *texts) addPage(text string) (page uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pages, t.open = append(t.pages, text), nil
	return uint32(len(t.pages) - 1)
}

// keyOf returns the key of a domain.
func (a *arrangement) keyOf(k *known) sortKey { return sortKey{k.num, a.texts.text(k.text)} }

// textOf returns the text of a domain's key.
func (a *arrangement) textOf(id capture.ID) string { return a.texts.text(a.known.of(id).text) }

// setKey gives a domain its key. Names are all different, all other columns have
// texts that many domains share, or that change.
func (a *arrangement) setKey(k *known, key sortKey) {
	k.num = key.num
	k.text, _ = a.texts.add(key.text, a.sort != colDomain)
}
