package enforce

import (
	"math"

	"lxd-allowlist/capture/verify/fence"
	"lxd-allowlist/export/rule"
)

// keep has the instance reach the addresses of a list, and none that it had
// before.
func (e *Enforcement) keep(rules []rule.Rule) error {
	f := e.fence.Load()
	if f == nil {
		return nil
	}
	var places []fence.Place
	for _, r := range rules {
		if at, is := r.Endpoint(); is {
			places = append(places, fence.Place{Prefix: at.Prefix, Port: at.Port.Number, Protocol: at.Port.Protocol})
		}
	}
	return f.Keep(places)
}

// countKept notes the connections to addresses of the list, and reports whether
// there are new ones. What can't be read now is read at the end.
func (e *Enforcement) countKept() (news bool) {
	f := e.fence.Load()
	if f == nil {
		return false
	}
	counts, err := f.Kept()
	if err != nil {
		return false
	}
	for p, n := range counts {
		to := rule.Endpoint{Prefix: p.Prefix, Port: rule.Port{Number: p.Port, Protocol: p.Protocol}}
		news = e.Policy.Connected(to, int(min(n, math.MaxInt))) || news
	}
	return news
}

// hello is told by the fence of a connection to an allowed address: where that
// is another name's, too, the server's name tells which is meant. Of an address
// that the list has, any server is.
func (e *Enforcement) hello(h fence.Hello) {
	if h.Name != "" && !e.fence.Load().Keeps(h.To, h.Protocol) && !e.Policy.Passes(h.Name, h.At) {
		e.Packets.AddServer(h.To, h.Name, h.At)
		e.Tell()
	}
}
