package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// ErrChanged tells that the list is not what the file to compare with holds.
var ErrChanged = errors.New("the list has changed")

// ErrUncovered tells that the list allows what the one that is to cover it
// doesn't.
var ErrUncovered = errors.New("the list is not covered")

// ErrDoubtful tells that names may be missing from a list that was written, of
// a plan that is strict.
var ErrDoubtful = errors.New("the list may lack names, see above: it is written, and --strict makes that an error")

// said is what messages begin with.
const said = "lxd-allowlist: "

// file is one file that was made and not yet written, and what stands where
// it is to go.
type file struct {
	export.File
	there export.Present
	path  string // "" for standard output
}

// Write makes all files, then writes them: none if any can't be made or must
// not be replaced. Data, or what a comparison finds, goes to stdout and words go to
// messages. With a file to compare with, nothing is written without a path,
// and the error is [ErrChanged] if the rules differ, or [ErrUncovered]. The
// list's rules are used up: there may be very many.
func (o *Output) Write(list rule.List, stdout, messages io.Writer) error {
	var files []file
	for i, t := range o.targets {
		options := o.Options()
		options.InPlace = i == len(o.targets)-1
		f, err := o.file(t, list, options)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	for _, f := range files {
		if err := o.mayReplace(f); err != nil {
			return err
		}
	}
	doubt(messages, list)
	if wider := list.Wider(); wider != "" {
		fmt.Fprintf(messages, "%sbeware: %s\n", said, wider)
	}
	if text := files[0].Verified; text != "" {
		fmt.Fprintf(messages, "%sverified: %s\n", said, text)
	}
	sayLeftOut(messages, files)
	o.sayPortless(messages)
	uncovered, err := o.uncovered(files[0].Rules, stdout, messages)
	if err != nil {
		return err
	}
	var changes []rule.Change
	if o.plan.Diff != "" {
		changes = rule.Diff(o.before, files[0].Rules)
		if err := lines(stdout, changes); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := o.put(f, stdout, messages); err != nil {
			return err
		}
	}
	warn(messages, o.news(files, changes))
	switch {
	case uncovered:
		return ErrUncovered
	case len(changes) > 0:
		return ErrChanged
	case o.plan.Strict && len(list.Doubts) > 0:
		return ErrDoubtful
	}
	return nil
}

// sayPortless says which of several formats have no place for the ports that are
// asked for; that none has is refused before.
func (o *Output) sayPortless(w io.Writer) {
	var without []string
	for _, t := range o.targets {
		if !t.format.Ports {
			without = append(without, t.format.Name)
		}
	}
	if len(o.plan.Ports) > 0 && len(without) > 0 {
		fmt.Fprintf(w, "%sthe ports have no place in %s\n", said, enough(without))
	}
}

// file makes the file of one format.
func (o *Output) file(t target, list rule.List, options export.Options) (f file, err error) {
	f.path = t.path
	if t.path != "" {
		if f.there, err = export.Look(t.format, t.path); err != nil {
			return f, err
		}
	}
	if o.plan.Merge {
		f.File, err = f.there.Merge(list, t.format, options)
	} else {
		f.File, err = f.there.Make(list, t.format, options)
	}
	return f, err
}

// mayReplace says what would be lost where a file must not be replaced. A list
// without a rule is not written at all: it is what a run leaves in which
// nothing was heard.
func (o *Output) mayReplace(f file) error {
	if _, err := os.Stat(filepath.Dir(f.path)); f.path != "" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: there is no directory %s: make it first", f.path, filepath.Dir(f.path))
	}
	if len(f.Rules) == 0 && f.path != "" {
		return fmt.Errorf("write %s: no name is on the list, so that nothing was written", f.path)
	}
	if !f.there.Exists || o.plan.Overwrite || o.plan.Merge {
		return nil
	}
	differs, ways := "the new list has "+rule.Summary(f.there.Changes(f.File)), "--overwrite replaces it, --merge unites both"
	switch {
	case bytes.Equal(f.there.Data, f.Data):
		differs, ways = "the new list is the same", "--overwrite writes it again"
	case !f.Format.ReadsBack():
		differs, ways = "the new list is another", "--overwrite replaces it"
	case f.there.Unreadable != nil:
		differs, ways = fmt.Sprintf("it is no list of the same kind (%v)", f.there.Unreadable), "--overwrite replaces it"
	}
	return fmt.Errorf("write %s: %w; %s; %s", f.path, fs.ErrExist, differs, ways)
}

// put writes one file, or to standard output where nothing else goes there.
func (o *Output) put(f file, stdout, messages io.Writer) error {
	if f.path == "" {
		if o.plan.compares() {
			return nil
		}
		_, err := stdout.Write(f.Data)
		return err
	}
	if err := export.WriteFile(f.path, f.Data, f.there.Exists); err != nil {
		return err
	}
	told := fmt.Sprintf("%swrote %s to %s", said, count(len(f.Rules), "rule"), f.path)
	if f.there.Exists && f.there.Unreadable == nil {
		changes := f.there.Changes(f.File)
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

// uncovered writes the rules that fall outside the list that is to cover them.
func (o *Output) uncovered(rules []rule.Rule, stdout, messages io.Writer) (bool, error) {
	if o.plan.CoveredBy == "" {
		return false, nil
	}
	doubt(messages, o.cover)
	outside := rule.ByDomain(rule.Uncovered(rules, o.cover.Rules))
	for _, r := range outside {
		if _, err := fmt.Fprintln(stdout, r); err != nil {
			return false, err
		}
	}
	if len(outside) > 0 {
		fmt.Fprintf(messages, "%s%d of %s outside %s\n", said, len(outside), count(len(rules), "rule"), calledBy(o.plan.CoveredBy))
	}
	return len(outside) > 0, nil
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

// doubt says why names may be missing, and which were left out by a rule.
func doubt(w io.Writer, list rule.List) {
	for _, d := range list.Doubts {
		fmt.Fprintf(w, "%sbeware: %s\n", said, export.OneLine(d)) // may have the name of a file, or a journal's words
	}
	for _, name := range list.Overruled {
		fmt.Fprintf(w, "%sbeware: %s was dropped, and a wider rule allows it all the same\n", said, name)
	}
	if list.LeftOut != "" {
		fmt.Fprintf(w, "%sleft out: %s\n", said, list.LeftOut)
	}
}

// news returns the rules that open more than was probably meant of those that were
// written, of each file, or, where nothing was but a difference, of those that came.
func (o *Output) news(files []file, changes []rule.Change) (all [][]rule.Rule) {
	if o.plan.CoveredBy != "" && files[0].path == "" {
		return nil
	}
	if o.plan.Diff != "" {
		var came []rule.Rule
		for _, c := range changes {
			if !c.Gone {
				came = append(came, c.Rule)
			}
		}
		return [][]rule.Rule{wide(came)}
	}
	for _, f := range files {
		all = append(all, rule.ByDomain(wide(f.Rules)))
	}
	return all
}

func wide(rules []rule.Rule) []rule.Rule {
	return lanes.Collect("the warnings", len(rules), func(i int) (rule.Rule, bool) { return rules[i], rules[i].Warning() != "" })
}

// warned is how many exact rules are named before nobody reads on.
const warned = 5

// warn says which rules open more than was probably meant: of suffixes each,
// since somebody chose them, exact ones in one line.
func warn(w io.Writer, news [][]rule.Rule) {
	told := make(map[string]bool)
	var exact []rule.Rule
	for _, rules := range news {
		for _, r := range rules {
			warning := r.Warning()
			if told[warning] {
				continue
			}
			told[warning] = true
			if !r.Suffix {
				exact = append(exact, r)
				continue
			}
			fmt.Fprintf(w, "%swarning: %s\n", said, warning)
		}
	}
	if len(exact) == 1 {
		fmt.Fprintf(w, "%swarning: %s\n", said, exact[0].Warning())
		return
	}
	var names []string
	for _, r := range exact[:min(warned, len(exact))] {
		names = append(names, r.Name)
	}
	if more := len(exact) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	if len(names) > 0 {
		fmt.Fprintf(w, "%swarning: %d names open more than themselves: %s: lxd-allowlist explain NAME\n", said, len(exact), strings.Join(names, ", "))
	}
}

// count writes "1 rule" and "2 rules".
func count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}
