package export

import (
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// aside begins the comments that hold a list's patterns, where the target reads
// expressions from a file of their own.
const aside = "#~ "

// takeAside is the command that makes that file.
func takeAside(list, patterns string) string {
	return fmt.Sprintf("sed -n 's/^%s//p' %s > %s", aside, list, patterns)
}

// aside writes a pattern as such a comment, where an expression has these ends.
func (p *page) aside(r rule.Rule, series rule.Pattern, before, after string) {
	p.remarks([]rule.Rule{r})
	p.line("%s%s%s%s", aside, before, series.Extended(), after)
}

// asides reads what aside wrote.
func asides(data []byte, before, after string) (rules []rule.Rule, err error) {
	for line := range strings.Lines(string(data)) {
		text, is := strings.CutPrefix(strings.TrimSpace(line), aside)
		if !is {
			continue
		}
		bare, ok := between(text, before, after)
		series, known := rule.FromExtended(bare)
		if !ok || !known {
			return nil, fmt.Errorf("an expression that is no pattern: %q", text)
		}
		rules = append(rules, rule.Rule{Name: series.Text})
	}
	return rules, nil
}
