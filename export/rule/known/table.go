package known

import (
	"fmt"
	"io/fs"
	"strings"

	"lxd-allowlist/parse"
)

// itself is the source of a fact that the pages of the very name tell.
const itself = "itself"

// readTable reads the facts, a file for each kind, and their sources. It is
// strict: a wrong line is an error that names it. The columns are told in
// docs/names.md.
func readTable(files fs.FS) (*table, error) {
	urls, err := readSources(files)
	if err != nil {
		return nil, err
	}
	t := &table{exact: make(map[string][]Fact), suffix: make(map[string][]Fact), patterns: make(map[string][]pattern), below: make(map[string][]int), tails: make(map[string]bool)}
	for kind := range Kind(kinds) {
		last := Fact{}
		err := readRows(files, kindWords[kind].word, func(columns []string) error {
			f, err := readFact(columns, urls)
			f.Kind = kind
			if err == nil && !before(last, f) {
				err = fmt.Errorf("%s is a duplicate, or not in order after %s", f.Dotted(), last.Dotted())
			}
			if own, twice := t.own(f)[f.Name]; err == nil && twice {
				err = fmt.Errorf("%s is a %s already", f.Dotted(), own[0].Kind)
			}
			if err != nil {
				return err
			}
			t.own(f)[f.Name] = []Fact{f}
			t.all = append(t.all, f)
			last = f
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	t.chain()
	return t, nil
}

func (t *table) own(f Fact) map[string][]Fact {
	if f.Suffix {
		return t.suffix
	}
	return t.exact
}

// chain adds to each entry what holds above it, and tells the names above
// what opens below them.
func (t *table) chain() {
	suffixes := make(map[string]Fact, len(t.suffix))
	for name, own := range t.suffix {
		suffixes[name] = own[0]
	}
	for i, f := range t.all {
		t.tails[tail(strings.TrimPrefix(f.Name[strings.LastIndexByte(f.Name, '*')+1:], "."))] = true
		all := []Fact{f}
		if above, both := suffixes[f.Name]; both && !f.Suffix {
			all = append(all, above)
		}
		for up := parent(f.Name); up != ""; up = parent(up) {
			if above, ok := suffixes[up]; ok {
				all = append(all, above)
			}
			if f.Kind.Opens() != "" {
				t.below[up] = append(t.below[up], i)
			}
		}
		if before, after, ok := strings.Cut(f.Name, "*."); ok {
			delete(t.exact, f.Name)
			t.patterns[after] = append(t.patterns[after], pattern{before, "." + after, all})
			continue
		}
		t.own(f)[f.Name] = all
	}
}

// before reports whether two entries are in a file's order: by name, an exact
// one before a suffix of the same name.
func before(a, b Fact) bool {
	if a.Name != b.Name {
		return a.Name < b.Name
	}
	return !a.Suffix && b.Suffix
}

func readFact(columns []string, urls map[string]string) (f Fact, err error) {
	if len(columns) != 4 {
		return f, fmt.Errorf("has %d columns, want name, owner, what for and source, with two blanks or more between", len(columns))
	}
	f.Name, f.Suffix = strings.CutPrefix(columns[0], ".")
	f.Owner, f.For = columns[1], columns[2]
	if !parse.Clean([]byte(f.Name)) && !isPattern(f) {
		return f, fmt.Errorf("%q is not a clean name in lower case, nor one with a * for a label", columns[0])
	}
	if f.Source = urls[columns[3]]; columns[3] == itself {
		f.Source = "https://" + f.Name + "/"
	}
	if f.Source == "" {
		return f, fmt.Errorf("there is no source %q", columns[3])
	}
	return f, nil
}

func isPattern(f Fact) bool {
	before, after, ok := strings.Cut(f.Name, "*.")
	return ok && !f.Suffix && (before == "" || strings.HasSuffix(before, ".")) && parse.Clean([]byte(before+after))
}

// readSources reads which URL a source's word stands for.
func readSources(files fs.FS) (map[string]string, error) {
	urls, last := make(map[string]string), ""
	err := readRows(files, "sources", func(columns []string) error {
		if len(columns) != 2 || !strings.HasPrefix(columns[1], "https://") {
			return fmt.Errorf("want a word and an https URL, with two blanks or more between")
		}
		word := columns[0]
		if word <= last || word == itself {
			return fmt.Errorf("%s is a duplicate, or not in order after %q", word, last)
		}
		urls[word], last = columns[1], word
		return nil
	})
	return urls, err
}

// readRows hands each line's columns to read. An error gets the file's name
// and the line's number.
func readRows(files fs.FS, name string, read func(columns []string) error) error {
	path := "data/" + name + ".txt"
	text, err := fs.ReadFile(files, path)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		var columns []string
		for rest := strings.TrimSpace(line); rest != ""; {
			column, behind, _ := strings.Cut(rest, "  ")
			columns = append(columns, column)
			rest = strings.TrimLeft(behind, " ")
		}
		if err := read(columns); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return nil
}
