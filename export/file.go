package export

import (
	"os"
	"slices"
	"time"

	"lxd-allowlist/export/rule"
)

// File is a file of one format that was made and not yet written.
type File struct {
	Format Format
	Data   []byte
	Rules  []rule.Rule // what Data says, in its order
	// Refused are the rules that no list, or not this format, can hold.
	Refused []rule.Refused
	// Verified says what came of the list when it was enforced; "" if it never
	// was.
	Verified string
}

// Make makes the file that a list is in a format: the one way there is, for
// the screen and for the command line. What can't be held is told beside the
// file; an error means that there is none.
func Make(list rule.List, f Format, o Options) (File, error) {
	file, _, err := makeFile(list, f, o)
	return file, err
}

// makeFile is Make that returns what was read back out of the file, too, where it
// was read in one go.
func makeFile(list rule.List, f Format, o Options) (File, []rule.Rule, error) {
	list = o.described(list)
	if !o.InPlace {
		list.Rules = slices.Clone(list.Rules)
	}
	compile := rule.CompileInPlace
	if f.byLine {
		compile = rule.CompileByLine
	}
	compiled, refused := compile(list)
	held, more := f.Hold(compiled)
	data, got, err := f.render(held, o)
	return File{Format: f, Data: data, Rules: held.Rules(), Refused: slices.Concat(refused, more), Verified: verified(held)}, got, err
}

// described completes what the list says of itself, or takes from it what
// would not be the same another time. A session is named for its time, and
// the times of a log without any are those of its reading.
func (o Options) described(list rule.List) rule.List {
	if !o.Reproducible {
		if host, err := os.Hostname(); err == nil && list.Header.Host == "" {
			list.Header.Host = host
		}
		return list
	}
	list.Header.When, list.Header.Host, list.Header.Session, list.Header.Verified = time.Time{}, "", "", rule.Verified{}
	if slices.ContainsFunc(list.Rules, func(r rule.Rule) bool { return r.Seen != nil }) {
		list.Rules = slices.Clone(list.Rules)
	}
	for i := range list.Rules {
		if seen := list.Rules[i].Seen; seen != nil {
			timeless := *seen
			timeless.First, timeless.Last = time.Time{}, time.Time{}
			list.Rules[i].Seen = &timeless
		}
	}
	return list
}

// Present is what stands where a file is to go.
type Present struct {
	Path   string
	Exists bool // a regular file is there, with what follows
	Data   []byte
	Rules  []rule.Rule
	// Unreadable is why Rules are not known: it is no file of the format.
	Unreadable error
	loose      []string // comments of somebody's own that belong to no rule
}

// Look reads what stands at path, as a file of the format. What isn't a
// regular file is left for [WriteFile] to refuse: reading it could wait for
// ever.
func Look(f Format, path string) (Present, error) {
	p := Present{Path: path}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return p, nil // whatever it is, the writing will tell
	}
	if p.Data, err = os.ReadFile(path); err != nil {
		return p, err
	}
	p.Exists = true
	p.Rules, p.loose, p.Unreadable = f.Read(p.Data)
	return p, nil
}

// Make is [Make] for a file that takes the place of what stands there.
func (p Present) Make(list rule.List, f Format, o Options) (File, error) {
	o.before = p.Data
	return Make(list, f, o)
}

// Changes returns what putting the file there changes; none where what stands
// there can't be read.
func (p Present) Changes(f File) []rule.Change {
	if !p.Exists || p.Unreadable != nil {
		return nil
	}
	return rule.Diff(p.Rules, f.Rules)
}
