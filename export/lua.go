package export

import (
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// luaParts are what stands in a file of Lua before the strings of each kind, and
// behind the last, and how a pattern is written as one and read.
type luaParts struct {
	exact, suffix, pattern, end string
	write                       func(rule.Pattern) string
	read                        func(string) (rule.Pattern, bool)
}

// file writes each rule as a string of a table. The root's dot ends a name.
func (l luaParts) file(f Format, c rule.Compiled, o Options) []byte {
	p := headed(f, c, o)
	list := func(kind string) {
		for _, r := range c.Rules() {
			if r.Kind() != kind {
				continue
			}
			if series, is := r.Pattern(); is {
				p.remarks([]rule.Rule{r})
				p.line("  '%s',", l.write(series))
			} else {
				p.notes(r)
				p.put("  '", r.Name, ".',")
			}
		}
	}
	p.put(l.exact)
	list("exact")
	p.put(l.suffix)
	list("suffix")
	p.put(l.pattern)
	list("pattern")
	p.put(l.end)
	return p.Bytes()
}

// rules reads what file wrote.
func (l luaParts) rules(data []byte) ([]rule.Rule, error) {
	var text strings.Builder
	text.Grow(len(data))
	for line := range content(data, "--") {
		text.WriteString(line)
		text.WriteByte('\n')
	}
	lists, whole := between(text.String(), l.exact+"\n", l.end+"\n")
	exact, rest, parted := strings.Cut(lists, l.suffix+"\n")
	suffix, patterns, partedToo := strings.Cut(rest, l.pattern+"\n")
	if !whole || !parted || !partedToo {
		return nil, errors.New("all other names are not denied")
	}
	rules := make([]rule.Rule, 0, lineCount(data))
	for i, list := range []string{exact, suffix} {
		for line := range strings.Lines(list) {
			name, ok := between(line, "'", ".',\n")
			if !ok || strings.Contains(name, "'") {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
			rules = append(rules, rule.Rule{Name: name, Suffix: i == 1})
		}
	}
	for line := range strings.Lines(patterns) {
		text, ok := between(line, "'", "',\n")
		series, known := l.read(text)
		if !ok || !known {
			return nil, fmt.Errorf("an expression that is no pattern: %q", line)
		}
		rules = append(rules, rule.Rule{Name: series.Text})
	}
	return rules, nil
}
