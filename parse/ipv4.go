package parse

import (
	"encoding/binary"
	"math/bits"
)

// ipv4 is an address, if ok is set.
type ipv4 struct {
	address uint32
	ok      bool
}

func (a *ipv4) read(b []byte) { a.address, a.ok = readIPv4(b) }

// ClientIPv4 returns Client as a number, if it is an address of IPv4.
func (r *Record) ClientIPv4() (address uint32, ok bool) { return r.client.address, r.client.ok }

// ResultIPv4 returns Result as a number, if it is an address of IPv4.
func (r *Record) ResultIPv4() (address uint32, ok bool) { return r.result.address, r.result.ok }

// readIPv4 reads four numbers to 255 without leading zeros.
func readIPv4(b []byte) (address uint32, ok bool) {
	if len(b) < len("0.0.0.0") || len(b) > len("255.255.255.255") {
		return 0, false
	}
	for dots := 0; ; dots++ {
		if len(b) == 0 || !isDigit(b[0]) {
			return 0, false
		}
		n, value := 1, uint32(b[0]-'0')
		if len(b) > 1 && isDigit(b[1]) {
			if value == 0 {
				return 0, false
			}
			n, value = 2, value*10+uint32(b[1]-'0')
			if len(b) > 2 && isDigit(b[2]) {
				n, value = 3, value*10+uint32(b[2]-'0')
			}
		}
		if value > 255 {
			return 0, false
		}
		address = address<<8 | value
		if dots == 3 {
			return address, n == len(b)
		}
		if n == len(b) || b[n] != '.' {
			return 0, false
		}
		b = b[n+1:]
	}
}

// network is the first two numbers of the last address that was read: mostly
// the next one has the same.
type network struct {
	text, mask uint64 // what an address begins with, up to the second dot
	n          int    // its length, 0 while there is none
	numbers    uint32
}

// leading reads the address that a line ends with, and returns its length with
// the line's end, "\n" or "\r\n", 0 for none. b has maxIPv4 bytes, or none is
// read.
func (m *network) leading(b []byte) (address uint32, length int) {
	if len(b) < maxIPv4 {
		return 0, 0
	}
	text := (*[maxIPv4]byte)(b)
	if begin := binary.LittleEndian.Uint64(text[:]); m.n == 0 || (begin^m.text)&m.mask != 0 {
		numbers, n := twoNumbers(begin)
		if n == 0 || text[n&7] != '.' {
			return 0, 0
		}
		m.text, m.mask, m.n, m.numbers = begin, 1<<(8*n+8)-1, n+1, numbers
	}
	numbers, n := twoNumbers(binary.LittleEndian.Uint64(b[m.n:]))
	if n == 0 {
		return 0, 0
	}
	address, n = m.numbers<<16|numbers, n+m.n
	if b[n] == '\n' {
		return address, n + 1
	}
	if b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n' {
		return address, n + 2
	}
	return 0, 0
}

// twoNumbers reads two numbers to 255 without leading zeros, with a dot between
// them, and returns their length, 0 for none. Something else than a digit
// follows. No core can foresee how many digits there are: no branch asks.
func twoNumbers(text uint64) (numbers uint32, n int) {
	others := text ^ '0'*eachByte
	others = (others | (others + (0x80-10)*eachByte)) & highBits // no digits, up to what isn't ASCII
	dot := uint(bits.TrailingZeros64(others)) - 7
	end := uint(bits.TrailingZeros64(others&(others-1))) - 7
	if dot-8 > 16 || end-dot-16 > 16 || byte(text>>(dot&63)) != '.' {
		return 0, 0
	}
	// A byte a digit, the last one of each number in the highest byte.
	digits := uint64(uint32(text)<<((32-dot)&31))<<32 | uint64(uint32(text>>((dot+8)&63))<<((40+dot-end)&31))
	digits &= 0x0f0f0f0f_0f0f0f0f
	const decimal = 100<<16 | 10<<8 | 1
	numbers = uint32(digits>>32)*decimal>>24<<8 | uint32(digits)*decimal>>24
	// With the first one in the highest byte they compare as the numbers do.
	digits = bits.ReverseBytes64(digits)
	least := uint64(1)<<((dot-8)&31)&^1 | uint64(1)<<((end-dot-16)&31)&^1<<32
	if ((0x020505<<32|0x020505)-digits|(digits-least))&(1<<63|1<<31) != 0 {
		return 0, 0
	}
	return numbers, int(end / 8)
}

// upstream is the last address that a query was forwarded to: mostly there is
// one.
type upstream struct {
	text    [len("255.255.255.255")]byte
	n       int
	network network
}

// leads returns the length of the address of IPv4 that a line ends with, with
// the line's end, 0 for none.
func (u *upstream) leads(b []byte) int {
	if n := u.n; n > 0 && n+1 < len(b) && string(b[:n]) == string(u.text[:n]) {
		if b[n] == '\n' {
			return n + 1
		}
		if b[n] == '\r' && b[n+1] == '\n' {
			return n + 2
		}
	}
	_, n := u.network.leading(b)
	if n > 0 {
		u.n = copy(u.text[:], chomp(b[:n-1]))
	}
	return n
}

// is reports whether b is an address of IPv4.
func (u *upstream) is(b []byte) bool {
	if u.n > 0 && string(b) == string(u.text[:u.n]) {
		return true
	}
	if _, ok := readIPv4(b); !ok {
		return false
	}
	u.n = copy(u.text[:], b)
	return true
}
