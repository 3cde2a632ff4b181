package capture

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// Reader is a look into the ledger, valid within the call of [Ledger.Read]
// only.
type Reader struct{ l *Ledger }

// Read calls look with the ledger held still. Nothing of what look sees may
// be kept: copy it.
func (l *Ledger) Read(look func(Reader)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	look(Reader{l})
}

// Len returns how many domains there are; their IDs are 0 to Len()-1.
func (r Reader) Len() int { return r.l.n }

// Name returns the name of id.
func (r Reader) Name(id ID) string { return r.l.nameAt(id) }

// Domain returns what is known of id, as it is now.
func (r Reader) Domain(id ID) *Domain {
	return r.l.domain(id)
}

// Fill makes d what Domain returns, where many are looked at one after the
// other: what d was before is gone.
func (r Reader) Fill(d *Domain, id ID) { r.l.fill(d, id) }

// Lookup returns the ID of a normalised name.
func (r Reader) Lookup(name string) (ID, bool) {
	return r.l.lookup(name)
}

// Verdict returns the decision in force for d.
func (r Reader) Verdict(d *Domain) Verdict { return r.l.judge(d) }

// Listed returns the verdict that a list follows: what came up under an enforced
// list, and nobody has decided about, is [NotListed] and left out.
func (r Reader) Listed(d *Domain) Verdict { return r.l.listed(d) }

// Dropped reports whether a name is one that is dropped, and why.
func (r Reader) Dropped(name string) (reason string, dropped bool) {
	id, ok := r.Lookup(name)
	if !ok {
		return "", false
	}
	v := r.Verdict(r.Domain(id))
	return cmp.Or(v.Reason, "dropped"), v.Decision == Drop
}

// Rejected reports whether a person drops a name, by whatever mark or rule.
func (r Reader) Rejected(name string) bool {
	id, ok := r.Lookup(name)
	if !ok {
		return false
	}
	v := r.Verdict(r.Domain(id))
	return v.Decision == Drop && byPerson[v.Rule]
}

// Group returns a person's mark on a name and all below it.
func (r Reader) Group(name string) Mark { return r.l.groups[name] }

// Owners returns who asked for d, each once: instances, and addresses whose
// owner is not known.
func (r Reader) Owners(d *Domain) []string { return r.AppendOwners(nil, d) }

// AppendOwners is Owners into a slice that the caller has, which is empty.
func (r Reader) AppendOwners(names []string, d *Domain) []string {
	for _, n := range r.l.clientsIn(r.l.at(d.id)) {
		c := &r.l.clients[n]
		if c.Owner == "" { // an address is there once
			names = append(names, c.Address)
		} else if !slices.Contains(names, c.Owner) {
			names = append(names, c.Owner)
		}
	}
	return names
}

// Chain returns the names that d's answers went through.
func (r Reader) Chain(d *Domain) []string {
	names := make([]string, len(d.Chain))
	for i, id := range d.Chain {
		names[i] = r.l.nameAt(id)
	}
	return names
}

// Info returns what the ledger is about.
func (r Reader) Info() Info { return r.l.info }

// LastNew returns when the last domain that had never been asked for before
// was; the zero time while there is none.
func (r Reader) LastNew() time.Time { return r.l.lastNew }

// Fault returns why what happens can't be kept, nil while it can.
func (r Reader) Fault() error {
	if r.l.sink == nil {
		return nil
	}
	return r.l.sink.Fault()
}

// Saved reports whether all that decides about d by a person's word is kept,
// so that a machine that dies now doesn't lose it. It is true where nothing is
// kept at all; where keeping failed it stays false, see [Reader.Fault].
func (r Reader) Saved(d *Domain) bool {
	l := r.l
	if l.sink == nil || len(l.unkept) == 0 {
		return true
	}
	return d.step <= l.kept && !slices.ContainsFunc(l.unkept, func(c change) bool { return inDomain(d.Name, c.group) })
}

// Below returns how many names below one were asked for.
func (r Reader) Below(name string) int { return r.l.askedBelow(name) }

// Overruled reports whether a person dropped the domain, by a rule too, and a
// suffix rule allows it all the same.
func (r Reader) Overruled(id ID) bool {
	var d Domain
	r.l.glance(&d, id)
	v := r.l.judge(&d)
	return v.Decision == Drop && byPerson[v.Rule] && r.l.covered(d.Name)
}

// Refresh is [Ledger.Read] that also hands over the records that changed
// since the last call, each once: all others are as they were then. It has
// one caller, the screen.
func (l *Ledger) Refresh(look func(Reader, []ID)) { l.RefreshSome(math.MaxInt, look) }

// RefreshSome is Refresh for so many records at most. [Ledger.Wake] tells when
// there are more.
func (l *Ledger) RefreshSome(most int, look func(Reader, []ID)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.indexBelow()
	some := l.changed[:min(most, len(l.changed))]
	for _, id := range some {
		l.at(id).state &^= unseen
	}
	look(Reader{l}, some)
	if l.changed = l.changed[len(some):]; len(l.changed) == 0 {
		l.changed = some[:0]
		return
	}
	notify(l.wake)
}

// Pending returns how many records Refresh has to hand over.
func (l *Ledger) Pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.changed)
}

// Wake tells, by one value however many, that Refresh has something.
func (l *Ledger) Wake() <-chan struct{} { return l.wake }

// UnknownClient tells, by one value however many, that an address asked whose
// owner is not known: see [Ledger.SetOwners].
func (l *Ledger) UnknownClient() <-chan struct{} { return l.unknown }

// SetOwners tells who holds an address, by the address as dnsmasq logs it.
// The verdicts follow.
func (l *Ledger) SetOwners(owners map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	moved := make(map[uint16]bool)
	for address, owner := range owners {
		n := l.client(address)
		if l.clients[n].Owner != owner {
			l.clients[n].Owner = owner
			moved[n] = true
			if l.sink != nil {
				l.sink.Owned(l.clients[n])
			}
		}
	}
	if len(moved) == 0 {
		return
	}
	l.edition++
	for id := ID(0); id < ID(l.n); id++ {
		r := l.at(id)
		if slices.ContainsFunc(l.clientsIn(r), func(n uint16) bool { return moved[n] }) {
			l.show(id)
		}
		l.breathe(int(id))
	}
	l.announce()
}

func (l *Ledger) client(address string) uint16 {
	if n, ok := l.clientN[address]; ok {
		return n
	}
	return l.newClient(Client{Address: strings.Clone(address)}) // which may be a part of a line
}

// expected is a name that the program itself asks for.
type expected struct {
	came chan struct{}
	seen bool
	once bool
}

// Expect returns a channel that is closed when the name is asked for. No query
// for it leaves a trace in the ledger: it is a canary of the program's own,
// which nobody else asks for.
func (l *Ledger) Expect(name string) <-chan struct{} {
	e := &expected{came: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expect[name] = e
	return e.came
}

// Overlook has the next query for the name leave no trace in the ledger: the
// program itself is about to ask for it, as others may.
func (l *Ledger) Overlook(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expect[name] = &expected{once: true}
	if l.overlooked == nil {
		l.overlooked = make(map[string]bool)
	}
	l.overlooked[name] = true
}

// ExpectTo has nothing that goes to an address from now on be a way round DNS:
// the program itself tries it, to see it refused. It is to be nobody's.
func (l *Ledger) ExpectTo(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tried == nil {
		l.tried = make(map[netip.Addr]bool)
	}
	l.tried[a] = true
}

// Observed is the source of a rule that stands in a list because its name was
// asked for, and nobody decided about it.
const Observed = "observed"

// Answered returns the addresses that names were answered with, by name.
func (r Reader) Answered() map[string][]netip.Addr {
	all := make(map[string][]netip.Addr)
	for id := range ID(r.l.n) {
		if record := r.l.at(id); record.addressesN > 0 {
			all[r.Name(id)] = r.l.addressesIn(nil, record)
		}
	}
	return all
}

// List returns what is to be exported: one exact rule for each domain that is
// kept or, since nobody has spoken against it, new. all applies no rule and
// no mark: every clean name that was asked for, whatever its type or answer.
func (l *Ledger) List(all bool) rule.List { return l.list(all, true) }

// BareList returns what List does, for files that don't say what was observed:
// without most of the evidence, which has more bytes than the rest of a large
// list. It has what decides about rules: that there is no such name, and all
// where a witness told of connections.
func (l *Ledger) BareList(all bool) rule.List { return l.list(all, false) }

// Bare has the ledger keep of the log lines to come only what BareList asks for
// where there is no instance and no [Ledger.Limit]: not who asked, for which types,
// and what addresses were answered, each of which is elsewhere in memory, and there
// are many queries to wait for it.
func (l *Ledger) Bare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bare = true
}

func (l *Ledger) list(all, evidence bool) (list rule.List) {
	var out leftOut
	var patterns []patternRule
	begin := func() {
		out = leftOut{by: make(map[Rule]int)}
		list = rule.List{Header: rule.Header{
			Program: l.info.Program, Session: l.info.Session, Instance: l.info.Instance,
			Network: l.info.Network, When: time.Now(), Verified: l.verified,
		}}
		l.weighNow()
		list.Doubts = Reader{l}.Doubts()
		addresses, overruled := l.keptAddresses()
		list.Rules = append(make([]rule.Rule, 0, l.n), addresses...)
		if !all {
			list.Rules, out.allowed = append(list.Rules, l.suffixes()...), append(overruled, l.overruled()...)
			patterns = l.patterns()
		}
	}
	l.survey(begin, func(d *Domain) {
		if d.Queries == 0 && d.Class == parse.Host && d.Mark.Decision == New {
			list.Aliases = append(list.Aliases, d.Name)
		}
		v := l.listed(d)
		if !all {
			out.add(l, d, v)
			if v.Decision == Drop && byPerson[v.Rule] {
				spareDropped(patterns, d.Name)
			}
		}
		if all && (d.Queries == 0 || out.unlisted(l, d)) || !all && v.Decision == Drop {
			return
		}
		source := Observed
		reason := d.Mark.Reason
		if v.Decision == Keep {
			source, reason = string(v.Rule), v.Reason
		}
		listed := rule.Rule{Name: d.Name, Reason: reason, Source: source}
		switch {
		case evidence || l.witnessed != nil:
			listed.Seen = l.seen(d)
		case d.Outcomes.Has(parse.NoName):
			listed.Seen = &rule.Seen{Outcome: d.Result()}
		}
		list.Rules = append(list.Rules, listed)
	})
	for _, p := range patterns {
		if p.dropped == "" {
			list.Rules = append(list.Rules, p.rule)
		} else {
			list.Doubts = append(list.Doubts, fmt.Sprintf("%s stands in the list as what was seen of it: it would allow %s, which is dropped", p.rule.Name, p.dropped))
		}
	}
	list.LeftOut = out.String()
	if !all {
		slices.Sort(out.allowed)
		list.Overruled = slices.Compact(out.allowed)
	}
	return list
}

// survey takes the lock and calls look for every domain, in their order. It
// lets others at the ledger meanwhile; where one of them changed the verdicts
// it begins anew, and the third time nobody gets between.
func (l *Ledger) survey(begin func(), look func(*Domain)) {
	for try := range 3 {
		l.deciding.Lock() // no step is half done then
		l.mu.Lock()
		l.deciding.Unlock()
		begin()
		edition := l.edition
		var d Domain
		for i := 0; i < l.n; i++ {
			l.glance(&d, ID(i))
			look(&d)
			if try < 2 {
				l.breathe(i)
			}
		}
		same := l.edition == edition
		l.mu.Unlock()
		if same {
			return
		}
	}
}

func (l *Ledger) seen(d *Domain) *rule.Seen {
	s := &rule.Seen{Queries: uint64(d.Queries), Outcome: d.Result(), Instances: Reader{l}.Owners(d), First: d.First(), Last: d.Last()}
	for _, t := range l.typesOf(nil, l.at(d.id)) {
		s.Types = append(s.Types, t.Type)
	}
	slices.Sort(s.Types)
	l.addWitnessed(s, d)
	return s
}

// Tally is how many of the domains that were asked for stand under each
// decision.
type Tally struct{ Keep, New, Out, DropByUser, DropByRule int }

// Total returns how many domains there are.
func (t Tally) Total() int { return t.Keep + t.New + t.Out + t.DropByUser + t.DropByRule }

// Undecided returns about how many nobody has decided.
func (t Tally) Undecided() int { return t.New + t.Out }
