package export

import (
	"errors"
	"fmt"

	"lxd-allowlist/export/rule"
)

var adguard = Format{
	Name:      "adguard",
	Title:     "AdGuard Home, filtering rules",
	Extension: "txt",
	Exact:     "@@|h^",
	Suffix:    "@@||h^",
	Pattern:   "@@/^h$/ with [0-9]{1,2} for <0-99>, and an alternation for <region>",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Load:      "add it as a DNS blocklist by its path or URL (as an allowlist it would allow everything), or paste it under custom filtering rules",
	Proven:    "asked in urlfilter 0.22.1, the engine of AdGuard Home",
	mark:      "!",
	encode:    encodeAdGuard,
	decode:    decodeAdGuard,
}

// adguardDeny blocks every name; a bare * blocks none.
const (
	adguardDeny       = "||*^"
	adguardPattern    = "@@/^"
	adguardPatternEnd = "$/"
)

func encodeAdGuard(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.put(adguardDeny)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.remarks([]rule.Rule{r})
			p.line("%s%s%s", adguardPattern, series.Extended(), adguardPatternEnd)
			continue
		}
		p.notes(r)
		if r.Suffix {
			p.put("@@||", r.Name, "^")
		} else {
			p.put("@@|", r.Name, "^")
		}
	}
	return p.Bytes(), nil
}

func decodeAdGuard(data []byte) ([]rule.Rule, error) {
	lines := contentLines(data, "!")
	if len(lines) == 0 || lines[0] != adguardDeny {
		return nil, errors.New("all other names are not denied")
	}
	rules := make([]rule.Rule, 0, len(lines))
	for _, line := range lines[1:] {
		if text, is := between(line, adguardPattern, adguardPatternEnd); is {
			r, err := extendedRule(text)
			if err != nil {
				return nil, err
			}
			rules = append(rules, r)
			continue
		}
		name, suffix := between(line, "@@||", "^")
		if !suffix {
			var exact bool
			if name, exact = between(line, "@@|", "^"); !exact {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return rules, nil
}
