package parse

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

// leadingIPv4 reads the address that a line ends with, and returns its length
// with the line's end, "\n" or "\r\n", 0 for none. b has maxIPv4 bytes, or none
// is read.
func leadingIPv4(b []byte) (address uint32, length int) {
	if len(b) < maxIPv4 {
		return 0, 0
	}
	text, at := (*[maxIPv4]byte)(b), 0
	for dots := 0; ; dots++ {
		value := uint32(text[at&(maxIPv4-1)]) - '0'
		if value > 9 {
			return 0, 0
		}
		c := text[(at+1)&(maxIPv4-1)]
		at++
		if digit := uint32(c) - '0'; digit <= 9 {
			if value == 0 {
				return 0, 0
			}
			value = value*10 + digit
			c = text[(at+1)&(maxIPv4-1)]
			at++
			if digit := uint32(c) - '0'; digit <= 9 {
				value = value*10 + digit
				c = text[(at+1)&(maxIPv4-1)]
				at++
			}
		}
		if value > 255 {
			return 0, 0
		}
		address = address<<8 | value
		at++
		if dots == 3 {
			if c == '\n' {
				return address, at
			}
			if c == '\r' && at < len(b) && b[at] == '\n' {
				return address, at + 1
			}
			return 0, 0
		}
		if c != '.' {
			return 0, 0
		}
	}
}

// upstream is the last address that a query was forwarded to: mostly there is
// one.
type upstream struct {
	text [len("255.255.255.255")]byte
	n    int
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
	_, n := leadingIPv4(b)
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
