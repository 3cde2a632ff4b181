package capture

import (
	"net/netip"
	"time"
)

// Reshow has the row of a name shown anew, if there is one: what is known of it
// besides, as by a list that is held against it, is another.
func (l *Ledger) Reshow(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id, known := l.lookup(name); known {
		l.show(id)
		l.announce()
	}
}

// Denied notes a query that a list refused while it was enforced, so that
// dnsmasq has not seen it: a name as parse normalises it, its query type and
// who asked.
func (l *Ledger) Denied(name, queryType string, from netip.Addr, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := block{names: []byte(name), few: []few{{client: []byte(from.String()), queryType: []byte(queryType)}}}
	id, first, counted := l.query(&b, &line{nameLen: uint16(len(name)), hash: l.ids.hash(b.names), at: at.UnixNano(), few: 1})
	if !counted {
		return
	}
	r := l.at(id)
	l.beside(r).denied++
	if first {
		r.state |= unlisted
	}
	l.touch(id, first)
	l.announce()
}
