package capture

import "math/bits"

// lists holds a great many short lists without a pointer to each: of 2, 4 and
// so on to 256 numbers, those of one size side by side. A list is found by a
// number and its length. The zero value holds none.
type lists[T uint16 | uint32] struct {
	sizes [8]struct {
		pages []*[listPage]T
		next  uint32 // the first list that was never used
		free  []uint32
	}
}

// listPage is how many numbers are allocated at once.
const listPage = 1 << 11

// sizeOf returns which of the sizes a list with n numbers has, n above 0.
func sizeOf(n int) int { return bits.Len(uint(n-1)|1) - 1 }

// get returns a list. It is valid until something is added to it.
func (l *lists[T]) get(list uint32, n int) []T {
	if n == 0 {
		return nil
	}
	size := sizeOf(n)
	at := list << (size + 1)
	return l.sizes[size].pages[at/listPage][at%listPage:][:n:n]
}

// add adds a number to a list of n and returns where the list is now.
func (l *lists[T]) add(list uint32, n int, number T) uint32 {
	size := sizeOf(n + 1)
	to := list
	if n == 0 || size != sizeOf(n) {
		s := &l.sizes[size]
		if free := len(s.free); free > 0 {
			to = s.free[free-1]
			s.free = s.free[:free-1]
		} else {
			to = s.next
			s.next++
			if int(to<<(size+1)/listPage) == len(s.pages) {
				s.pages = append(s.pages, new([listPage]T))
			}
		}
		if n > 0 {
			copy(l.room(to, size), l.get(list, n))
			l.drop(list, n)
		}
	}
	l.room(to, size)[n] = number
	return to
}

// room returns a list with all the room that it has.
func (l *lists[T]) room(list uint32, size int) []T {
	at := list << (size + 1)
	return l.sizes[size].pages[at/listPage][at%listPage:][:2<<size]
}

// drop gives a list back.
func (l *lists[T]) drop(list uint32, n int) {
	if n > 0 {
		s := &l.sizes[sizeOf(n)]
		s.free = append(s.free, list)
	}
}
