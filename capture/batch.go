package capture

import (
	"time"

	"lxd-allowlist/parse"
)

// batchLines is how many lines are parsed before the first of them is taken
// into the ledger. With many names each lookup misses the cache several times
// over; a batch's misses go on at once instead of one behind the other.
const batchLines = 64

// line is a log line, parsed: what the ledger needs of a [parse.Record]. Its
// slices are parts of the bytes that are being fed.
type line struct {
	kind    parse.Kind
	outcome parse.Outcome // of an answer
	told    parse.Outcome // what the client was told, should that be another
	origin  parse.Origin  // of an answer
	reverse bool          // an answer to a reverse lookup
	hash    uint32        // of a query's name, as in index
	serial  uint64
	at      int64 // of a query and an answer
	logged  []byte
	name    []byte // of a query: normalised, in batch.names
	kindOf  []byte // of a query: its type
	client  []byte
	result  []byte
	source  []byte // of an answer
	repeats uint64 // how often more a query came
	whole   []byte // of an answer
}

// intake makes facts of the bytes of a log.
type intake struct {
	facts
	take  func(*line) // into the facts
	split parse.Splitter
	rec   parse.Record
	batch batch
	// losses are counted as lines are parsed, before they are taken.
	losses parse.Losses
	only   *only // nil for all
	// outside is how many queries that left out.
	outside uint64
}

// feed reads the next bytes of the log.
func (in *intake) feed(data []byte, at time.Time, stamps bool) {
	first := true
	in.split.Feed(data, func(text []byte) {
		in.hear(text, at, stamps)
		if first { // it may be in the splitter's buffer, which doesn't last
			in.takeBatch()
			first = false
		}
	})
	in.takeBatch()
}

// batch is the lines that are parsed and not taken yet.
type batch struct {
	lines [batchLines]line
	n     int
	names []byte
	warm  uint64 // makes the compiler keep the reads of warmUp
}

// hear parses a line, which may turn out to be several, and puts it into the
// batch.
func (in *intake) hear(text []byte, at time.Time, stamps bool) {
	for b := &in.batch; text != nil; text = in.rec.Rest {
		in.parse(&b.lines[b.n], text, at, stamps)
		in.losses.Count(&in.rec)
		if b.n++; b.n == batchLines {
			in.takeBatch()
		}
	}
}

func (in *intake) parse(m *line, text []byte, at time.Time, stamps bool) {
	r := &in.rec
	r.Parse(text)
	m.kind, m.serial, m.logged = r.Kind, r.Serial, r.Name
	m.repeats = r.Repeats
	switch r.Kind {
	case parse.Query:
		m.kindOf, m.client = r.Type, r.Client
		begin := len(in.batch.names)
		in.batch.names = parse.AppendName(in.batch.names, r.Name)
		m.name = in.batch.names[begin:]
		m.hash = in.ids.hash(m.name)
	case parse.Forward:
		if string(r.Source) != "forwarded" || in.only != nil {
			m.kind = parse.Other // dnsmasq's own, to validate an answer, or perhaps of others
		}
		return
	case parse.Answer:
		m.result, m.outcome, m.whole = r.Result, r.Outcome(), text
		m.told, m.origin, m.source = r.Answered(), r.Origin(), r.Source
		m.reverse = m.outcome == parse.Address && r.PTR()
	default:
		return
	}
	if stamps {
		if t, ok := r.Time(at); ok {
			at = t
		}
	}
	m.at = at.UnixNano()
	if in.only != nil && !in.only.wants(m) {
		if m.kind == parse.Query {
			in.outside++
		}
		m.kind = parse.Other
	}
}

// takeBatch takes the lines of the batch into the ledger, in their order.
func (in *intake) takeBatch() {
	b := &in.batch
	if b.n == batchLines {
		in.warmUp()
	}
	for i := range b.lines[:b.n] {
		in.take(&b.lines[i])
	}
	b.n, b.names = 0, b.names[:0]
}

// warmUp reads what the batch's queries will need into the cache: the slots,
// then the records, then what those point to. Within a loop no read waits for
// another one.
func (in *intake) warmUp() {
	var ids [batchLines]ID
	n := 0
	for i := range in.batch.lines {
		if m := &in.batch.lines[i]; m.kind == parse.Query {
			ids[n] = in.ids.guess(m.hash)
			n++
		}
	}
	var sum uint64
	for _, id := range ids[:n] {
		if id != 0 {
			d := &in.domains[id-1]
			sum += uint64(d.Queries) + uint64(d.last)
		}
	}
	for _, id := range ids[:n] {
		if id == 0 {
			continue
		}
		d := &in.domains[id-1]
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
	in.batch.warm = sum
}
