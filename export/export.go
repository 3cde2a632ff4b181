// Package export turns rules into the files of the software that enforces
// them.
//
//	rule.List --Make--> File --WriteFile--> where it is to go
//	              |
//	              rule.Compile, Hold, Render: encode, decode, compare
package export

import (
	"cmp"
	"maps"
	"slices"

	"lxd-allowlist/export/rule"
)

// Options are what making a file may need beside the list.
type Options struct {
	// Ports are for targets that want some; none means those that a witness saw
	// the names connected to, and 443 and 80 for those of which it isn't known.
	Ports []int
	// Reproducible leaves out what differs from run to run: time, host,
	// session.
	Reproducible bool
	// InPlace allows to use up the list's rules: see [rule.CompileInPlace].
	InPlace bool
	// before is the file that stands in the new one's place, if any.
	before []byte
}

// usualPorts are those of a name of which no other is known.
var usualPorts = []rule.Port{{Number: 443, Protocol: "tcp"}, {Number: 80, Protocol: "tcp"}}

// ports returns the ports of rules that a target of TCP alone has in one place.
func (o Options) ports(rules ...rule.Rule) []int { return numbers(o.portsOf(rules, "tcp")) }

// portsWithUDP is ports for a target that can say UDP, too.
func (o Options) portsWithUDP(rules ...rule.Rule) []rule.Port { return o.portsOf(rules, "tcp", "udp") }

// portsOf returns those that were asked for, which are TCP's, else those of the
// protocols that the rules' names were connected to: the usual ones first, UDP's
// last.
func (o Options) portsOf(rules []rule.Rule, protocols ...string) []rule.Port {
	if len(o.Ports) > 0 {
		asked := make([]rule.Port, len(o.Ports))
		for i, p := range o.Ports {
			asked[i] = rule.Port{Number: uint16(p), Protocol: "tcp"}
		}
		return asked
	}
	if len(rules) == 0 {
		return slices.Clone(usualPorts)
	}
	if len(rules) == 1 && len(seenPorts(rules[0], protocols...)) == 0 {
		return slices.Clone(usualPorts) // as mostly, of formats that name each rule's
	}
	named, usual := make(map[rule.Port]bool), false
	for _, r := range rules {
		ports := seenPorts(r, protocols...)
		usual = usual || len(ports) == 0
		for _, p := range ports {
			named[p] = true
		}
	}
	if usual {
		for _, p := range usualPorts {
			named[p] = true
		}
	}
	place := func(p rule.Port) int {
		switch i := slices.Index(usualPorts, p); {
		case i >= 0:
			return i
		case p.Protocol == "tcp":
			return len(usualPorts)
		}
		return len(usualPorts) + 1
	}
	return slices.SortedFunc(maps.Keys(named), func(a, b rule.Port) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Number, b.Number))
	})
}

// seenPorts returns the ports of the protocols that a rule's names were connected
// to, none where that isn't known for sure.
func seenPorts(r rule.Rule, protocols ...string) (ports []rule.Port) {
	if r.Seen == nil || !r.Seen.Watched {
		return nil
	}
	for _, p := range r.Seen.Ports {
		if p.Number > 0 && slices.Contains(protocols, p.Protocol) {
			ports = append(ports, p)
		}
	}
	return ports
}

// numbers returns those of ports.
func numbers(ports []rule.Port) []int {
	all := make([]int, len(ports))
	for i, p := range ports {
		all[i] = int(p.Number)
	}
	return all
}
