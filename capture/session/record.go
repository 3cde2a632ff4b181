package session

import (
	"net/netip"
	"strings"
	"time"

	"lxd-allowlist/capture"
)

// Nearly all of a large journal is domains. What [json.Marshal] makes of one
// has its fields in one order, no space and, mostly, no escape, and is read and
// written here in a fifth of the time. encoding/json has all else, so that nothing
// is an error here, and what is read or written here is what it would be there.

// domains reads entries that are domains as [json.Marshal] writes them. The zero
// value is ready.
type domains struct {
	cursor
	// keep has each record be one of its own, for who keeps it. Else it is one of
	// records, of which so many are used.
	keep    bool
	records []*capture.Record
	used    int
}

// next returns the record that is to be made next.
func (d *domains) next() *capture.Record {
	if d.keep {
		return new(capture.Record)
	}
	if d.used == len(d.records) {
		d.records = append(d.records, new(capture.Record))
	}
	return d.records[d.used]
}

// read reads one; ok is false for anything else, which may be an entry, too.
func (d *domains) read(entry string) (_ *capture.Record, ok bool) {
	c := &d.cursor
	c.rest, c.wrong = entry, false
	if !c.has(`{"domain":{"name":`) {
		return nil, false
	}
	r := d.next()
	clear(r.Types)
	*r = capture.Record{Name: c.text(), Types: r.Types, Addresses: r.Addresses[:0], Chain: r.Chain[:0], Clients: r.Clients[:0]}
	if c.has(`,"queries":`) {
		r.Queries = uint32(c.number(1<<32 - 1))
	}
	c.must(`,"first":`)
	r.First = c.moment()
	c.must(`,"last":`)
	r.Last = c.moment()
	if c.has(`,"types":{`) {
		if r.Types == nil {
			r.Types = make(map[string]uint32)
		}
		for next := true; next; next = c.more('}') {
			kind := c.text()
			c.must(":")
			r.Types[kind] = uint32(c.number(1<<32 - 1))
		}
	}
	if c.has(`,"denied":`) {
		r.Denied = uint32(c.number(1<<32 - 1))
	}
	r.Unlisted = c.has(`,"unlisted":true`)
	if c.has(`,"outcomes":`) {
		r.Outcomes = capture.Outcomes(c.number(1<<16 - 1))
	}
	if c.has(`,"origins":`) {
		r.Origins = capture.Origins(c.number(1<<8 - 1))
	}
	if c.has(`,"blocker":`) {
		r.Blocker = c.text()
	}
	if c.has(`,"addresses":[`) {
		for next := true; next; next = c.more(']') {
			a, err := netip.ParseAddr(c.text())
			c.wrong = c.wrong || err != nil
			r.Addresses = append(r.Addresses, a)
		}
	}
	if c.has(`,"chain":[`) {
		r.Chain = c.texts(r.Chain)
	}
	if c.has(`,"clients":[`) {
		r.Clients = c.texts(r.Clients)
	}
	c.must("}}")
	if c.wrong || c.rest != "" {
		return nil, false
	}
	d.used++
	return r, true
}

// cursor reads JSON from its beginning to where something isn't as expected,
// from where on it is wrong.
type cursor struct {
	rest  string
	wrong bool
	time  []byte // scratch
}

// has reports whether text is next, and reads it then.
func (c *cursor) has(text string) bool {
	if !strings.HasPrefix(c.rest, text) {
		return false
	}
	c.rest = c.rest[len(text):]
	return true
}

func (c *cursor) must(text string) { c.wrong = !c.has(text) || c.wrong }

// more reports whether a list or object goes on, and reads what says so.
func (c *cursor) more(end byte) bool {
	switch {
	case c.wrong || c.rest == "":
		c.wrong = true
		return false
	case c.rest[0] == end:
		c.rest = c.rest[1:]
		return false
	}
	c.must(",")
	return !c.wrong
}

// text reads a string of ASCII without an escape.
func (c *cursor) text() string {
	if c.must(`"`); c.wrong {
		return ""
	}
	for i := range len(c.rest) {
		switch b := c.rest[i]; {
		case b == '"':
			text := c.rest[:i]
			c.rest = c.rest[i+1:]
			return text
		case b < ' ' || b == '\\' || b > '~':
			c.wrong = true
			return ""
		}
	}
	c.wrong = true
	return ""
}

// texts appends a list of strings, which has begun.
func (c *cursor) texts(to []string) []string {
	for next := true; next; next = c.more(']') {
		to = append(to, c.text())
	}
	return to
}

// number reads a number up to most.
func (c *cursor) number(most uint64) (n uint64) {
	i := 0
	for ; i < len(c.rest) && c.rest[i] >= '0' && c.rest[i] <= '9' && n <= most; i++ {
		n = 10*n + uint64(c.rest[i]-'0')
	}
	if i == 0 || i > 1 && c.rest[0] == '0' || n > most {
		c.wrong = true
	}
	c.rest = c.rest[i:]
	return n
}

// moment reads a time as [time.Time.UnmarshalJSON] does.
func (c *cursor) moment() (t time.Time) {
	c.time = append(c.time[:0], c.text()...)
	if t.UnmarshalText(c.time) != nil {
		c.wrong = true
	}
	return t
}
