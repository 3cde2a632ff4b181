package export

import (
	"bytes"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// FuzzMerge holds a list that is merged into a file which somebody has edited to
// keep what that says: each rule, with its reason, and no more than that and the
// list. What comes of it can be read and merged again, which changes nothing.
func FuzzMerge(f *testing.F) {
	for i, format := range formats {
		data := golden(f, format)
		f.Add(uint8(i), data[:min(len(data), longestMerge)])
		edited := compile(f, "www.example.com .example.net a.example.edu")
		if data, err := Render(format, edited, Options{}); err == nil {
			f.Add(uint8(i), data)
			f.Add(uint8(i), bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
			if format.mark != "" {
				f.Add(uint8(i), bytes.Replace(data, []byte("www"), []byte("api"), 1))
				at := max(0, bytes.Index(data, []byte("a.example.edu")))
				at = bytes.LastIndexByte(data[:at], '\n') + 1
				f.Add(uint8(i), append(append(bytes.Clone(data[:at]), format.mark+" ask Jo\n"...), data[at:]...))
			}
		}
	}
	fresh := rule.List{Rules: []rule.Rule{{Name: "new.example.org", Reason: "a ticket"}}}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		format := formats[int(i)%len(formats)]
		if len(data) > longestMerge {
			return
		}
		p := present(format, data)
		file, err := p.Merge(fresh, format, Options{Reproducible: true})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: the error has more than one line: %q", format.Name, err)
			}
			return
		}
		merged := present(format, file.Data)
		if merged.Unreadable != nil || len(merged.loose) > 0 {
			t.Fatalf("%s: %q is merged into\n%s, which has %q, %v", format.Name, data, file.Data, merged.loose, merged.Unreadable)
		}
		if lost := rule.Uncovered(p.Rules, merged.Rules); len(lost) > 0 {
			t.Errorf("%s: %v of %q is not in\n%s", format.Name, lost, data, file.Data)
		}
		if more := rule.Uncovered(merged.Rules, append(p.Rules, fresh.Rules...)); len(more) > 0 && format.Widens == "" {
			t.Errorf("%s: %v was neither in %q nor in the list\n%s", format.Name, more, data, file.Data)
		}
		again, err := merged.Merge(fresh, format, Options{Reproducible: true})
		if err != nil {
			t.Fatalf("%s: merged once more: %v\n%s", format.Name, err, file.Data)
		}
		if changes := merged.Changes(again); len(changes) > 0 {
			t.Errorf("%s: merged once more it has %v\n%s", format.Name, changes, file.Data)
		}
	})
}

// longestMerge bounds the files that are merged: longer ones are more of the same.
const longestMerge = 2048

// present is what stands at a path, see [Look].
func present(f Format, data []byte) Present {
	p := Present{Path: "list", Exists: true, Data: data}
	p.Rules, p.loose, p.Unreadable = f.Read(data)
	return p
}
