package parse

// scanZone reads "Z" or "+01:00" right behind a time, or a zone behind a space.
func (s *stamp) scanZone(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	if b[0] == 'Z' {
		s.zoned = true
		return 1
	}
	if b[0] == ' ' {
		return s.scanZoneWord(b)
	}
	return s.scanOffset(b)
}

// scanZoneWord reads " CET", " UTC" or " +0100", which another word follows.
// Which zone a short name means depends on who wrote it: but for UTC, it is
// taken for the reader's own.
func (s *stamp) scanZoneWord(b []byte) int {
	if len(b) < 2 || b[0] != ' ' {
		return 0
	}
	n := 1
	if b[1] == '+' || b[1] == '-' {
		if n += s.scanOffset(b[1:]); n == 1 {
			return 0
		}
	} else {
		for n < len(b) && 'A' <= b[n] && b[n] <= 'Z' {
			n++
		}
		if n < len(" CET") || n > len(" CHADT") {
			return 0
		}
		if name := string(b[1:n]); name == "UTC" || name == "GMT" {
			s.zoned = true
		}
	}
	if n < len(b) && b[n] != ' ' && b[n] != '\t' && b[n] != ']' {
		s.zoned, s.offset = false, 0
		return 0
	}
	return n
}

// scanOffset reads "+01:00", "+0100" or "+01".
func (s *stamp) scanOffset(b []byte) int {
	if b[0] != '+' && b[0] != '-' {
		return 0
	}
	n, hours, minutes := 0, 0, 0
	switch digits := countDigits(b[1:]); {
	case digits == 4:
		n, hours, minutes = 5, number(b[1:3]), number(b[3:5])
	case digits == 2 && len(b) >= len("+01:00") && b[3] == ':' && countDigits(b[4:]) == 2:
		n, hours, minutes = 6, number(b[1:3]), number(b[4:6])
	case digits == 2:
		n, hours = 3, number(b[1:3])
	default:
		return 0
	}
	s.zoned = true
	s.offset = hours*3600 + minutes*60
	if b[0] == '-' {
		s.offset = -s.offset
	}
	return n
}
