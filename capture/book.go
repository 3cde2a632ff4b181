package capture

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"lxd-allowlist/capture/witness"
)

// Book is the ledger as a [witness.Joiner] writes to it.
type Book struct{ l *Ledger }

var _ witness.Book = Book{}

// Book returns where a witness writes to.
func (l *Ledger) Book() Book { return Book{l} }

// Asked implements [witness.Book], as the following do. A name that the program
// itself asks for leaves no trace here either.
func (b Book) Asked(name string, by *witness.Process, _ time.Time) (known bool) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expect[name] != nil || l.overlooked[name] {
		return true
	}
	r := Reader{l}
	id, ok := r.Lookup(name)
	if !ok || r.Domain(id).Queries == 0 {
		return false
	}
	s := l.sighted(id)
	news := acted(&s.Actors, &s.Others, Actor{Process: l.process(by), Queries: 1})
	l.saw(id, news)
	l.announce()
	return true
}

func (b Book) Reached(r witness.Reach) (known int) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	by := l.process(r.Process)
	for _, name := range r.Names {
		id, ok := (Reader{l}).Lookup(name)
		if !ok {
			continue
		}
		known++
		s := l.sighted(id)
		p, news := s.port(r)
		switch {
		case p == nil:
			s.OtherPorts++
		case len(r.Names) == 1:
			p.Count++
		default:
			p.Maybe++
		}
		if len(r.Names) == 1 {
			news = acted(&s.Actors, &s.Others, Actor{Process: by, Connections: 1}) || news
		}
		l.saw(id, s.said(r) || news)
	}
	l.announce()
	return known
}

func (b Book) Said(r witness.Reach) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range r.Names {
		if id, ok := (Reader{l}).Lookup(name); ok {
			l.saw(id, l.sighted(id).said(r))
		}
	}
	if n, ok := l.witness().wayOf[wayKey{kind: witness.Bare, to: r.To, protocol: r.Protocol}]; ok && len(r.Names) == 0 {
		w := l.witnessed.ways[n]
		l.turned(n, counted(&w.Names, &w.OtherNames, r.Server))
	}
	l.announce()
}

func (b Book) Bypassed(s witness.Bypass) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.announce()
	if l.expect[s.Name] != nil || l.tried[s.To.Addr()] {
		return
	}
	w := l.witness()
	k := wayKey{s.Kind, s.To, s.From, s.Protocol}
	n, ok := w.wayOf[k]
	if !ok {
		if len(w.ways) == maxBypasses {
			w.watch.Beyond++
			l.watched()
			return
		}
		n = len(w.ways)
		w.wayOf[k] = n
		w.ways = append(w.ways, &bypass{Bypass{Kind: s.Kind, To: s.To, From: s.From, Protocol: s.Protocol, First: s.At.Round(0)}})
	}
	way := w.ways[n]
	did := Actor{Process: l.process(s.Process), Connections: 1}
	if s.Kind == witness.Resolver || s.Kind == witness.Inside {
		did.Queries, did.Connections = 1, 0
	}
	way.Count++
	if s.At.After(way.Last) {
		way.Last = s.At.Round(0)
	}
	news := acted(&way.Actors, &way.Others, did)
	news = counted(&way.Names, &way.OtherNames, s.Name) || news
	l.turned(n, news || !ok)
}

// Names returns the names that were asked for, or that such a name's answer
// went through if there is none.
func (b Book) Names(a netip.Addr) (names []string) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	var targets []string
	for _, id := range l.witness().addresses[a] {
		if d := (Reader{l}).Domain(id); d.Queries > 0 {
			names = append(names, d.Name)
		} else {
			targets = append(targets, d.Name)
		}
	}
	if len(names) == 0 {
		return targets
	}
	return names
}

func (b Book) Owns(a netip.Addr) bool {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	n, ok := b.l.clientN[a.String()]
	return ok && b.l.clients[n].Owner == b.l.info.Instance
}

func (b Book) Lost(of witness.Source, n uint64, why string) {
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.witness().watch
	lost := &w.Lost
	if of == witness.Who {
		lost = &w.LostWho
	}
	*lost = maps.Clone(*lost)
	if *lost == nil {
		*lost = make(map[string]uint64)
	}
	(*lost)[why] += n
	l.watched()
}

// maxNamesAt bounds how many domains of one address are remembered.
const maxNamesAt = 16

// addressed notes that an answer gave a domain an address.
func (w *witnessed) addressed(id ID, a netip.Addr) {
	if w == nil || w.addresses == nil {
		return
	}
	a = a.Unmap()
	if at := w.addresses[a]; len(at) < maxNamesAt && !slices.Contains(at, id) {
		w.addresses[a] = append(at, id)
	}
}

// indexAddresses has the addresses that answers gave known from now on.
func (l *Ledger) indexAddresses() {
	w := l.witness()
	if w.addresses != nil {
		return
	}
	w.addresses = make(map[netip.Addr][]ID)
	for i, r := 0, (Reader{l}); i < r.Len(); i++ {
		for _, a := range r.Domain(ID(i)).Addresses {
			w.addressed(ID(i), a)
		}
		l.breathe(i)
	}
}
