// Package export turns rules into the files of the software that enforces
// them.
//
//	rule.List --rule.Compile--> rule.Compiled --Render--> bytes --WriteFile--> file
//	                                             |
//	                                             encode, decode, compare
package export

// Options are what a format may need beside the names.
type Options struct {
	Ports []int // for targets that want some; none means 443 and 80
}

func (o Options) ports() []int {
	if len(o.Ports) == 0 {
		return []int{443, 80}
	}
	return o.Ports
}
