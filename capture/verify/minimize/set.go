package minimize

import "math/bits"

// Set is some of a list's items, by their index.
type Set []uint64

// NewSet returns the set of these of n items.
func NewSet(n int, items ...int) Set {
	s := make(Set, (n+63)/64)
	for _, i := range items {
		s[i/64] |= 1 << (i % 64)
	}
	return s
}

// Has reports whether an item is in the set.
func (s Set) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// Len returns how many items are in the set.
func (s Set) Len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// with returns the set and these items.
func (s Set) with(items ...int) Set {
	t := append(Set(nil), s...)
	for _, i := range items {
		t[i/64] |= 1 << (i % 64)
	}
	return t
}

// without returns the set less these items.
func (s Set) without(items ...int) Set {
	t := append(Set(nil), s...)
	for _, i := range items {
		t[i/64] &^= 1 << (i % 64)
	}
	return t
}

// within reports whether all of the set is in t.
func (s Set) within(t Set) bool {
	for i, w := range s {
		if w&^t[i] != 0 {
			return false
		}
	}
	return true
}

func (s Set) equals(t Set) bool { return s.within(t) && t.within(s) }
