package export

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"

	"lxd-allowlist/capture/crash/lanes"
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
	rules := c.Rules()
	lines, size := make([]plainLine, len(rules)), 0
	for i, r := range rules {
		lines[i] = plainLineOf(r, i)
		size += len(".") + len(r.Name) + len("\n")
	}
	lanes.Sort("the sorting of lines", lines, func(a, b plainLine) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(rules[a.at].Name, rules[b.at].Name) // a dot is before both, or before none
	})
	data := make([]byte, 0, size)
	for _, l := range lines {
		if rules[l.at].Suffix {
			data = append(data, '.')
		}
		data = append(append(data, rules[l.at].Name...), '\n')
	}
	return data, nil
}

// plainLine is a line to be sorted: the first bytes, after which hardly ever more
// is looked at, and where its rule is.
type plainLine struct {
	head uint64
	at   int
}

func plainLineOf(r rule.Rule, at int) plainLine {
	var first [8]byte
	if r.Suffix {
		first[0] = '.'
		copy(first[1:], r.Name)
	} else {
		copy(first[:], r.Name)
	}
	return plainLine{binary.BigEndian.Uint64(first[:]), at}
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
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, mark) && !yield(line) {
				return
			}
		}
	}
}
