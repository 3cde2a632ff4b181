package parse

import "bytes"

// isZoned reports whether b is an IP address; an IPv6 one may have a zone.
func isZoned(b []byte) bool {
	if isIPv4(b) {
		return true
	}
	if zone := bytes.IndexByte(b, '%'); zone >= 0 {
		if zone == len(b)-1 || bytes.IndexByte(b[zone:], ' ') >= 0 {
			return false
		}
		b = b[:zone]
	}
	return isIPv6(b)
}

// sameAddress reports whether got is the address want. Only one of them may
// have a zone: dnsmasq prints it before a message and not in it.
func sameAddress(want, got []byte) bool {
	if bytes.Equal(want, got) {
		return true
	}
	address, zone, zoned := bytes.Cut(want, percent)
	gotAddress, gotZone, gotZoned := bytes.Cut(got, percent)
	if zoned && gotZoned && !bytes.Equal(zone, gotZone) {
		return false
	}
	return bytes.Equal(address, gotAddress) && (!gotZoned || isZoned(got))
}

var percent = []byte("%")

func isAddress(b []byte) bool { return isIPv4(b) || isIPv6(b) }

// isIPv4 reports whether b is four numbers to 255 without leading zeros.
func isIPv4(b []byte) bool {
	_, ok := readIPv4(b)
	return ok
}

// isIPv6 reports whether b is an IPv6 address without a zone: eight groups,
// less if "::" stands in for at least one, the last two perhaps as IPv4.
func isIPv6(b []byte) bool {
	if n := len(b); n < len("::") || !hexByte[b[n-1]] && b[n-1] != ':' {
		return false
	}
	groups, gap := 0, false
	if hasPrefix(b, "::") {
		gap = true
		b = b[2:]
	}
	for len(b) > 0 {
		n := 0
		for n < len(b) && hexByte[b[n]] {
			n++
		}
		if n < len(b) && b[n] == '.' {
			if !isIPv4(b) {
				return false
			}
			groups += 2
			break
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		if b = b[n:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return false
		}
		if b = b[1:]; b[0] == ':' {
			if gap {
				return false
			}
			gap = true
			b = b[1:]
		}
	}
	if gap {
		return groups < 8
	}
	return groups == 8
}

// byteSet is a set of bytes.
type byteSet [256]bool

func setOf(bytes string) (s byteSet) {
	for _, c := range []byte(bytes) {
		s[c] = true
	}
	return s
}

var hexByte = setOf("0123456789abcdefABCDEF")
