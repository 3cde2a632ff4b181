package capture

import (
	"net/netip"
	"time"
)

// Denied notes a query that a list refused while it was enforced, so that
// dnsmasq has not seen it: a name as parse normalises it, its query type and
// who asked.
func (l *Ledger) Denied(name, queryType string, from netip.Addr, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address, kind := []byte(from.String()), []byte(queryType)
	id, first := l.facts.query(&line{logged: []byte(name), name: []byte(name), hash: l.ids.hash([]byte(name)), at: at.UnixNano(), kindOf: kind, client: address})
	d := &l.domains[id]
	d.Denied++
	d.Unlisted = d.Unlisted || first
	l.touch(id, first)
	l.announce()
}
