// Package capture is the capture itself: the ledger of domains, the decisions
// about them with undo, and the journal on disk.
package capture

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lxd-allowlist/parse"
)

// Ledger holds one record per domain that was asked for, fed with dnsmasq's
// log and a person's decisions. It is safe for concurrent use.
//
//	log bytes --Feed--> splitter, parser --> Domain records --Refresh--> the screen
//	                                               |    ^
//	                                          journal   Mark, Undo, Redo
//
// Everything that it decides by itself is derived from the records when it is
// asked for (see [Rule]); only a person's marks are state.
type Ledger struct {
	mu     sync.Mutex
	info   Info
	groups map[string]Mark // by the name that they are below
	rules  []UserRule

	split parse.Splitter
	rec   parse.Record
	batch batch
	name  []byte // scratch

	facts
	part   *part // of a ledger that reads a part of a log, else nil
	expect map[string]chan struct{}

	done, undone []change

	wake    chan struct{}
	unknown chan struct{} // a client without an owner appeared
	journal *journal
}

// facts is what a ledger knows from the log.
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

	lastLoss string
	lastNew  time.Time
}

// Info says what a ledger is about. It stands first in the journal.
type Info struct {
	Session  string    `json:"session"`            // the session's name: "20261123-211600-dnstest"
	Program  string    `json:"program,omitempty"`  // name and version of the program that wrote it
	Started  time.Time `json:"started"`            // when the capture began
	Server   string    `json:"server,omitempty"`   // LXD remote, "" for a log file
	Instance string    `json:"instance,omitempty"` // whose names are wanted; "" for everybody's
	Network  string    `json:"network,omitempty"`
	Domain   string    `json:"domain,omitempty"` // the bridge's own DNS domain, such as "lxd"
	Log      string    `json:"log,omitempty"`    // the log file that was read, for one without a bridge
}

// Client is one address that asked.
type Client struct {
	Address string // as logged
	Owner   string // the instance that holds it, HostOwner, or "" while unknown
}

// HostOwner is the owner of the bridge's own addresses: what the LXD host
// itself asked.
const HostOwner = "(host)"

// Counts is what a ledger saw beside the domains.
type Counts struct {
	Lines       uint64 `json:"lines"`       // log lines
	Queries     uint64 `json:"queries"`     // query lines
	Cut         uint64 `json:"cut"`         // lines that dnsmasq's buffer cut; not trusted, not counted as queries
	Garbled     uint64 `json:"garbled"`     // lines that look like queries and break their form
	Unprintable uint64 `json:"unprintable"` // queries for a name that dnsmasq could not print
	Lost        uint64 `json:"lost"`        // times that dnsmasq itself said it lost or refused something
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

// NewLedger returns an empty ledger that is kept in memory only.
func NewLedger(info Info) *Ledger {
	if info.Started.IsZero() {
		info.Started = time.Now()
	}
	return &Ledger{
		info:    info,
		groups:  make(map[string]Mark),
		facts:   newFacts(maphash.MakeSeed()),
		expect:  make(map[string]chan struct{}),
		wake:    make(chan struct{}, 1),
		unknown: make(chan struct{}, 1),
	}
}

func newFacts(seed maphash.Seed) facts {
	return facts{
		ids:     index{slots: make([]slot, minSlots), seed: seed},
		clientN: make(map[string]uint16),
		types:   make(map[string]string),
	}
}

// Feed reads the next bytes of the log, however they are cut. at is the time
// for lines that carry none; with stamps true the lines' own times are used
// where they have one.
func (l *Ledger) Feed(data []byte, at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := true
	l.split.Feed(data, func(line []byte) {
		l.hear(line, at, stamps)
		if first { // it may be in the splitter's buffer, which doesn't last
			l.takeBatch()
			first = false
		}
	})
	l.takeBatch()
	l.settle()
}

// EndOfLog reads a last line that has no newline, as a finished file may
// have, and starts anew with what follows.
func (l *Ledger) EndOfLog(at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.split.Flush(func(line []byte) { l.hear(line, at, stamps) })
	l.takeBatch()
	l.chain = chain{}
	l.settle()
}

// ResetLog forgets an unfinished line: the log was truncated or replaced.
func (l *Ledger) ResetLog() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.split.Reset()
	l.chain = chain{}
}

func (l *Ledger) query(m *message) {
	if len(l.expect) > 0 {
		if c, ok := l.expect[string(m.name)]; ok {
			delete(l.expect, string(m.name))
			close(c)
			return
		}
	}
	at := m.at
	id, fresh := l.lookupHashed(m.name, m.hash, at)
	l.last.set(m.logged, id)
	d := &l.domains[id]
	if d.Class == parse.Unprintable {
		l.counts.Unprintable++
	}
	if d.Queries == 0 {
		d.first, d.last = at, at
		l.lastNew = time.Unix(0, at)
		if l.part != nil {
			l.part.asked = append(l.part.asked, asked{id, at})
		}
		fresh = true
	}
	d.Queries++
	d.first = min(d.first, at)
	d.last = max(d.last, at)
	freshType, freshClient := l.countType(d, m.kindOf), l.countClient(d, m.client)
	if fresh || freshType || freshClient {
		l.touch(id, saveNow)
	} else {
		l.touch(id, saveLater)
	}
	if m.serial != 0 {
		l.pending[m.serial%uint64(len(l.pending))] = outstanding{m.serial, id}
	}
}

func (l *Ledger) answer(m *message) {
	o := m.outcome
	if len(m.logged) == 0 { // an error, tied to its query by the serial alone
		l.chain = chain{}
		p := l.pending[m.serial%uint64(len(l.pending))]
		switch {
		case m.serial == 0:
		case p.serial == m.serial:
			l.outcome(p.id, o)
		case p.serial == 0 && l.part != nil:
			l.part.put(m, len(l.domains))
		}
		return
	}
	if m.reverse {
		l.chain = chain{} // "reply 192.0.2.7 is a.example" answers a reverse lookup
		return
	}
	c := &l.chain
	if c.open && c.serial != m.serial {
		*c = chain{}
	}
	id, known := l.known(m.logged)
	if l.part != nil && (c.unsure || !known && !(c.open && c.alias)) {
		l.deferAnswer(m, known)
		return
	}
	switch {
	case c.open && c.alias:
		if !known {
			id, _ = l.lookup(l.name, m.at)
		}
		l.link(c.root, id)
	case !known: // an answer to what was asked before the log began
		*c = chain{}
		return
	case !c.open || id != c.last:
		*c = chain{open: true, serial: m.serial, root: id}
	}
	c.last, c.alias = id, o == parse.Alias
	l.outcome(id, o)
	if id != c.root && o != parse.Alias {
		l.outcome(c.root, o)
	}
	if o == parse.Address {
		l.address(id, m.result)
		if id != c.root {
			l.address(c.root, m.result)
		}
	}
}

// lookup returns the record for a normalised name and makes one if there is
// none.
func (l *Ledger) lookup(name []byte, at int64) (id ID, fresh bool) {
	return l.lookupHashed(name, l.ids.hash(name), at)
}

func (l *Ledger) lookupHashed(name []byte, hash uint32, at int64) (id ID, fresh bool) {
	id, known := l.ids.find(name, hash, l.domains)
	if known {
		return id, false
	}
	id = ID(len(l.domains))
	l.ids.add(hash, id)
	l.domains = append(l.domains, Domain{Name: string(name), Class: parse.Classify(name), first: at, last: at})
	return id, true
}

func (l *Ledger) countType(d *Domain, t []byte) (fresh bool) {
	for i := range d.Types {
		if d.Types[i].Type == string(t) {
			d.Types[i].Count++
			return false
		}
	}
	d.Types = append(d.Types, TypeCount{l.intern(t), 1})
	return true
}

func (l *Ledger) intern(t []byte) string {
	if s, ok := l.types[string(t)]; ok {
		return s
	}
	s := string(t)
	l.types[s] = s
	return s
}

func (l *Ledger) countClient(d *Domain, address []byte) (fresh bool) {
	n, ok := l.clientN[string(address)]
	if !ok {
		if len(l.clients) == noClient {
			return false
		}
		n = l.addClient(Client{Address: string(address)})
		notify(l.unknown)
	}
	return d.addClient(n)
}

func (l *Ledger) addClient(c Client) uint16 {
	n := uint16(len(l.clients))
	l.clients = append(l.clients, c)
	l.clientN[c.Address] = n
	return n
}

func (l *Ledger) outcome(id ID, o parse.Outcome) {
	if l.domains[id].Outcomes.add(o) {
		l.touch(id, saveNow)
	}
}

func (l *Ledger) link(root, target ID) {
	d := &l.domains[root]
	if root == target || len(d.Chain) >= maxChain || slices.Contains(d.Chain, target) {
		return
	}
	d.Chain = append(d.Chain, target)
	l.touch(root, saveNow)
}

func (l *Ledger) address(id ID, text []byte) {
	d := &l.domains[id]
	if len(d.Addresses) >= maxAddresses {
		return
	}
	if a, err := netip.ParseAddr(string(text)); err == nil && d.addAddress(a) {
		l.touch(id, saveNow)
	}
}

// touch notes that a record changed, for the screen and for the journal.
func (l *Ledger) touch(id ID, s saving) {
	d := &l.domains[id]
	if !d.unseen {
		d.unseen = true
		l.changed = append(l.changed, id)
	}
	if l.journal != nil && s > d.unsaved {
		if d.unsaved == saved {
			l.journal.dirty = append(l.journal.dirty, id)
		}
		d.unsaved = s
		l.journal.urgent = l.journal.urgent || s == saveNow
	}
}

// settle tells those who wait that something changed.
func (l *Ledger) settle() {
	if len(l.changed) > 0 {
		notify(l.wake)
	}
	if l.journal != nil {
		l.journal.poke()
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
