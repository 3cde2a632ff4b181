package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
	"lxd-allowlist/parse/source"
)

// maxList bounds what is read of a list of names.
const maxList = 256 << 20

// ReadLists reads files that are lists already, as one: see [ReadList]. held is
// what was read before of those that can't be read again.
func ReadLists(paths []string, held map[string][]byte) (all rule.List, err error) {
	for _, path := range paths {
		var list rule.List
		if data, ok := held[path]; ok {
			list, err = readList(path, bytes.NewReader(data))
		} else {
			list, err = ReadList(path)
		}
		if err != nil {
			return rule.List{}, err
		}
		all.Rules = append(all.Rules, list.Rules...)
		all.Doubts = append(all.Doubts, list.Doubts...)
	}
	return all, nil
}

// ReadList reads a file, or standard input for "-", that is a list already: of
// any format that is written here, or names, one a line, as hosts files have
// them too, and addresses with ports. What is none is counted among the list's
// doubts; where most are none, the error says what the first is.
func ReadList(path string) (rule.List, error) {
	f, err := open(path)
	if err != nil {
		return rule.List{}, err
	}
	defer f.Close()
	return readList(path, f)
}

// open opens a file to be read, or standard input for "-": from its beginning,
// where it is a file that was read before. Nobody types a list, and reading a
// terminal would wait for that.
// Closing it leaves that open, which may be read once more, or be a command's.
func open(path string) (io.ReadCloser, error) {
	if path != "-" {
		return os.Open(path)
	}
	st, err := os.Stdin.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.Mode()&fs.ModeCharDevice != 0:
		return nil, errors.New("standard input has no list: it is a terminal, or a device; name a file, or pipe the list in")
	}
	_, _ = os.Stdin.Seek(0, io.SeekStart) // a pipe has no beginning
	return io.NopCloser(os.Stdin), nil
}

// calledBy is what a file is called in messages.
func calledBy(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

func readList(path string, in io.Reader) (list rule.List, err error) {
	path = calledBy(path)
	text, err := source.NewReader(in)
	if err != nil {
		return list, fmt.Errorf("read list %s: %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(text, maxList+1))
	switch {
	case err != nil:
		return list, fmt.Errorf("read list %s: %w", path, err)
	case len(data) > maxList:
		return list, fmt.Errorf("read list %s: it has more than %d MiB", path, maxList>>20)
	}
	formats := export.Formats()
	if i := slices.IndexFunc(formats, func(f export.Format) bool { return f.Heads(data) }); i > 0 {
		formats = slices.Insert(formats, 0, formats[i])
	}
	for _, format := range formats {
		if format.Name == "plain" { // reads anything that has one word a line
			continue
		}
		if rules, _, err := format.Read(data); err == nil && len(rules) > 0 && clean(rules) {
			list.Rules = rules
			return list, nil
		}
	}
	var none strangers
	n, names, words := 0, 0, 0
	for line := range bytes.Lines(data) {
		n++
		rules, why := listed(line)
		list.Rules = append(list.Rules, rules...)
		switch {
		case why != "":
			none.add(n, line, why)
		case len(rules) == 0:
			continue
		case dotted(rules):
			names++
		case len(bytes.Fields(line)) == 1: // any word could be a name without a dot
			words++
		}
		none.of++
	}
	switch {
	case names > none.count+words:
		if none.count > 0 {
			list.Doubts = append(list.Doubts, path+": "+none.String())
		}
		return list, nil
	case none.count > 0:
		return rule.List{}, &NoListError{path, none.String()}
	case none.of > 0:
		return rule.List{}, &NoListError{path, "none of its words has a dot"}
	case n > 0:
		return rule.List{}, &NoListError{path, "it has comments or blank lines alone"}
	}
	return rule.List{}, &NoListError{path, "it is empty"}
}

// NoListError says why a file is no list of names.
type NoListError struct {
	Path, Why string
}

func (e *NoListError) Error() string {
	return fmt.Sprintf("read %s: it is no list of names: %s", e.Path, e.Why)
}

// listed reads a line of a list of names, or says why it is none.
func listed(line []byte) (rules []rule.Rule, why string) {
	at := rule.Rule{Name: string(bytes.TrimSpace(line))}
	if e, err := rule.ParseEndpoint(at.Name); err == nil { // without a protocol, too
		at.Name = e.String()
	}
	if kind := at.Kind(); kind == "address" || kind == "pattern" {
		return []rule.Rule{at}, ""
	}
	l, blank, ok := parse.ReadListed(line)
	var r parse.Record
	switch {
	case blank:
		return nil, ""
	case ok:
		for _, name := range l.Names {
			rules = append(rules, rule.Rule{Name: name, Suffix: l.Below, Below: l.Star})
		}
		return rules, ""
	case len(l.Names) == 0:
		if r.Parse(bytes.TrimRight(line, "\r\n")); r.Kind == parse.Query {
			return nil, "is a query in a log: lxd-allowlist export makes a list of it"
		}
		return nil, "has several words"
	}
	name := l.Names[0]
	if ascii, err := parse.ASCII(name); err == nil && ascii != strings.ToLower(name) && parse.Clean([]byte(ascii)) {
		return nil, "is " + ascii + " in DNS: write that"
	}
	return nil, rule.Rule{Name: strings.ToLower(name)}.Problem()
}

// dotted reports whether rules of one line are about an address, a pattern or a
// name with a dot.
func dotted(rules []rule.Rule) bool {
	return slices.ContainsFunc(rules, func(r rule.Rule) bool { return r.Suffix || strings.Contains(r.Name, ".") || r.Kind() == "address" })
}

// strangers are the lines of a list that are no names.
type strangers struct {
	count, of int // of so many lines that aren't blank
	first     string
}

func (s *strangers) add(number int, line []byte, why string) {
	const most = 60 // bytes of a line, which may be anything
	if s.count++; s.count == 1 {
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		s.first = fmt.Sprintf("line %d: %q %s", number, line[:min(len(line), most)], why)
	}
}

// String says how many there are and what the first one is.
func (s *strangers) String() string {
	return fmt.Sprintf("no name in %d of %s, the first is %s", s.count, count(s.of, "line"), s.first)
}

// clean reports whether what was read are names: some formats' readers take
// others' files for theirs.
func clean(rules []rule.Rule) bool {
	for _, r := range rules {
		if kind := r.Kind(); kind != "address" && kind != "pattern" && !parse.Clean([]byte(r.Name)) {
			return false
		}
	}
	return true
}
