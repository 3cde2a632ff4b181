package capture

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Sink is told what happens to a ledger, so that it can be kept. Its methods
// are called with the ledger held: they neither wait nor call the ledger.
type Sink interface {
	// Changed tells of a record. news says that it has something that was not
	// known before, and not a higher count alone.
	Changed(id ID, news bool)
	Decided(Change)
	Undone()
	Redone()
	Owned(Client)
	// Told ends what one call of the ledger had to tell.
	Told()
	// Fault returns why no more can be kept, nil while it can.
	Fault() error
}

// Change is one step of a person's decisions, about domains or about a group.
type Change struct {
	To Mark
	// KeepReasons leaves a domain the reason that it has, whatever To says.
	KeepReasons bool
	Names       []string
	Group       string // a name and all below it, instead of Names
	At          time.Time
}

// Record is all that is known of a domain, without what it points to: what is
// kept of it.
type Record struct {
	Name      string            `json:"name"`
	Queries   uint32            `json:"queries,omitempty"`
	First     time.Time         `json:"first"`
	Last      time.Time         `json:"last"`
	Types     map[string]uint32 `json:"types,omitempty"` // queries by type
	Outcomes  Outcomes          `json:"outcomes,omitempty"`
	Origins   Origins           `json:"origins,omitempty"`
	Blocker   string            `json:"blocker,omitempty"`
	Addresses []netip.Addr      `json:"addresses,omitempty"`
	Chain     []string          `json:"chain,omitempty"`
	Clients   []string          `json:"clients,omitempty"` // addresses as logged
}

// Record returns what is to be kept of a domain.
func (r Reader) Record(id ID) Record {
	d := &r.l.domains[id]
	s := Record{
		Name: d.Name, Queries: d.Queries, First: d.First(), Last: d.Last(),
		Outcomes: d.Outcomes, Origins: d.Origins, Blocker: d.Blocker, Addresses: slices.Clone(d.Addresses), Chain: r.Chain(d),
	}
	if len(d.Types) > 0 {
		s.Types = make(map[string]uint32, len(d.Types))
		for _, t := range d.Types {
			s.Types[t.Type] = t.Count
		}
	}
	for _, n := range d.clients {
		s.Clients = append(s.Clients, r.l.clients[n].Address)
	}
	return s
}

// Keep tells sink from now on what happens, nobody with nil.
func (l *Ledger) Keep(sink Sink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sink = sink
}

// Restore puts a record back that was kept, in place of what is known of its
// name.
func (l *Ledger) Restore(s Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := s.First.UnixNano()
	id, _ := l.lookup([]byte(s.Name), at)
	var chain []ID
	for _, target := range s.Chain {
		t, _ := l.lookup([]byte(target), at)
		chain = append(chain, t)
	}
	d := &l.domains[id]
	d.Queries, d.Outcomes, d.Addresses, d.Chain = s.Queries, s.Outcomes, s.Addresses, chain
	d.Origins, d.Blocker = s.Origins, s.Blocker
	d.first, d.last = at, s.Last.UnixNano()
	d.Types = d.Types[:0]
	for t, n := range s.Types {
		d.Types = append(d.Types, TypeCount{l.intern([]byte(t)), n})
	}
	slices.SortFunc(d.Types, func(a, b TypeCount) int { return strings.Compare(a.Type, b.Type) })
	d.clients = d.clients[:0]
	for _, address := range s.Clients {
		d.clients = append(d.clients, l.client(address))
	}
	if d.Queries > 0 && s.First.After(l.lastNew) {
		l.lastNew = s.First
	}
	l.touch(id, false)
}

// Redecide does a kept change once more. A name that is not known gets a
// record: no decision is lost with a record that is.
func (l *Ledger) Redecide(c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	step := change{to: c.To, keepReasons: c.KeepReasons, group: c.Group}
	if c.Group != "" {
		step.was = []Mark{l.groups[c.Group]}
	}
	for _, name := range c.Names {
		id, _ := l.lookup([]byte(name), c.At.UnixNano())
		step.ids = append(step.ids, id)
		step.was = append(step.was, l.domains[id].Mark)
	}
	l.apply(step)
}

// Recount puts kept counts back.
func (l *Ledger) Recount(c Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts = c
}
