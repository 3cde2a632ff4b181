package export

import (
	"net/netip"
	"strings"

	"lxd-allowlist/export/rule"
)

// hostPort is where a target reaches an address that it names as a host, without
// a port: where its tunnels go.
var hostPort = rule.Port{Number: 443, Protocol: "tcp"}

// hostAt443 says why an address can't stand among names that have no ports, ""
// if it can.
func hostAt443(at rule.Endpoint) string {
	if !at.Prefix.IsSingleIP() || at.Port != hostPort {
		return "it holds single addresses at 443/tcp, and no others"
	}
	return ""
}

// ipv4At443 is hostAt443 where an address of IPv6 is no host.
func ipv4At443(at rule.Endpoint) string {
	if !at.Prefix.Addr().Is4() || hostAt443(at) != "" {
		return "it holds single addresses of IPv4 at 443/tcp, and no others"
	}
	return ""
}

// ipv4sAt443 is ipv4At443 where prefixes are held, too.
func ipv4sAt443(at rule.Endpoint) string {
	if !at.Prefix.Addr().Is4() || at.Port != hostPort {
		return "it holds addresses of IPv4 at 443/tcp, and no others"
	}
	return ""
}

// singleTCP says why an address can't stand as a host with its port, "" if it
// can.
func singleTCP(at rule.Endpoint) string {
	if !at.Prefix.IsSingleIP() || at.Port.Protocol != "tcp" {
		return "it holds single addresses at ports of TCP, and no others"
	}
	return ""
}

// ipv4TCP is singleTCP where an address of IPv6 is no host.
func ipv4TCP(at rule.Endpoint) string {
	if !at.Prefix.Addr().Is4() || singleTCP(at) != "" {
		return "it holds single addresses of IPv4 at ports of TCP, and no others"
	}
	return ""
}

// anyTCP says why an address can't stand where UDP isn't known, "" if it can.
func anyTCP(at rule.Endpoint) string {
	if at.Port.Protocol != "tcp" {
		return "it holds addresses at ports of TCP, and no others"
	}
	return ""
}

// anyIPv4 says why an address can't stand where IPv6 isn't known, "" if it can.
func anyIPv4(at rule.Endpoint) string {
	if !at.Prefix.Addr().Is4() {
		return "it holds addresses of IPv4, and no others"
	}
	return ""
}

// asHost writes an address as a URL has it, without its port, for a target that
// compares it as it does names: "192.0.2.7", "[2001:db8::7]". Names stay.
func asHost(r rule.Rule) rule.Rule {
	if at, is := r.Endpoint(); is {
		if r.Name = at.Address(); at.Prefix.Addr().Is6() {
			r.Name = "[" + r.Name + "]"
		}
	}
	return r
}

// fromHosts reads what asHost wrote.
func fromHosts(rules []rule.Rule, err error) ([]rule.Rule, error) {
	for i, r := range rules {
		if n := len(r.Name); n == 0 || (r.Name[n-1] < '0' || r.Name[n-1] > '9') && !strings.Contains(r.Name, ":") {
			continue // no address, as nearly always, which an error takes time to tell
		}
		if a, bad := netip.ParseAddr(strings.Trim(r.Name, "[]")); bad == nil && !r.Suffix {
			rules[i].Name = rule.Endpoint{Prefix: netip.PrefixFrom(a, a.BitLen()), Port: hostPort}.String()
		}
	}
	return rules, err
}

// withPorts writes rules as starred does, and addresses with their ports: a
// target that has both tells TCP's alone.
func withPorts(rules []rule.Rule) []string {
	all := make([]string, 0, len(rules))
	for _, r := range rules {
		if _, is := r.Endpoint(); is {
			all = append(all, strings.TrimSuffix(r.Name, "/tcp"))
		} else {
			all = appendStarred(all, r)
		}
	}
	return all
}

// fromPorts reads what withPorts wrote.
func fromPorts(words []string) ([]rule.Rule, error) {
	var addresses []rule.Rule
	patterns := make([]string, 0, len(words))
	for _, w := range words {
		if !strings.Contains(w, ":") { // which an error takes time to tell
			patterns = append(patterns, w)
		} else if at, err := rule.ParseEndpoint(w); err == nil {
			addresses = append(addresses, rule.Rule{Name: at.String()})
		} else {
			patterns = append(patterns, w)
		}
	}
	rules, err := unstarred(patterns)
	return append(rules, addresses...), err
}

// notesBeside writes what is known of a rule as notes does; an address, which the
// line below doesn't name as a rule does, is named.
func (p *page) notesBeside(r rule.Rule) {
	if _, is := r.Endpoint(); is {
		p.remarks([]rule.Rule{r})
		return
	}
	p.notes(r)
}
