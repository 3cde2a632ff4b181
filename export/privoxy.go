package export

import (
	"errors"
	"slices"

	"lxd-allowlist/export/rule"
)

var privoxy = Format{
	Name:      "privoxy",
	Title:     "Privoxy, an actions file",
	Extension: "action",
	Exact:     "h",
	Suffix:    ".h",
	Address:   `192.0.2.7, one at 443/tcp; it opens what a name opens, plain HTTP to it, too (asked in Privoxy 3.0.34)`,
	Pattern:   `PCRE-HOST-PATTERN:^h\.?\z with [0-9]{1,2} for <0-99>, and an alternation for <region>; it wants a Privoxy that was built with pcre-host-patterns, as Debian's is: its own host patterns have no repeats`,
	Hosts:     true,
	Load:      "put it into /etc/privoxy and name it last in the configuration: actionsfile FILE; tunnels go to port 443 alone, plain HTTP to any; where it hands requests to another proxy (forward), http://NAME?.h/ passes below a suffix h, and that proxy may ask NAME",
	Proven:    tried("privoxy"),
	address:   ipv4At443,
	mark:      "#",
	encode:    encodePrivoxy,
	decode:    decodePrivoxy,
}

var privoxyBegin = []string{"{+block{not on the allow-list} +limit-connect{443}}", "/", "{-block}"}

// A pattern's ends ("Privoxy User Manual", 8.4.1). "$" would match before a line
// feed.
const (
	privoxyPattern    = `PCRE-HOST-PATTERN:^`
	privoxyPatternEnd = `\.?\z`
)

func encodePrivoxy(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, l := range privoxyBegin {
		p.put(l)
	}
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.remarks([]rule.Rule{r})
			p.line("%s%s%s", privoxyPattern, series.Extended(), privoxyPatternEnd)
			continue
		}
		p.notesBeside(r)
		p.dotted(asHost(r))
	}
	return p.Bytes(), nil
}

func decodePrivoxy(data []byte) ([]rule.Rule, error) {
	lines := contentLines(data, "#")
	n := len(privoxyBegin)
	if len(lines) < n || !slices.Equal(lines[:n], privoxyBegin) {
		return nil, errors.New("all other names are not denied")
	}
	names := make([]string, 0, len(lines))
	var patterns []rule.Rule
	for _, line := range lines[n:] {
		text, is := between(line, privoxyPattern, privoxyPatternEnd)
		if !is {
			names = append(names, line)
			continue
		}
		r, err := extendedRule(text)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, r)
	}
	return fromHosts(append(undottedAll(names), patterns...), nil)
}
