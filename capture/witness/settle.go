package witness

import (
	"slices"
	"time"
)

// Settle tells the book what is due at a time, and reports whether more is
// held.
func (j *Joiner) Settle(now time.Time) (more bool) {
	j.settling.Lock()
	defer j.settling.Unlock()
	queries, conns, late, lost := j.due(now)
	for l, n := range lost {
		j.book.Lost(l.of, n, l.why)
	}
	for _, q := range queries {
		j.query(q, now)
	}
	for _, c := range conns {
		j.conn(c, now)
	}
	for _, c := range late {
		j.said(c)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.queries)+len(j.conns) > 0
}

// Flush tells the book all that is held, whatever may come of it yet.
func (j *Joiner) Flush() {
	j.mu.Lock()
	now := j.clock
	for _, q := range j.queries {
		q.due, q.since = now, q.since.Add(-logPatience)
	}
	for _, c := range j.conns {
		c.due, c.since = now, c.since.Add(-logPatience)
	}
	j.mu.Unlock()
	j.Settle(now)
}

// due takes what is to be told of at a time.
func (j *Joiner) due(now time.Time) (queries []*query, conns, late []*conn, lost map[loss]uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick(now)
	j.queries = slices.DeleteFunc(j.queries, func(q *query) bool {
		if q.due.After(now) {
			return false
		}
		queries = append(queries, q)
		k := question{q.Name, q.Type, placeOf(q.Server, q.Protocol)}
		forget(j.halfQueries, k, q)
		return true
	})
	j.conns = slices.DeleteFunc(j.conns, func(c *conn) bool {
		if c.due.After(now) {
			return false
		}
		conns = append(conns, c)
		forget(j.halfConns, placeOf(c.To, c.Protocol), c)
		return true
	})
	if late, j.late = j.late, nil; len(j.lost) > 0 {
		lost, j.lost = j.lost, make(map[loss]uint64)
	}
	return queries, conns, late, lost
}

// forget takes one out of those that wait for their other report.
func forget[K, V comparable](from map[K][]V, k K, one V) {
	i := slices.Index(from[k], one)
	if i >= 0 {
		from[k] = slices.Delete(from[k], i, i+1)
	}
	if len(from[k]) == 0 {
		delete(from, k)
	}
}

// sent reports whether an event that these sources told of was on the wire, as
// far as that can be known.
func (j *Joiner) sent(seen [sources]bool, since time.Time) bool {
	return seen[Wire] || !j.on[Wire] || !j.lostAt[Wire].Before(since.Add(-together))
}

// query tells of a query. One that the log doesn't have yet is held again.
func (j *Joiner) query(q *query, now time.Time) {
	j.mu.Lock()
	sent, who := j.sent(q.seen, q.since), q.Process
	j.mu.Unlock()

	around := q.way == otherResolver
	if around && !sent {
		return
	}
	if around {
		j.book.Bypassed(Bypass{Kind: Resolver, To: q.Server, Protocol: q.Protocol, Name: q.Name, Process: who, At: q.At})
	}
	if who == nil {
		return
	}
	if j.book.Asked(q.Name, who, q.At) || around {
		return
	}
	switch {
	case now.Sub(q.since) < logPatience:
		j.mu.Lock()
		q.due = now.Add(soon)
		j.hold(q)
		j.mu.Unlock()
	case q.way == withinInstance:
		j.book.Bypassed(Bypass{Kind: Inside, Name: q.Name, Process: who, At: q.At})
	default:
		j.book.Lost(Who, 1, "queries of processes are not in dnsmasq's log")
	}
}

// conn tells of a connection. One to a name that the log doesn't have yet is
// held again.
func (j *Joiner) conn(c *conn, now time.Time) {
	j.mu.Lock()
	sent, hello, from := j.sent(c.seen, c.since), c.hello, c.From.Addr()
	names, by := j.answers.names(c.To.Addr(), c.At)
	r := Reach{Names: names, To: c.To, Protocol: c.Protocol, Process: c.Process, At: c.At}
	asked, dns := j.asked[placeOf(c.To, c.Protocol)]
	dns = c.dns || dns && asked.Sub(c.At).Abs() <= together
	j.mu.Unlock()

	if !sent || dns {
		return
	}
	if len(r.Names) == 0 {
		r.Names = j.book.Names(c.To.Addr())
	}
	r.hear(hello)
	known := 0
	if len(r.Names) > 0 {
		known = j.book.Reached(r)
	}
	if len(r.Names) > 0 && known == 0 && by == bridgeResolver {
		if now.Sub(c.since) < logPatience {
			j.mu.Lock()
			c.due = now.Add(soon)
			j.holdConn(c)
			j.mu.Unlock()
			return
		}
		j.book.Lost(Wire, 1, "connections are to names that are not in dnsmasq's log")
	}
	j.mu.Lock()
	if c.told = &r; c.hello != hello {
		j.late = append(j.late, c)
	}
	j.mu.Unlock()

	if k, is := r.around(known, by); is {
		j.book.Bypassed(r.bypass(k))
	}
	if from.Is6() && from.IsGlobalUnicast() && !j.book.Owns(from) {
		b := r.bypass(Foreign)
		b.From = from
		j.book.Bypassed(b)
	}
}

// bypass is the connection as a way round the bridge's DNS.
func (r Reach) bypass(k Kind) Bypass {
	b := Bypass{Kind: k, To: r.To, Protocol: r.Protocol, Name: r.Server, Process: r.Process, At: r.At}
	if b.Name == "" && len(r.Names) == 1 {
		b.Name = r.Names[0]
	}
	return b
}

// hear takes up what was said over a connection.
func (r *Reach) hear(h *Hello) {
	if h == nil {
		return
	}
	switch {
	case h.Hidden:
		r.Hidden, r.Server = true, h.Server
	case slices.Contains(r.Names, h.Server):
		r.Names = []string{h.Server}
	default:
		r.Server = h.Server
	}
	r.Spoken = h.Protocol
}

// around says which way round the bridge's DNS a connection is, if it is one.
// known is how many of its names the book has, by who answered for them.
func (r Reach) around(known int, by way) (k Kind, is bool) {
	resolver := resolverAddresses[r.To.Addr()] || isResolver(r.Server) || slices.ContainsFunc(r.Names, isResolver)
	switch {
	case r.To.Port() == dotPort:
		return DoT, true
	case resolver && r.To.Port() == httpsPort:
		return DoH, true
	case r.To.Port() == dnsPort:
		return Resolver, true
	case len(r.Names) == 0:
		return Bare, true
	case known == 0 && by == otherResolver:
		return Resolver, true
	case known == 0 && by == withinInstance:
		return Inside, true
	case r.Hidden:
		return Hidden, true
	}
	return 0, false
}

// said tells what was said over a connection that the book has.
func (j *Joiner) said(c *conn) {
	j.mu.Lock()
	r, hello := *c.told, c.hello
	j.mu.Unlock()
	r.hear(hello)
	j.book.Said(r)
	if r.Hidden && len(r.Names) > 0 {
		j.book.Bypassed(r.bypass(Hidden))
	}
}
