package export

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

var rpz = Format{
	Name:      "rpz",
	Title:     "a response policy zone (BIND, Unbound, PowerDNS): all other names are NXDOMAIN",
	Extension: "zone",
	Exact:     "h passes, *.h does not",
	Suffix:    "h and *.h pass",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Load:      `BIND: response-policy { zone "rpz"; } qname-wait-recurse no break-dnssec yes; (without the first it asks upstream for denied names, too; without the second it does so for all who set DO, and answers them what is signed); Unbound 1.17 or later (1.13 lets all top-level domains without a rule pass, and up to 1.17 queries of class ANY do, which no usual program sends): rpz: name: rpz. zonefile: FILE, with module-config: "respip validator iterator"; PowerDNS Recursor: rpzFile("FILE") in the Lua configuration, or in recursor.yml of 5.1 and later (5.0 takes no zones from it) recursor: {rpzs: [{name: FILE}]}`,
	Check:     "named-checkzone rpz FILE",
	Proven:    tried("rpz"),
	limit:     rpzLimit,
	maxExact:  rpzMaxExact,
	mark:      ";",
	usage:     []string{"behind the rules stand the names above them, each with all else below it, and at last everything else"},
	encode:    encodeRPZ,
	decode:    decodeRPZ,
}

const (
	rpzPass = "rpz-passthru."
	rpzDeny = "." // NXDOMAIN
)

// rpzMaxExact keeps what is below an exact rule from being taken for it: BIND
// takes labels off the front of a name until the zone's name, "rpz.", has room
// behind it in 255 bytes, 68 at most.
const rpzMaxExact = 253 - 68

// rpzMaxName leaves room, in the 255 bytes of a name on the wire, for "*."
// before it and for the zone's name "rpz." behind it.
const rpzMaxName = 247

func rpzLimit(r rule.Rule) string {
	if len(r.Name) > rpzMaxName {
		return fmt.Sprintf("it takes names of %d bytes at most", rpzMaxName)
	}
	if last := r.Name[strings.LastIndex(r.Name, ".")+1:]; strings.HasPrefix(last, "rpz-") {
		return "names that end in " + last + " mean something else in a policy zone"
	}
	return ""
}

func encodeRPZ(f Format, c rule.Compiled, o Options) ([]byte, error) {
	f.Load += unboundsOwn(c.Rules())
	if when := c.Header().When; !when.IsZero() {
		return zone(f, c, o, uint32(when.Unix())), nil
	}
	// Without a time the serial goes on from the file's that is replaced, or
	// nobody who takes the zone from a server would learn that it has changed.
	before := serialOf(o.before)
	data := zone(f, c, o, before)
	if before > 0 && bytes.Equal(data, o.before) {
		return o.before, nil
	}
	serial := func(n uint32) []byte { return fmt.Appendf(nil, "\n"+soa+"%d ", n) }
	return bytes.Replace(data, serial(before), serial(before+1), 1), nil
}

const soa = "@ IN SOA localhost. root.localhost. "

// serialOf returns the serial of a zone, 0 for none.
func serialOf(data []byte) uint32 {
	for line := range bytes.Lines(data) { // nearly the first
		if fields, ok := strings.CutPrefix(string(bytes.TrimSpace(line)), soa); ok {
			number, _, _ := strings.Cut(fields, " ")
			serial, _ := strconv.ParseUint(number, 10, 32) // 0, then
			return uint32(serial)
		}
	}
	return 0
}

// unboundZones are those that Unbound answers by itself, before any policy.
var unboundZones = []string{"home.arpa", "invalid", "localhost", "onion", "resolver.arpa", "service.arpa", "test"}

// unboundsOwn says how Unbound is made to ask for the names on the list that it
// answers by itself.
func unboundsOwn(rules []rule.Rule) string {
	answered := make([]bool, len(unboundZones))
	for _, r := range rules {
		for i, zone := range unboundZones {
			if strings.HasSuffix(r.Name, zone) && strings.HasSuffix("."+r.Name, "."+zone) {
				answered[i] = true
			}
		}
	}
	var lines []string
	for i, zone := range unboundZones {
		if answered[i] {
			lines = append(lines, fmt.Sprintf("local-zone: %q nodefault", zone+"."))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "; Unbound answers some names of this list by itself unless it has, in server:, " + strings.Join(lines, " ")
}

// zone denies not only "*": every ancestor of a rule is a node of the zone, and
// what is below a node no longer matches the "*" above it. So each ancestor is
// denied by name, with a "*" of its own.
func zone(f Format, c rule.Compiled, o Options, serial uint32) []byte {
	p := headed(f, c, o)
	p.line("$TTL 60")
	p.line(soa+"%d 3600 600 86400 60", serial)
	p.line("@ IN NS localhost.")
	node := func(name, apex, below string) {
		p.put(name, " CNAME ", apex)
		p.put("*.", name, " CNAME ", below)
	}
	done := above(c.Rules())
	for _, r := range c.Rules() {
		if _, above := done[r.Name]; above {
			done[r.Name] = true
		}
		p.notes(r)
		if r.Suffix {
			node(r.Name, rpzPass, rpzPass)
		} else {
			node(r.Name, rpzPass, rpzDeny)
		}
	}
	last := ""
	for _, r := range c.Rules() {
		parent := rule.Parent(r.Name)
		if parent == last { // as of those before it
			continue
		}
		last = parent
		for up := parent; up != "" && !done[up]; up = rule.Parent(up) {
			done[up] = true
			node(up, rpzDeny, rpzDeny)
		}
	}
	p.line("* CNAME %s", rpzDeny)
	return p.Bytes()
}

// above returns the names above the rules.
func above(rules []rule.Rule) map[string]bool {
	all, last := make(map[string]bool), ""
	for _, r := range rules {
		parent := rule.Parent(r.Name)
		if parent == last { // as of those before it
			continue
		}
		last = parent
		for up := parent; up != ""; up = rule.Parent(up) {
			if _, known := all[up]; known {
				break
			}
			all[up] = false
		}
	}
	return all
}

func decodeRPZ(data []byte) ([]rule.Rule, error) {
	nodes := make([]rpzNode, 0, lineCount(data)/2)
	at := standingOf(lineCount(data)/2+1, func(i int) string { return nodes[i].name })
	for line := range content(data, ";") {
		owner, target, ok := strings.Cut(line, " CNAME ")
		if !ok && (strings.HasPrefix(owner, "@ IN ") || strings.HasPrefix(owner, "$TTL ")) {
			continue
		}
		name, below := strings.CutPrefix(owner, "*.")
		i := len(nodes) - 1
		if i < 0 || nodes[i].name != name { // of its line before, as nearly always for what is below
			i = at.put(name, len(nodes))
			if i == len(nodes) {
				nodes = append(nodes, rpzNode{name: name})
			}
		}
		to := &nodes[i].apex
		if below {
			to = &nodes[i].below
		}
		if !ok || *to != "" {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		*to = target
	}
	if i, known := at.at("*"); !known || nodes[i].apex != rpzDeny {
		return nil, errors.New("all other names are not denied")
	}
	rules := make([]rule.Rule, 0, len(nodes))
	last := ""
	for _, n := range nodes {
		switch {
		case n.name == "*" && n.below == "":
			continue
		case n.apex == "":
			return nil, fmt.Errorf("%q stands alone", "*."+n.name)
		case n.apex == rpzPass && n.below == rpzDeny:
			rules = append(rules, rule.Rule{Name: n.name})
		case n.apex == rpzPass && n.below == rpzPass:
			rules = append(rules, rule.Rule{Name: n.name, Suffix: true})
		case n.apex != rpzDeny || n.below != rpzDeny:
			return nil, fmt.Errorf("%q has the targets %q", n.name, n.apex+" "+n.below)
		}
		up := rule.Parent(n.name)
		if up == "" || up == last {
			continue
		}
		if _, known := at.at(up); !known {
			return nil, fmt.Errorf("%q is above %q and not denied", up, n.name)
		}
		last = up
	}
	return rules, nil
}

// rpzNode is a name of a zone: the targets of its own, and of what is below it.
type rpzNode struct{ name, apex, below string }
