package parse

import "encoding/binary"

// words are the bytes that a text begins with, eight in each. Whether another
// one begins with it is found out without a branch on its length, which no core
// can foresee of a name.
type words [wordsLen / 8]uint64

// wordsLen is the length of most names, and of what stands before most
// messages.
const wordsLen = 32

// leading has the bits of the first n bytes of words.
var leading = func() (t [wordsLen + 1]words) {
	for n := range t {
		for i := range n {
			t[n][i/8] |= 0xff << (i % 8 * 8)
		}
	}
	return t
}()

// fourWords returns the words of some bytes.
func fourWords(b *[wordsLen]byte) (w0, w1, w2, w3 uint64) {
	return binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
}

// begin reports whether b, of wordsLen bytes at least, begins with the text that
// the words are of.
func (w *words) begin(b, text []byte) bool {
	n := len(text)
	if len(b) < wordsLen || len(b) < n {
		return false
	}
	w0, w1, w2, w3 := fourWords((*[wordsLen]byte)(b))
	is := &leading[min(n, wordsLen)]
	if (w0^w[0])&is[0]|(w1^w[1])&is[1]|(w2^w[2])&is[2]|(w3^w[3])&is[3] != 0 {
		return false
	}
	for at := wordsLen; at < n; at += 8 {
		if at = min(at, n-8); binary.LittleEndian.Uint64(b[at:]) != binary.LittleEndian.Uint64(text[at:]) {
			return false
		}
	}
	return true
}

// Eight bytes in a word: 1 in each, and the highest bit of each.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// isZero returns the highest bits of the bytes that are 0; behind the first of
// them it may be wrong.
func isZero(word uint64) uint64 { return (word - eachByte) &^ word & highBits }

// eighths moves the highest bits of eight bytes, of which no others are set,
// together.
func eighths(word uint64) uint64 { return word >> 7 * 0x0102040810204080 >> 56 }
