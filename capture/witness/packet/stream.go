package packet

import "slices"

// maxSpans is how many pieces apart from each other a stream keeps: a window's
// worth of segments with every second one lost.
const maxSpans = 32

// Stream puts together what comes in pieces, in whatever order and more than
// once. Where two pieces differ, the first one counts.
type Stream struct {
	Limit int // of its length, in bytes
	data  []byte
	have  []span // ordered, with a gap between any two
}

type span struct{ from, to int }

// Add adds a piece that begins at an offset, which is negative where a part of
// it was dropped already. It is false for what a stream has no room for.
func (s *Stream) Add(offset int, piece []byte) bool {
	if offset < 0 {
		piece, offset = piece[min(-offset, len(piece)):], 0
	}
	end := offset + len(piece)
	if end > s.Limit {
		return false
	}
	if len(piece) == 0 {
		return true
	}
	first := 0
	for first < len(s.have) && s.have[first].to < offset {
		first++
	}
	if len(s.have) == maxSpans && (first == maxSpans || s.have[first].from > end) {
		return false
	}
	if len(s.data) < end {
		s.data = slices.Grow(s.data, end-len(s.data))[:end]
	}
	whole, at, last := span{offset, end}, offset, first
	for ; last < len(s.have) && s.have[last].from <= end; last++ {
		known := s.have[last]
		if at < known.from {
			copy(s.data[at:known.from], piece[at-offset:])
		}
		at = max(at, known.to)
		whole = span{min(whole.from, known.from), max(whole.to, known.to)}
	}
	if at < end {
		copy(s.data[at:end], piece[at-offset:])
	}
	s.have = slices.Replace(s.have, first, last, whole)
	return true
}

// Head returns what there is from the beginning to the first gap. It is good
// until the stream is next changed.
func (s *Stream) Head() []byte {
	if len(s.have) == 0 || s.have[0].from > 0 {
		return nil
	}
	return s.data[:s.have[0].to]
}

// Drop takes n bytes off the beginning, which Head has.
func (s *Stream) Drop(n int) {
	if n == 0 {
		return
	}
	s.data = append([]byte(nil), s.data[n:]...)
	for i := range s.have {
		s.have[i] = span{s.have[i].from - n, s.have[i].to - n}
	}
	if s.have[0].from = 0; s.have[0].to == 0 {
		s.have = s.have[1:]
	}
}

// Size returns how many bytes the stream takes.
func (s *Stream) Size() int { return cap(s.data) }
