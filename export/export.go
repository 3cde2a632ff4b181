// Package export turns rules into the files of the software that enforces
// them.
//
//	rule.List --Make--> File --WriteFile--> where it is to go
//	              |
//	              rule.Compile, Hold, Render: encode, decode, compare
package export

// Options are what making a file may need beside the list.
type Options struct {
	Ports []int // for targets that want some; none means 443 and 80
	// Reproducible leaves out what differs from run to run: time, host,
	// session.
	Reproducible bool
	// before is the file that stands in the new one's place, if any.
	before []byte
}

func (o Options) ports() []int {
	if len(o.Ports) == 0 {
		return []int{443, 80}
	}
	return o.Ports
}
