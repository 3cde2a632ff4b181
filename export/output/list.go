package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
	"lxd-allowlist/parse/source"
)

// maxList bounds what is read of a list of names.
const maxList = 256 << 20

var errNoList = errors.New("it holds no list of names")

// ReadLists reads files that are lists already, as one: see [ReadList].
func ReadLists(paths []string) (all rule.List, err error) {
	for _, path := range paths {
		list, err := ReadList(path)
		if err != nil {
			return rule.List{}, fmt.Errorf("read list %s: %w", path, err)
		}
		all.Rules = append(all.Rules, list.Rules...)
		all.Doubts = append(all.Doubts, list.Doubts...)
	}
	return all, nil
}

// ReadList reads a file that is a list already: of any format that is written
// here, or names, one a line, as hosts files have them too, and addresses with
// ports. What is none is counted among the list's doubts.
func ReadList(path string) (list rule.List, err error) {
	f, err := os.Open(path)
	if err != nil {
		return list, err
	}
	defer f.Close()
	text, err := source.NewReader(io.LimitReader(f, maxList))
	if err != nil {
		return list, err
	}
	data, err := io.ReadAll(text)
	if err != nil {
		return list, err
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
	if !parse.IsList(data) {
		return list, errNoList
	}
	bad, first, n := 0, 0, 0
	for line := range bytes.Lines(data) {
		n++
		at := rule.Rule{Name: string(bytes.TrimSpace(line))}
		if kind := at.Kind(); kind == "address" || kind == "pattern" {
			list.Rules = append(list.Rules, at)
			continue
		}
		names, blank, ok := parse.ReadListed(line)
		switch {
		case blank:
		case !ok:
			if bad++; bad == 1 {
				first = n
			}
		default:
			for _, name := range names.Names {
				list.Rules = append(list.Rules, rule.Rule{Name: name, Suffix: names.Below, Below: names.Star})
			}
		}
	}
	if bad > 0 {
		list.Doubts = append(list.Doubts, fmt.Sprintf("%s: no name in %s, the first is line %d", path, count(bad, "line"), first))
	}
	return list, nil
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
