package export

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unsafe"

	"lxd-allowlist/export/rule"
)

var plain = Format{
	Name:      "plain",
	Title:     "a plain list",
	Extension: "txt",
	Exact:     "h",
	Suffix:    ".h",
	Address:   `192.0.2.7:443/tcp`,
	Pattern:   `results<0-99>.h`,
	Load:      "no program reads it as it is; diff and comm it with lists of `LC_ALL=C sort -u`",
	Proven:    "read back line by line",
	mark:      "#",
	encode:    encodePlain,
	decode:    decodeDotted,
	byLine:    true,
}

// encodePlain writes no comments and the order of the bytes: other lists are
// compared with this one.
func encodePlain(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	size := 0
	for _, r := range c.Rules() {
		size += len("."+"\n") + len(r.Name)
	}
	var p page
	p.Grow(size)
	for _, r := range c.ByLine() {
		p.dotted(r)
	}
	return p.Bytes(), nil
}

// decodeDotted reads a list of dotted names, one a line.
func decodeDotted(data []byte) ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, lineCount(data))
	for line := range content(data, "#") {
		if strings.ContainsAny(line, " \t") {
			return nil, fmt.Errorf("more than one word: %q", line)
		}
		rules = append(rules, rule.FromDotted(line))
	}
	return rules, nil
}

// textOf returns a file's text, which is not copied: what is read out of it is a part
// of the data, as [Format.Decode] says.
func textOf(data []byte) string { return unsafe.String(unsafe.SliceData(data), len(data)) }

// lineCount returns how many lines there are.
func lineCount(data []byte) int { return bytes.Count(data, []byte{'\n'}) }

// contentLines returns the lines of content.
func contentLines(data []byte, mark string) []string {
	return slices.AppendSeq(make([]string, 0, lineCount(data)), content(data, mark))
}

// content yields the lines that are neither empty nor comments, without the
// spaces around them.
func content(data []byte, mark string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(textOf(data)) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, mark) && !yield(line) {
				return
			}
		}
	}
}
