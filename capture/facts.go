package capture

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/parse"
)

// facts is what is known from log lines: of a ledger, or of a part of a log.
type facts struct {
	domains []Domain
	ids     index
	clients []Client
	clientN map[string]uint16 // by the address as logged
	types   map[string]string // interned query types
	counts  Counts
	changed []ID // since the last Refresh

	last    lastName
	chain   chain
	pending [256]outstanding

	lastNew   time.Time
	forwarded map[string]struct{} // names that nobody was seen to ask for before
	own       string              // dnsmasq's own domain, "" while it isn't known
	name      []byte              // scratch

	// What only a ledger has.
	sink    Sink
	expect  map[string]*expected // see [Ledger.Expect]
	below   map[string]*family   // by registrable domain; nil until it is wanted
	unnamed bool                 // a client without an owner appeared

	overlooked map[string]bool // see [Ledger.Overlook]
	witnessed  *witnessed      // nil while no witness told anything
}

// outstanding ties an answer without a name ("reply error is SERVFAIL") to
// its query by the serial of log-queries=extra.
type outstanding struct {
	serial uint64
	id     ID
}

// chain follows the lines of one answer: after "a is <CNAME>" the next
// answer names a's target.
type chain struct {
	unsure bool // it depends on lines that are not known, see part
	open   bool // an answer's chain is being read
	alias  bool // the last line was an alias, so the next name is its target
	serial uint64
	root   ID
	last   ID
}

func newFacts(seed maphash.Seed) facts {
	return facts{
		ids:     index{slots: make([]slot, minSlots), seed: seed},
		clientN: make(map[string]uint16),
		types:   make(map[string]string),
	}
}

// take takes a line in. first tells that it is the first query for the name of
// id.
func (f *facts) take(m *line) (id ID, first bool) {
	f.counts.Lines++
	switch m.kind {
	case parse.Query:
		id, first = f.query(m)
	case parse.Answer:
		f.answer(m)
		return 0, false // a chain goes on from answer to answer
	case parse.Forward:
		f.forward(m)
	}
	f.chain = chain{}
	return id, first
}

// expected reports whether a query is one of our own.
func (f *facts) expected(name []byte) bool {
	e, ok := f.expect[string(name)]
	switch {
	case !ok:
		return false
	case e.once:
		delete(f.expect, string(name))
	case !e.seen:
		e.seen = true
		close(e.came)
	}
	return true
}

// maxRepeats bounds what "message repeated N times" may say.
const maxRepeats = 1 << 20

// query counts a query. first tells that its name was never asked for before.
func (f *facts) query(m *line) (id ID, first bool) {
	if len(f.expect) > 0 && f.expected(m.name) {
		return 0, false
	}
	f.counts.Queries++
	at := m.at
	id, _ = f.lookupHashed(m.name, m.hash, at)
	f.last.set(m.logged, id)
	d := &f.domains[id]
	if first = d.Queries == 0; first {
		d.first, d.last = at, at
		f.countBelow(id)
		f.lastNew = time.Unix(0, at)
	}
	d.Queries += 1 + uint32(min(m.repeats, maxRepeats))
	d.first = min(d.first, at)
	d.last = max(d.last, at)
	freshType, freshClient := f.countType(d, m.kindOf), f.countClient(d, m.client)
	f.touch(id, first || freshType || freshClient)
	if m.serial != 0 {
		*f.asker(m) = outstanding{m.serial, id}
	}
	return id, first
}

// asker is where the query with a line's serial has its place.
func (f *facts) asker(m *line) *outstanding { return &f.pending[m.serial%uint64(len(f.pending))] }

// answer notes what became of a query.
func (f *facts) answer(m *line) {
	o := m.outcome
	if len(m.logged) == 0 { // an error, tied to its query by the serial alone
		f.chain = chain{}
		if p := f.asker(m); m.serial != 0 && p.serial == m.serial {
			f.outcome(p.id, m)
		}
		return
	}
	if m.reverse {
		f.chain = chain{} // "reply 192.0.2.7 is a.example" answers a reverse lookup
		return
	}
	f.turn(m)
	c := &f.chain
	id, known := f.known(m.logged)
	switch {
	case c.open && c.alias:
		if !known {
			id, _ = f.lookup(f.name, m.at)
		}
		f.link(c.root, id)
	case !known: // an answer to what was asked before the log began
		*c = chain{}
		return
	case !c.open || id != c.last:
		*c = chain{open: true, serial: m.serial, root: id}
	}
	c.last, c.alias = id, o == parse.Alias
	f.outcome(id, m)
	if id != c.root && o != parse.Alias {
		f.outcome(c.root, m)
	}
	if o == parse.Address {
		f.address(id, m.result)
		if id != c.root {
			f.address(c.root, m.result)
		}
	}
}

// turn ends the chain that is being read where a line is of another answer.
func (f *facts) turn(m *line) {
	if f.chain.open && f.chain.serial != m.serial {
		f.chain = chain{}
	}
}

// lookup returns the record for a normalised name and makes one if there is
// none.
func (f *facts) lookup(name []byte, at int64) (id ID, fresh bool) {
	return f.lookupHashed(name, f.ids.hash(name), at)
}

func (f *facts) lookupHashed(name []byte, hash uint32, at int64) (id ID, fresh bool) {
	id, known := f.ids.find(name, hash, f.domains)
	if known {
		return id, false
	}
	id = ID(len(f.domains))
	f.ids.add(hash, id)
	f.domains = append(f.domains, Domain{Name: string(name), Class: parse.Classify(name), Special: parse.SpecialUse(name), first: at, last: at})
	if f.below != nil {
		f.addBelow(id)
	}
	return id, true
}

func (f *facts) countType(d *Domain, t []byte) (fresh bool) {
	for i := range d.Types {
		if d.Types[i].Type == string(t) {
			d.Types[i].Count++
			return false
		}
	}
	d.Types = append(d.Types, TypeCount{f.intern(t), 1})
	return true
}

func (f *facts) intern(t []byte) string {
	if s, ok := f.types[string(t)]; ok {
		return s
	}
	s := string(t)
	f.types[s] = s
	return s
}

func (f *facts) countClient(d *Domain, address []byte) (fresh bool) {
	n, ok := f.clientN[string(address)]
	if !ok {
		if len(f.clients) == noClient {
			return false
		}
		n = f.addClient(Client{Address: string(address)})
		f.unnamed = true
	}
	return d.addClient(n)
}

func (f *facts) addClient(c Client) uint16 {
	n := uint16(len(f.clients))
	f.clients = append(f.clients, c)
	f.clientN[c.Address] = n
	return n
}

// outcome notes what a line says became of the queries for a name. Of one in a
// domain of its own dnsmasq says no more than that no instance has it. A log
// doesn't tell which that is: one whose top-level domain nobody has in public.
func (f *facts) outcome(id ID, m *line) {
	d := &f.domains[id]
	if m.outcome == parse.Blocked && m.origin == parse.Local && m.told == parse.NoName && (inDomain(d.Name, f.own) || isPrivate(d.Name)) {
		m.outcome = m.told
	}
	fresh := d.Outcomes.add(m.outcome)
	if o := Origins(1 << m.origin); d.Origins&o == 0 {
		d.Origins |= o
		fresh = true
	}
	if m.outcome == parse.Blocked && d.Blocker == "" {
		d.Blocker = f.intern([]byte(blocker(m.source, m.told)))
		fresh = true
	}
	if fresh {
		f.touch(id, true)
	}
}

// isPrivate reports whether the top-level domain of a name is none that is
// public.
func isPrivate(name string) bool {
	suffix, public := publicsuffix.PublicSuffix(name)
	return !public && !strings.Contains(suffix, ".")
}

func (f *facts) link(root, target ID) {
	d := &f.domains[root]
	if root == target || len(d.Chain) >= maxChain || slices.Contains(d.Chain, target) {
		return
	}
	d.Chain = append(d.Chain, target)
	f.touch(root, true)
}

func (f *facts) address(id ID, text []byte) {
	d := &f.domains[id]
	if len(d.Addresses) >= maxAddresses {
		return
	}
	if a, err := netip.ParseAddr(string(text)); err == nil && d.addAddress(a) {
		f.witnessed.addressed(id, a)
		f.touch(id, true)
	}
}

// show notes that a record has to be shown anew.
func (f *facts) show(id ID) {
	d := &f.domains[id]
	if !d.unseen {
		d.unseen = true
		f.changed = append(f.changed, id)
	}
}

// touch notes that a record changed, for the screen and for the sink.
func (f *facts) touch(id ID, news bool) {
	f.show(id)
	if f.sink != nil {
		f.sink.Changed(id, news)
	}
}

// known returns the ID of a name as logged, which is left in f.name if it is
// not known. It mostly is that of the line before.
func (f *facts) known(logged []byte) (ID, bool) {
	if len(logged) > 0 && bytes.Equal(logged, f.last.logged) {
		return f.last.id, true
	}
	f.name = parse.AppendName(f.name[:0], logged)
	id, ok := f.ids.find(f.name, f.ids.hash(f.name), f.domains)
	if ok {
		f.last.set(logged, id)
	}
	return id, ok
}

// lastName is the last name that was known or became so.
type lastName struct {
	logged []byte
	id     ID
}

func (n *lastName) set(logged []byte, id ID) {
	n.logged, n.id = append(n.logged[:0], logged...), id
}
