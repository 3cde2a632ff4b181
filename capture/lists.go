package capture

// lists holds a great many short lists without a pointer to each: with room for
// 2, 8 or 32 numbers, those of one size side by side. A list is found by a
// number and its length. The zero value holds none.
type lists[T uint16 | uint32] struct {
	sizes [3]struct {
		pages []*[listPage]T
		next  uint32 // the first list that was never used
		free  []uint32
	}
}

const (
	// listPage is how many numbers are allocated at once.
	listPage = 1 << 11
	// longest is the longest list.
	longest = 32
)

// sizeOf returns which of the sizes a list with n numbers has.
func sizeOf(n int) int {
	switch {
	case n <= 2:
		return 0
	case n <= 8:
		return 1
	}
	return 2
}

// room returns a list with all the room that it has.
func (l *lists[T]) room(list uint32, size int) []T {
	room := uint32(2) << (2 * size)
	at := list * room
	return l.sizes[size].pages[at/listPage][at%listPage:][:room:room]
}

// get returns a list. It is valid until something is added to it.
func (l *lists[T]) get(list uint32, n int) []T {
	if n == 0 {
		return nil
	}
	return l.room(list, sizeOf(n))[:n]
}

// add adds a number to a list of n and returns where the list is now.
func (l *lists[T]) add(list uint32, n int, number T) uint32 {
	size := sizeOf(n + 1)
	if n == 0 || size != sizeOf(n) {
		to := l.fresh(size)
		copy(l.room(to, size), l.get(list, n))
		l.drop(list, n)
		list = to
	}
	l.room(list, size)[n] = number
	return list
}

// fresh returns a list that is nobody's.
func (l *lists[T]) fresh(size int) uint32 {
	s := &l.sizes[size]
	if n := len(s.free); n > 0 {
		list := s.free[n-1]
		s.free = s.free[:n-1]
		return list
	}
	list := s.next
	s.next++
	if int(list*(2<<(2*size))/listPage) == len(s.pages) {
		s.pages = append(s.pages, new([listPage]T))
	}
	return list
}

// drop gives a list back.
func (l *lists[T]) drop(list uint32, n int) {
	if n > 0 {
		s := &l.sizes[sizeOf(n)]
		s.free = append(s.free, list)
	}
}
