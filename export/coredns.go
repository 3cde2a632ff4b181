package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

var coredns = Format{
	Name:      "coredns",
	Title:     "CoreDNS, a Corefile: all other names are NXDOMAIN",
	Extension: "Corefile",
	Exact:     "a server block for h with a view that wants h itself (CoreDNS 1.10 or later)",
	Suffix:    "a server block for h",
	Load:      "coredns -conf FILE; the upstream stands in the block (upstream) and must not be this server itself",
	encode:    encodeCoreDNS,
	decode:    decodeCoreDNS,
}

const corednsBegin = `(upstream) {
    forward . /etc/resolv.conf
}
. {
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`

func encodeCoreDNS(f Format, c Compiled, _ Options) ([]byte, error) {
	p := page{mark: "#"}
	p.head(f, c)
	p.WriteString(corednsBegin)
	for _, r := range c.rules {
		p.notes(r)
		p.WriteString(corednsBlock(r))
	}
	return p.Bytes(), nil
}

// corednsBlock ends its name with the root's dot: "import", bare, is a word of
// the Corefile's own.
func corednsBlock(r Rule) string {
	if r.Suffix {
		return fmt.Sprintf("%s. {\n    import upstream\n}\n", r.Name)
	}
	return fmt.Sprintf("%s. {\n    view exact {\n        expr name() == '%[1]s.'\n    }\n    import upstream\n}\n", r.Name)
}

// decodeCoreDNS reads each block by writing what it should be.
func decodeCoreDNS(data []byte) ([]Rule, error) {
	lines := slices.DeleteFunc(strings.SplitAfter(string(data), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	text, ok := strings.CutPrefix(strings.Join(lines, ""), corednsBegin)
	if !ok {
		return nil, errors.New("all other names are not denied")
	}
	var rules []Rule
	for text != "" {
		name, _, _ := strings.Cut(text, ". {\n")
		r := Rule{Name: name, Suffix: true}
		if strings.HasPrefix(text, corednsBlock(Rule{Name: name})) {
			r.Suffix = false
		}
		if text, ok = strings.CutPrefix(text, corednsBlock(r)); !ok {
			return nil, fmt.Errorf("a block that says something else: %q", name)
		}
		rules = append(rules, r)
	}
	return rules, nil
}
