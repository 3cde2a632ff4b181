package capture

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"lxd-allowlist/parse"
)

// record is what is known of one name: 64 bytes, one line of a core's cache,
// so that a query waits for memory once. It has no pointer, so that the garbage
// collector has nothing to read in it. What most names have little or none of
// is elsewhere: see facts.
type record struct {
	first, last int64 // Unix nanoseconds
	queries     uint32
	step        uint32                   // the last step that changed the mark while there was a sink
	name        uint32                   // where it begins in facts.names
	counts      [len(kinds{}) - 1]uint32 // queries with each of kinds but the first, which has what is left
	clients     uint32                   // in facts.clientsOf
	addresses   uint32                   // in facts.addressesOf
	more        uint32                   // a place in facts.more, 0 for none
	nameLen     uint16
	outcomes    Outcomes
	blocker     uint16 // a place in facts.words
	state       state
	origins     Origins
	kinds       kinds
	use         parse.Special
	clientsN    uint8
	addressesN  uint8
	ipv6        uint8 // which of the addresses are places in facts.ipv6
}

// kinds are query types, as places in facts.types; 0 for none.
type kinds [3]uint8

// state is small things, in the bits of a word.
type state uint16

const (
	unseen   state = 1 << iota // in facts.changed
	unlisted                   // see Domain.Unlisted
	suffix                     // of the mark
	bitmap                     // clients are bits
	public                     // the top-level domain is
	private                    // it is not
)

// Where a state has the class, and the decision of the mark.
const (
	classShift    = 8
	decisionShift = 12
	stateMask     = 0xf
)

func (r *record) class() parse.Class { return parse.Class(r.state >> classShift & stateMask) }

func (r *record) decision() Decision { return Decision(r.state >> decisionShift & stateMask) }

// more is what few names have.
type more struct {
	denied  uint32
	chain   []ID
	types   []kindCount // beyond those of the record
	clients []uint16    // beyond the bits of the record
	reason  string      // of the mark
}

// kindCount counts the queries with a type: a place in facts.types.
type kindCount struct {
	kind  uint16
	count uint32
}

const (
	// pageRecords is how many records are allocated at once. They never move.
	pageRecords = 1 << 10
	// pageNames is how many bytes of names are allocated at once.
	pageNames = 1 << 16
)

// at returns the record of id.
func (f *facts) at(id ID) *record { return &f.pages[id/pageRecords][id%pageRecords] }

// asked reports whether a name was asked for.
func (f *facts) asked(id ID) bool { return f.at(id).queries > 0 }

// nameOf returns a record's name. It may be kept.
func (f *facts) nameOf(r *record) string {
	at := r.name % pageNames
	return f.names[r.name/pageNames].String()[at : at+uint32(r.nameLen)]
}

func (f *facts) nameAt(id ID) string { return f.nameOf(f.at(id)) }

// find returns the ID of a normalised name.
func (f *facts) find(name []byte, hash uint32) (ID, bool) {
	mask := uint32(len(f.ids.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := f.ids.slots[at]
		if s.next == 0 {
			return 0, false
		}
		if s.hash == hash && f.nameAt(s.next-1) == string(name) {
			return s.next - 1, true
		}
	}
}

// lookup is find that takes no hash.
func (f *facts) lookup(name string) (ID, bool) {
	return f.find([]byte(name), f.ids.hash([]byte(name)))
}

// add makes a record for a name that there is none for.
func (f *facts) add(name []byte, hash uint32, at int64) ID {
	id := ID(f.n)
	if f.n%pageRecords == 0 {
		f.pages = append(f.pages, new([pageRecords]record))
	}
	f.n++
	f.ids.add(hash, id)
	if n := len(f.names); n == 0 || pageNames-f.names[n-1].Len() < len(name) {
		page := new(strings.Builder)
		page.Grow(pageNames)
		f.names = append(f.names, page)
	}
	page := f.names[len(f.names)-1]
	r := f.at(id)
	r.name = uint32(len(f.names)-1)*pageNames + uint32(page.Len())
	r.nameLen = uint16(len(name))
	page.Write(name)
	r.state = state(parse.Classify(name)) << classShift
	r.use = parse.SpecialUse(name)
	r.first, r.last = at, at
	if f.below != nil {
		f.addBelow(id)
	}
	return id
}

// beside returns what few names have, to be changed.
func (f *facts) beside(r *record) *more {
	if r.more == 0 {
		if len(f.more) == 0 {
			f.more = make([]more, 1)
		}
		r.more = uint32(len(f.more))
		f.more = append(f.more, more{})
	}
	return &f.more[r.more]
}

// countType counts n queries with a type: a place in facts.types. Their number
// is in the record's queries already.
func (f *facts) countType(r *record, kind uint16, n uint32) (fresh bool) {
	for i, have := range r.kinds {
		switch {
		case uint16(have) == kind:
			if i > 0 {
				r.counts[i-1] += n
			}
			return false
		case have == 0 && kind <= 0xff:
			r.kinds[i] = uint8(kind)
			if i > 0 {
				r.counts[i-1] = n
			}
			return true
		}
	}
	m := f.beside(r)
	for i := range m.types {
		if m.types[i].kind == kind {
			m.types[i].count += n
			return false
		}
	}
	m.types = append(m.types, kindCount{kind, n})
	return true
}

// typesOf appends how often a name was asked for with which type.
func (f *facts) typesOf(to []TypeCount, r *record) []TypeCount {
	begin, left := len(to), r.queries
	if r.kinds[0] != 0 {
		to = append(to, TypeCount{Type: f.types[r.kinds[0]]})
	}
	for i, n := range r.counts {
		if kind := r.kinds[i+1]; kind != 0 {
			to = append(to, TypeCount{f.types[kind], n})
			left -= n
		}
	}
	if r.more != 0 {
		for _, t := range f.more[r.more].types {
			to = append(to, TypeCount{f.types[t.kind], t.count})
			left -= t.count
		}
	}
	if r.kinds[0] != 0 {
		to[begin].Count = left
	}
	return to
}

// addAddress notes an address of an answer: a number for IPv4, a place in
// facts.ipv6 for IPv6.
func (f *facts) addAddress(r *record, address uint32, ipv6 bool) (fresh bool) {
	for i, have := range f.addressesOf.get(r.addresses, int(r.addressesN)) {
		if have == address && (r.ipv6>>i&1 != 0) == ipv6 {
			return false
		}
	}
	r.addresses = f.addressesOf.add(r.addresses, int(r.addressesN), address)
	if ipv6 {
		r.ipv6 |= 1 << r.addressesN
	}
	r.addressesN++
	return true
}

// ipv6At returns the place of an address in facts.ipv6, ok is false for what
// is none. It is looked for as it is written first.
func (f *facts) ipv6At(text []byte) (at uint32, ok bool) {
	if at, ok = f.ipv6N[string(text)]; ok {
		return at, true
	}
	a, err := netip.ParseAddr(string(text))
	if err != nil {
		return 0, false
	}
	usual := a.String()
	if at, ok = f.ipv6N[usual]; ok {
		return at, true
	}
	if f.ipv6N == nil {
		f.ipv6N = make(map[string]uint32)
	}
	at = uint32(len(f.ipv6))
	f.ipv6 = append(f.ipv6, a.As16())
	f.ipv6N[usual] = at
	return at, true
}

// number returns how an address is kept.
func (f *facts) number(a netip.Addr) (address uint32, ipv6 bool) {
	if a.Is4() {
		four := a.As4()
		return binary.BigEndian.Uint32(four[:]), false
	}
	var text [len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")]byte
	at, _ := f.ipv6At(a.WithZone("").AppendTo(text[:0]))
	return at, true
}

// addressOf returns the address that is kept as a number.
func (f *facts) addressOf(number uint32, ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.AddrFrom16(f.ipv6[number])
	}
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], number)
	return netip.AddrFrom4(four)
}

// addressesIn appends the addresses of a name's answers.
func (f *facts) addressesIn(to []netip.Addr, r *record) []netip.Addr {
	for i, n := range f.addressesOf.get(r.addresses, int(r.addressesN)) {
		to = append(to, f.addressOf(n, r.ipv6>>i&1 != 0))
	}
	return to
}

// mark returns what a person said of a name.
func (f *facts) mark(r *record) (m Mark) {
	m.Decision, m.Suffix = r.decision(), r.state&suffix != 0
	if r.more != 0 {
		m.Reason = f.more[r.more].reason
	}
	return m
}

func (f *facts) setMark(r *record, m Mark) {
	r.state = r.state&^(suffix|stateMask<<decisionShift) | state(m.Decision)<<decisionShift
	if m.Suffix {
		r.state |= suffix
	}
	if m.Reason != "" || r.more != 0 {
		f.beside(r).reason = m.Reason
	}
}

// glance makes d the domain of a record, but for its types and addresses.
func (f *facts) glance(d *Domain, id ID) {
	r := f.at(id)
	*d = Domain{
		id: id, Name: f.nameOf(r), first: r.first, last: r.last, Queries: r.queries, Unlisted: r.state&unlisted != 0,
		Outcomes: r.outcomes, Origins: r.origins, Class: r.class(), Special: r.use,
		Blocker: f.words[r.blocker], Mark: f.mark(r), step: r.step,
	}
	if r.more != 0 {
		m := &f.more[r.more]
		d.Denied, d.Chain = m.denied, m.chain
	}
}

// domain returns the domain of a record.
func (f *facts) domain(id ID) *Domain {
	d := new(Domain)
	f.fill(d, id)
	return d
}

// fill makes d the domain of a record.
func (f *facts) fill(d *Domain, id ID) {
	f.glance(d, id)
	d.Types = f.typesOf(d.twoTypes[:0], f.at(id))
	d.Addresses = f.addressesIn(d.oneAddress[:0], f.at(id))
}

// forget takes back all that is known of a name but its mark.
func (f *facts) forget(r *record) {
	f.clientsOf.drop(r.clients, min(int(r.clientsN), listClients))
	f.addressesOf.drop(r.addresses, int(r.addressesN))
	if r.more != 0 {
		f.more[r.more] = more{reason: f.more[r.more].reason}
	}
	r.kinds, r.counts = kinds{}, [len(r.counts)]uint32{}
	r.clientsN, r.addressesN, r.ipv6 = 0, 0, 0
	r.state &^= unlisted | bitmap
}
