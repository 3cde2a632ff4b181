package parse

import "bytes"

// Kind is what a line says.
type Kind uint8

const (
	// Other is a line that says nothing of queries, or isn't dnsmasq's.
	Other Kind = iota
	// Query is a client's query.
	Query
	// Forward is a query that was passed to an upstream, or one of dnsmasq's
	// own to validate an answer.
	Forward
	// Answer is one record of an answer, or the error that was answered.
	Answer
	// Start is dnsmasq's first line.
	Start
	// Loss is dnsmasq's word on what it lost or refused.
	Loss
	// Cut is a line that was cut where dnsmasq's buffer ends.
	Cut
	// Garbled is a line that looks like a query and breaks its form, or two
	// lines in one: what it says can't be told.
	Garbled
	// Repeat stands for the line before, as often again as Repeats says.
	Repeat
)

// String returns the kind in one lower-case word.
func (k Kind) String() string {
	return [...]string{"other", "query", "forward", "answer", "start", "loss", "cut", "garbled", "repeat"}[k]
}

// Record is one line, taken apart. Its slices are parts of the line, or are
// shared by all records: they are never to be written to, and last as long as
// the line does.
type Record struct {
	Kind  Kind
	Stamp []byte // the time as written, nil if the line has none; see Time
	// Serial ties together the lines of one query; 0 without
	// log-queries=extra.
	Serial uint64
	// Client is the address that asked, as logged: of a [Query], and with
	// log-queries=extra of what follows from it. It may have a %zone.
	Client []byte
	Type   []byte // of a query, such as "AAAA", or "type=N" if N has no common name
	Name   []byte // as logged; nil in an answer that doesn't say to what
	// Source is the message's first word or words: "query", "auth",
	// "forwarded", "reply", "cached", "gravity blocked", or the path of a hosts
	// file.
	Source []byte
	Result []byte // what follows " is " or " to ", without a note in brackets
	Note   []byte // the note without its brackets: "DNSSEC signed", "EDE: blocked"
	Text   []byte // the message; the whole line if it isn't dnsmasq's
	// Lost is how many lines this one says are missing, beside itself: those of
	// a [Loss], at least 1, and what stood before a hole in the line.
	Lost uint64
	// Repeats is how often more the message came than it is written.
	Repeats uint64

	Cause Cause // of a Loss
	// Rest is the line that follows on the same, the line break between them
	// missing: to be parsed next.
	Rest []byte

	filtered bool   // the answer is a filter's
	rare     bool   // Note, Lost, Repeats, Cause or Rest may be set
	process  uint32 // that wrote the line, 0 if it doesn't tell
	// The address of IPv4 that Client or Result is, if it is one.
	client, result ipv4

	clock    clock
	upstream upstream
	State
}

// Parse reads one line without its line break. What the record held is gone
// but for what it knows of the log: a log has a record of its own.
func (r *Record) Parse(line []byte) {
	r.reset(line)
	var message []byte
	var own int
	var who maker
	if r.last.is(line) {
		message, own, who = line[r.last.n:], r.known(line), ours
	} else {
		message, own, who = r.prefix(line)
	}
	if who == ours {
		r.Text = message
		if own >= cutLen {
			r.Kind = Cut
			return
		}
		r.message(message)
	} else if who == unknown {
		r.message(line[noiseLen(line):])
	}
	if r.Kind == Other && who != foreign || r.Kind == Garbled {
		r.doubt(line)
	}
}

func (r *Record) reset(line []byte) {
	r.Kind, r.Serial, r.Text = Other, 0, line
	r.Stamp, r.Client, r.Type = nil, nil, nil
	r.Name, r.Source, r.Result = nil, nil, nil
	r.process, r.filtered, r.client.ok, r.result.ok = 0, false, false, false
	if r.rare {
		r.Note, r.Lost, r.Repeats, r.Cause, r.Rest, r.rare = nil, 0, 0, 0, nil, false
	}
}

// message tells the kinds of message apart by their first bytes.
func (r *Record) message(b []byte) {
	if len(b) == 0 {
		return
	}
	form := bare
	if extraStart[b[0]] {
		if r.Serial, r.Client, b, form = splitExtra(b); len(b) == 0 {
			return
		}
	}
	switch b[0] {
	case 'q':
		if hasPrefix(b, "query[") {
			r.query(b, len("query"), form)
		}
	case 'a':
		if hasPrefix(b, "auth[") {
			r.query(b, len("auth"), form)
		} else if hasPrefix(b, "auth ") {
			r.answer(b, len("auth"))
		}
	case 'r':
		if hasPrefix(b, "reply ") {
			r.answer(b, len("reply"))
		} else {
			r.pihole(b)
		}
	case 'c':
		switch {
		case hasPrefix(b, "cached "):
			r.answer(b, len("cached"))
		case hasPrefix(b, "config "):
			r.answer(b, len("config"))
		case hasPrefix(b, "cached-stale "):
			r.answer(b, len("cached-stale"))
		}
	case 'D':
		if hasPrefix(b, "DHCP ") {
			r.answer(b, len("DHCP"))
		} else {
			r.pihole(b)
		}
	case '/':
		r.hostsAnswer(b)
	case 'f':
		if hasPrefix(b, "forwarded ") {
			r.forward(b[:len("forwarded")], b[len("forwarded"):])
		}
	case 'd':
		r.dnssec(b)
	case '*':
		r.ftlQuery(b)
	case 0x1b:
		if n := noiseLen(b); n > 0 {
			r.message(b[n:])
		}
	default:
		if r.pihole(b); r.Kind == Other && form == bare {
			r.notice(b)
		}
	}
}

// query reads a message whose first word, n bytes long, is followed by "[".
func (r *Record) query(b []byte, n int, form form) {
	r.Kind = Garbled
	t, rest, ok := bracketed(b[n:])
	if !ok || form == serialOnly {
		return
	}
	at := bytes.IndexByte(rest, ' ')
	if at < 0 {
		return
	}
	name, client := rest[:at], rest[at:]
	if hasPrefix(client, " from ") {
		client = client[len(" from "):]
		r.client.read(client)
	}
	if !r.client.ok { // there may be more spaces
		if name, client, ok = cutLast(rest, " from "); !ok || isJoined(name) {
			return
		}
		r.client.read(client)
	}
	if len(name) == 0 || form == addressed && !sameAddress(r.Client, client) || form == bare && !r.client.ok && !isZoned(client) {
		return
	}
	r.Kind = Query
	r.Client = client
	r.Source = b[:n]
	r.Type = typeName(t)
	r.Name = name
}

// forward reads " NAME to ADDR", where ADDR may have a #port.
func (r *Record) forward(source, rest []byte) {
	rest = rest[1:]
	at := bytes.IndexByte(rest, ' ')
	if at > 0 && hasPrefix(rest[at:], " to ") && r.upstream.is(rest[at+len(" to "):]) {
		r.Kind, r.Source, r.Name, r.Result = Forward, source, rest[:at], rest[at+len(" to "):]
		return
	}
	name, to, ok := cutOnly(rest, at, " to ")
	if !ok {
		if isJoined(rest) {
			r.Kind = Garbled
			return
		}
		name, to, ok = cutLast(rest, " to ")
	}
	if !ok || len(name) == 0 || bytes.IndexByte(to, ' ') >= 0 {
		return
	}
	r.Kind = Forward
	r.Source, r.Name, r.Result = source, name, trimEnd(to)
}

// dnssec reads a query of dnsmasq's own, "dnssec-query[DS] NAME to ADDR" or
// "dnssec-retry[...]".
func (r *Record) dnssec(b []byte) {
	n := len("dnssec-query")
	if !hasPrefix(b, "dnssec-query[") && !hasPrefix(b, "dnssec-retry[") {
		return
	}
	t, rest, ok := bracketed(b[n:])
	if !ok {
		return
	}
	if r.forward(b[:n], b[len(b)-len(rest)-1:]); r.Kind == Forward {
		r.Type = typeName(t)
	}
}

// cutLast cuts b around the last word, which has a space at either end.
func cutLast(b []byte, word string) (before, after []byte, ok bool) {
	at := lastIndex(b, word)
	if at < 0 {
		return nil, nil, false
	}
	return b[:at], b[at+len(word):], true
}

// lastIndex returns where the last word in b starts, -1 if there is none.
func lastIndex(b []byte, word string) int {
	for at := len(b); ; {
		if at = bytes.LastIndexByte(b[:at], word[0]); at < 0 || hasPrefix(b[at:], word) {
			return at
		}
	}
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

func countDigits(b []byte) int {
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return n
}
