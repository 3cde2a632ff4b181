package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var coredns = Format{
	Name:      "coredns",
	Title:     "CoreDNS, a Corefile: all other names are NXDOMAIN",
	Extension: "Corefile",
	Exact:     "h in the list of a view (CoreDNS 1.10 or later)",
	Suffix:    "h before the block that allows",
	Pattern:   "name() matches '^h[.]$' in a view, with [0-9]{1,2} for <0-99>, and an alternation for <region>",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Load:      "coredns -conf FILE; the upstream stands in the block (upstream) and must not be this server itself",
	Proven:    "asked in CoreDNS 1.15",
	mark:      "#",
	encode:    encodeCoreDNS,
	decode:    decodeCoreDNS,
}

const (
	corednsBegin = `(upstream) {
    forward . /etc/resolv.conf
}
`
	corednsViewEnd = `
        ]"
    }
    import upstream
}
`
	corednsPatternsBegin = `. {
    view patterns {
        expr "
            `
	corednsPattern     = "name() matches '^"
	corednsPatternEnd  = "[.]$'"
	corednsOr          = " or\n            "
	corednsPatternsEnd = `
        "
    }
    import upstream
}
`
	corednsSuffixEnd = ` {
    import upstream
}
`
	corednsEnd = `. {
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`
)

// corednsView bounds the names of a view: CoreDNS takes no expression of more
// than 10,000 parts. Of patterns nobody has thousands; an expression of too many
// is refused when CoreDNS starts.
const corednsView = 5000

// encodeCoreDNS has few blocks, for CoreDNS takes the square of their number
// to start. The names end with the root's dot: "import", bare, is a word of
// the Corefile's own.
func encodeCoreDNS(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.remarks(c.Rules())
	p.WriteString(corednsBegin)
	var exact, suffix, patterns []string
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			patterns = append(patterns, corednsPattern+strings.ReplaceAll(series.Extended(), `\.`, "[.]")+corednsPatternEnd)
		} else if r.Suffix {
			suffix = append(suffix, r.Name+".")
		} else {
			exact = append(exact, "            '"+r.Name+".'")
		}
	}
	n := 0
	for names := range slices.Chunk(exact, corednsView) {
		n++
		p.WriteString(corednsViewBegin(n) + strings.Join(names, ",\n") + corednsViewEnd)
	}
	if len(patterns) > 0 {
		p.WriteString(corednsPatternsBegin + strings.Join(patterns, corednsOr) + corednsPatternsEnd)
	}
	if len(suffix) > 0 {
		p.WriteString(strings.Join(suffix, ",\n") + corednsSuffixEnd)
	}
	p.WriteString(corednsEnd)
	return p.Bytes(), nil
}

func corednsViewBegin(n int) string {
	return fmt.Sprintf(". {\n    view exact-%d {\n        expr \"name() in [\n", n)
}

func decodeCoreDNS(data []byte) ([]rule.Rule, error) {
	lines := slices.DeleteFunc(strings.SplitAfter(textOf(data), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	text, ok := between(strings.Join(lines, ""), corednsBegin, corednsEnd)
	if !ok {
		return nil, errors.New("all other names are not denied")
	}
	rules := make([]rule.Rule, 0, len(lines))
	add := func(list, before, after string, suffix bool) error {
		for word := range strings.SplitSeq(list, ",\n") {
			name, ok := between(word, before, after)
			if !ok || strings.ContainsAny(name, " \n'") {
				return fmt.Errorf("a line that says something else: %q", word)
			}
			rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
		}
		return nil
	}
	for n := 1; ; n++ {
		rest, ok := strings.CutPrefix(text, corednsViewBegin(n))
		if !ok {
			break
		}
		list, after, ok := strings.Cut(rest, corednsViewEnd)
		if !ok {
			return nil, errors.New("a view without an end")
		}
		if err := add(list, "            '", ".'", false); err != nil {
			return nil, err
		}
		text = after
	}
	if rest, ok := strings.CutPrefix(text, corednsPatternsBegin); ok {
		list, after, ok := strings.Cut(rest, corednsPatternsEnd)
		if !ok {
			return nil, errors.New("the patterns don't end as they should")
		}
		for word := range strings.SplitSeq(list, corednsOr) {
			bare, ok := between(word, corednsPattern, corednsPatternEnd)
			series, known := rule.FromExtended(strings.ReplaceAll(bare, "[.]", `\.`))
			if !ok || !known {
				return nil, fmt.Errorf("an expression that is no pattern: %q", word)
			}
			rules = append(rules, rule.Rule{Name: series.Text})
		}
		text = after
	}
	if text == "" {
		return rules, nil
	}
	list, ok := strings.CutSuffix(text, corednsSuffixEnd)
	if !ok {
		return nil, errors.New("the suffixes don't end as they should")
	}
	return rules, add(list, "", ".", true)
}
