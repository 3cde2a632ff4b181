package export

import (
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
	NoPattern: "its patterns have no repeats and no alternatives",
	Load:      "in dnscrypt-proxy.toml, [allowed_names] allowed_names_file = 'FILE' and [blocked_names] blocked_names_file = a file of two lines, ?* and */* (a line * blocks nothing); names of a single character still go upstream, where there is no such top-level domain",
	Proven:    "asked in dnscrypt-proxy 2.1 (2.1.8, 2.1.18)",
	mark:      "#",
	usage:     dnscryptBlock,
	encode:    encodeDnscrypt,
	decode:    decodeDnscrypt,
}

// dnscryptBlock is the file that blocks all names.
var dnscryptBlock = config(`
?*
*/*
`)

func encodeDnscrypt(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	for _, r := range c.Rules() {
		p.notes(r)
		if r.Suffix {
			p.line("%s", r.Name)
		} else {
			p.line("=%s", r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeDnscrypt(data []byte) ([]rule.Rule, error) {
	rules, err := decodeDotted(data)
	for i := range rules {
		var exact bool
		rules[i].Name, exact = strings.CutPrefix(rules[i].Name, "=")
		rules[i].Suffix = !exact
	}
	return rules, err
}
