package parse

import (
	"encoding/binary"
	"math/bits"
)

// Plain is a line in one of the few forms that nine of ten have: a query, a
// query that was forwarded, or an answer with one record of an upstream's; a
// query has with it what follows right on it about its name, that it was
// forwarded and such an answer. It has what is wanted of such lines; its slices
// are parts of them, but for a name that is the same as the last one, which may
// be a part of that line.
type Plain struct {
	Kind      Kind    // Query, Forward or Answer
	Lines     int     // how many were read
	Serial    uint64  // as in Record
	Type      []byte  // of a query
	Client    uint32  // of a query, an address of IPv4
	Forwarded bool    // of a query
	Answered  bool    // of a query: it has an answer with it
	Outcome   Outcome // of an answer, which isn't to a reverse lookup
	Origin    Origin
	IPv4      bool // Address is what was answered
	Address   uint32
	Result    []byte // of an answer with an address of IPv6
	Source    []byte // of an answer
	Name      []byte // as logged, and as it is normalised: AppendName changes nothing
	Again     bool   // Name is the last one
	words     words  // that Name began with
	clients   network
	answers   network
	extra     extra
}

// extra is what log-queries=extra put before the last message that has it:
// those about one query mostly stand one behind the other.
type extra struct {
	text   [len("4294967295 255.255.255.255/65535 ")]byte
	n      int // of text, 0 for none
	serial uint64
	client uint32
}

// maxIPv4 is what must be left of a log behind where an address of IPv4 begins,
// for it to be read without a look at each byte whether it is there.
const maxIPv4 = len("255.255.255.255\n")

// Plain reads the line that a part of a log begins with, if it begins as the
// last one did, has one of those forms, behind what log-queries=extra says of a
// client of IPv4 or nothing, and ends with "\n" or "\r\n", and behind a query
// the lines that belong to it: what follows is read as if [Record.Parse] had read
// them, but r itself doesn't tell of them. Only its Stamp does, where stamp says
// that it is wanted: plain lines one behind the other have the same. It returns
// the lines' length with their ends, 0 for what Parse is to read. All is found
// going forward, so that a name is looked at once.
func (r *Record) Plain(log []byte, p *Plain, stamp bool) (length int) {
	last := &r.last
	if !last.is(log) {
		return 0
	}
	b := log[last.n:]
	if len(b) < shortest {
		return 0
	}
	before, n := 0, 0
	if p.Serial = 0; isDigit(b[0]) {
		if before = p.extra.read(b); before == 0 || len(b)-before < shortest {
			return 0
		}
		p.Serial, b = p.extra.serial, b[before:]
	}
	p.Lines, p.Forwarded, p.Answered = 1, false, false
	if b[0] != 'q' {
		word := p.word(b)
		if word == 0 {
			return 0
		}
		if n = p.name(b[word:]); n > 0 {
			n = p.rest(b, word+n, &r.upstream)
		}
		if p.Kind = Answer; b[0] == 'f' {
			p.Kind = Forward
		}
	} else if n = p.query(b); before > 0 && p.Client != p.extra.client {
		return 0
	}
	before += last.n
	length = before + n
	if n == 0 || length+last.lost > cutLen {
		return 0
	}
	if stamp {
		r.known(log[:length-1])
	}
	r.column = last.n
	for p.Kind == Query && !p.Answered {
		line := log[length:]
		if len(line) < before+shortest || !last.is(line) || p.Serial != 0 && !p.extra.is(line[last.n:]) {
			break
		}
		b := line[before:]
		word := p.word(b)
		if word == 0 || !p.again(b[word:]) {
			break
		}
		n := p.rest(b, word+len(p.Name), &r.upstream)
		if n == 0 || before+n+last.lost > cutLen {
			break
		}
		if b[0] == 'f' {
			p.Forwarded = true
		} else {
			p.Answered = true
		}
		p.Lines++
		length += before + n
	}
	return length
}

// shortest is the length of the shortest message that is looked at.
const shortest = len("cached a is ") + maxIPv4

// word reads the word that a message other than a query begins with, and
// returns its length with the space behind it, 0 for none.
func (p *Plain) word(b []byte) int {
	switch b[0] {
	case 'f':
		if hasWord(b, "forwarde", "d ") {
			return len("forwarded ")
		}
	case 'r':
		if hasPrefix(b, "reply ") {
			p.Origin = Upstream
			return len("reply ")
		}
	case 'c':
		if hasPrefix(b, "cached ") {
			p.Origin = Cache
			return len("cached ")
		}
	}
	return 0
}

// hasWord reports whether b begins with a word of eight bytes and what follows
// on it: to compare more than eight at once takes a call.
func hasWord(b []byte, word, rest string) bool {
	return hasPrefix(b, word) && hasPrefix(b[len(word):], rest)
}

// rest reads what a message other than a query has behind its name, which ends
// at a place, and returns the message's length with its end, 0 for none.
func (p *Plain) rest(b []byte, at int, to *upstream) int {
	if b[0] != 'f' {
		return p.answer(b, at)
	}
	if !hasPrefix(b[at:], " to ") {
		return 0
	}
	at += len(" to ")
	if n := to.leads(b[at:]); n > 0 {
		return at + n
	}
	return 0
}

// is reports whether b begins with what was read last.
func (e *extra) is(b []byte) bool {
	return e.n > 0 && e.n <= len(b) && string(b[:e.n]) == string(e.text[:e.n])
}

// read reads "SERIAL ADDR/PORT " and returns its length, 0 for what is other.
func (e *extra) read(b []byte) int {
	if e.is(b) {
		return e.n
	}
	b = b[:min(len(b), len(e.text))]
	serial := countDigits(b)
	if serial == 0 || serial > maxSerial || serial >= len(b) || b[serial] != ' ' {
		return 0
	}
	from := serial + 1
	n := from
	for n < len(b) && b[n] != '/' {
		n++
	}
	client, ok := readIPv4(b[from:n])
	if !ok || n == len(b) {
		return 0
	}
	port := countDigits(b[n+1:])
	if n += 1 + port; port == 0 || port > len("65535") || n >= len(b) || b[n] != ' ' {
		return 0
	}
	n++
	e.n, e.serial, e.client = copy(e.text[:], b[:n]), decimal(b[:serial]), client
	return n
}

// query reads "query[TYPE] NAME from ADDR", with an address of IPv4.
func (p *Plain) query(b []byte) int {
	n := 0
	switch {
	case hasWord(b, "query[A]", " "):
		n = len("query[A] ")
	case hasWord(b, "query[AA", "AA] "):
		n = len("query[AAAA] ")
	case hasWord(b, "query[HT", "TPS] "):
		n = len("query[HTTPS] ")
	case hasWord(b, "query[PT", "R] "):
		n = len("query[PTR] ")
	default:
		return 0
	}
	p.Type = b[len("query[") : n-len("] ")]
	at := n + p.name(b[n:])
	if at == n || !hasPrefix(b[at:], " from ") {
		return 0
	}
	at += len(" from ")
	p.Kind = Query
	if p.Client, n = p.clients.leading(b[at:]); n == 0 {
		return 0
	}
	return at + n
}

// answer reads " is RESULT", which begins at a place: an address that no filter
// answers, or one of dnsmasq's words.
func (p *Plain) answer(b []byte, at int) int {
	if !hasPrefix(b[at:], " is ") {
		return 0
	}
	p.Source = b[:len("reply")]
	if p.Origin == Cache {
		p.Source = b[:len("cached")]
	}
	at += len(" is ")
	p.Outcome = Address
	if address, n := p.answers.leading(b[at:]); n > 0 {
		if p.Address, p.IPv4 = address, true; address == 0 || isBlockPage(address) || p.isAddress() {
			return 0
		}
		return at + n
	}
	p.Address, p.IPv4 = 0, false
	n := 0
	for max := min(len(b)-at, len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255\n")); n < max && b[at+n] != '\n'; {
		n++
	}
	if at+n == len(b) || b[at+n] != '\n' {
		return 0
	}
	result := chomp(b[at : at+n])
	switch string(result) {
	case "<CNAME>":
		p.Outcome = Alias
	case "NODATA-IPv6", "NODATA-IPv4", "NODATA":
		p.Outcome = NoData
	case "NXDOMAIN":
		p.Outcome = NoName
	default:
		if p.Result = result; hasPrefix(result, "::") || !isIPv6(result) || p.isAddress() {
			return 0
		}
	}
	return at + n + 1
}

// name reads the name that b begins with and returns its length, 0 if no space
// follows or if AppendName might change it: so a line's end is in none.
func (p *Plain) name(b []byte) int {
	if p.Again = p.again(b); p.Again {
		return len(p.Name)
	}
	if len(b) <= wordsLen {
		return 0
	}
	w0, w1, w2, w3 := fourWords((*[wordsLen]byte)(b))
	// The first of the bits is right; a carry goes to those behind it only.
	changes := eighths(changed(w0)) | eighths(changed(w1))<<8 | eighths(changed(w2))<<16 | eighths(changed(w3))<<24
	n := bits.TrailingZeros64(changes)
	if changes == 0 {
		n = longName(b)
	}
	if n == 0 || b[n] != ' ' || b[n-1] == '.' {
		return 0
	}
	p.Name = b[:n]
	p.words[0], p.words[1], p.words[2], p.words[3] = w0, w1, w2, w3
	return n
}

// again reports whether b begins with the last name and a space.
func (p *Plain) again(b []byte) bool {
	n := len(p.Name)
	return n > 0 && n < len(b) && b[n] == ' ' && p.words.begin(b, p.Name)
}

// isAddress reports whether the name is an address: what is answered is then
// the name of one.
func (p *Plain) isAddress() bool {
	last := p.Name[len(p.Name)-1]
	return (isDigit(last) || isZero(p.words[0]^':'*eachByte) != 0) && isAddress(p.Name)
}

// longName returns where the first byte is that AppendName would change, behind
// words in which it changes none; 0 for nowhere.
func longName(b []byte) int {
	for n := wordsLen; n+8 <= len(b); n += 8 {
		if changes := changed(binary.LittleEndian.Uint64(b[n:])); changes != 0 {
			return n + bits.TrailingZeros64(changes)/8
		}
	}
	return 0
}
