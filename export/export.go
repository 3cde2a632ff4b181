// Package export turns rules into the files of the software that enforces
// them.
//
//	rule.List --Make--> File --WriteFile--> where it is to go
//	              |
//	              rule.Compile, Hold, Render: encode, decode, compare
package export

import (
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
var usualPorts = []int{443, 80}

// ports returns the ports of rules that a target has in one place: those that
// were asked for, else those of TCP that were seen.
func (o Options) ports(rules ...rule.Rule) []int {
	if len(o.Ports) > 0 {
		return o.Ports
	}
	named := make(map[int]bool)
	for _, r := range rules {
		for _, port := range seenPorts(r) {
			named[port] = true
		}
	}
	var all []int
	for _, port := range usualPorts {
		if named[port] || len(rules) == 0 {
			all = append(all, port)
			delete(named, port)
		}
	}
	return append(all, slices.Sorted(maps.Keys(named))...)
}

// seenPorts returns the ports of TCP that a rule's names were connected to, or
// the usual ones where that isn't known for sure.
func seenPorts(r rule.Rule) (ports []int) {
	if r.Seen != nil && r.Seen.Watched {
		for _, p := range r.Seen.Ports {
			if p.Protocol == "tcp" && p.Number > 0 {
				ports = append(ports, int(p.Number))
			}
		}
	}
	if len(ports) == 0 {
		return usualPorts
	}
	return ports
}
