// Package output writes a list as the command line asks for it: in which
// formats, where to, and what becomes of a file that is there.
//
//	Plan --Prepare--> Output --Write(list)--> files or standard output, and words about them
package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// Plan is what is asked for.
type Plan struct {
	Formats []string // by name, or "template=FILE"
	// Path is a file, or a directory for a file of each format; "" and "-"
	// are standard output.
	Path string
	// Ports are for the formats that have a place for them; none means those
	// of [export.Options].
	Ports        []int
	Overwrite    bool
	Merge        bool   // unite with the file that is there
	Reproducible bool   // leave out what differs from run to run: time, host, session
	Strict       bool   // [ErrDoubtful] for a list that may lack names
	Diff         string // the file to compare with; "" for none
	// CoveredBy is a list of any format that is to allow all that the new one
	// does; "" for none.
	CoveredBy string
}

// Output is a plan that was found possible.
type Output struct {
	plan    Plan
	targets []target
	// before is what the file to compare with holds.
	before []rule.Rule
	// cover is what the file to be covered by holds.
	cover rule.List
}

// target is one file to be written.
type target struct {
	format export.Format
	path   string // "" for standard output
}

// Prepare finds what is wrong with a plan, before anything is done for it.
// The file to compare with and templates are read here.
func Prepare(p Plan) (*Output, error) {
	formats, err := p.formats()
	if err == nil {
		err = p.contradiction(formats)
	}
	if err == nil {
		p.Ports, err = ports(p.Ports, formats)
	}
	if err != nil {
		return nil, err
	}
	o := &Output{plan: p}
	if o.targets, err = targets(formats, p.Path); err != nil {
		return nil, err
	}
	if p.Diff != "" {
		if o.before, err = readBefore(p.Diff, formats[0]); err != nil {
			return nil, fmt.Errorf("compare with %s: %w", calledBy(p.Diff), err)
		}
	}
	if p.CoveredBy != "" {
		if o.cover, err = ReadList(p.CoveredBy); err != nil {
			return nil, fmt.Errorf("--covered-by: %w", err)
		}
	}
	return o, nil
}

// readBefore reads the rules of a file to compare with.
func readBefore(path string, format export.Format) ([]rule.Rule, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	rules, _, err := format.Read(data)
	return rules, err
}

// compares reports whether standard output is for what a comparison finds.
func (p Plan) compares() bool { return p.Diff != "" || p.CoveredBy != "" }

// Evidence reports whether a file has what was observed of each rule.
func (o *Output) Evidence() bool {
	return slices.ContainsFunc(o.targets, func(t target) bool { return t.format.Evidence() })
}

// Stdout reports whether the list, or the difference, goes to standard
// output, which then has room for nothing else.
func (o *Output) Stdout() bool { return toStdout(o.plan.Path) || o.plan.compares() }

// Path returns where the files go, "" for standard output: a directory has a
// slash at its end.
func (o *Output) Path() string {
	if path := o.plan.Path; inDirectory(path) {
		return filepath.Clean(path) + "/"
	}
	return o.plan.Path
}

// Places calls each with the format of every file that Write writes, and with
// its path: absolute, "" for standard output.
func (o *Output) Places(each func(format, path string)) {
	for _, t := range o.targets {
		path := t.path
		if path == "" && o.plan.Diff != "" {
			continue // the difference goes there
		}
		if abs, err := filepath.Abs(path); err == nil && path != "" {
			path = abs
		}
		each(t.format.Name, path)
	}
}

// Options are what the files need beside the list.
func (o *Output) Options() export.Options {
	return export.Options{Ports: o.plan.Ports, Reproducible: o.plan.Reproducible}
}

// Single returns the one format's name, for a screen that has no more.
func (o *Output) Single() (string, error) {
	f := o.targets[0].format
	switch {
	case len(o.targets) > 1:
		return "", errors.New("the screen exports one format at a time: name one to begin with")
	case !f.ReadsBack():
		return "", fmt.Errorf("the screen has no templates: export the session with --format %s when it is over", o.plan.Formats[0])
	}
	return f.Name, nil
}

// formats looks the formats up.
func (p Plan) formats() ([]export.Format, error) {
	if len(p.Formats) == 0 {
		return nil, errors.New("--format names no format")
	}
	var all []export.Format
	for _, name := range p.Formats {
		f, err := format(name)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func format(name string) (export.Format, error) {
	path, ok := strings.CutPrefix(name, export.TemplatePrefix)
	if !ok {
		return export.Lookup(strings.ToLower(name))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return export.Format{}, fmt.Errorf("read a template: %w", err)
	}
	return export.Template(path, string(text))
}

// contradiction says which wishes don't go together.
func (p Plan) contradiction(formats []export.Format) error {
	unread := slices.IndexFunc(formats, func(f export.Format) bool { return !f.ReadsBack() })
	switch {
	case p.Merge && p.Overwrite:
		return errors.New("--merge keeps what a file holds and --overwrite doesn't: choose one")
	case p.Diff != "" && p.CoveredBy != "":
		return errors.New("--diff and --covered-by both print what they find on standard output: choose one")
	case p.Merge && p.compares():
		return errors.New("--merge goes with neither --diff nor --covered-by: compare first")
	case p.Merge && toStdout(p.Path):
		return errors.New("--merge needs --output FILE: the file to unite with")
	case p.compares() && p.Path != "" && toStdout(p.Path):
		return errors.New("--diff and --covered-by print what they find on standard output: name a file with --output, or none")
	case p.compares() && len(formats) > 1:
		return errors.New("--diff and --covered-by compare a list of one format: name one")
	case (p.Merge || p.Diff != "") && unread >= 0:
		return fmt.Errorf("--merge and --diff read files, and nobody knows how to read those of %s", formats[unread].Name)
	}
	return nil
}

// ports checks them and leaves out repetitions.
func ports(all []int, formats []export.Format) ([]int, error) {
	var once []int
	for _, p := range all {
		if p < 1 || p > 65535 {
			return nil, fmt.Errorf("--ports: %d is no port; name ports from 1 to 65535", p)
		}
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	if len(once) > 0 && !slices.ContainsFunc(formats, func(f export.Format) bool { return f.Ports }) {
		return nil, fmt.Errorf("--ports: %s has no place for ports; leave them out", formats[0].Name)
	}
	return once, nil
}

// toStdout reports whether a path is standard output, by one of its names.
func toStdout(path string) bool {
	return slices.Contains([]string{"", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, path)
}

// targets says which format goes where.
func targets(formats []export.Format, path string) ([]target, error) {
	if toStdout(path) {
		if len(formats) > 1 {
			return nil, errors.New("standard output takes one format: name a file or a directory with --output")
		}
		return []target{{format: formats[0]}}, nil
	}
	if inDirectory(path) {
		var all []target
		for _, f := range formats {
			t := target{f, filepath.Join(path, fileName(f))}
			if i := slices.IndexFunc(all, func(o target) bool { return o.path == t.path }); i >= 0 {
				return nil, fmt.Errorf("%s and %s would both go to %s: name each format once", all[i].format.Name, f.Name, t.path)
			}
			all = append(all, t)
		}
		return all, nil
	}
	if len(formats) > 1 {
		return nil, fmt.Errorf("--output %s is one file, for one format: %[1]s/ is a directory, with a file for each", path)
	}
	return []target{{formats[0], path}}, nil
}

// inDirectory reports whether a path is that of a directory: one that is there,
// or by the slash at its end.
func inDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || strings.HasSuffix(path, "/")
}

// fileName is what the file of a format is called in a directory.
func fileName(f export.Format) string {
	name := strings.TrimSuffix(strings.TrimPrefix(f.Name, export.TemplatePrefix), ".tmpl")
	return strings.TrimSuffix(name, "."+f.Extension) + "." + f.Extension
}
