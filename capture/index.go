package capture

import (
	"hash/maphash"
	"iter"
	"slices"

	"lxd-allowlist/export/rule"
)

// index finds a domain by its name, see facts.find. It is open addressing in one slice without
// a pointer: a lookup costs one cache miss beside the record's own, and the
// garbage collector has nothing to read in it.
type index struct {
	slots []slot // a power of two of them, at most seven eighths in use
	used  int
	seed  maphash.Seed // random: whoever chooses the names can't have them collide
}

// slot is empty while next is 0.
type slot struct {
	hash uint32
	next ID // the domain's ID plus 1
}

// minSlots is where an index begins: a session has hundreds of names.
const minSlots = 1 << 10

func (x *index) hash(name []byte) uint32 { return hashOf(x.seed, name) }

func hashOf(seed maphash.Seed, name []byte) uint32 { return uint32(maphash.Bytes(seed, name)) }

// first returns where the search for a hash begins.
func (x *index) first(hash uint32) *slot { return &x.slots[hash&uint32(len(x.slots)-1)] }

// likely returns the ID plus 1 of the first name with a hash, 0 for none.
func (x *index) likely(hash uint32) ID {
	mask := uint32(len(x.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		if s := x.slots[at]; s.hash == hash || s.next == 0 {
			return s.next
		}
	}
}

// add takes up a name that find did not find.
func (x *index) add(hash uint32, id ID) {
	if x.used++; 8*x.used > 7*len(x.slots) {
		old := x.slots
		x.slots = make([]slot, 2*len(old))
		for _, s := range old {
			if s.next != 0 {
				x.put(s)
			}
		}
	}
	x.put(slot{hash, id + 1})
}

func (x *index) put(s slot) {
	mask := uint32(len(x.slots) - 1)
	at := s.hash & mask
	for x.slots[at].next != 0 {
		at = (at + 1) & mask
	}
	x.slots[at] = s
}

// family is the names that are a registrable domain or below it.
type family struct {
	ids   []ID
	asked int // how many of them were asked for
}

// familyName returns the registrable domain of a name; ok is false for one
// that has none: a public suffix, a single label.
func familyName(name string) (family string, ok bool) { return rule.Registered(name) }

// indexBelow makes facts know which names are below one.
func (f *facts) indexBelow() {
	if f.below != nil {
		return
	}
	f.below = make(map[string]*family)
	for id := range ID(f.n) {
		f.addBelow(id)
		if f.asked(id) {
			f.countBelow(id)
		}
	}
}

// addBelow takes up a new name.
func (f *facts) addBelow(id ID) {
	name, _ := familyName(f.nameAt(id))
	of := f.below[name]
	if of == nil {
		of = new(family)
		f.below[name] = of
	}
	of.ids = append(of.ids, id)
}

// countBelow counts a name that was asked for the first time.
func (f *facts) countBelow(id ID) {
	if f.below == nil {
		return
	}
	name, _ := familyName(f.nameAt(id))
	f.below[name].asked++
}

// askedBelow returns how many names below one were asked for: at once for a
// registrable domain.
func (f *facts) askedBelow(name string) (n int) {
	f.indexBelow()
	if domain, ok := familyName(name); ok && domain == name {
		of := f.below[name]
		if of == nil {
			return 0
		}
		if id, known := f.lookup(name); known && f.asked(id) {
			return of.asked - 1
		}
		return of.asked
	}
	for id := range f.maybeBelow(name) {
		if below := f.nameAt(id); f.asked(id) && below != name && inDomain(below, name) {
			n++
		}
	}
	return n
}

// maybeBelow returns a name, where it is known, and all that are below it,
// among others: see inDomain.
func (f *facts) maybeBelow(name string) iter.Seq[ID] {
	if domain, ok := familyName(name); ok {
		f.indexBelow()
		if of := f.below[domain]; of != nil {
			return slices.Values(of.ids)
		}
		return func(func(ID) bool) {}
	}
	return func(yield func(ID) bool) { // any family may be below it
		for id := range ID(f.n) {
			if !yield(id) {
				return
			}
		}
	}
}
