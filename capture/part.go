package capture

import (
	"slices"
	"time"

	"lxd-allowlist/parse"
)

// part reads a part of a log whose beginning it doesn't know, so that
// [Ledger.unite] makes of it what reading the whole in one go would have.
//
// Only answers depend on what came before: an answer to a name that this part
// has not seen counts if an earlier part has, an error without a name belongs
// to a query by its serial, and a line of an answer may go on with a chain.
// Such lines are put off. What follows in the same answer is put off with
// them. Should that touch a name that this part knows, the order of its facts
// would be lost: then the part ends before that answer and another begins.
type part struct {
	intake
	late  []late
	group int     // where in late the answer begins that is being put off
	asked []asked // by the first query
	ended []piece
}

// late is a line that was put off.
type late struct {
	text   []byte
	before int  // how many domains the part had then
	opens  bool // no chain was open before
}

// asked is a name's first query.
type asked struct {
	id ID
	at int64
}

// piece is a part, or what was before the place where one had to end.
type piece struct {
	facts
	late  []late
	asked []asked
}

// newPart returns what reads a part of the log that goes into l.
func (l *Ledger) newPart() *part {
	p := &part{intake: intake{facts: newFacts(l.ids.seed), only: l.only}}
	p.own, p.chain.unsure = l.own, true
	p.intake.take = p.takeLine
	return p
}

func (p *part) takeLine(m *line) {
	if m.kind == parse.Answer && p.puttingOff(m) {
		p.counts.Lines++
		return
	}
	if id, first := p.facts.take(m); first {
		p.asked = append(p.asked, asked{id, m.at})
	}
}

// puttingOff puts an answer off if it depends on what came before the part.
func (p *part) puttingOff(m *line) bool {
	switch {
	case len(m.logged) == 0:
		if m.serial == 0 || p.asker(m).serial != 0 {
			return false
		}
		p.chain = chain{}
		p.putOff(m)
		return true
	case m.reverse:
		return false
	}
	p.turn(m)
	_, known := p.known(m.logged)
	if !p.chain.unsure && (known || p.chain.open && p.chain.alias) {
		return false
	}
	opens := !p.chain.unsure
	if opens {
		p.group = len(p.late)
	} else if known {
		p.end()
	}
	p.putOff(m)
	p.late[len(p.late)-1].opens = opens
	p.chain = chain{unsure: true}
	return true
}

func (p *part) putOff(m *line) {
	p.late = append(p.late, late{text: slices.Clone(m.whole), before: len(p.domains)})
}

// end ends the part before the answer that is being put off, and begins
// another.
func (p *part) end() {
	group := slices.Clone(p.late[p.group:])
	for i := range group {
		group[i].before = 0
	}
	p.chain = chain{}
	p.ended = append(p.ended, piece{p.facts, p.late[:p.group], p.asked})
	own := p.own
	p.facts, p.late, p.group, p.asked = newFacts(p.ids.seed), group, 0, nil
	p.own = own
}

// pieces returns all that was read, in its order.
func (p *part) pieces() []piece { return append(p.ended, piece{p.facts, p.late, p.asked}) }

// unite adds what p read to l, which has read all that comes before.
func (l *Ledger) unite(p *part, at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, piece := range p.pieces() {
		l.add(&piece, at, stamps)
	}
	l.losses.Add(&p.losses)
	l.announce()
}

// add adds a piece. Between two records others may look and decide, since
// only who unites feeds the ledger meanwhile.
func (l *Ledger) add(p *piece, at time.Time, stamps bool) {
	ids := make([]ID, len(p.domains))
	rest := p.late
	takeLate := func(before int) {
		for len(rest) > 0 && rest[0].before <= before {
			if rest[0].opens {
				l.chain = chain{}
			}
			var m line
			l.parse(&m, rest[0].text, at, stamps)
			l.answer(&m)
			rest = rest[1:]
			l.breathe(len(rest))
		}
	}
	for i := range p.domains {
		takeLate(i)
		d := &p.domains[i]
		ids[i], _ = l.lookup([]byte(d.Name), d.first)
		l.breathe(i)
	}
	takeLate(len(p.domains))
	for _, a := range slices.Backward(p.asked) {
		if l.domains[ids[a.id]].Queries == 0 {
			l.lastNew = time.Unix(0, a.at)
			break
		}
	}
	clients := l.addClients(p.clients)
	for i := range p.domains {
		l.addDomain(ids[i], &p.domains[i], ids, clients)
		l.breathe(i)
	}
	l.addState(&p.facts, ids)
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
			l.unnamed = true
		}
		places[i] = n
	}
	return places
}

// addDomain adds what a part knows of a name to the record of id.
func (l *Ledger) addDomain(id ID, from *Domain, ids []ID, clients []uint16) {
	d := &l.domains[id]
	fresh := d.Queries == 0 || from.Outcomes&^d.Outcomes != 0 || from.Origins&^d.Origins != 0
	switch {
	case from.Queries == 0:
	case d.Queries == 0:
		d.first, d.last = from.first, from.last
		l.countBelow(id)
	default:
		d.first, d.last = min(d.first, from.first), max(d.last, from.last)
	}
	d.Queries += from.Queries
	d.Outcomes |= from.Outcomes
	d.Origins |= from.Origins
	if d.Blocker == "" && from.Blocker != "" {
		d.Blocker = l.intern([]byte(from.Blocker))
	}
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
	l.touch(id, fresh)
}

// addState adds a part's counts and goes on where it ended.
func (l *Ledger) addState(f *facts, ids []ID) {
	l.counts.Lines += f.counts.Lines
	l.counts.Queries += f.counts.Queries
	for name := range f.forwarded {
		if l.forwarded == nil {
			l.forwarded = make(map[string]struct{})
		}
		if len(l.forwarded) < maxForwarded {
			l.forwarded[name] = struct{}{}
		}
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
