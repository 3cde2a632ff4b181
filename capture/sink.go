package capture

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"lxd-allowlist/export/rule"
)

// Sink is told what happens to a ledger, so that it can be kept. Its methods
// are called with the ledger held: they neither wait nor call the ledger.
type Sink interface {
	// Changed tells of a record. news says that it has something that was not
	// known before, and not a higher count alone.
	Changed(id ID, news bool)
	Decided(Change)
	Stepped(Step)
	Owned(Client)
	Missed(Gap)
	Informed(Info)
	Exported(Written)
	Entered(Command)
	Verified(rule.Verified)
	// Witnessed tells of what a witness saw, as Changed does of a record.
	Witnessed(s Sight, news bool)
	// Told ends what one call of the ledger had to tell.
	Told()
	// Fault returns why no more can be kept, nil while it can.
	Fault() error
}

// Change is one step of a person's decisions, about domains, about a group or
// about addresses.
type Change struct {
	// Number counts a ledger's steps from 1: decisions, undos and redos. After
	// is the change before it that was in force. By both, changes that are lost
	// leave the others as they were.
	Number, After uint32

	To Mark
	// KeepReasons leaves a domain the reason that it has, whatever To says.
	KeepReasons bool
	Names       []string
	Group       string          // a name and all below it, instead of Names
	Addresses   []rule.Endpoint // instead of Names
	At          time.Time
	// Own says to [Ledger.Redecide] that it is one of [Ledger.Own].
	Own bool
}

// Step is an undo or a redo of the change with the number Of.
type Step struct {
	Number uint32 // counts together with those of changes
	Of     uint32
	Redo   bool
}

// Record is all that is known of a domain, without what it points to: what is
// kept of it.
type Record struct {
	Name      string            `json:"name"`
	Queries   uint32            `json:"queries,omitempty"`
	First     time.Time         `json:"first"`
	Last      time.Time         `json:"last"`
	Types     map[string]uint32 `json:"types,omitempty"` // queries by type
	Denied    uint32            `json:"denied,omitempty"`
	Unlisted  bool              `json:"unlisted,omitempty"`
	Outcomes  Outcomes          `json:"outcomes,omitempty"`
	Origins   Origins           `json:"origins,omitempty"`
	Blocker   string            `json:"blocker,omitempty"`
	Addresses []netip.Addr      `json:"addresses,omitempty"`
	Chain     []string          `json:"chain,omitempty"`
	Clients   []string          `json:"clients,omitempty"` // addresses as logged
}

// Record returns what is to be kept of a domain.
func (r Reader) Record(id ID) (s Record) {
	r.FillRecord(&s, id)
	return s
}

// FillRecord makes s what Record returns, where many are kept one after the other:
// what s was before is gone.
func (r Reader) FillRecord(s *Record, id ID) {
	var d Domain
	r.l.glance(&d, id)
	of := r.l.at(id)
	clear(s.Types)
	*s = Record{
		Name: d.Name, Queries: d.Queries, Denied: d.Denied, Unlisted: d.Unlisted, First: d.First(), Last: d.Last(),
		Outcomes: d.Outcomes, Origins: d.Origins, Blocker: d.Blocker, Types: s.Types,
		Addresses: r.l.addressesIn(s.Addresses[:0], of), Chain: s.Chain[:0], Clients: s.Clients[:0],
	}
	for _, t := range r.l.typesOf(d.twoTypes[:0], of) {
		if s.Types == nil {
			s.Types = make(map[string]uint32)
		}
		s.Types[t.Type] = t.Count
	}
	for _, at := range d.Chain {
		s.Chain = append(s.Chain, r.l.nameAt(at))
	}
	for _, n := range r.l.clientsIn(of) {
		s.Clients = append(s.Clients, r.l.clients[n].Address)
	}
}

// Keep tells sink from now on what happens, nobody with nil.
func (l *Ledger) Keep(sink Sink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sink, l.kept, l.unkept = sink, l.steps, nil
}

// Faulted tells who reads the ledger that its sink has a fault from now on.
func (l *Ledger) Faulted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.announce()
}

// Kept tells that the steps up to number are where no crash can lose them.
func (l *Ledger) Kept(number uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sink == nil || number <= l.kept {
		return
	}
	l.kept = number
	n := slices.IndexFunc(l.unkept, func(c change) bool { return c.number > number })
	if n < 0 {
		n = len(l.unkept)
	}
	kept := l.unkept[:n]
	l.unkept = slices.Clone(l.unkept[n:])
	for _, c := range kept {
		for i, id := range c.ids {
			l.show(id)
			l.breathe(i)
		}
		if c.group != "" {
			l.showBelow(c.group)
		}
	}
	l.announce()
}

// Restore puts a record back that was kept, in place of what is known of its
// name. The ledger keeps nothing of s itself.
func (l *Ledger) Restore(s Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := s.First.UnixNano()
	id := l.idOf(s.Name, at)
	var chain []ID
	for _, target := range s.Chain {
		chain = append(chain, l.idOf(target, at))
	}
	r := l.at(id)
	if r.queries == 0 && s.Queries > 0 {
		l.countBelow(id)
	}
	l.forget(r)
	r.queries, r.outcomes, r.origins, r.blocker = s.Queries, s.Outcomes, s.Origins, l.wordsAt(s.Blocker)
	r.first, r.last = at, s.Last.UnixNano()
	if s.Unlisted {
		r.state |= unlisted
	}
	if len(chain) > 0 || s.Denied > 0 || r.more != 0 {
		m := l.beside(r)
		m.chain, m.denied = chain, s.Denied
	}
	var few [8]string
	types := slices.AppendSeq(few[:0], maps.Keys(s.Types))
	slices.Sort(types)
	for _, t := range types {
		l.countType(r, l.typeAt([]byte(t)), s.Types[t])
	}
	for _, address := range s.Clients {
		l.addClient(r, l.client(address))
	}
	for _, a := range s.Addresses {
		if a.IsValid() && r.addressesN < maxAddresses { // "" is read as one, too
			number, ipv6 := l.number(a)
			l.addAddress(r, number, ipv6)
		}
	}
	if r.queries > 0 && s.First.After(l.lastNew) {
		l.lastNew = s.First
	}
	l.touch(id, false)
}

// idOf returns the ID of a normalised name, which gets a record if it has none.
func (l *Ledger) idOf(name string, at int64) ID {
	text := []byte(name)
	hash := l.ids.hash(text)
	if id, known := l.find(text, hash); known {
		return id
	}
	return l.add(text, hash, at)
}

// Redecide does a kept change once more; more of one number is one change. A
// name that is not known gets a record: no decision is lost with a record that
// is. Without a number, as the first journals had them, changes and steps are
// taken to be complete. One about nothing isn't one. It returns the step's
// number here, 0 for none.
func (l *Ledger) Redecide(c Change) uint32 {
	if c.Group == "" && len(c.Names) == 0 && len(c.Addresses) == 0 {
		return 0
	}
	defer l.hold()()
	step := change{number: c.Number, to: c.To, keepReasons: c.KeepReasons, group: c.Group, addresses: c.Addresses, again: !c.Own}
	if c.Number == 0 {
		step.number = l.steps + 1
	} else if c.Number != l.last() {
		l.comeTo(c.After)
	}
	l.steps = max(l.steps, step.number)
	if c.Group != "" {
		step.was = []Mark{l.groups[c.Group]}
	}
	for _, name := range c.Names {
		id := l.idOf(name, c.At.UnixNano())
		step.ids = append(step.ids, id)
		step.was = append(step.was, l.facts.mark(l.at(id)))
	}
	for _, at := range c.Addresses {
		step.was = append(step.was, l.addresses[at])
	}
	if c.Number != 0 && c.Number == l.last() { // the rest of a large one
		first := l.done[len(l.done)-1]
		l.done = l.done[:len(l.done)-1]
		l.apply(step)
		step.ids, step.was = append(first.ids, step.ids...), append(first.was, step.was...)
		step.addresses = append(first.addresses, step.addresses...)
		l.done[len(l.done)-1] = step
		return step.number
	}
	l.apply(step)
	return step.number
}

// Restep does a kept step once more. One whose change was lost has nothing to
// do.
func (l *Ledger) Restep(s Step) {
	defer l.hold()()
	l.steps = max(l.steps+1, s.Number)
	at, known := slices.BinarySearchFunc(l.done, s.Of, func(c change, n uint32) int { return int(c.number) - int(n) })
	switch {
	case s.Of == 0 && s.Redo && len(l.undone) > 0, s.Of == 0 && !s.Redo && len(l.done) > 0:
		l.move(s.Redo)
	case s.Of == 0:
	case s.Redo:
		l.comeTo(s.Of)
	case known:
		for len(l.done) > at {
			l.move(false)
		}
	}
}

// comeTo makes the change with a number the last one in force, by the undos
// and redos that must have been; 0 leaves none. It does nothing where that
// change isn't known.
func (l *Ledger) comeTo(number uint32) {
	is := func(c change) bool { return c.number == number }
	switch {
	case number == l.last():
	case number == 0 || slices.ContainsFunc(l.done, is):
		for l.last() != number {
			l.move(false)
		}
	case slices.ContainsFunc(l.undone, is):
		for l.last() != number {
			l.move(true)
		}
	}
}

// Inform says what the ledger is about, in place of what it was made with.
func (l *Ledger) Inform(i Info) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info, l.own = i, i.Domain
}

// Truncated notes that a packed log ended before it was whole.
func (l *Ledger) Truncated() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses.Ended++
	l.announce()
}

// Recount puts kept counts back.
func (l *Ledger) Recount(c Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts, l.losses = c, c.Losses
}
