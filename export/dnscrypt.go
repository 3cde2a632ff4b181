package export

import (
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// The list makes exceptions from a block of all names, which is a file of its
// own (dnscrypt-proxy's manual, "Filters" and the two example files). There a
// bare * is no pattern, and * in the midst of one stops at a slash, which a
// query may hold.
var dnscrypt = Format{
	Name:      "dnscrypt-proxy",
	Title:     "dnscrypt-proxy, a file of allowed names: all other names are refused",
	Extension: "txt",
	Exact:     "=h",
	Suffix:    "h",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Pattern:   "a line for each length of each number, with [0-9] for each digit, 64 at most; they have no alternatives, and thus no <region>",
	Load:      "in dnscrypt-proxy.toml, [allowed_names] allowed_names_file = 'FILE' and [blocked_names] blocked_names_file = a file of two lines, ?* and */* (a line * blocks nothing); names of a single character still go upstream, where there is no such top-level domain",
	Proven:    "asked in dnscrypt-proxy 2.1 (2.1.8, 2.1.18)",
	pattern:   globsAlone,
	mark:      "#",
	asides:    true,
	usage:     dnscryptBlock,
	encode:    encodeDnscrypt,
	decode:    decodeDnscrypt,
}

// dnscryptBlock is the file that blocks all names.
var dnscryptBlock = config(`
?*
*/*
`)

// globsAlone says why a pattern is none for a matcher of shell's globs, "" if it
// is one.
func globsAlone(p rule.Pattern) string {
	if p.Globs() == nil {
		return "its patterns have classes of digits and no alternatives such as regions, and 64 lines are the most for one"
	}
	return ""
}

func encodeDnscrypt(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.remarks([]rule.Rule{r})
			p.line("%s%s", asidePattern, series.Text) // which its lines don't tell from two shorter ones
			for _, glob := range series.Globs() {
				p.put(glob)
			}
			continue
		}
		p.notes(r)
		if r.Suffix {
			p.put(r.Name)
		} else {
			p.put("=", r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeDnscrypt(data []byte) ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, lineCount(data))
	var globs []string // of the last pattern, which are to come
	for line := range strings.Lines(textOf(data)) {
		line = strings.TrimSpace(line)
		text, aside := strings.CutPrefix(line, asidePattern)
		switch {
		case line == "" || !aside && strings.HasPrefix(line, "#"):
		case len(globs) > 0 && line == globs[0]:
			globs = globs[1:]
		case len(globs) > 0 || strings.ContainsAny(line, " []?*") && !aside:
			return nil, fmt.Errorf("a line that says something else: %q", line)
		case aside:
			series, ok := rule.ParsePattern(text)
			if globs = series.Globs(); !ok || globs == nil {
				return nil, fmt.Errorf("a line that is no pattern of numbers: %q", line)
			}
			rules = append(rules, rule.Rule{Name: series.Text})
		default:
			r := rule.FromDotted(line)
			name, exact := strings.CutPrefix(r.Name, "=")
			rules = append(rules, rule.Rule{Name: name, Suffix: !exact})
		}
	}
	if len(globs) > 0 {
		return nil, fmt.Errorf("a pattern without its line %q", globs[0])
	}
	return rules, nil
}
