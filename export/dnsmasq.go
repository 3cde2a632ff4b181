package export

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

const (
	dnsmasqExact  = "server=/h/# and local=/*.h/: the name alone (dnsmasq 2.86 or later; 2.85 refuses the file)"
	dnsmasqSuffix = "server=/h/#: the name and everything below it"
	dnsmasqCheck  = "dnsmasq --test -C FILE"
	dnsmasqGap    = "; " + DnsmasqLeaks + "; a server=/DOMAIN/ of your own goes on sending all below DOMAIN there"
	// DnsmasqLeaks is what gets past the lines of [DnsmasqLines].
	DnsmasqLeaks = "names that end in another character than a letter, a digit, - or _ still go upstream, where there is no such top-level domain, and so do queries of another opcode or with several questions, which servers there refuse; 2.93 also sends queries of type DS for what is one label below an exact name"
)

// dnsmasqMaxExact leaves room for "*." in the 253 bytes that dnsmasq 2.93 takes
// of a name; older ones take more.
const dnsmasqMaxExact = 251

var dnsmasq = Format{
	Name:      "dnsmasq",
	Title:     "dnsmasq: all other names are NXDOMAIN",
	Extension: "conf",
	Exact:     dnsmasqExact,
	Suffix:    dnsmasqSuffix,
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Load:      "put it into /etc/dnsmasq.d and restart dnsmasq; the upstream servers stay those that it has" + dnsmasqGap,
	Check:     dnsmasqCheck,
	Proven:    tried("dnsmasq"),
	maxExact:  dnsmasqMaxExact,
	mark:      "#",
	encode:    encodeDnsmasq,
	decode:    decodeDnsmasq,
}

var lxdRawDnsmasq = Format{
	Name:      "lxd-raw-dnsmasq",
	Title:     "raw.dnsmasq of an LXD network: all other names are NXDOMAIN",
	Extension: "conf",
	Exact:     dnsmasqExact,
	Suffix:    dnsmasqSuffix,
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Load:      `lxc network set NETWORK raw.dnsmasq=- < FILE; add what raw.dnsmasq holds already; while it is set, LXD runs dnsmasq without AppArmor` + dnsmasqGap,
	Check:     dnsmasqCheck,
	Proven:    tried("lxd-raw-dnsmasq"),
	maxExact:  dnsmasqMaxExact,
	mark:      "#",
	encode:    encodeDnsmasq,
	decode:    decodeDnsmasq,
}

var dnsmasqNftset = Format{
	Name:      "dnsmasq-nftset",
	Title:     "dnsmasq with nftables: all other names are NXDOMAIN, the addresses of these go into sets",
	Extension: "conf",
	Exact:     dnsmasqExact,
	Suffix:    dnsmasqSuffix,
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Load:      "make the sets first (below), put it into /etc/dnsmasq.d and restart dnsmasq; accept them (below, too) in a chain that drops the rest" + dnsmasqGap,
	Check:     dnsmasqCheck,
	Proven:    tried("dnsmasq-nftset"),
	maxExact:  dnsmasqMaxExact,
	mark:      "#",
	usage:     nftUsage,
	encode:    encodeNftset,
	decode:    decodeNftset,
}

// nftSets is where the addresses go. Without the timeout an address would be
// allowed for ever. An answer that names it again doesn't begin its hour anew,
// so that the rules which accept it have to.
const nftSets = "4#inet#egress#allow4,6#inet#egress#allow6"

// nftUsage is what makes the sets and what accepts them.
var nftUsage = []string{
	"nft add table inet egress",
	"nft add set inet egress allow4 '{ type ipv4_addr; flags dynamic,timeout; timeout 1h; }'",
	"nft add set inet egress allow6 '{ type ipv6_addr; flags dynamic,timeout; timeout 1h; }'",
	"ip daddr @allow4 update @allow4 { ip daddr timeout 1h } accept",
	"ip6 daddr @allow6 update @allow6 { ip6 daddr timeout 1h } accept",
	"an address that serves other names, too, is open for them as well",
}

// denyAll is what makes dnsmasq answer NXDOMAIN itself to all that no rule
// allows. Since 2.86 "/#/" loses against any default upstream, hence one
// wildcard for each character that a name can end in; before 2.86 "/#/" is
// what works.
var denyAll = func() []string {
	lines := []string{"address=/#/"}
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789-_" {
		lines = append(lines, fmt.Sprintf("local=/*%c/", c))
	}
	return lines
}()

func encodeDnsmasq(f Format, c rule.Compiled, o Options) ([]byte, error) {
	return dnsmasqFile(f, c, o, func(p *page, r rule.Rule) {}), nil
}

func encodeNftset(f Format, c rule.Compiled, o Options) ([]byte, error) {
	return dnsmasqFile(f, c, o, func(p *page, r rule.Rule) { p.put("nftset=/", r.Name, "/", nftSets) }), nil
}

func dnsmasqFile(f Format, c rule.Compiled, o Options, after func(*page, rule.Rule)) []byte {
	p := headed(f, c, o)
	for _, l := range denyAll {
		p.put(l)
	}
	for _, r := range c.Rules() {
		p.notes(r)
		allowLines(r, p.put)
		after(&p, r)
	}
	return p.Bytes()
}

// allowLines is what has dnsmasq ask of a rule's names as without a list.
func allowLines(r rule.Rule, line func(words ...string)) {
	line("server=/", r.Name, "/#")
	if !r.Suffix {
		line("local=/*.", r.Name, "/")
	}
}

// DnsmasqLines returns the lines by which dnsmasq (2.86 or later) asks the server
// at an address and port, "127.0.0.1#5353", for whatever the rules don't allow.
// The rules are those that the format lxd-raw-dnsmasq holds, see [Format.Hold].
func DnsmasqLines(c rule.Compiled, denier string) []string {
	lines := slices.Clone(denyAll)
	for _, r := range c.Rules() {
		allowLines(r, func(words ...string) { lines = append(lines, strings.Join(words, "")) })
	}
	for i, l := range lines {
		if names, ok := strings.CutPrefix(l, "local="); ok {
			lines[i] = "server=" + names + denier
		}
	}
	return lines
}

func decodeDnsmasq(data []byte) ([]rule.Rule, error) {
	return dnsmasqRules(content(data, "#"), lineCount(data)/2)
}

// dnsmasqRules reads lines of some number of rules.
func dnsmasqRules(lines iter.Seq[string], number int) ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, number)
	denied := 0
	for line := range lines {
		if denied < len(denyAll) {
			if line != denyAll[denied] {
				break
			}
			denied++
			continue
		}
		if name, ok := between(line, "server=/", "/#"); ok {
			rules = append(rules, rule.Rule{Name: name, Suffix: true})
			continue
		}
		name, ok := between(line, "local=/*.", "/")
		last := len(rules) - 1
		if !ok || last < 0 || rules[last].Name != name || !rules[last].Suffix {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		rules[last].Suffix = false
	}
	if denied < len(denyAll) {
		return nil, fmt.Errorf("the lines that deny all other names are not there")
	}
	return rules, nil
}

// decodeNftset reads the file without the nftset lines, and these as a list
// of their own that must name the same.
func decodeNftset(data []byte) ([]rule.Rule, error) {
	sets := make([]string, 0, lineCount(data)/3)
	rules, err := dnsmasqRules(func(yield func(string) bool) {
		for line := range content(data, "#") {
			if name, ok := between(line, "nftset=/", "/"+nftSets); ok {
				sets = append(sets, name)
			} else if !yield(line) {
				return
			}
		}
	}, lineCount(data)/3)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(rules, sets, func(r rule.Rule, name string) bool { return r.Name == name }) {
		return nil, fmt.Errorf("the sets are not filled for the names that are allowed")
	}
	return rules, nil
}
