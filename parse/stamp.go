package parse

import (
	"bytes"
	"time"
)

// ctimeLen is the length of "Nov 23 10:00:00", isoLen that of
// "2026-11-23T10:00:00".
const (
	ctimeLen = len("Nov 23 10:00:00")
	isoLen   = len("2026-11-23T10:00:00")
)

// stampLen returns the length of the time that b starts with, 0 if it starts
// with none. A space follows it.
func stampLen(b []byte) int {
	n := 0
	switch {
	case len(b) > ctimeLen && isCtime(b):
		n = ctimeLen + fraction(b[ctimeLen:])
	case len(b) > isoLen && isISO(b):
		n = isoLen + fraction(b[isoLen:])
		n += zone(b[n:])
	}
	if n == 0 || n >= len(b) || b[n] != ' ' {
		return 0
	}
	return n
}

func isCtime(b []byte) bool {
	_ = b[ctimeLen-1]
	return b[3] == ' ' && (b[4] == ' ' || isDigit(b[4])) && isDigit(b[5]) && b[6] == ' ' &&
		isClock(b[7:]) && month(b) != 0
}

func isISO(b []byte) bool {
	return countDigits(b) == 4 && b[4] == '-' && isDigit(b[5]) && isDigit(b[6]) &&
		b[7] == '-' && isDigit(b[8]) && isDigit(b[9]) && b[10] == 'T' && isClock(b[11:])
}

// isClock reports whether b starts like "10:00:00".
func isClock(b []byte) bool {
	_ = b[7]
	return isDigit(b[0]) && isDigit(b[1]) && b[2] == ':' && isDigit(b[3]) && isDigit(b[4]) &&
		b[5] == ':' && isDigit(b[6]) && isDigit(b[7])
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// fraction returns the length of the ".123456" that b starts with.
func fraction(b []byte) int {
	if len(b) > 1 && b[0] == '.' && isDigit(b[1]) {
		return 1 + countDigits(b[1:])
	}
	return 0
}

// zone returns the length of the "Z", "+01:00" or "+0100" that b starts with.
func zone(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == 'Z':
		return 1
	case b[0] != '+' && b[0] != '-':
		return 0
	}
	switch digits := countDigits(b[1:]); {
	case digits == 4:
		return len("+0100")
	case digits == 2 && len(b) >= len("+01:00") && b[3] == ':' && countDigits(b[4:]) == 2:
		return len("+01:00")
	}
	return 0
}

// month returns the month whose English name b starts with, 0 if there is
// none: dnsmasq's times don't follow the locale.
func month(b []byte) time.Month {
	switch string(b[:3]) {
	case "Jan":
		return time.January
	case "Feb":
		return time.February
	case "Mar":
		return time.March
	case "Apr":
		return time.April
	case "May":
		return time.May
	case "Jun":
		return time.June
	case "Jul":
		return time.July
	case "Aug":
		return time.August
	case "Sep":
		return time.September
	case "Oct":
		return time.October
	case "Nov":
		return time.November
	case "Dec":
		return time.December
	}
	return 0
}

// clock remembers the last time that was read: many lines have the same.
type clock struct {
	stamp [len("2026-11-23T10:00:00.123456789+01:00")]byte
	n     int
	ref   time.Time
	read  time.Time
	ok    bool
}

// Time returns the line's own time; ok is false if it has none that can be.
// One without a zone is local to ref. One without a year has the last year
// that doesn't put it later than a day after ref, which is to be when the log
// was read or last written.
func (r *Record) Time(ref time.Time) (t time.Time, ok bool) {
	c := &r.clock
	if len(r.Stamp) == 0 || len(r.Stamp) > len(c.stamp) {
		return time.Time{}, false
	}
	if c.ref != ref || !bytes.Equal(c.stamp[:c.n], r.Stamp) {
		c.n = copy(c.stamp[:], r.Stamp)
		c.ref = ref
		c.read, c.ok = readStamp(r.Stamp, ref)
	}
	return c.read, c.ok
}

func readStamp(b []byte, ref time.Time) (time.Time, bool) {
	if isDigit(b[0]) {
		return readISO(b, ref.Location())
	}
	d := date{month: month(b), day: number(b[4:6])}
	d.readClock(b[7:])
	// 29 February comes every four years, or eight.
	for d.year = ref.Year() + 1; d.year >= ref.Year()-8; d.year-- {
		if t, ok := d.in(ref.Location()); ok && !t.After(ref.Add(24*time.Hour)) {
			return t, true
		}
	}
	return time.Time{}, false
}

func readISO(b []byte, local *time.Location) (time.Time, bool) {
	d := date{year: number(b[:4]), month: time.Month(number(b[5:7])), day: number(b[8:10])}
	d.readClock(b[11:])
	z := b[isoLen+fraction(b[isoLen:]):]
	if len(z) == 0 {
		return d.in(local)
	}
	t, ok := d.in(time.UTC)
	if !ok {
		return time.Time{}, false
	}
	if z[0] != 'Z' {
		offset := time.Duration(number(z[1:3]))*time.Hour + time.Duration(number(z[len(z)-2:]))*time.Minute
		if z[0] == '+' {
			offset = -offset
		}
		t = t.Add(offset)
	}
	return t.In(local), true
}

// date is a time as it is written.
type date struct {
	year, day            int
	month                time.Month
	hour, minute, second int
	nanosecond           int
}

// readClock reads "10:00:00" and the fraction that may follow.
func (d *date) readClock(b []byte) {
	d.hour, d.minute, d.second = number(b[0:2]), number(b[3:5]), number(b[6:8])
	n := fraction(b[8:])
	for i := 1; i <= 9; i++ {
		d.nanosecond *= 10
		if i < n {
			d.nanosecond += int(b[8+i] - '0')
		}
	}
}

// in returns the time at that place, and whether there is such a time: no 31
// April, no 25th hour. The 60th second of a minute may be a leap second.
func (d *date) in(place *time.Location) (time.Time, bool) {
	if d.month < time.January || d.month > time.December || d.day < 1 ||
		d.hour > 23 || d.minute > 59 || d.second > 60 {
		return time.Time{}, false
	}
	if lastDay := time.Date(d.year, d.month+1, 0, 0, 0, 0, 0, time.UTC).Day(); d.day > lastDay {
		return time.Time{}, false
	}
	return time.Date(d.year, d.month, d.day, d.hour, d.minute, d.second, d.nanosecond, place), true
}

// number reads decimal digits; a space counts as 0.
func number(b []byte) (n int) {
	for _, c := range b {
		n *= 10
		if c != ' ' {
			n += int(c - '0')
		}
	}
	return n
}
