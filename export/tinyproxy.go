package export

import (
	"fmt"

	"lxd-allowlist/export/rule"
)

var tinyproxy = Format{
	Name:      "tinyproxy",
	Title:     "tinyproxy, a filter of extended regular expressions",
	Extension: "filter",
	Exact:     `^h\.?$`,
	Suffix:    `(^|\.)h\.?$`,
	Address:   `^192\.0\.2\.7\.?$, one at 443/tcp; it opens what a name opens, plain HTTP to it, too (asked in tinyproxy 1.11.1)`,
	Pattern:   `^h\.?$ with [0-9]{1,2} for <0-99>, and an alternation for <region>`,
	Hosts:     true,
	Load:      `Filter "FILE", FilterType ere, FilterDefaultDeny Yes, FilterURLs Off, ConnectPort 443; tinyproxy 1.11 or later, for 1.10 does not know FilterType and refuses to start; tunnels go to that port alone, plain HTTP to any`,
	Proven:    tried("tinyproxy"),
	address:   ipv4At443,
	mark:      "#",
	encode:    encodeTinyproxy,
	decode:    decodeTinyproxy,
}

const (
	ereExact  = `^`
	ereSuffix = `(^|\.)`
	ereEnd    = `\.?$` // a host may be written with the root's dot
)

func encodeTinyproxy(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.remarks([]rule.Rule{r})
			p.line("%s%s%s", ereExact, series.Extended(), ereEnd)
			continue
		}
		p.notesBeside(r)
		begin := ereExact
		if r.Suffix {
			begin = ereSuffix
		}
		p.put(begin, quotedMeta(asHost(r).Name), ereEnd)
	}
	return p.Bytes(), nil
}

func decodeTinyproxy(data []byte) ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, lineCount(data))
	for line := range content(data, "#") {
		quoted, suffix := between(line, ereSuffix, ereEnd)
		if !suffix {
			var exact bool
			if quoted, exact = between(line, ereExact, ereEnd); !exact {
				return nil, fmt.Errorf("an expression without its ends: %q", line)
			}
		}
		name, bare := unquotedMeta(quoted)
		if !bare {
			series, is := rule.FromExtended(quoted)
			if !is || suffix {
				return nil, fmt.Errorf("an expression that is more than a name: %q", line)
			}
			name = series.Text
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return fromHosts(rules, nil)
}
