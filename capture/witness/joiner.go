package witness

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// together bounds how far apart the two reports of one event may lie.
	together = time.Second
	// skew bounds how much later than a connection the answer that it came of
	// may be dated: the sources date by clocks of their own.
	skew = 250 * time.Millisecond
	// soon is how long a query waits for its other report.
	soon = 250 * time.Millisecond
	// patience is how long a connection waits for its other report, its server
	// name and an answer that gave its address.
	patience = time.Second
	// logPatience is how long a query waits to be in dnsmasq's log.
	logPatience = 3 * time.Second
	// flowLasts is for how long packets from one port to another are one
	// connection: a SYN is sent again for 63 s.
	flowLasts = 90 * time.Second

	// Bounds of what an instance can make us remember. Ten times of what is
	// expected goes on at once.
	maxPending = 1 << 13
	maxFlows   = 1 << 14
)

// Joiner makes one account of what several sources tell of an instance, each
// in its own order and time.
//
//	Source --Sink--> held for a moment, joined --Settle--> Book
//
// A query or connection that both tell of counts once: the wire says that it
// was, the other who did it. What the wire should have seen and didn't was
// never sent. It keeps no more than a bounded number of anything; what is
// beyond is told as lost.
type Joiner struct {
	book Book
	ours func(netip.Addr) bool // the bridge's resolvers
	wake chan struct{}         // something is due before it is settled next

	settling sync.Mutex // before mu

	mu      sync.Mutex
	clock   time.Time // the latest time that was told
	next    time.Time // when Run settles; zero while nothing is held
	least   time.Time // the earliest that this may be
	on      [sources]bool
	lostAt  [sources]time.Time
	queries []*query
	conns   []*conn
	late    []*conn // a server name came after they were told of
	// half are those that another source may tell of yet.
	halfQueries map[question][]*query
	halfConns   map[place][]*conn
	flows       map[flow]*conn
	recent      []*conn // those of flows, as they came
	answers     answers
	asked       map[place]time.Time // when another resolver than the bridge's was last asked
	lost        map[loss]uint64
}

// loss is what was lost, by whose it was and why.
type loss struct {
	of  Source
	why string
}

// question is a query by all that two sources tell alike of it.
type question struct {
	name, kind string
	to         place
}

// query is one that is held.
type query struct {
	Query
	seen  [sources]bool
	due   time.Time
	since time.Time // by the joiner's clock
	way   way
}

// conn is a connection that is held, or of which more may come.
type conn struct {
	Connection
	seen  [sources]bool
	hello *Hello
	since time.Time
	due   time.Time
	told  *Reach // how it was told of, nil while it wasn't
	dns   bool   // its queries are told of by themselves
}

// NewJoiner returns a joiner that writes to book. ours says which resolvers are
// the bridge's.
func NewJoiner(book Book, ours func(netip.Addr) bool) *Joiner {
	return &Joiner{
		book: book, ours: ours, wake: make(chan struct{}, 1),
		halfQueries: make(map[question][]*query), halfConns: make(map[place][]*conn), flows: make(map[flow]*conn),
		asked: make(map[place]time.Time), lost: make(map[loss]uint64),
	}
}

// On tells whether a source is seeing. What one alone tells of is believed
// only where the other is not there to contradict.
func (j *Joiner) On(s Source, on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.on[s] = on
}

// From returns where a source tells what it sees.
func (j *Joiner) From(s Source) Sink { return inlet{j, s} }

func (j *Joiner) tick(at time.Time) {
	if at.After(j.clock) {
		j.clock = at
	}
}

// inlet is the [Sink] of one source.
type inlet struct {
	*Joiner
	source Source
}

// Lost implements [Sink], as the following do.
func (in inlet) Lost(n uint64, why string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.lostAt[in.source] = in.clock
	in.lose(in.source, n, why)
}

func (j *Joiner) lose(of Source, n uint64, why string) {
	j.lost[loss{of, why}] += n
	j.hurry(time.Time{})
}

func (in inlet) Answer(a Answer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tick(a.At)
	for _, to := range a.Addresses {
		in.answers.add(to.Unmap(), answered{a.Name, a.At, in.wayOf(Query{From: a.To, Server: unmap(a.Server)})})
	}
}

func (in inlet) Query(q Query) {
	j := in.Joiner
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick(q.At)
	q.From, q.Server = unmap(q.From), unmap(q.Server)
	way := j.wayOf(q)
	switch {
	case q.Server.Addr().IsMulticast():
		return // of names that stay on the bridge
	case way != otherResolver && q.Process == nil:
		return // dnsmasq's log has it
	}
	held := &query{Query: q, way: way, due: j.clock.Add(soon), since: j.clock}
	held.seen[in.source] = true
	if way == otherResolver && j.sameQuery(in.source, held) {
		return
	}
	if j.hold(held) {
		j.hurry(held.due)
	}
}

// hold holds a query, unless there is no room for it.
func (j *Joiner) hold(q *query) bool {
	if len(j.queries) >= maxPending {
		j.lose(Wire, 1, "queries came faster than they could be joined")
		return false
	}
	j.queries = append(j.queries, q)
	return true
}

// holdConn is hold of a connection.
func (j *Joiner) holdConn(c *conn) bool {
	if len(j.conns) >= maxPending {
		j.lose(Wire, 1, "connections came faster than they could be joined")
		return false
	}
	j.conns = append(j.conns, c)
	return true
}

// way is where a query goes.
type way uint8

const (
	bridgeResolver way = iota
	otherResolver
	withinInstance
)

func (j *Joiner) wayOf(q Query) way {
	switch server := q.Server.Addr(); {
	case server.IsLoopback() || server == q.From.Addr():
		return withinInstance
	case j.ours(server):
		return bridgeResolver
	}
	return otherResolver
}

// sameQuery reports whether a query is one that another source has told of,
// and joins them.
func (j *Joiner) sameQuery(s Source, q *query) bool {
	to := placeOf(q.Server, q.Protocol)
	if c := j.flows[flow{endOf(q.From), to}]; c != nil {
		c.dns = true
	}
	if len(j.asked) == maxFlows {
		clear(j.asked)
	}
	j.asked[to] = q.At
	k := question{q.Name, q.Type, to}
	for i, p := range j.halfQueries[k] {
		if !p.seen[s] && samePort(p.From, q.From) && p.At.Sub(q.At).Abs() <= together {
			p.seen[s] = true
			if p.Process == nil {
				p.Process = q.Process
			}
			j.halfQueries[k] = slices.Delete(j.halfQueries[k], i, i+1)
			return true
		}
	}
	if j.on[1-s] && len(j.queries) < maxPending {
		j.halfQueries[k] = append(j.halfQueries[k], q)
	}
	return false
}

func (in inlet) Connection(c Connection) {
	j := in.Joiner
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick(c.At)
	c.From, c.To = unmap(c.From), unmap(c.To)
	if stays(c.To, c.Protocol) || c.To.Port() == dnsPort && j.ours(c.To.Addr()) {
		return
	}
	k := flowOf(c.From, c.To, c.Protocol)
	if had := j.flows[k]; had != nil && c.At.Sub(had.At).Abs() < flowLasts {
		j.merge(had, in.source, c)
		return
	}
	j.begin(in.source, c)
}

// otherHalf returns the connection that is held of another source and is the
// same one.
func (j *Joiner) otherHalf(s Source, c Connection) *conn {
	k := placeOf(c.To, c.Protocol)
	for i, p := range j.halfConns[k] {
		if !p.seen[s] && samePort(p.From, c.From) && p.At.Sub(c.At).Abs() <= together {
			j.halfConns[k] = slices.Delete(j.halfConns[k], i, i+1)
			return p
		}
	}
	return nil
}

// merge adds what a second source tells of a connection.
func (j *Joiner) merge(had *conn, s Source, c Connection) {
	had.seen[s] = true
	if had.Process == nil {
		had.Process = c.Process
	}
	if had.From.Port() == 0 {
		had.From = c.From
		j.remember(had)
	}
	j.whole(had)
}

// begin holds a connection, which may be one that another source has told of.
// It returns nil where there is no room for it.
func (j *Joiner) begin(s Source, c Connection) *conn {
	if had := j.otherHalf(s, c); had != nil {
		j.merge(had, s, c)
		return had
	}
	held := &conn{Connection: c, since: j.clock, due: j.clock.Add(patience)}
	held.seen[s] = true
	if !j.holdConn(held) {
		return nil
	}
	if k := placeOf(c.To, c.Protocol); j.on[1-s] {
		j.halfConns[k] = append(j.halfConns[k], held)
	}
	if c.From.Port() != 0 {
		j.remember(held)
	}
	j.hurry(held.due)
	return held
}

// remember keeps a connection for what may come of it yet.
func (j *Joiner) remember(c *conn) {
	for len(j.recent) > 0 && (len(j.recent) == maxFlows || j.clock.Sub(j.recent[0].since) > flowLasts) {
		old := j.recent[0]
		if k := flowOf(old.From, old.To, old.Protocol); j.flows[k] == old {
			delete(j.flows, k)
		}
		j.recent = j.recent[1:]
	}
	j.flows[flowOf(c.From, c.To, c.Protocol)] = c
	j.recent = append(j.recent, c)
}

func (in inlet) Hello(h Hello) {
	j := in.Joiner
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick(h.At)
	h.From, h.To = unmap(h.From), unmap(h.To)
	protocol := "tcp"
	if h.Protocol == "quic" {
		protocol = "udp"
	}
	c := j.flows[flowOf(h.From, h.To, protocol)]
	if c == nil { // its beginning comes later, was lost, or was before all this
		if c = j.begin(in.source, Connection{At: h.At, From: h.From, To: h.To, Protocol: protocol}); c == nil {
			return
		}
	}
	if c.hello != nil {
		return
	}
	c.hello = &h
	if c.told != nil {
		j.late = append(j.late, c)
		j.hurry(time.Time{})
		return
	}
	j.whole(c)
}

// whole has a connection settled at once if nothing more is to come that
// could matter.
func (j *Joiner) whole(c *conn) {
	if c.hello == nil || c.told != nil {
		return
	}
	for s, on := range j.on {
		if on && !c.seen[s] {
			return
		}
	}
	if names, _ := j.answers.names(c.To.Addr(), c.At); len(names) == 0 {
		return
	}
	c.due = j.clock
	j.hurry(c.due)
}
