package packet

import (
	"net/netip"
	"time"
)

// Flow is who sends to whom, by one protocol.
type Flow struct{ From, To netip.AddrPort }

// ends is a flow in bytes alone, IPv4 by its IPv6 form: a map finds it in less
// time and holds it in less room.
type ends struct {
	from, to         [16]byte
	fromPort, toPort uint16
}

func (f Flow) ends() ends {
	return ends{f.From.Addr().As16(), f.To.Addr().As16(), f.From.Port(), f.To.Port()}
}

// Flows is what is known of the latest flows: of Most at least and twice as
// many at most. What was used longest ago goes first, told to Drop.
type Flows[V any] struct {
	Most int
	Idle time.Duration // what wasn't used for so long may go, for twice as long it does; 0 for never
	Drop func(V)

	since       time.Time
	now, before map[ends]V // what was used of late, and what was used only before that
}

// Get returns what is known of a flow, which is used so.
func (f *Flows[V]) Get(flow Flow, at time.Time) (v V, ok bool) {
	f.turn(at)
	k := flow.ends()
	if v, ok = f.now[k]; ok {
		return v, true
	}
	if v, ok = f.before[k]; ok {
		delete(f.before, k)
		f.now[k] = v
	}
	return v, ok
}

// Put keeps something of a flow of which nothing is known.
func (f *Flows[V]) Put(flow Flow, v V, at time.Time) {
	f.turn(at)
	f.now[flow.ends()] = v
}

// Delete forgets a flow, which isn't told to Drop.
func (f *Flows[V]) Delete(flow Flow) {
	k := flow.ends()
	delete(f.now, k)
	delete(f.before, k)
}

// turn makes room.
func (f *Flows[V]) turn(at time.Time) {
	if f.now != nil && len(f.now) < f.Most && (f.Idle == 0 || at.Sub(f.since) < f.Idle) {
		return
	}
	f.drop(f.before)
	if f.Idle > 0 && at.Sub(f.since) >= 2*f.Idle {
		f.drop(f.now)
		f.now = nil
	}
	f.now, f.before, f.since = make(map[ends]V), f.now, at
}

func (f *Flows[V]) drop(flows map[ends]V) {
	for _, v := range flows {
		f.Drop(v)
	}
}
