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
	"time"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// ErrChanged tells that the list is not what the file to compare with holds.
var ErrChanged = errors.New("the list has changed")

// said is what messages begin with.
const said = "lxd-allowlist: "

// file is one file that was made and not yet written.
type file struct {
	target
	data    []byte
	rules   []rule.Rule
	refused []rule.Refused
	// What is there now, if anything is, and its rules where they can be read.
	exists     bool
	old        []byte
	before     []rule.Rule
	unreadable error
}

// Write makes all files, then writes them: none if any can't be made or must
// not be replaced. Data, or the difference, goes to stdout and words go to
// messages. With a file to compare with, nothing is written without a path,
// and the error is [ErrChanged] if the rules differ.
func (o *Output) Write(list rule.List, stdout, messages io.Writer) error {
	list = o.header(list)
	var files []file
	for _, t := range o.targets {
		f, err := o.make(t, list)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	leftOut(messages, files)
	warn(messages, files)
	var changes []rule.Change
	if o.plan.Diff != "" {
		changes = rule.Diff(o.before, files[0].rules)
		if err := lines(stdout, changes); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := o.mayReplace(f); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := o.put(f, stdout, messages); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		return ErrChanged
	}
	return nil
}

// header completes what the list says of itself, or takes from it what would
// not be the same another time. A session is named for its time, and the
// times of a log without any are those of its reading.
func (o *Output) header(list rule.List) rule.List {
	if !o.plan.Reproducible {
		if host, err := os.Hostname(); err == nil && list.Header.Host == "" {
			list.Header.Host = host
		}
		return list
	}
	list.Header.When, list.Header.Host, list.Header.Session = time.Time{}, "", ""
	list.Rules = slices.Clone(list.Rules)
	for i := range list.Rules {
		if seen := list.Rules[i].Seen; seen != nil {
			timeless := *seen
			timeless.First, timeless.Last = time.Time{}, time.Time{}
			list.Rules[i].Seen = &timeless
		}
	}
	return list
}

// make makes the file of one format.
func (o *Output) make(t target, list rule.List) (file, error) {
	f := file{target: t}
	if err := f.readOld(); err != nil {
		return f, err
	}
	if o.plan.Merge && f.exists {
		if f.unreadable != nil {
			return f, fmt.Errorf("merge into %s: %w; only what this program wrote can be united", f.path, f.unreadable)
		}
		list.Rules = rule.Unite(list.Rules, f.before)
	}
	compiled, refused := rule.Compile(list)
	held, more := f.format.Hold(compiled)
	f.rules, f.refused = held.Rules(), slices.Concat(refused, more)
	data, err := export.Render(f.format, held, export.Options{Ports: o.plan.Ports})
	f.data = data
	return f, err
}

// readOld reads what is there. What isn't a regular file is left for
// [export.WriteFile] to refuse: reading it could wait for ever.
func (f *file) readOld() error {
	if f.path == "" {
		return nil
	}
	info, err := os.Stat(f.path)
	if err != nil || !info.Mode().IsRegular() {
		return nil // whatever it is, the writing will tell
	}
	if f.old, err = os.ReadFile(f.path); err != nil {
		return err
	}
	f.exists = true
	f.before, f.unreadable = f.format.Decode(f.old)
	return nil
}

// mayReplace says what would be lost where a file must not be replaced.
func (o *Output) mayReplace(f file) error {
	if !f.exists || o.plan.Overwrite || o.plan.Merge {
		return nil
	}
	differs, ways := "the new list has "+rule.Summary(rule.Diff(f.before, f.rules)), "--overwrite replaces it, --merge unites both"
	switch {
	case bytes.Equal(f.old, f.data):
		differs, ways = "the new list is the same", "--overwrite writes it again"
	case !f.format.ReadsBack():
		differs, ways = "the new list is another", "--overwrite replaces it"
	case f.unreadable != nil:
		differs, ways = fmt.Sprintf("it is no list of the same kind (%v)", f.unreadable), "--overwrite replaces it"
	}
	return fmt.Errorf("write %s: %w; %s; %s", f.path, fs.ErrExist, differs, ways)
}

// put writes one file, or to standard output where nothing else goes there.
func (o *Output) put(f file, stdout, messages io.Writer) error {
	if f.path == "" {
		if o.plan.Diff != "" {
			return nil
		}
		_, err := stdout.Write(f.data)
		return err
	}
	if err := export.WriteFile(f.path, f.data, f.exists); err != nil {
		return err
	}
	told := fmt.Sprintf("%swrote %s to %s", said, count(len(f.rules), "rule"), f.path)
	if f.exists && f.unreadable == nil {
		changes := rule.Diff(f.before, f.rules)
		if o.plan.Merge && len(changes) > 0 {
			if err := lines(messages, changes); err != nil {
				return err
			}
		} else {
			told += ": " + rule.Summary(changes)
		}
	}
	_, err := fmt.Fprintln(messages, told)
	return err
}

// lines writes changes as diff(1) would.
func lines(w io.Writer, changes []rule.Change) error {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintln(&b, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// leftOut says how many names reach no file, or not all files, and which.
func leftOut(w io.Writer, files []file) {
	names, told := make(map[string]bool), make(map[string]bool)
	var b strings.Builder
	for _, f := range files {
		for _, r := range f.refused {
			names[r.Rule.Name] = true
			if line := fmt.Sprintf("  %q %s\n", r.Rule.Name, r.Reason); !told[line] {
				told[line] = true
				b.WriteString(line)
			}
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(w, "%sleft out %s:\n%s", said, count(len(names), "name"), &b)
	}
}

// warn says which rules open more than was probably meant.
func warn(w io.Writer, files []file) {
	told := make(map[string]bool)
	for _, f := range files {
		for _, r := range f.rules {
			if warning := r.Warning(); warning != "" && !told[warning] {
				told[warning] = true
				fmt.Fprintf(w, "%swarning: %s\n", said, warning)
			}
		}
	}
}

// count writes "1 rule" and "2 rules".
func count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}
