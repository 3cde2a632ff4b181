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
	t := &table{at: make(map[string]*node)}
	for kind := range Kind(kinds) {
		last := Fact{}
		err := readRows(files, kindWords[kind].word, func(columns []string) error {
			f, err := readFact(columns, urls)
			f.Kind = kind
			if err == nil && !before(last, f) {
				err = fmt.Errorf("%s is a duplicate, or not in order after %s", f.Dotted(), last.Dotted())
			}
			own := t.own(f)
			if twice := len(*own) > 0; err == nil && twice {
				err = fmt.Errorf("%s is a %s already", f.Dotted(), (*own)[0].Kind)
			}
			if err != nil {
				return err
			}
			*own = []Fact{f}
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

// own is where the facts of an entry's name stand.
func (t *table) own(f Fact) *[]Fact {
	n := t.node(f.Name)
	if f.Suffix {
		return &n.suffix
	}
	return &n.exact
}

// node returns that of a name, made where there is none yet.
func (t *table) node(name string) *node {
	n := t.at[name]
	if n == nil {
		n = new(node)
		t.at[name] = n
	}
	return n
}

// chain adds to each entry what holds above it, and tells the names above
// what opens below them.
func (t *table) chain() {
	suffixes := make(map[string]Fact)
	for _, f := range t.all {
		if f.Suffix {
			suffixes[f.Name] = f
		}
	}
	for i, f := range t.all {
		all := []Fact{f}
		if above, both := suffixes[f.Name]; both && !f.Suffix {
			all = append(all, above)
		}
		for up := parent(f.Name); up != ""; up = parent(up) {
			if above, ok := suffixes[up]; ok {
				all = append(all, above)
			}
			n := t.node(up)
			if f.Kind.Opens() != "" {
				n.below = append(n.below, i)
			}
		}
		own := t.own(f)
		if before, after, ok := strings.Cut(f.Name, "*."); ok {
			*own = nil
			n := t.node(after)
			n.patterns = append(n.patterns, pattern{before, "." + after, all})
			continue
		}
		*own = all
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
