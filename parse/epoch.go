package parse

import "encoding/hex"

// scanUnix reads the seconds since 1970, or the ms, µs or ns, by how many
// digits there are: those of the years 2001 to 2286.
func (s *stamp) scanUnix(b []byte, digits int) int {
	var perSecond int64
	switch digits {
	case 10:
		perSecond = 1
	case 13:
		perSecond = 1e3
	case 16:
		perSecond = 1e6
	case 19:
		perSecond = 1e9
	default:
		return 0
	}
	var n int64
	for _, c := range b[:digits] {
		n = n*10 + int64(c-'0')
	}
	s.isUnix, s.unix = true, n/perSecond
	s.nanosecond = int(n % perSecond * (1e9 / perSecond))
	if perSecond == 1 {
		return digits + s.scanFraction(b[digits:])
	}
	return digits
}

// scanTAI64N reads what multilog, s6-log and runit's svlogd put before a line:
// "@", the seconds since 1970 in TAI plus 2^62, and the nanoseconds.
func scanTAI64N(b []byte) (s stamp, n int) {
	const length = len("@4000000065a1b2c3d4e5f6a7")
	var label [12]byte
	if len(b) < length {
		return s, 0
	}
	if _, err := hex.Decode(label[:], b[1:length]); err != nil || label[0] != 0x40 {
		return s, 0
	}
	const ahead = 10 // TAI is by more, since leap seconds came; these tools leave those out
	for _, c := range label[1:8] {
		s.unix = s.unix<<8 | int64(c)
	}
	for _, c := range label[8:] {
		s.nanosecond = s.nanosecond<<8 | int(c)
	}
	s.unix -= ahead
	s.isUnix = true
	return s, length
}
