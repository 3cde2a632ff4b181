package capture

import "hash/maphash"

// index finds a domain by its name, see facts.find. It is open addressing in
// one slice without a pointer: a lookup costs one cache miss beside the
// record's own, and the garbage collector has nothing to read in it.
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
