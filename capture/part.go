package capture

import (
	"slices"
	"time"
)

// part is what a ledger needs beside its facts to read a part of a log whose
// beginning it doesn't know, so that [Ledger.unite] makes of it what reading
// the whole in one go would have.
//
// Only answers depend on what came before: an answer to a name that this part
// has not seen counts if an earlier part has, an error without a name belongs
// to a query by its serial, and a line of an answer may go on with a chain.
// Such lines are put off. What follows in the same answer is put off with
// them. Should that touch a name that this part knows, the order of its facts
// would be lost: then the part ends before that answer and another begins.
type part struct {
	late  []late
	group int     // where in late the answer begins that is being put off
	asked []asked // by the first query
	ended []ended
}

// late is a line that was put off.
type late struct {
	line   []byte
	before int  // how many domains the part had then
	opens  bool // no chain was open before
}

// asked is a name's first query.
type asked struct {
	id ID
	at int64
}

// ended is a part that ended before its log did.
type ended struct {
	facts
	part
}

// newPart returns a ledger for a part of the log that goes into l.
func (l *Ledger) newPart() *Ledger {
	p := NewLedger(Info{})
	p.part = &part{}
	p.facts = newFacts(l.ids.seed)
	p.chain.unsure = true
	return p
}

// deferAnswer puts a line off and what follows in the same answer with it.
func (l *Ledger) deferAnswer(m *message, known bool) {
	p := l.part
	opens := !l.chain.unsure
	if opens {
		p.group = len(p.late)
	} else if known {
		l.endPart()
	}
	p.put(m, len(l.domains))
	p.late[len(p.late)-1].opens = opens
	l.chain = chain{unsure: true}
}

func (p *part) put(m *message, domains int) {
	p.late = append(p.late, late{line: slices.Clone(m.line), before: domains})
}

// endPart ends the part before the answer that is being put off.
func (l *Ledger) endPart() {
	p := l.part
	group := slices.Clone(p.late[p.group:])
	for i := range group {
		group[i].before = 0
	}
	l.chain = chain{}
	p.late = p.late[:p.group]
	p.ended = append(p.ended, ended{l.facts, part{late: p.late, asked: p.asked}})
	p.late, p.group, p.asked = group, 0, nil
	l.facts = newFacts(l.ids.seed)
}

// unite adds what p read to l, which has read all that comes before.
func (l *Ledger) unite(p *Ledger, at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range p.part.ended {
		e := &p.part.ended[i]
		l.add(&e.facts, &e.part, at, stamps)
	}
	l.add(&p.facts, p.part, at, stamps)
	l.settle()
}

func (l *Ledger) add(f *facts, p *part, at time.Time, stamps bool) {
	ids := make([]ID, len(f.domains))
	rest := p.late
	takeLate := func(before int) {
		for len(rest) > 0 && rest[0].before <= before {
			if rest[0].opens {
				l.chain = chain{}
			}
			var m message
			l.parse(&m, rest[0].line, at, stamps)
			l.answer(&m)
			rest = rest[1:]
		}
	}
	for i := range f.domains {
		takeLate(i)
		d := &f.domains[i]
		ids[i], _ = l.lookup([]byte(d.Name), d.first)
	}
	takeLate(len(f.domains))
	for _, a := range slices.Backward(p.asked) {
		if l.domains[ids[a.id]].Queries == 0 {
			l.lastNew = time.Unix(0, a.at)
			break
		}
	}
	clients := l.addClients(f.clients)
	for i := range f.domains {
		l.addDomain(ids[i], &f.domains[i], ids, clients)
	}
	l.addState(f, ids)
}

// noClient stands for one that l has no room for.
const noClient = 1<<16 - 1

// addClients returns the places that a part's clients have in l.
func (l *Ledger) addClients(all []Client) []uint16 {
	places := make([]uint16, len(all))
	for i, c := range all {
		n, ok := l.clientN[c.Address]
		switch {
		case ok:
		case len(l.clients) == noClient:
			n = noClient
		default:
			n = l.addClient(c)
			notify(l.unknown)
		}
		places[i] = n
	}
	return places
}

// addDomain adds what a part knows of a name to the record of id.
func (l *Ledger) addDomain(id ID, from *Domain, ids []ID, clients []uint16) {
	d := &l.domains[id]
	fresh := d.Queries == 0 || from.Outcomes&^d.Outcomes != 0
	switch {
	case from.Queries == 0:
	case d.Queries == 0:
		d.first, d.last = from.first, from.last
	default:
		d.first, d.last = min(d.first, from.first), max(d.last, from.last)
	}
	d.Queries += from.Queries
	d.Outcomes |= from.Outcomes
	for _, t := range from.Types {
		at := slices.IndexFunc(d.Types, func(have TypeCount) bool { return have.Type == t.Type })
		if at < 0 {
			fresh = true
			d.Types = append(d.Types, TypeCount{l.intern([]byte(t.Type)), t.Count})
		} else {
			d.Types[at].Count += t.Count
		}
	}
	for _, n := range from.clients {
		if n = clients[n]; n != noClient {
			fresh = d.addClient(n) || fresh
		}
	}
	for _, a := range from.Addresses {
		fresh = d.addAddress(a) || fresh
	}
	for _, target := range from.Chain {
		l.link(id, ids[target])
	}
	if fresh {
		l.touch(id, saveNow)
	} else {
		l.touch(id, saveLater)
	}
}

// addState adds a part's counts and goes on where it ended.
func (l *Ledger) addState(f *facts, ids []ID) {
	l.counts.add(f.counts)
	if f.counts.Lost > 0 {
		l.lastLoss = f.lastLoss
	}
	for i, o := range f.pending {
		if o.serial != 0 {
			l.pending[i] = outstanding{o.serial, ids[o.id]}
		}
	}
	if c := f.chain; !c.unsure {
		if c.open {
			c.root, c.last = ids[c.root], ids[c.last]
		}
		l.chain = c
	}
}

func (c *Counts) add(d Counts) {
	c.Lines += d.Lines
	c.Queries += d.Queries
	c.Cut += d.Cut
	c.Garbled += d.Garbled
	c.Unprintable += d.Unprintable
	c.Lost += d.Lost
}
