package ui

import (
	"fmt"
	"os"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// preview makes the file of a format.
func preview(l *capture.Ledger, f export.Format) previewMsg {
	p := previewOf(l.List(false), f)
	p.leftOut, p.overruled = l.LeftOut()
	return p
}

func previewOf(list rule.List, f export.Format) (p previewMsg) {
	compiled, refused := rule.Compile(list)
	held, more := f.Hold(compiled)
	p.rules, p.refused = len(held.Rules()), append(refused, more...)
	p.data, p.err = export.Render(f, held, export.Options{})
	p.lines = strings.Split(strings.TrimSuffix(string(p.data), "\n"), "\n")
	return p
}

// existing reads the rules of a file that is there.
func existing(f export.Format, path string) ([]rule.Rule, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rules, err := f.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no list of the format %s: %w", path, f.Name, err)
	}
	return rules, nil
}

// changesOf says how writing data would change the file at path.
func changesOf(f export.Format, path string, data []byte) []string {
	old, err := existing(f, path)
	if err != nil {
		return []string{err.Error(), "overwriting it replaces all of it"}
	}
	after, err := f.Decode(data)
	if err != nil {
		return []string{err.Error()}
	}
	changes := rule.Diff(old, after)
	if len(changes) == 0 {
		return []string{"it holds the same rules"}
	}
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.String()
	}
	return lines
}

// united is the preview of the ledger's rules together with a file's.
func united(l *capture.Ledger, f export.Format, path string) previewMsg {
	old, err := existing(f, path)
	if err != nil {
		return previewMsg{err: err}
	}
	list := l.List(false)
	list.Rules = rule.Unite(list.Rules, old)
	return previewOf(list, f)
}
