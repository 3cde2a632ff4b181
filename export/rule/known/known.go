// Package known holds what is known of public names: whose they are, what
// they are for, and which of them open a way round an allow-list. The facts
// come from a table that is built in, with a source each, and from lists that
// the user has.
package known

import (
	"embed"
	"iter"
	"slices"
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
func Of(name string) []Fact { return facts().of(name) }

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
// holds there, so that a look-up ends at the last name that it finds.
type table struct {
	all []Fact
	at  map[string]*node // the names of all entries, and each name above one
}

// node is what is known at a name, and how a way down to an entry goes on.
type node struct {
	exact, suffix []Fact
	patterns      []pattern // whose * is the label before this name
	below         []int     // entries below it that open
}

// path yields the names that end a name and are nodes, from the last label on: of
// nearly all names one or two.
func (t *table) path(name string) iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) {
		for dot := len(name); dot >= 0; {
			dot = strings.LastIndexByte(name[:dot], '.')
			n := t.at[name[dot+1:]]
			if n == nil || !yield(name[dot+1:], n) {
				return
			}
		}
	}
}

// pattern is an entry with any one label between its parts.
type pattern struct {
	before, after string // with their dots
	facts         []Fact
}

// of is [Of] for any table.
func (t *table) of(name string) (nearest []Fact) {
	var matching []Fact
	for at, n := range t.path(name) {
		if len(at) == len(name) && n.exact != nil {
			return n.exact
		}
		if n.suffix != nil {
			nearest = n.suffix
		}
		if p := slices.IndexFunc(n.patterns, func(p pattern) bool { return p.matches(name) }); p >= 0 {
			matching = n.patterns[p].facts
		}
	}
	if matching != nil {
		return matching
	}
	return nearest
}

func (p pattern) matches(name string) bool {
	label := strings.TrimSuffix(strings.TrimPrefix(name, p.before), p.after)
	return len(p.before)+len(label)+len(p.after) == len(name) && !strings.Contains(label, ".")
}

// parent returns the name without its first label, "" for a single label.
func parent(name string) string {
	_, up, _ := strings.Cut(name, ".")
	return up
}
