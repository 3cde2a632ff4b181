package capture

import (
	"bytes"
	"time"

	"lxd-allowlist/parse"
)

// batchLines is how many lines are parsed before the first of them is taken
// into the ledger. With many names each lookup misses the cache several times
// over; a batch's misses go on at once instead of one behind the other.
const batchLines = 64

// message is a line, parsed: what the ledger needs of a [parse.Record]. Its
// slices are parts of the bytes that are being fed.
type message struct {
	kind    parse.Kind
	outcome parse.Outcome // of an answer
	reverse bool          // an answer to a reverse lookup
	hash    uint32        // of a query's name, as in index
	serial  uint64
	at      int64 // of a query and an answer
	logged  []byte
	name    []byte // of a query: normalised, in batch.names
	kindOf  []byte // of a query: its type
	client  []byte
	result  []byte
	line    []byte // of an answer: all of it
	text    []byte // of a loss
}

// batch is the lines that are parsed and not taken yet.
type batch struct {
	messages [batchLines]message
	n        int
	names    []byte
	warm     uint64 // makes the compiler keep the reads of warmUp
}

// hear parses a line and puts it into the batch.
func (l *Ledger) hear(line []byte, at time.Time, stamps bool) {
	b := &l.batch
	l.parse(&b.messages[b.n], line, at, stamps)
	if b.n++; b.n == batchLines {
		l.takeBatch()
	}
}

func (l *Ledger) parse(m *message, line []byte, at time.Time, stamps bool) {
	r := &l.rec
	r.Parse(line)
	m.kind, m.serial, m.logged = r.Kind, r.Serial, r.Name
	switch r.Kind {
	case parse.Query:
		m.kindOf, m.client = r.Type, r.Client
		begin := len(l.batch.names)
		l.batch.names = parse.AppendName(l.batch.names, r.Name)
		m.name = l.batch.names[begin:]
		m.hash = l.ids.hash(m.name)
	case parse.Answer:
		m.result, m.outcome, m.line = r.Result, r.Outcome(), line
		m.reverse = m.outcome == parse.Address && r.PTR()
	case parse.Loss:
		m.text = r.Text
		return
	default:
		return
	}
	if stamps {
		if t, ok := r.Time(at); ok {
			at = t
		}
	}
	m.at = at.UnixNano()
}

// takeBatch takes the lines of the batch into the ledger, in their order.
func (l *Ledger) takeBatch() {
	b := &l.batch
	if b.n == batchLines {
		l.warmUp()
	}
	for i := range b.messages[:b.n] {
		l.take(&b.messages[i])
	}
	b.n, b.names = 0, b.names[:0]
}

// warmUp reads what the batch's queries will need into the cache: the slots,
// then the records, then what those point to. Within a loop no read waits for
// another one.
func (l *Ledger) warmUp() {
	var ids [batchLines]ID
	n := 0
	for i := range l.batch.messages {
		if m := &l.batch.messages[i]; m.kind == parse.Query {
			ids[n] = l.ids.guess(m.hash)
			n++
		}
	}
	var sum uint64
	for _, id := range ids[:n] {
		if id != 0 {
			d := &l.domains[id-1]
			sum += uint64(d.Queries) + uint64(d.last)
		}
	}
	for _, id := range ids[:n] {
		if id == 0 {
			continue
		}
		d := &l.domains[id-1]
		sum += uint64(d.Name[0])
		if len(d.Types) > 0 {
			sum += uint64(d.Types[0].Count)
		}
		if len(d.clients) > 0 {
			sum += uint64(d.clients[0])
		}
		if len(d.Addresses) > 0 {
			sum += uint64(d.Addresses[0].BitLen())
		}
	}
	l.batch.warm = sum
}

func (l *Ledger) take(m *message) {
	l.counts.Lines++
	switch m.kind {
	case parse.Query:
		l.counts.Queries++
		l.query(m)
	case parse.Answer:
		l.answer(m)
		return // a chain goes on from answer to answer
	case parse.Cut:
		l.counts.Cut++
	case parse.Garbled:
		l.counts.Garbled++
	case parse.Loss:
		l.counts.Lost++
		l.lastLoss = string(m.text)
	}
	l.chain = chain{}
}

// known returns the ID of a name as logged, which is left in l.name if it is
// not known. It mostly is that of the line before.
func (l *Ledger) known(logged []byte) (ID, bool) {
	if len(logged) > 0 && bytes.Equal(logged, l.last.logged) {
		return l.last.id, true
	}
	l.name = parse.AppendName(l.name[:0], logged)
	id, ok := l.ids.find(l.name, l.ids.hash(l.name), l.domains)
	if ok {
		l.last.set(logged, id)
	}
	return id, ok
}

// lastName is the last name that was known or became so.
type lastName struct {
	logged []byte
	id     ID
}

func (n *lastName) set(logged []byte, id ID) {
	n.logged, n.id = append(n.logged[:0], logged...), id
}
