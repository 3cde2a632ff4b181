package capture

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lxd-allowlist/parse"
)

// Only is what is wanted of a log or a session; its zero value wants all.
type Only struct {
	// From is who asked: an address, a prefix, or in a session the owner of
	// one. "" is everybody.
	From         string
	Since, Until time.Time // zero for no bound
}

// String says what is wanted, in words behind "sent": "by 10.0.0.5 from
// 2026-11-25 10:00:00 on".
func (o Only) String() string {
	var words []string
	if o.From != "" {
		words = append(words, "by "+o.From)
	}
	if !o.Since.IsZero() {
		words = append(words, "from "+o.Since.Format(time.DateTime)+" on")
	}
	if !o.Until.IsZero() {
		words = append(words, "up to "+o.Until.Format(time.DateTime))
	}
	return strings.Join(words, " ")
}

// Limit has the ledger take only what is wanted of the log lines to come. Of
// what is there already, as in a session, a name counts that anybody who is
// wanted asked for, and that was asked for within the time.
func (l *Ledger) Limit(o Only) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader.only = o.compile()
	l.edition++
	for id := range ID(l.n) {
		l.show(id)
	}
	l.announce()
}

// only is an Only made ready; nil wants all.
type only struct {
	Only
	prefix netip.Prefix // of From, if it is one
	since  int64        // Unix nanoseconds
	until  int64
}

func (o Only) compile() *only {
	if o == (Only{}) {
		return nil
	}
	c := &only{Only: o, since: -1 << 63, until: 1<<63 - 1}
	if a, err := netip.ParseAddr(o.From); err == nil {
		c.prefix = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
	} else if p, err := netip.ParsePrefix(o.From); err == nil {
		c.prefix = p.Masked()
	}
	if !o.Since.IsZero() {
		c.since = o.Since.UnixNano()
	}
	if !o.Until.IsZero() {
		c.until = o.Until.UnixNano()
	}
	return c
}

// wants reports whether a log line of a time is wanted.
func (o *only) wants(r *parse.Record, at int64) bool {
	if at < o.since || at > o.until {
		return false
	}
	return r.Kind != parse.Query || o.From == "" || o.isFrom(string(r.Client), "")
}

func (o *only) isFrom(address, owner string) bool {
	if o.From == "" || owner == o.From {
		return true
	}
	address, _, _ = strings.Cut(address, "%")
	a, err := netip.ParseAddr(address)
	return err == nil && o.prefix.IsValid() && o.prefix.Contains(a.Unmap())
}

// unwanted reports whether a domain is none that was wanted.
func (l *Ledger) unwanted(d *Domain) bool {
	o := l.reader.only
	if o == nil {
		return false
	}
	if d.last < o.since || d.first > o.until {
		return true
	}
	if o.From == "" {
		return false
	}
	for _, n := range l.clientsIn(l.at(d.id)) {
		if o.isFrom(l.clients[n].Address, l.clients[n].Owner) {
			return false
		}
	}
	return true
}

// ParseAge reads how long something is ago: "30d", "4w", or a duration as Go
// writes it, "36h".
func ParseAge(text string) (time.Duration, error) {
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseUint(digits, 10, 16); err == nil {
				return time.Duration(n) * time.Duration(days) * 24 * time.Hour, nil
			}
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is no age: write one such as 30d, 4w or 36h", text)
}

// ParseTime reads a point in time as people write it: "2026-11-25T10:00:00Z",
// "2026-11-25 10:00", "2026-11-25", "10:00" today, or "2h" ago.
func ParseTime(text string, now time.Time) (time.Time, error) {
	if d, err := ParseAge(text); err == nil {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write one such as 2026-11-25 10:00, 10:00 for today, or 2h for two hours ago", text)
}
