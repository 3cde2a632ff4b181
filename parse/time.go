package parse

import (
	"bytes"
	"time"
)

// clock remembers the last time that was read: many lines have the same.
type clock struct {
	stamp [len("Wed 2026-11-23 10:00:00.123456789 +01:00")]byte
	n     int
	ref   time.Time
	read  time.Time
	ok    bool
}

// Time returns the line's own time; ok is false if it has none that can be.
// One without a zone is local to ref. One without a year or a day has the last
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
		s, n := scanStamp(r.Stamp)
		c.read, c.ok = time.Time{}, false
		if n == len(r.Stamp) {
			c.read, c.ok = s.at(ref)
		}
		if year := c.read.Year(); year < firstYear || year > lastYear {
			c.read, c.ok = time.Time{}, false
		}
	}
	return c.read, c.ok
}

// The years that a line can be of: those that a 64-bit number of nanoseconds
// since 1970 holds as a whole.
const firstYear, lastYear = 1678, 2261

// at returns the time that a stamp means, as seen from ref.
func (s *stamp) at(ref time.Time) (t time.Time, ok bool) {
	local := ref.Location()
	latest := ref.Add(24 * time.Hour)
	switch {
	case s.isUnix:
		return time.Unix(s.unix, int64(s.nanosecond)).In(local), true
	case s.ambiguous:
		return time.Time{}, false
	case s.day == 0 && s.month == 0:
		s.year, s.month, s.day = ref.Date()
		t, ok = s.in(local)
		if t.After(ref.Add(time.Hour)) {
			t = t.AddDate(0, 0, -1)
		}
		return t, ok
	case s.year != 0 && s.zoned:
		if t, ok = s.in(time.UTC); ok {
			t = t.Add(-time.Duration(s.offset) * time.Second).In(local)
		}
		return t, ok
	case s.year != 0:
		return s.in(local)
	}
	// 29 February comes every four years, or eight.
	for s.year = ref.Year() + 1; s.year >= ref.Year()-8; s.year-- {
		if t, ok := s.in(local); ok && !t.After(latest) {
			return t, true
		}
	}
	return time.Time{}, false
}

// in returns the time at that place, and whether there is such a time: no 31
// April, no 25th hour. The 60th second of a minute may be a leap second.
func (s *stamp) in(place *time.Location) (time.Time, bool) {
	if s.month < time.January || s.month > time.December || s.day < 1 ||
		s.hour > 23 || s.minute > 59 || s.second > 60 {
		return time.Time{}, false
	}
	if lastDay := time.Date(s.year, s.month+1, 0, 0, 0, 0, 0, time.UTC).Day(); s.day > lastDay {
		return time.Time{}, false
	}
	return time.Date(s.year, s.month, s.day, s.hour, s.minute, s.second, s.nanosecond, place), true
}
