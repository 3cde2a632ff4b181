package export

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// "*" is a label, or stands in the first one, and "**" is one or more labels; an
// endpoint wants its port, and an entry the programs that may reach it: here, all
// (OpenShell's documentation, "Policy Schema Reference"). An address is a host as
// a name is, "Endpoint Object" there.
var openshell = Format{
	Name:      "openshell",
	Title:     "NVIDIA OpenShell, the network policy of a sandbox",
	Extension: "yaml",
	Exact:     "host: h for each port",
	Suffix:    `host: h and host: "**.h" for each port`,
	Address:   `host: "192.0.2.7" with its port, one of IPv4 at a port of TCP; a private one passes, too`,
	NoPattern: "its * stands for any characters of a label, and not for digits alone",
	Hosts:     true,
	Load:      "openshell policy set SANDBOX --policy FILE, with the parts filesystem_policy, landlock and process of yours before it; narrow binaries to the programs that need the network; what matches ** must not lead to private addresses, or it is denied",
	Ports:     true,
	NoUDP:     "its proxy takes TCP alone",
	Proven:    "by no software: what its file means is read in the source of OpenShell of August 2026; not asked",
	address:   ipv4TCP,
	mark:      "#",
	port:      regexp.MustCompile(`port: (\d+)`),
	encode:    encodeOpenShell,
	decode:    decodeOpenShell,
}

// openshellAll is a pattern for every program's path.
const openshellAll = "/**"

func encodeOpenShell(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.line("version: 1")
	if c.Len() == 0 {
		p.line("network_policies: {}")
		return p.Bytes(), nil
	}
	p.line("network_policies:")
	p.line("  allowlist:")
	p.line("    name: lxd-allowlist")
	p.line("    endpoints:")
	for _, r := range c.Rules() {
		p.notesBeside(r)
		if at, is := r.Endpoint(); is {
			p.openshellHost(at.Address(), []int{int(at.Port.Number)})
			continue
		}
		ports := o.ports(r)
		p.openshellHost(r.Name, ports)
		if r.Suffix {
			p.openshellHost("**."+r.Name, ports)
		}
	}
	p.line("    binaries:")
	p.line("      - {path: %s}", quoted(openshellAll))
	return p.Bytes(), nil
}

func (p *page) openshellHost(host string, ports []int) {
	host = quoted(host)
	for _, port := range ports {
		p.put("      - {host: ", host, ", port: ", strconv.Itoa(port), "}")
	}
}

type openshellPolicy struct {
	Version  int
	Policies map[string]*struct {
		Name      string
		Endpoints []endpoint
		Binaries  []struct{ Path string }
	} `yaml:"network_policies"`
}

var openshellList = longList[openshellPolicy, endpoint]{
	before: "    endpoints:", item: openshellEndpoint, stand: `      - {host: "` + standIn + `", port: 1}`,
	of: func(p *openshellPolicy) *[]endpoint {
		for _, policy := range p.Policies {
			if policy != nil && len(p.Policies) == 1 {
				return &policy.Endpoints
			}
		}
		return nil
	},
}

// openshellEndpoint reads a line of the file that is one endpoint. A number that
// begins with 0 is octal to YAML.
func openshellEndpoint(line string) (e endpoint, ok bool) {
	line, port, ok := strings.Cut(line, `", port: `)
	digits, closed := strings.CutSuffix(port, "}")
	host, begins := strings.CutPrefix(line, `      - {host: "`)
	number, err := strconv.ParseUint(digits, 10, 16)
	return endpoint{Host: host, Port: int(number)}, ok && closed && begins && isPlain(host) && err == nil && digits[0] != '0'
}

func decodeOpenShell(data []byte) ([]rule.Rule, error) {
	one, err := openshellList.one(data)
	if err != nil {
		return nil, err
	}
	d := one.doc
	if d.Version != 1 || d.Policies == nil || len(d.Policies) > 1 {
		return nil, errors.New("not one network policy of version 1")
	}
	var patterns []string
	var addresses []rule.Rule
	for _, p := range d.Policies {
		if p == nil || len(p.Binaries) != 1 || p.Binaries[0].Path != openshellAll {
			return nil, errors.New("a policy for some programs only")
		}
		named := slices.DeleteFunc(one.items, func(e endpoint) bool {
			if n := len(e.Host); n == 0 || e.Host[n-1] < '0' || e.Host[n-1] > '9' {
				return false // no address of IPv4
			}
			to, err := netip.ParseAddrPort(fmt.Sprintf("%s:%d", e.Host, e.Port))
			if err == nil {
				addresses = append(addresses, rule.Rule{Name: rule.EndpointOf(to, "tcp").String()})
			}
			return err == nil
		})
		if patterns, err = hosts(named); err != nil {
			return nil, err
		}
	}
	for i, p := range patterns {
		if name, recursive := strings.CutPrefix(p, "**."); recursive {
			patterns[i] = "*." + name
		}
	}
	rules, err := unstarred(patterns)
	return append(rules, addresses...), err
}
