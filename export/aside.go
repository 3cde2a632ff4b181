package export

import (
	"bytes"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// What the comments begin with that hold a list's patterns and addresses, where
// the target reads these from files of their own.
const (
	asidePattern = "#~ "
	asideAddress = "#@ "
)

// takeAside is the command that makes such a file.
func takeAside(mark, list, to string) string {
	return fmt.Sprintf("sed -n 's/^%s//p' %s > %s", mark, list, to)
}

// isAside reports whether a line is such a comment, of a file that has any.
func (f Format) isAside(line string) bool {
	return f.asides && (strings.HasPrefix(line, asidePattern) || strings.HasPrefix(line, asideAddress))
}

// asidePattern writes a pattern as a comment, where an expression has these ends.
func (p *page) asidePattern(r rule.Rule, series rule.Pattern, before, after string) {
	p.remarks([]rule.Rule{r})
	p.line("%s%s%s%s", asidePattern, before, series.Extended(), after)
}

// asidePatterns reads what asidePattern wrote.
func asidePatterns(data []byte, before, after string) (rules []rule.Rule, err error) {
	if !bytes.Contains(data, []byte(asidePattern)) {
		return nil, nil
	}
	for line := range strings.Lines(textOf(data)) {
		text, is := strings.CutPrefix(strings.TrimSpace(line), asidePattern)
		if !is {
			continue
		}
		bare, ok := between(text, before, after)
		if !ok {
			return nil, fmt.Errorf("an expression without its ends: %q", text)
		}
		r, err := extendedRule(bare)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// asideAddresses reads addresses at [hostPort] out of such comments.
func asideAddresses(data []byte) (rules []rule.Rule, err error) {
	if !bytes.Contains(data, []byte(asideAddress)) {
		return nil, nil
	}
	for line := range strings.Lines(textOf(data)) {
		text, is := strings.CutPrefix(strings.TrimSpace(line), asideAddress)
		if !is {
			continue
		}
		r, err := addressRule(text, hostPort.Protocol, fmt.Sprint(hostPort.Number))
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}
