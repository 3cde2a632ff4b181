package parse

import (
	"bytes"
	"time"
)

// stamp is a time as it is written. Its forms, each with a fraction after a
// dot or a comma if there is one:
//
//	Nov 23 10:00:00           dnsmasq, syslog; also "Nov 3", "Nov 23 2026 10:00:00"
//	Mon Nov 23 10:00:00 2026  OpenWrt's logread; also with a zone before the year
//	2026-11-23T10:00:00+01:00 RFC 3339; also with "/" or ".", with a space or "_"
//	                          for the T, and a zone after a space
//	Mon 2026-11-23 10:00:00 CET   journalctl -o short-full
//	23/Nov/2026:10:00:00 +0100, 11/23/2026 10:00:00, 2026 Nov 23 10:00:00, 20261123 10:00:00
//	10:00:00                  pihole -t
//	1795428000.123456         journalctl -o short-unix; also ms, µs and ns, as in JSON
//	@4000000065a1b2c3d4e5f6a7 TAI64N
type stamp struct {
	year, day            int // 0 if it has none
	month                time.Month
	hour, minute, second int
	nanosecond           int
	unix                 int64 // in the place of all but the nanosecond, if isUnix is set
	isUnix               bool
	ambiguous            bool // 1/2/2026 may be in January or in February
	zoned                bool
	offset               int // of the zone, in seconds
}

// stampLen returns the length of the time that b starts with, 0 if it starts
// with none.
func stampLen(b []byte) int {
	if len(b) == 0 || !stampStart[b[0]] {
		return 0
	}
	_, n := scanStamp(b)
	return n
}

// stampStart is what a time can start with: a digit, the first letter of a
// weekday or a month, TAI64N's mark.
var stampStart = setOf("0123456789JFMASONDTW@")

func scanStamp(b []byte) (s stamp, n int) {
	if len(b) > 0 && b[0] == '@' {
		return scanTAI64N(b)
	}
	weekday := weekdayLen(b)
	rest := b[weekday:]
	switch {
	case len(rest) == 0:
		return s, 0
	case isDigit(rest[0]):
		n = s.scanDigits(rest)
	default:
		n = s.scanMonth(rest, weekday > 0)
	}
	if n == 0 {
		return stamp{}, 0
	}
	return s, weekday + n
}

// scanMonth reads what starts with a month's name.
func (s *stamp) scanMonth(b []byte, weekday bool) int {
	if len(b) < len("Nov 3 10:00:00") || b[3] != ' ' {
		return 0
	}
	if s.month = month(b); s.month == 0 {
		return 0
	}
	i := 3 + blanks(b[3:])
	n := countDigits(b[i:])
	if n == 0 || n > 2 {
		return 0
	}
	s.day = number(b[i : i+n])
	i += n
	if rest := b[i:]; len(rest) > 6 && rest[0] == ' ' && countDigits(rest[1:]) == 4 && rest[5] == ' ' {
		s.year = number(rest[1:5])
		i += 5
	}
	n = blanks(b[i:])
	if n == 0 {
		return 0
	}
	i += n
	if n = s.scanClock(b[i:]); n == 0 {
		return 0
	}
	i += n
	if weekday && s.year == 0 { // "... 2026" or "... CET 2026", as ctime and date print it
		end := i + s.scanZoneWord(b[i:])
		if rest := b[end:]; len(rest) >= 5 && rest[0] == ' ' && countDigits(rest[1:]) == 4 {
			s.year = number(rest[1:5])
			return end + 5
		}
		s.zoned, s.offset = false, 0
	}
	return i
}

// scanDigits reads what starts with a digit.
func (s *stamp) scanDigits(b []byte) int {
	n := countDigits(b)
	if n >= len(b) {
		return s.scanUnix(b, n)
	}
	switch sep := b[n]; {
	case n == 2 && sep == ':':
		return s.scanClock(b)
	case n == 4 && (sep == '-' || sep == '/' || sep == '.'):
		return s.scanYear(b, sep)
	case n == 4 && sep == ' ':
		s.year = number(b[:4])
		if n := s.scanMonth(b[5:], false); n > 0 && s.year > 0 {
			return 5 + n
		}
		return 0
	case n == 8 && (sep == ' ' || sep == 'T'):
		s.year, s.month, s.day = number(b[:4]), time.Month(number(b[4:6])), number(b[6:8])
		return s.andClock(b, 8)
	case n <= 2 && (sep == '/' || sep == '.' || sep == '-' || sep == ' '):
		return s.scanDay(b, n, sep)
	}
	return s.scanUnix(b, n)
}

// scanYear reads "2026-11-23" and the time of the day.
func (s *stamp) scanYear(b []byte, sep byte) int {
	month := countDigits(b[5:])
	i := 5 + month
	if month == 0 || month > 2 || i >= len(b) || b[i] != sep {
		return 0
	}
	day := countDigits(b[i+1:])
	if day == 0 || day > 2 {
		return 0
	}
	s.year, s.month, s.day = number(b[:4]), time.Month(number(b[5:i])), number(b[i+1:i+1+day])
	return s.andClock(b, i+1+day)
}

// scanDay reads "23/Nov/2026", "23/11/2026" or "11/23" and the time of the
// day. n is how many digits the first number has.
func (s *stamp) scanDay(b []byte, n int, sep byte) int {
	first := number(b[:n])
	i := n + 1
	named := len(b) >= i+3 && month(b[i:]) != 0
	second := 0
	if named {
		s.month = month(b[i:])
		i += 3
	} else {
		if sep == ' ' {
			return 0
		}
		digits := countDigits(b[i:])
		if digits == 0 || digits > 2 {
			return 0
		}
		second = number(b[i : i+digits])
		i += digits
	}
	if len(b) > i+5 && b[i] == sep && countDigits(b[i+1:]) == 4 {
		s.year = number(b[i+1 : i+5])
		i += 5
	} else if sep == '.' {
		return 0
	}
	switch {
	case named:
		s.day = first
	case s.year == 0 || second > 12:
		s.month, s.day = time.Month(first), second
	default:
		s.day, s.month = first, time.Month(second)
		s.ambiguous = first <= 12 && first != second && sep != '.'
	}
	if i < len(b) && b[i] == ':' && named {
		n := s.scanClock(b[i+1:])
		if n == 0 {
			return 0
		}
		i += 1 + n
		return i + s.scanZone(b[i:])
	}
	return s.andClock(b, i)
}

// andClock reads the time of the day and the zone behind a date of n bytes.
func (s *stamp) andClock(b []byte, n int) int {
	if n >= len(b) || b[n] != 'T' && b[n] != '_' && b[n] != ' ' {
		return 0
	}
	i := n + max(1, blanks(b[n:]))
	clock := s.scanClock(b[i:])
	if clock == 0 {
		return 0
	}
	i += clock
	if rest := b[i:]; (hasPrefix(rest, " AM") || hasPrefix(rest, " PM")) && (len(rest) == 3 || isBlank(rest[3])) {
		s.hour %= 12
		if rest[1] == 'P' {
			s.hour += 12
		}
		i += len(" AM")
	}
	return i + s.scanZone(b[i:])
}

// scanClock reads "10:00:00" and a fraction.
func (s *stamp) scanClock(b []byte) int {
	if len(b) < len("10:00:00") || !isClock(b) {
		return 0
	}
	s.hour, s.minute, s.second = number(b[0:2]), number(b[3:5]), number(b[6:8])
	return len("10:00:00") + s.scanFraction(b[len("10:00:00"):])
}

func (s *stamp) scanFraction(b []byte) int {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || !isDigit(b[1]) {
		return 0
	}
	digits := countDigits(b[1:])
	s.nanosecond = 0
	for i := 1; i <= 9; i++ {
		s.nanosecond *= 10
		if i <= digits {
			s.nanosecond += int(b[i] - '0')
		}
	}
	return 1 + digits
}

// isClock reports whether b starts like "10:00:00".
func isClock(b []byte) bool {
	_ = b[7]
	return isDigit(b[0]) && isDigit(b[1]) && b[2] == ':' && isDigit(b[3]) && isDigit(b[4]) &&
		b[5] == ':' && isDigit(b[6]) && isDigit(b[7])
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// blanks returns how many spaces and tabs b starts with.
func blanks(b []byte) int {
	n := 0
	for n < len(b) && (b[n] == ' ' || b[n] == '\t') {
		n++
	}
	return n
}

// number reads decimal digits.
func number(b []byte) (n int) {
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}

// month returns the month whose English name b starts with, 0 if there is
// none: dnsmasq's times don't follow the locale.
func month(b []byte) time.Month {
	at := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), b[:3])
	if at < 0 || at%3 != 0 {
		return 0
	}
	return time.Month(at/3 + 1)
}

// weekdayLen returns the length of the "Mon " or "Mon, " that b starts with.
func weekdayLen(b []byte) int {
	if len(b) < len("Mon, ") {
		return 0
	}
	at := bytes.Index([]byte("MonTueWedThuFriSatSun"), b[:3])
	if at < 0 || at%3 != 0 {
		return 0
	}
	n := 3
	if b[n] == ',' {
		n++
	}
	if b[n] != ' ' {
		return 0
	}
	return n + 1
}
