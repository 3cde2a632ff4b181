package witness

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of what an instance can make us remember. What is beyond is told by
// [Callers.Losses].
const (
	maxCalled  = 1 << 16 // names, and places
	maxCallers = 8       // of each
)

// late bounds how much later than its call a packet may be told of, on a
// machine that is busy. What else called the place then was refused as well.
const late = 10 * time.Second

// Callers keeps which programs asked for each name and called each place, for
// a while in which somebody wants to know whose a refusal was. It is a [Sink] of
// [Who], and safe for concurrent use. The zero value is ready.
type Callers struct {
	mu     sync.Mutex
	names  map[string][]caller
	places map[place][]caller
	lost   map[string]uint64
	news   chan struct{} // closed with the next call; nil while nobody waits
}

// caller is a program and when it called first and last.
type caller struct {
	program     string
	first, last time.Time
}

// Query implements [Sink], as the following do.
func (c *Callers) Query(q Query) {
	c.mu.Lock()
	defer c.mu.Unlock()
	called(c, &c.names, q.Name, q.Process, q.At)
}

// Connection takes a call to a place.
func (c *Callers) Connection(of Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	called(c, &c.places, placeOf(unmap(of.To), of.Protocol), of.Process, of.At)
}

// Answer and Hello say nothing of who called.
func (c *Callers) Answer(Answer) {}

// Hello is as Answer.
func (c *Callers) Hello(Hello) {}

// Lost counts what wasn't seen, or had no room.
func (c *Callers) Lost(n uint64, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lose(n, why)
}

func (c *Callers) lose(n uint64, why string) {
	if c.lost == nil {
		c.lost = make(map[string]uint64)
	}
	c.lost[why] += n
}

func called[K comparable](c *Callers, all *map[K][]caller, k K, by *Process, at time.Time) {
	program := ""
	if by != nil {
		program = cmp.Or(by.Exe, by.Comm)
	}
	if program == "" {
		c.lose(1, "processes were gone before they could be told")
		return
	}
	of, known := (*all)[k]
	i := slices.IndexFunc(of, func(o caller) bool { return o.program == program })
	switch {
	case i >= 0:
		o := &of[i]
		if at.Before(o.first) {
			o.first = at
		}
		if at.After(o.last) {
			o.last = at
		}
		return
	case !known && len(*all) == maxCalled:
		c.lose(1, "names or places were more than are kept with their processes")
		return
	case len(of) == maxCallers:
		c.lose(1, "programs were more than are kept beside one name or place")
		return
	}
	if *all == nil {
		*all = make(map[K][]caller)
	}
	(*all)[k] = append(of, caller{program, at, at})
	if c.news != nil {
		close(c.news)
		c.news = nil
	}
}

// Asked returns the programs that asked for a normalised name, none where they
// aren't known.
func (c *Callers) Asked(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return programs(c.names[name], func(caller) bool { return true })
}

// Called returns the programs that called a place about the time in which
// packets to it were seen, the first one and the last. What the first packet of
// was sent long before, as over a socket of UDP that stays open, has none.
func (c *Callers) Called(to netip.AddrPort, protocol string, first, last time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return programs(c.places[placeOf(unmap(to), protocol)], func(o caller) bool {
		return !o.last.Before(first.Add(-late)) && !o.first.After(last.Add(together))
	})
}

func programs(of []caller, which func(caller) bool) (all []string) {
	for _, o := range of {
		if which(o) {
			all = append(all, o.program)
		}
	}
	slices.Sort(all)
	return all
}

// Await returns what look finds, as soon as that is something, or nothing at a
// time.
func (c *Callers) Await(until time.Time, look func() []string) []string {
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	for {
		news := c.next()
		if found := look(); len(found) > 0 {
			return found
		}
		select {
		case <-news:
		case <-over.C:
			return nil
		}
	}
}

func (c *Callers) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.news == nil {
		c.news = make(chan struct{})
	}
	return c.news
}

// Loss is how many calls are known without their process for a reason.
type Loss struct {
	Why string
	N   uint64
}

// Losses returns them, by the reason.
func (c *Callers) Losses() (all []Loss) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(c.lost)) {
		all = append(all, Loss{why, c.lost[why]})
	}
	return all
}

var _ Sink = (*Callers)(nil)
