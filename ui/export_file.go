package ui

import (
	"errors"
	"io/fs"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// preview makes the file of a format.
func preview(l *capture.Ledger, f export.Format, o export.Options) previewMsg {
	p := previewOf(l.List(false), f, o)
	p.leftOut, p.overruled = l.LeftOut()
	return p
}

func previewOf(list rule.List, f export.Format, o export.Options) (p previewMsg) {
	p.file, p.err = export.Make(list, f, o)
	p.lines = strings.Split(strings.TrimSuffix(string(p.file.Data), "\n"), "\n")
	return p
}

// write writes the file that was previewed, or, to merge, the ledger's rules
// together with those that stand there.
func write(l *capture.Ledger, p previewMsg, o export.Options, path string, how writing) wroteMsg {
	w := wroteMsg{path: path}
	there, err := export.Look(p.file.Format, path)
	if err == nil && how == merge {
		var list rule.List
		if list, err = there.Unite(l.List(false)); err == nil {
			p.file, err = export.Make(list, p.file.Format, o)
		}
	}
	if err == nil {
		err = export.WriteFile(path, p.file.Data, how != create)
	}
	if errors.Is(err, fs.ErrExist) {
		w.changes = changes(there, p.file)
	}
	w.err, w.rules = err, len(p.file.Rules)
	return w
}

// changes says how writing the file would change what stands there.
func changes(there export.Present, f export.File) []string {
	if there.Unreadable != nil {
		return []string{there.Path + " is no list of the format " + f.Format.Name + ": " + there.Unreadable.Error(), "overwriting it replaces all of it"}
	}
	lines := []string{"it holds the same rules"}
	for i, c := range there.Changes(f) {
		lines = append(lines[:i], c.String())
	}
	return lines
}
