// Package known holds what is known of public names: whose they are, what
// they are for, and which of them open a way round an allow-list. The facts
// come from a table that is built in, with a source each, and from lists that
// the user has.
package known

import (
	"embed"
	"strings"
	"sync"
)

// Fact is one entry of the table.
type Fact struct {
	// Name is clean, without a dot before it. A label that is * stands for any
	// one label: s3.*.amazonaws.com.
	Name   string
	Suffix bool // whether the fact holds for all names below, too
	Kind   Kind
	Owner  string // who runs it
	For    string // what it is for, in a few words
	Source string // where its owner, or an RFC, says so: a URL
}

// Dotted writes the entry's name as a plain list does: a suffix with a dot
// before it.
func (f Fact) Dotted() string {
	if f.Suffix {
		return "." + f.Name
	}
	return f.Name
}

// Of returns the facts about a normalised name, the nearest first: that of
// the very name, then those of the suffixes above it. The slice belongs to
// the table.
func Of(name string) []Fact {
	t := facts()
	if !t.near(name) { // as of nearly all
		return nil
	}
	return t.of(name)
}

// Opens returns the fact that makes an exact rule on a normalised name too
// broad, and whether there is one. The nearest fact decides.
func Opens(name string) (Fact, bool) {
	if all := Of(name); len(all) > 0 && all[0].Kind.opensExact() {
		return all[0], true
	}
	return Fact{}, false
}

//go:embed data
var data embed.FS

// facts is the table, read once, when it is first asked for. Its tests read
// it, so that it can't be wrong in a release.
var facts = sync.OnceValue(func() *table {
	t, err := readTable(data)
	if err != nil {
		panic("known: the table that is built in: " + err.Error())
	}
	return t
})

// table is the facts, made for looking up: for each entry's name all that
// holds there, so that a look-up ends at the first name that it finds.
type table struct {
	all      []Fact
	exact    map[string][]Fact
	suffix   map[string][]Fact
	patterns map[string][]pattern // by the name behind the *
	below    map[string][]int     // for each name above an entry, entries that open
	tails    map[string]bool      // the last two labels of each entry, or its only one
}

// near reports whether there may be an entry at, above or, of a name with a dot,
// below a name.
func (t *table) near(name string) bool {
	last := strings.LastIndexByte(name, '.')
	return t.tails[tail(name)] || last >= 0 && t.tails[name[last+1:]]
}

// tail returns the last two labels of a name.
func tail(name string) string {
	last := strings.LastIndexByte(name, '.')
	return name[strings.LastIndexByte(name[:max(last, 0)], '.')+1:]
}

// pattern is an entry with any one label between its parts.
type pattern struct {
	before, after string // with their dots
	facts         []Fact
}

// of is [Of] for any name.
func (t *table) of(name string) []Fact {
	if all, ok := t.exact[name]; ok {
		return all
	}
	if all := t.matching(name); all != nil {
		return all
	}
	return t.above(name)
}

// matching returns what holds for a name by a pattern.
func (t *table) matching(name string) []Fact {
	for at := name; at != ""; at = parent(at) {
		for _, p := range t.patterns[at] {
			label := strings.TrimSuffix(strings.TrimPrefix(name, p.before), p.after)
			if len(p.before)+len(label)+len(p.after) == len(name) && !strings.Contains(label, ".") {
				return p.facts
			}
		}
	}
	return nil
}

// above returns what holds for a name by the nearest suffix.
func (t *table) above(name string) []Fact {
	for at := name; at != ""; at = parent(at) {
		if all, ok := t.suffix[at]; ok {
			return all
		}
	}
	return nil
}

// parent returns the name without its first label, "" for a single label.
func parent(name string) string {
	_, up, _ := strings.Cut(name, ".")
	return up
}
