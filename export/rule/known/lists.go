package known

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The bounds of what is read: a list of a million names has some 35 MB.
const (
	maxListBytes  = 64 << 20
	maxListsBytes = 128 << 20
	maxFiles      = 5000
	maxProblems   = 3 // told of one file, the rest is counted
)

// Lists are the lists that a user has, each a labelled set of names. The zero
// value and nil hold none.
type Lists struct {
	files []File
	names map[string]int32 // exact, and suffix by the name that they begin at: the last in chain
	chain []use            // from 1 on

	words, expressions, networks []use
}

// use is an entry of a list: its own, or one of a list that it includes.
type use struct {
	*entry
	file int32 // the list, of Lists.files
	next int32 // the one before it of the same name in Lists.chain, 0 for none
}

// File is one list that was read.
type File struct {
	Name    string // below the directory, with slashes
	Title   string // what it calls itself, "" if it doesn't
	Entries int
}

// Match is an entry of a list that holds for a name.
type Match struct {
	List  string // the file's name
	Title string // what the list calls itself, "" if it doesn't
	In    string // the file that the entry stands in: the list, or one that it includes
	Line  int    // in that file
	Entry string // as the file has it, with its attributes
}

// String says where the entry stands and what it is, in one printable line:
// "ads:7: domain:ads.example @ads", "all, by ads:7: ads.example".
func (m Match) String() string {
	where := m.List
	if m.In != m.List {
		where += ", by " + m.In
	}
	where += fmt.Sprintf(":%d", m.Line)
	if m.Title != "" {
		where += " (" + m.Title + ")"
	}
	return printable(where) + ": " + m.Entry
}

// scope is which names an entry holds for.
type scope uint8

const (
	exact   scope = iota
	suffix        // the name and all below
	keyword       // all that hold it
	expression
	address // a network, of addresses
)

// entry is one line of a list. There are millions.
type entry struct {
	scope   scope
	line    int32          // in that file
	in      *parsed        // the file that it stands in
	name    string         // exact, suffix: clean; keyword: lower case
	re      *regexp.Regexp // expression
	network *netip.Prefix  // address
	text    string         // as the file has it
	tags    []string       // attributes, without the @
}

// LoadLists reads every file below a directory as a list, except those whose
// name begins with a dot. A directory that doesn't exist holds none. The error
// tells all that was wrong, with file and line; what could be read is used all
// the same, so that Lists is never nil. It takes a second for a million names:
// not on an event loop.
func LoadLists(dir fs.FS) (*Lists, error) {
	l := &Lists{names: make(map[string]int32), chain: make([]use, 1)}
	if _, err := fs.Stat(dir, "."); errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	return l, l.load(dir)
}

func (l *Lists) load(dir fs.FS) error {
	s := source{dir: dir, left: maxListsBytes, files: make(map[string]*parsed)}
	var problems []error
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("read the lists: %w", err))
			return nil
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case len(s.files) == maxFiles:
			return fmt.Errorf("read the lists: there are more than %d files; the rest is not used", maxFiles)
		}
		s.parse(name)
		return nil
	})
	s.affiliate()
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		problems = append(problems, l.add(name, &s)...)
	}
	return errors.Join(append(problems, err)...)
}

// add takes one file's list and returns what was wrong with it.
func (l *Lists) add(name string, s *source) []error {
	p := s.parse(name)
	n := 0
	for e := range s.expand(name) {
		l.put(use{entry: e, file: int32(len(l.files))})
		n++
	}
	if n == 0 && len(p.problems) == 0 {
		p.wrong(0, errors.New("holds no name"))
	}
	if n > 0 {
		l.files = append(l.files, File{Name: name, Title: p.title, Entries: n})
	}
	return p.errors(n)
}

func (l *Lists) put(u use) {
	switch u.scope {
	case exact, suffix:
		u.next = l.names[u.name]
		l.names[u.name] = int32(len(l.chain))
		l.chain = append(l.chain, u)
	case keyword:
		l.words = append(l.words, u)
	case expression:
		l.expressions = append(l.expressions, u)
	case address:
		l.networks = append(l.networks, u)
	}
}

// Files returns the lists that were read, in the order of their names.
func (l *Lists) Files() []File {
	if l == nil {
		return nil
	}
	return slices.Clone(l.files)
}

// Of returns the entries that hold for a normalised name, by list.
func (l *Lists) Of(name string) []Match {
	if l == nil {
		return nil
	}
	var found []use
	for at := name; at != ""; at = parent(at) {
		for i := l.names[at]; i != 0; i = l.chain[i].next {
			if u := l.chain[i]; u.scope == suffix || at == name {
				found = append(found, u)
			}
		}
	}
	for _, u := range l.words {
		if strings.Contains(name, u.name) {
			found = append(found, u)
		}
	}
	for _, u := range l.expressions {
		if u.re.MatchString(name) {
			found = append(found, u)
		}
	}
	return l.matches(found)
}

// OfAddress returns the entries that hold for an address, by list.
func (l *Lists) OfAddress(a netip.Addr) []Match {
	if l == nil {
		return nil
	}
	var found []use
	for _, u := range l.networks {
		if u.network.Contains(a.Unmap()) {
			found = append(found, u)
		}
	}
	return l.matches(found)
}

func (l *Lists) matches(found []use) []Match {
	slices.SortStableFunc(found, func(a, b use) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line)) })
	var all []Match
	for _, u := range found {
		f := l.files[u.file]
		all = append(all, Match{List: f.Name, Title: f.Title, In: u.in.name, Line: int(u.line), Entry: u.text})
	}
	return all
}
