package capture

import (
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/export/rule/psl"
	"lxd-allowlist/parse"
)

// facts is what is known from log lines.
type facts struct {
	pages       []*[pageRecords]record
	n           int                // how many records there are
	names       []*strings.Builder // each with room for pageNames bytes that never move
	ids         index
	more        []more        // the first is nobody's
	clientsOf   lists[uint16] // places in clients
	addressesOf lists[uint32]
	ipv6        [][16]byte
	ipv6N       map[string]uint32 // by the address as it is usually written

	clients []Client
	clientN map[string]uint16         // by the address as logged
	recent  [1 << recentBits]struct { // clients by a hash of their IPv4 addresses
		address uint32
		next    uint16 // the client plus 1, 0 for none
	}
	types   []string // query types
	typeN   map[string]uint16
	words   []string // of Domain.Blocker
	wordN   map[string]uint16
	counts  Counts
	changed []ID // since the last Refresh

	// last is the last name that a line was about: many lines are about that of
	// the line before.
	last struct {
		id    ID
		known bool
	}
	chain   chain
	pending [256]outstanding

	lastNew   time.Time
	forwarded map[string]struct{} // names that nobody was seen to ask for before
	own       string              // dnsmasq's own domain, "" while it isn't known
	bare      bool                // see [Ledger.Bare]

	sink    Sink
	expect  map[string]*expected // see [Ledger.Expect]
	below   *branches            // nil until they are wanted
	unnamed bool                 // a client without an owner appeared

	overlooked map[string]bool // see [Ledger.Overlook]
	// tried are addresses that the program itself tries, see [Ledger.ExpectTo].
	tried     map[netip.Addr]bool
	witnessed *witnessed // nil while no witness told anything
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
	open   bool // an answer's chain is being read
	alias  bool // the last line was an alias, so the next name is its target
	serial uint64
	root   ID
	last   ID
}

func newFacts(seed maphash.Seed) facts {
	f := facts{
		ids:     index{slots: make([]slot, minSlots), seed: seed},
		clientN: make(map[string]uint16),
		typeN:   make(map[string]uint16),
		words:   []string{""},
		wordN:   map[string]uint16{"": 0},
	}
	for i, t := range commonTypes {
		f.types = append(f.types, t)
		f.typeN[t] = uint16(i)
	}
	return f
}

// take takes the lines of a block in.
func (f *facts) take(b *block) {
	f.counts.Lines += uint64(len(b.lines)) + b.joined
	f.last.known = false
	for lines := b.lines; len(lines) > 0; {
		batch := lines[:min(batchLines, len(lines))]
		lines = lines[len(batch):]
		if f.n > manyRecords {
			f.warmUp(b, batch)
		}
		for i := range batch {
			m := &batch[i]
			switch m.kind {
			case parse.Query:
				id, _, counted := f.query(b, m)
				f.chain.open = false
				if m.forwarded && !counted {
					f.forward(b, m)
				}
				if m.answered {
					f.answered(b, m, id, counted)
					continue
				}
			case parse.Answer:
				f.answer(b, m)
				continue // a chain goes on from answer to answer
			case parse.Forward:
				f.forward(b, m)
			}
			f.chain.open = false
		}
	}
}

// lookFor returns the ID of the name that a line is about.
func (f *facts) lookFor(b *block, m *line) (id ID, known bool) {
	switch {
	case m.again && f.last.known:
	case m.likely != 0 && f.nameAt(m.likely-1) == string(b.name(m)):
		f.last.id, f.last.known = m.likely-1, true
	default:
		f.last.id, f.last.known = f.find(b.name(m), m.hash)
	}
	return f.last.id, f.last.known
}

// lookUp is lookFor that makes a record where there is none.
func (f *facts) lookUp(b *block, m *line) ID {
	if id, known := f.lookFor(b, m); known {
		return id
	}
	f.last.id, f.last.known = f.add(b.name(m), m.hash, m.at), true
	return f.last.id
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

// query counts a query, but for one of our own. first tells that its name was
// never asked for before.
func (f *facts) query(b *block, m *line) (id ID, first, counted bool) {
	if len(f.expect) > 0 && f.expected(b.name(m)) {
		f.last.known = false
		return 0, false, false
	}
	f.counts.Queries++
	id = f.lookUp(b, m)
	r := f.at(id)
	n := uint32(1)
	var rare *few
	if m.few > 0 && !m.answered {
		rare = &b.few[m.few-1]
		n += uint32(min(rare.repeats, maxRepeats))
	}
	if first = r.queries == 0; first {
		r.first, r.last = m.at, m.at
		f.countBelow(id)
		f.lastNew = time.Unix(0, m.at)
	}
	r.queries += n
	r.first, r.last = min(r.first, m.at), max(r.last, m.at)
	news := first
	if !f.bare {
		news = f.askedBy(r, m, rare, n) || news
	}
	f.touch(id, news)
	if m.serial != 0 {
		*f.asker(m) = outstanding{m.serial, id}
	}
	return id, first, true
}

// askedBy notes who asked for a name and which type they asked for, n times.
func (f *facts) askedBy(r *record, m *line, rare *few, n uint32) (news bool) {
	kind := uint16(m.queryType)
	if kind == 0 {
		kind = f.typeAt(rare.queryType)
	}
	if uint16(r.kinds[0]) != kind {
		news = f.countType(r, kind, n)
	}
	client, ok := uint16(0), true
	if m.clientIPv4 {
		client, ok = f.clientIPv4(m.client)
	} else {
		client, ok = f.clientAt(rare.client)
	}
	return ok && f.addClient(r, client) || news
}

// asker is where the query with a line's serial has its place.
func (f *facts) asker(m *line) *outstanding { return &f.pending[m.serial%uint64(len(f.pending))] }

// answer notes what became of a query.
func (f *facts) answer(b *block, m *line) {
	c := &f.chain
	if m.reverse {
		c.open = false // "reply 192.0.2.7 is a.example" answers a reverse lookup
		return
	}
	if m.nameLen == 0 { // an error, tied to its query by the serial alone
		c.open = false
		if p := f.asker(m); m.serial != 0 && p.serial == m.serial {
			f.outcome(p.id, b, m)
		}
		return
	}
	if c.open && c.serial != m.serial { // a line of another answer
		c.open = false
	}
	id, known := f.lookFor(b, m)
	switch {
	case c.open && c.alias:
		id = f.lookUp(b, m)
		f.link(c.root, id)
	case !known: // an answer to what was asked before the log began
		c.open = false
		return
	case !c.open || id != c.last:
		*c = chain{open: true, serial: m.serial, root: id}
	}
	c.last, c.alias = id, m.outcome == parse.Alias
	f.outcome(id, b, m)
	if id != c.root && m.outcome != parse.Alias {
		f.outcome(c.root, b, m)
	}
	if m.outcome == parse.Address {
		f.address(id, b, m)
		if id != c.root {
			f.address(c.root, b, m)
		}
	}
}

// answered notes what became of a query that has its answer with it; counted
// tells that it is the query of id.
func (f *facts) answered(b *block, m *line, id ID, counted bool) {
	if !counted {
		if id, counted = f.lookFor(b, m); !counted {
			return
		}
	}
	c := &f.chain // by its fields: a core waits for what is written in small parts and copied in large ones
	c.open, c.alias = true, m.outcome == parse.Alias
	c.serial, c.root, c.last = m.serial, id, id
	f.outcome(id, b, m)
	if m.outcome == parse.Address {
		f.address(id, b, m)
	}
}

// typeAt returns the place of a query type in facts.types. A client may ask
// for 65535 of them.
func (f *facts) typeAt(t []byte) uint16 {
	n, ok := f.typeN[string(t)]
	if !ok {
		n = uint16(len(f.types))
		f.types = append(f.types, string(t))
		f.typeN[f.types[n]] = n
	}
	return n
}

// wordsAt returns the place of some words in facts.words. There are as many as
// a configuration has; of more than there is room for the last stand for all.
func (f *facts) wordsAt(text string) uint16 {
	n, ok := f.wordN[text]
	if !ok {
		if len(f.words) > math.MaxUint16 {
			return math.MaxUint16
		}
		n, text = uint16(len(f.words)), strings.Clone(text)
		f.words = append(f.words, text)
		f.wordN[text] = n
	}
	return n
}

// outcome notes what a line says became of the queries for a name. Of one in a
// domain of its own dnsmasq says no more than that no instance has it. A log
// doesn't tell which that is: one whose top-level domain nobody has in public.
func (f *facts) outcome(id ID, b *block, m *line) {
	r := f.at(id)
	outcome := m.outcome
	if outcome == parse.Blocked && m.origin == parse.Local && m.told == parse.NoName {
		if inDomain(f.nameOf(r), f.own) || f.isPrivate(r) {
			outcome = m.told
		}
	}
	fresh := r.outcomes.add(outcome)
	if o := Origins(1 << m.origin); r.origins&o == 0 {
		r.origins |= o
		fresh = true
	}
	if outcome == parse.Blocked && r.blocker == 0 {
		r.blocker = f.wordsAt(blocker(b.few[m.few-1].source, m.told))
		fresh = true
	}
	if fresh {
		f.touch(id, true)
	}
}

// isPrivate reports whether the top-level domain of a name is none that is
// public. It is found out once.
func (f *facts) isPrivate(r *record) bool {
	if r.state&(public|private) == 0 {
		r.state |= public
		if isPrivate(f.nameOf(r)) {
			r.state ^= public | private
		}
	}
	return r.state&private != 0
}

func isPrivate(name string) bool {
	suffix, public := psl.PublicSuffix(name)
	return !public && !strings.Contains(suffix, ".")
}

func (f *facts) link(root, target ID) {
	r := f.at(root)
	if root == target {
		return
	}
	m := f.beside(r)
	if len(m.chain) >= maxChain || slices.Contains(m.chain, target) {
		return
	}
	m.chain = append(m.chain, target)
	f.touch(root, true)
}

// address notes an address that was answered.
func (f *facts) address(id ID, b *block, m *line) {
	r := f.at(id)
	if r.addressesN == maxAddresses || f.bare {
		return
	}
	address := m.result
	if !m.resultIPv4 {
		var ok bool
		if address, ok = f.ipv6At(b.few[m.few-1].result); !ok {
			return
		}
	}
	if f.addAddress(r, address, !m.resultIPv4) {
		if f.witnessed != nil {
			f.witnessed.addressed(id, f.addressOf(address, !m.resultIPv4))
		}
		f.touch(id, true)
	}
}

// show notes that a record has to be shown anew.
func (f *facts) show(id ID) {
	if r := f.at(id); r.state&unseen == 0 {
		r.state |= unseen
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
