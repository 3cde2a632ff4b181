package table

import (
	"runtime"
	"slices"
	"sort"

	"lxd-allowlist/capture/crash/lanes"
)

// seq is a sorted sequence that a change costs little, however long it is: it
// lies in chunks, and what stands before a chunk is summed up when it is asked
// for. The order is strict: no two items compare as equal.
type seq[T any] struct {
	compare func(a, b T) int
	weigh   func(T) weight

	chunks []*chunk[T]
	before []weight // what stands before each chunk, and all; nil if not summed up
}

type chunk[T any] struct {
	items []T
	weight
}

// measure is one of the ways in which items are counted.
type measure int

const (
	items measure = iota
	// Lines of groups while groups are unfolded, and while they are folded.
	openLines
	shutLines
	// Stops are what nobody has decided about: rows, and groups that are
	// folded. Those of groups again while they are unfolded and folded.
	openStops
	shutStops
	measures
)

// weight is what items come to by each measure.
type weight [measures]int

func (w *weight) add(o weight, sign int) {
	for m := range w {
		w[m] += sign * o[m]
	}
}

// chunkMost is the most items of a chunk: to move them costs about what it
// costs to find the place among the chunks of a million.
const chunkMost = 512

// fill puts sorted items in place of what is there, and keeps them. sum is what
// some of them come to: [seq.sum], or what is quicker to be had.
func (s *seq[T]) fill(sorted []T, sum func(part []T) weight) {
	const most = chunkMost / 2
	s.chunks, s.before = make([]*chunk[T], (len(sorted)+most-1)/most), nil
	lanes.Do(partOfTable, len(s.chunks), worthLanes/most, func(_, from, to int) {
		for i := from; i < to; i++ {
			begin, end := i*most, min(len(sorted), (i+1)*most)
			part := sorted[begin:end:end]
			s.chunks[i] = &chunk[T]{part, sum(part)}
			if i%(breath/most) == 0 {
				runtime.Gosched()
			}
		}
	})
}

func (s *seq[T]) chunkOf(part []T) *chunk[T] { return &chunk[T]{part, s.sum(part)} }

func (s *seq[T]) sum(part []T) (w weight) {
	for _, x := range part {
		w.add(s.weigh(x), 1)
	}
	return w
}

// find returns the chunk and the place in it of an item, or of where it would
// stand.
func (s *seq[T]) find(x T) (c, at int, found bool) {
	c = sort.Search(len(s.chunks), func(i int) bool { return s.compare(s.chunks[i].items[0], x) > 0 })
	if c = max(0, c-1); c == len(s.chunks) {
		return c, 0, false
	}
	at, found = slices.BinarySearchFunc(s.chunks[c].items, x, s.compare)
	return c, at, found
}

func (s *seq[T]) insert(x T) {
	c, at, _ := s.find(x)
	s.before = nil
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, s.chunkOf([]T{x}))
		return
	}
	in := s.chunks[c]
	in.items = slices.Insert(in.items, at, x)
	in.add(s.weigh(x), 1)
	if n := len(in.items); n > chunkMost {
		front, back := slices.Clone(in.items[:n/2]), slices.Clone(in.items[n/2:])
		s.chunks = slices.Replace(s.chunks, c, c+1, s.chunkOf(front), s.chunkOf(back))
	}
}

func (s *seq[T]) remove(x T) {
	c, at, found := s.find(x)
	if !found {
		return
	}
	s.before = nil
	in := s.chunks[c]
	in.items = slices.Delete(in.items, at, at+1)
	in.add(s.weigh(x), -1)
	if len(in.items) == 0 {
		s.chunks = slices.Delete(s.chunks, c, c+1)
	}
}

// reweigh changes an item that is there without moving it.
func (s *seq[T]) reweigh(x T, change func()) {
	was := s.weigh(x)
	change()
	is := s.weigh(x)
	if is == was {
		return
	}
	c, _, _ := s.find(x)
	s.before = nil
	s.chunks[c].add(was, -1)
	s.chunks[c].add(is, 1)
}

// sums returns what stands before each chunk, and behind them what all come to.
func (s *seq[T]) sums() []weight {
	if s.before == nil {
		s.before = make([]weight, len(s.chunks)+1)
		for i, c := range s.chunks {
			s.before[i+1] = s.before[i]
			s.before[i+1].add(c.weight, 1)
		}
	}
	return s.before
}

// total returns what all items come to by a measure.
func (s *seq[T]) total(m measure) int {
	sums := s.sums()
	return sums[len(sums)-1][m]
}

// at returns the item that has the n-th part, from 0, by a measure, and which
// of its parts that is.
func (s *seq[T]) at(n int, m measure) (x T, part int) {
	sums := s.sums()
	c := sort.Search(len(s.chunks), func(i int) bool { return sums[i+1][m] > n })
	n -= sums[c][m]
	if s.singly(c, m) {
		return s.chunks[c].items[n], 0
	}
	for _, x = range s.chunks[c].items {
		w := s.weigh(x)[m]
		if n < w {
			break
		}
		n -= w
	}
	return x, n
}

// upTo returns what the items before one come to by a measure.
func (s *seq[T]) upTo(x T, m measure) int {
	c, at, _ := s.find(x)
	if c == len(s.chunks) {
		return 0
	}
	w := s.sums()[c]
	if s.singly(c, m) {
		return w[m] + at
	}
	for _, y := range s.chunks[c].items[:at] {
		w.add(s.weigh(y), 1)
	}
	return w[m]
}

// singly reports whether each item of a chunk is one part: none has less but by
// the stops.
func (s *seq[T]) singly(c int, m measure) bool {
	return m < openStops && s.chunks[c].weight[m] == len(s.chunks[c].items)
}

// appendTo appends n items from the n-th one on to a list.
func (s *seq[T]) appendTo(list []T, from, n int) []T {
	for _, c := range s.chunks {
		switch {
		case from >= len(c.items):
			from -= len(c.items)
			continue
		case n == 0:
			return list
		}
		part := c.items[from:min(len(c.items), from+n)]
		list = append(list, part...)
		from, n = 0, n-len(part)
	}
	return list
}
