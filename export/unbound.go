package export

import (
	"errors"
	"fmt"
	"slices"

	"lxd-allowlist/export/rule"
)

var unbound = Format{
	Name:      "unbound",
	Title:     "Unbound, local zones: all other names are NXDOMAIN",
	Extension: "conf",
	Exact:     "as a suffix",
	Suffix:    `local-zone: "h." transparent`,
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "a local zone is a name",
	Widens:    "a local zone allows everything below its name, so that an exact rule does, too; the format rpz holds exact rules for Unbound",
	Load:      "put it into /etc/unbound/unbound.conf.d and reload" + unboundGap,
	Check:     "unbound-checkconf",
	Proven:    tried("unbound"),
	mark:      "#",
	encode:    encodeUnbound,
	decode:    decodeUnbound,
}

// unboundGap is what no local zone can close: those are of the class IN.
const unboundGap = "; queries of class ANY, which no usual program sends, pass whatever the name"

var unboundBegin = []string{"server:", `local-zone: "." always_nxdomain`}

func encodeUnbound(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, l := range unboundBegin {
		p.put(l)
	}
	for _, r := range c.Rules() {
		p.notes(r)
		p.put(`local-zone: "`, r.Name, `." transparent`)
	}
	return p.Bytes(), nil
}

func decodeUnbound(data []byte) ([]rule.Rule, error) {
	lines := contentLines(data, "#")
	n := len(unboundBegin)
	if len(lines) < n || !slices.Equal(lines[:n], unboundBegin) {
		return nil, errors.New("all other names are not denied")
	}
	rules := make([]rule.Rule, 0, len(lines))
	for _, line := range lines[n:] {
		name, ok := between(line, `local-zone: "`, `." transparent`)
		if !ok {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: true})
	}
	return rules, nil
}
