package witness

import (
	"net/netip"
	"slices"
	"time"
)

// Bounds of what answers an instance can make us remember. Of an address that
// more names had, or that was forgotten, dnsmasq's log is asked.
const (
	maxAnswered    = 1 << 14
	maxNamesOfAddr = 64
)

// answers are the names that addresses were given for.
type answers struct {
	of    map[netip.Addr][]answered
	order []netip.Addr // as they came
	// crowded is how many answers there was no room for.
	crowded uint64
}

// answered is a name that had an address, since when and by whom.
type answered struct {
	name string
	at   time.Time
	by   way
}

func (a *answers) add(to netip.Addr, one answered) {
	known, had := a.of[to]
	if i := slices.IndexFunc(known, func(k answered) bool { return k.name == one.name }); i >= 0 {
		if one.at.Before(known[i].at) {
			known[i].at = one.at
		}
		return
	}
	if len(known) == maxNamesOfAddr { // a connection is mostly to one of the latest
		a.crowded++
		known = slices.Delete(known, 0, 1)
	}
	if !had {
		if len(a.order) == maxAnswered {
			delete(a.of, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, to)
	}
	if a.of == nil {
		a.of = make(map[netip.Addr][]answered)
	}
	a.of[to] = append(known, one)
}

// names returns the names that an address had at a time, and by whom the last
// of them was answered for.
func (a *answers) names(of netip.Addr, at time.Time) (names []string, by way) {
	for _, k := range a.of[of] {
		if !k.at.After(at.Add(skew)) {
			names, by = append(names, k.name), k.by
		}
	}
	return names, by
}
