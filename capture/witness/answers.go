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
	maxNamesOfAddr = 16
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
	if len(known) == maxNamesOfAddr {
		a.crowded++
		return
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

// generations are those who asked a resolver within the instance, by name: the
// last ones, and those before them.
type generations struct {
	young, old map[string][]asker
	n          int // in young
}

type asker struct {
	process *Process
	at      time.Time
}

func (g *generations) add(q Query) {
	if g.n == maxInside || g.young == nil {
		g.young, g.old, g.n = make(map[string][]asker), g.young, 0
	}
	g.young[q.Name] = append(g.young[q.Name], asker{q.Process, q.At})
	g.n++
}

// of returns the process that a query was sent for by a resolver within the
// instance: is says whether it was, and who is nil if that may be several.
func (g *generations) of(q Query) (who *Process, is bool) {
	for _, all := range [][]asker{g.old[q.Name], g.young[q.Name]} {
		for _, a := range all {
			if before := q.At.Sub(a.at); before < -skew || before > behalf || a.process.Host == q.Process.Host {
				continue
			}
			if is && (who == nil || who.Host != a.process.Host) {
				return nil, true
			}
			who, is = a.process, true
		}
	}
	return who, is
}
