package known

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// source is the directory that lists are read from. Each file is read once.
type source struct {
	dir   fs.FS
	left  int64 // bytes that may still be read
	files map[string]*parsed
}

// parsed is what one file holds.
type parsed struct {
	name     string
	title    string
	entries  []entry
	includes []inclusion
	given    []gift
	taken    []*entry // entries that other files give
	problems []problem
	more     int // problems that are only counted
}

// gift is an entry that belongs to another file's list, too.
type gift struct {
	entry int // in entries
	to    string
}

// inclusion is a line that takes another file's entries over.
type inclusion struct {
	line int
	name string
	filter
}

// filter takes the entries that have some attributes and lack others; both
// are sorted, each once.
type filter struct{ with, less []string }

func (f filter) takes(e *entry) bool {
	for _, tag := range f.with {
		if !slices.Contains(e.tags, tag) {
			return false
		}
	}
	return !slices.ContainsFunc(f.less, func(tag string) bool { return slices.Contains(e.tags, tag) })
}

// and takes what both take.
func (f filter) and(g filter) filter { return filter{union(f.with, g.with), union(f.less, g.less)} }

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// String writes a filter as an inclusion has it.
func (f filter) String() string {
	return " @" + strings.Join(f.with, " @") + " @-" + strings.Join(f.less, " @-")
}

type problem struct {
	line int // 0: the file as a whole
	err  error
}

func (p *parsed) wrong(line int, err error) {
	if len(p.problems) == maxProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, problem{line, err})
}

// add takes an entry, which stands in a line, or tells what is wrong with it.
func (p *parsed) add(e entry, line int, err error) {
	if err != nil {
		p.wrong(line, err)
		return
	}
	e.in, e.line = p, int32(line)
	p.entries = append(p.entries, e)
}

// errors returns what was wrong with a list of which n entries are used.
func (p *parsed) errors(n int) (all []error) {
	use := "; the list is not used"
	if n > 0 {
		use = "; the rest of it is used"
	}
	for _, w := range p.problems {
		at := p.name
		if w.line > 0 {
			at = fmt.Sprintf("%s:%d", p.name, w.line)
		}
		all = append(all, fmt.Errorf("list %s: %w%s", at, w.err, use))
	}
	if p.more > 0 {
		all = append(all, fmt.Errorf("list %s: %d more things are wrong in it%s", p.name, p.more, use))
	}
	return all
}

// parse reads a file, whatever its format, without what it includes.
func (s *source) parse(name string) *parsed {
	if p, ok := s.files[name]; ok {
		return p
	}
	p := &parsed{name: name}
	s.files[name] = p
	data, err := s.read(name)
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case err != nil:
		p.wrong(0, err)
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		p.readMISP(data)
	default:
		p.readText(string(data))
	}
	return p
}

// read reads a whole file within the bounds.
func (s *source) read(name string) ([]byte, error) {
	info, err := fs.Stat(s.dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, errors.New("is not a regular file, nor a link to one")
	}
	f, err := s.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, min(maxListBytes, s.left)+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxListBytes:
		return nil, fmt.Errorf("has more than %d MiB", maxListBytes>>20)
	case int64(len(data)) > s.left:
		return nil, fmt.Errorf("all lists together have more than %d MiB", maxListsBytes>>20)
	}
	s.left -= int64(len(data))
	return data, nil
}

// affiliate hands entries to the lists that they belong to, too. These need no
// file of their own.
func (s *source) affiliate() {
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		p := s.files[name]
		for _, g := range p.given {
			to := path.Join(path.Dir(name), g.to)
			if s.files[to] == nil {
				s.files[to] = &parsed{name: to}
			}
			s.files[to].taken = append(s.files[to].taken, &p.entries[g.entry])
		}
	}
}

// expand ranges over a list's entries and over those that it includes.
func (s *source) expand(list string) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		x := expansion{source: s, list: s.parse(list), seen: make(map[string]bool)}
		x.file(x.list, filter{}, yield)
	}
}

// expansion is the way through the files that one list includes.
type expansion struct {
	source *source
	list   *parsed
	seen   map[string]bool // a file and the filter that it was read through
	looped bool            // it was told that the list includes itself
}

// maxInclusions bounds what files that include each other can make of
// themselves.
const maxInclusions = 5000

// file hands on a file's entries that a filter takes, and those of the files
// that it includes, and reports whether to go on. What is wrong within another
// file is told with that one, as all are lists themselves.
func (x *expansion) file(p *parsed, through filter, yield func(*entry) bool) bool {
	for i := range p.entries {
		if e := &p.entries[i]; through.takes(e) && !yield(e) {
			return false
		}
	}
	for _, e := range p.taken {
		if through.takes(e) && !yield(e) {
			return false
		}
	}
	for _, i := range p.includes {
		target := path.Join(path.Dir(p.name), i.name)
		line := i.line
		if p != x.list {
			line = 0
		}
		switch {
		case target == x.list.name:
			if !x.looped {
				x.list.wrong(line, fmt.Errorf("is included by itself, through %s", p.name))
			}
			x.looped = true
			continue
		case x.source.files[target] == nil:
			if p == x.list {
				p.wrong(line, fmt.Errorf("includes %.200q, which is not a file there", i.name))
			}
			continue
		}
		both := through.and(i.filter)
		key := target + both.String()
		if x.seen[key] {
			continue
		}
		if len(x.seen) == maxInclusions {
			x.list.wrong(0, fmt.Errorf("includes more than %d files", maxInclusions))
			return false
		}
		x.seen[key] = true
		if !x.file(x.source.parse(target), both, yield) {
			return false
		}
	}
	return true
}
