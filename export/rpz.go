package export

import (
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

var rpz = Format{
	Name:      "rpz",
	Title:     "a response policy zone (BIND, Unbound, PowerDNS): all other names are NXDOMAIN",
	Extension: "zone",
	Exact:     "h passes, *.h does not",
	Suffix:    "h and *.h pass",
	Load:      `BIND: response-policy { zone "rpz"; } qname-wait-recurse no; (else it asks upstream for denied names, too); Unbound: rpz: name: rpz. zonefile: FILE, with module-config: "respip validator iterator"; PowerDNS Recursor: rpzFile("FILE")`,
	Check:     "named-checkzone rpz FILE",
	Proven:    "asked in BIND 9.18, Unbound 1.17 and PowerDNS Recursor 4.8",
	limit:     rpzLimit,
	mark:      ";",
	usage:     []string{"behind the rules stand the names above them, each with all else below it, and at last everything else"},
	encode:    encodeRPZ,
	decode:    decodeRPZ,
}

const (
	rpzPass = "rpz-passthru."
	rpzDeny = "." // NXDOMAIN
)

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

// encodeRPZ denies not only "*": every ancestor of a rule is a node of the
// zone, and what is below a node no longer matches the "*" above it. So each
// ancestor is denied by name, with a "*" of its own.
func encodeRPZ(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	serial := uint32(1)
	if when := c.Header().When; !when.IsZero() {
		serial = uint32(when.Unix())
	}
	p := headed(f, c)
	p.line("$TTL 60")
	p.line("@ IN SOA localhost. root.localhost. %d 3600 600 86400 60", serial)
	p.line("@ IN NS localhost.")
	node := func(name, apex, below string) {
		p.line("%s CNAME %s", name, apex)
		p.line("*.%s CNAME %s", name, below)
	}
	done := make(map[string]bool)
	for _, r := range c.Rules() {
		done[r.Name] = true
		p.notes(r)
		if r.Suffix {
			node(r.Name, rpzPass, rpzPass)
		} else {
			node(r.Name, rpzPass, rpzDeny)
		}
	}
	for _, r := range c.Rules() {
		for up := rule.Parent(r.Name); up != "" && !done[up]; up = rule.Parent(up) {
			done[up] = true
			node(up, rpzDeny, rpzDeny)
		}
	}
	p.line("* CNAME %s", rpzDeny)
	return p.Bytes(), nil
}

func decodeRPZ(data []byte) ([]rule.Rule, error) {
	nodes := make(map[string]string)
	var order []string
	for line := range content(data, ";") {
		owner, target, ok := strings.Cut(line, " CNAME ")
		switch {
		case !ok && (strings.HasPrefix(owner, "@ IN ") || strings.HasPrefix(owner, "$TTL ")):
			continue
		case !ok || nodes[owner] != "":
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		nodes[owner] = target
		order = append(order, owner)
	}
	if nodes["*"] != rpzDeny {
		return nil, errors.New("all other names are not denied")
	}
	var rules []rule.Rule
	for _, name := range order {
		if name == "*" {
			continue
		}
		if below, star := strings.CutPrefix(name, "*."); star {
			if nodes[below] == "" {
				return nil, fmt.Errorf("%q stands alone", name)
			}
			continue
		}
		switch both := nodes[name] + " " + nodes["*."+name]; both {
		case rpzPass + " " + rpzDeny:
			rules = append(rules, rule.Rule{Name: name})
		case rpzPass + " " + rpzPass:
			rules = append(rules, rule.Rule{Name: name, Suffix: true})
		case rpzDeny + " " + rpzDeny:
		default:
			return nil, fmt.Errorf("%q has the targets %q", name, both)
		}
		if up := rule.Parent(name); up != "" && nodes[up] == "" {
			return nil, fmt.Errorf("%q is above %q and not denied", up, name)
		}
	}
	return rules, nil
}
