package capture

import (
	"hash/maphash"
	"slices"
	"time"

	"lxd-allowlist/parse"
)

// line is a log line, parsed: what the ledger needs of a [parse.Record].
type line struct {
	at      int64 // of a query and an answer: Unix nanoseconds
	serial  uint64
	hash    uint32 // of the name, as in index
	name    uint32 // where in block.names it begins, normalised
	client  uint32 // of a query, if clientIPv4 is set
	result  uint32 // of an answer, if resultIPv4 is set
	few     uint32 // a place in block.few plus 1, 0 for none
	likely  ID     // plus 1 of what has the hash of the name, 0 while that isn't known
	nameLen uint16
	kind    parse.Kind
	outcome parse.Outcome // of an answer
	told    parse.Outcome // what the client was told, should that be another
	origin  parse.Origin  // of an answer
	// queryType is a place in commonTypes; 0 for one that few has.
	queryType uint8
	again     bool // the name is that of the last line before that had one
	reverse   bool // an answer to a reverse lookup
	// A query has with it what followed on it about its name: that it was
	// forwarded, then one record of an answer.
	forwarded, answered bool

	clientIPv4, resultIPv4 bool
}

// few is what few lines have.
type few struct {
	client, queryType []byte // of a query
	repeats           uint64 // how often more a query came
	result, source    []byte // of an answer
}

// block is lines that were parsed one behind the other. Nothing in it depends
// on what the ledger knows, so that blocks are parsed side by side, and taken
// in one after the other.
type block struct {
	lines   []line
	few     []few
	tallies []parse.Tally
	serial  uint64 // of the last of tallies, 0 where that is no plain line's
	joined  uint64 // how many lines are with the query before them
	outside uint64 // how many queries only left out
	names   []byte // and what few has
	last    []byte // the last name, as logged; a part of what is being parsed
	lastAt  int    // in lines: the first one in a row with that name
	plain   bool   // last is the name of the reader's last plain line
	warm    uint64 // makes the compiler keep the reads of warmUp
}

// clear makes room for other lines.
func (b *block) clear() {
	b.lines, b.few, b.tallies, b.names = b.lines[:0], b.few[:0], b.tallies[:0], b.names[:0]
	b.last, b.plain, b.outside, b.joined, b.serial = nil, false, 0, 0, 0
}

// name returns the name that a line is about, normalised.
func (b *block) name(m *line) []byte { return b.names[m.name : m.name+uint32(m.nameLen)] }

// keep returns a copy of a part of a line.
func (b *block) keep(part []byte) []byte {
	begin := len(b.names)
	b.names = append(b.names, part...)
	return b.names[begin:len(b.names):len(b.names)]
}

// setName gives a line its name.
func (b *block) setName(m *line, logged []byte, seed maphash.Seed) {
	if b.last != nil && string(logged) == string(b.last) {
		b.sameName(m)
	} else {
		begin := len(b.names)
		b.names = parse.AppendName(b.names, logged)
		m.name, m.nameLen = uint32(begin), uint16(len(b.names)-begin)
		m.hash = hashOf(seed, b.names[begin:])
		b.last, b.lastAt, b.plain = logged, len(b.lines)-1, false
	}
}

// sameName gives a line the name of the last one that has any.
func (b *block) sameName(m *line) {
	before := &b.lines[b.lastAt]
	m.name, m.nameLen, m.hash, m.again = before.name, before.nameLen, before.hash, true
}

// commonTypes are the query types that lines have a number for.
var commonTypes = []string{"", "A", "AAAA", "HTTPS", "PTR", "SRV", "TXT", "MX", "NS", "SOA", "CNAME", "SVCB", "DS", "DNSKEY"}

// commonType returns the place of a query type in commonTypes, 0 for none.
func commonType(t []byte) uint8 {
	switch string(t) {
	case "A":
		return 1
	case "AAAA":
		return 2
	case "HTTPS":
		return 3
	}
	for i, common := range commonTypes[4:] {
		if string(t) == common {
			return uint8(i + 4)
		}
	}
	return 0
}

// reader parses the bytes of a log into blocks.
type reader struct {
	split  parse.Splitter
	rec    parse.Record
	plain  parse.Plain
	block  block
	only   *only // nil for all
	seed   maphash.Seed
	at     time.Time // for lines without a time
	stamps bool      // use the lines' own times
	stamp  struct {  // the last one
		text []byte
		at   int64
	}
	timed   bool // plainAt is set, and all since were plain lines, which begin alike
	plainAt int64
}

// begin makes the reader ready for bytes that came at a time.
func (r *reader) begin(at time.Time, stamps bool) {
	r.at, r.stamps, r.stamp.text, r.timed = at, stamps, r.stamp.text[:0], false
	r.plain.Name = nil // where it is there may be another one by now
	r.block.clear()
}

// hear parses a line, which may turn out to be several, into the block.
func (r *reader) hear(text []byte) {
	r.timed, r.block.plain = false, false // Plain may have begun with this line, and know its name
	for ; text != nil; text = r.rec.Rest {
		r.rec.Parse(text)
		if t, any := r.rec.Tally(); any {
			r.block.tallies = append(r.block.tallies, t)
			r.block.serial = 0
		}
		r.take()
	}
}

// hearPlain parses the plain lines that a part of a log begins with into the
// block, until it has so many, and returns their length.
func (r *reader) hearPlain(log []byte, lines int) (length int) {
	for r.only == nil && len(r.block.lines) < lines {
		n := r.rec.Plain(log[length:], &r.plain, !r.timed)
		if n == 0 {
			break
		}
		length += n
		r.takePlain()
	}
	return length
}

// takePlain puts lines that have nothing rare in them into the block, as take
// does: an answer's with the query that it is about.
func (r *reader) takePlain() {
	b, p := &r.block, &r.plain
	if !r.timed {
		r.plainAt, r.timed = r.time(), true
	}
	if p.Serial != 0 && (p.Kind == parse.Query || p.Serial != b.serial) {
		b.tallies = append(b.tallies, r.rec.PlainTally(p))
		b.serial = p.Serial
	}
	n := len(b.lines)
	b.lines = slices.Grow(b.lines, 1)[:n+1]
	m := &b.lines[n]
	*m = line{}
	m.kind, m.at, m.serial = p.Kind, r.plainAt, p.Serial // see facts.answered
	if p.Kind == parse.Query {
		m.queryType, m.client, m.clientIPv4 = commonType(p.Type), p.Client, true
		m.forwarded, m.answered = p.Forwarded, p.Answered
		b.joined += uint64(p.Lines - 1)
	}
	if p.Kind == parse.Answer || p.Answered {
		m.outcome, m.origin, m.result, m.resultIPv4 = p.Outcome, p.Origin, p.Address, p.IPv4
		if p.Outcome == parse.Address && !p.IPv4 {
			b.few = append(b.few, few{result: b.keep(p.Result), source: b.keep(p.Source)})
			m.few = uint32(len(b.few))
		}
	}
	if p.Again && b.plain {
		b.sameName(m)
		return
	}
	begin := len(b.names)
	b.names = append(b.names, p.Name...)
	m.name, m.nameLen = uint32(begin), uint16(len(p.Name))
	m.hash = hashOf(r.seed, p.Name)
	b.last, b.lastAt, b.plain = p.Name, n, true
}

// take puts what was parsed into the block.
func (r *reader) take() {
	b, rec := &r.block, &r.rec
	b.lines = append(b.lines, line{})
	m := &b.lines[len(b.lines)-1]
	switch rec.Kind {
	case parse.Query:
		m.at = r.time()
		if r.only != nil && !r.only.wants(rec, m.at) {
			b.outside++
			return
		}
		m.queryType = commonType(rec.Type)
		if m.client, m.clientIPv4 = rec.ClientIPv4(); !m.clientIPv4 || m.queryType == 0 || rec.Repeats > 0 {
			b.few = append(b.few, few{client: b.keep(rec.Client), queryType: b.keep(rec.Type), repeats: rec.Repeats})
			m.few = uint32(len(b.few))
		}
	case parse.Answer:
		m.at = r.time()
		if r.only != nil && !r.only.wants(rec, m.at) {
			return
		}
		if m.outcome, m.origin = rec.Outcome(), rec.Origin(); m.outcome == parse.Blocked {
			m.told = rec.Answered()
		}
		m.reverse = m.outcome == parse.Address && rec.PTR()
		if m.result, m.resultIPv4 = rec.ResultIPv4(); m.outcome == parse.Blocked || m.outcome == parse.Address && !m.resultIPv4 && !m.reverse {
			b.few = append(b.few, few{result: b.keep(rec.Result), source: b.keep(rec.Source)})
			m.few = uint32(len(b.few))
		}
	case parse.Forward:
		if r.only != nil || string(rec.Source) != "forwarded" {
			return // perhaps of others, or dnsmasq's own, to validate an answer
		}
	default:
		return
	}
	m.kind, m.serial = rec.Kind, rec.Serial
	if len(rec.Name) > 0 && !m.reverse {
		b.setName(m, rec.Name, r.seed)
	}
}

// time returns when the line was written.
func (r *reader) time() int64 {
	if !r.stamps || len(r.rec.Stamp) == 0 {
		return r.at.UnixNano()
	}
	if string(r.rec.Stamp) != string(r.stamp.text) {
		at := r.at
		if t, ok := r.rec.Time(r.at); ok {
			at = t
		}
		r.stamp.text, r.stamp.at = append(r.stamp.text[:0], r.rec.Stamp...), at.UnixNano()
	}
	return r.stamp.at
}

// feed reads the next bytes of the log.
func (l *Ledger) feed(data []byte, at time.Time, stamps bool) {
	r := &l.reader
	r.begin(at, stamps)
	first := true
	r.split.FeedBut(data, func(log []byte) (length int) {
		for n := 1; n > 0; length += n {
			n = r.hearPlain(log[length:], feedLines)
			if len(r.block.lines) >= feedLines {
				l.take(&r.block)
				r.block.clear()
			}
		}
		return length
	}, func(text []byte) {
		r.hear(text)
		if first || len(r.block.lines) >= feedLines { // the first may be in the splitter's buffer, which doesn't last
			l.take(&r.block)
			r.block.clear()
			first = false
		}
	})
	l.take(&r.block)
	r.block.clear()
}

// feedLines is how many lines of what is fed are parsed before they are taken:
// they are to be in the core's nearest cache still.
const feedLines = 256

// take takes a block in.
func (l *Ledger) take(b *block) {
	for i := range b.tallies {
		l.losses.Add(&b.tallies[i])
	}
	l.outside += b.outside
	l.facts.take(b)
}
