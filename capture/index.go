package capture

import (
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// index finds a domain by its name. It is open addressing in one slice without
// a pointer: a lookup costs one cache miss beside the record's own, and the
// garbage collector has nothing to read in it.
type index struct {
	slots []slot // a power of two of them, at most half in use
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

func (x *index) hash(name []byte) uint32 { return uint32(maphash.Bytes(x.seed, name)) }

// find returns the ID of a name.
func (x *index) find(name []byte, hash uint32, domains []Domain) (ID, bool) {
	mask := uint32(len(x.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := x.slots[at]
		if s.next == 0 {
			return 0, false
		}
		if s.hash == hash && domains[s.next-1].Name == string(name) {
			return s.next - 1, true
		}
	}
}

// guess returns the ID plus 1 of the name that first comes for a hash.
func (x *index) guess(hash uint32) ID { return x.slots[hash&uint32(len(x.slots)-1)].next }

// add takes up a name that find did not find.
func (x *index) add(hash uint32, id ID) {
	if x.used++; 2*x.used > len(x.slots) {
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

// belowKey is what names below one name have in common, if that is longer than
// a top-level domain: the last two labels. It costs less than to tell the
// registrable domain, which a group mostly is.
func belowKey(name string) string {
	if last := strings.LastIndexByte(name, '.'); last > 0 {
		return name[strings.LastIndexByte(name[:last], '.')+1:]
	}
	return name
}

// indexBelow makes facts know which names are below one.
func (f *facts) indexBelow() {
	if f.below != nil {
		return
	}
	f.below = make(map[string][]ID)
	for id := range f.domains {
		f.addBelow(ID(id))
	}
}

func (f *facts) addBelow(id ID) {
	key := belowKey(f.domains[id].Name)
	f.below[key] = append(f.below[key], id)
}

// maybeBelow returns a name, where it is known, and all that are below it,
// among others: see inDomain.
func (f *facts) maybeBelow(name string) iter.Seq[ID] {
	if strings.Contains(name, ".") {
		f.indexBelow()
		return slices.Values(f.below[belowKey(name)])
	}
	return func(yield func(ID) bool) { // a top-level domain: any key may be below it
		for id := range ID(len(f.domains)) {
			if !yield(id) {
				return
			}
		}
	}
}
