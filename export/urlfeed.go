package export

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

// A slash ends the host: a firewall that doesn't put one behind an entry without
// it would match more. "*" is one label or more, "^" is one, and neither
// stands within one (Palo Alto's "Guidelines for URL Category Exceptions"). Of a
// list's types each has entries of its own alone ("Formatting Guidelines for an
// External Dynamic List").
var paloAlto = Format{
	Name:      "paloalto-edl",
	Title:     "Palo Alto Networks, an external dynamic list of the type URL List",
	Extension: "txt",
	Exact:     "h/",
	Suffix:    "h/ and *.h/",
	NoAddress: "its entries are compared with the host that a connection names, and one to an address by TLS names none; addresses are a list of another type",
	NoPattern: "its * and ^ stand for whole labels, and not for a part of one",
	Hosts:     true,
	Load:      "serve it by HTTPS and name it under Objects, External Dynamic Lists; as the URL category of a security rule that allows, before one that denies the rest; a model takes so many entries and skips the rest: see List Capacities there",
	Proven:    unproven,
	encode:    encodePaloAlto,
	decode:    decodePaloAlto,
}

func encodePaloAlto(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	return feed(starred(c.Rules()), "/"), nil
}

func decodePaloAlto(data []byte) ([]rule.Rule, error) { return decodeFeed(data, "/") }

// What a line matches in a feed the manual does not say (Fortinet's FortiOS
// Administration Guide, "Domain name threat feed" and "External resources file
// format"); a static domain filter matches what is below a name, too, and names in
// which it stands before other labels (Fortinet's tip on its matching logic). Of
// wildcards a feed has simple ones ("Threat feeds"), and no expressions, which a
// static filter has.
var fortiGate = Format{
	Name:      "fortigate",
	Title:     "FortiGate, a domain name threat feed for the DNS filter",
	Extension: "txt",
	Exact:     "h, which is taken to match the name alone: the manual does not say, and a static filter would let a.h and h.evil.org pass, too: try both before you rely on it",
	Suffix:    "h and *.h",
	NoAddress: "a feed of domains has names alone; addresses are a feed of another kind",
	NoPattern: "its * stands for any characters, and not for digits alone",
	Load:      "serve it by HTTPS and name it as a connector of the type Domain Name (config system external-resource, set type domain); in the DNS filter profile allow its remote category and block all others, Unrated too; up to 7.4.3 a feed has 128K entries or 10 MB, later versions count by model, and each cuts off what is more",
	Check:     "View Entries of the connector",
	Proven:    unproven,
	encode:    encodeFortiGate,
	decode:    decodeFortiGate,
}

func encodeFortiGate(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	return feed(starred(c.Rules()), ""), nil
}

func decodeFortiGate(data []byte) ([]rule.Rule, error) { return decodeFeed(data, "") }

// feed writes patterns, one a line, each with what ends it. There are no
// comments: no manual of a firewall says that it knows them.
func feed(patterns []string, end string) []byte {
	var b bytes.Buffer
	for _, p := range patterns {
		b.WriteString(p + end + "\n")
	}
	return b.Bytes()
}

func decodeFeed(data []byte, end string) ([]rule.Rule, error) {
	patterns := slices.AppendSeq(make([]string, 0, lineCount(data)), strings.Lines(textOf(data)))
	for i, line := range patterns {
		pattern, ok := strings.CutSuffix(strings.TrimSpace(line), end)
		if !ok || pattern == "" || strings.ContainsAny(pattern, " \t/#") {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		patterns[i] = pattern
	}
	return unstarred(patterns)
}
