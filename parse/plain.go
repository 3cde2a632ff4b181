package parse

import (
	"encoding/binary"
	"math/bits"
)

// Plain is a line in one of the few forms that nine of ten have: a query, a
// query that was forwarded, or an answer with one record of an upstream's. It
// has what is wanted of such a line; its slices are parts of it, but for a name
// that is the same as the last line's, which may be a part of that.
type Plain struct {
	Kind    Kind    // Query, Forward or Answer
	Outcome Outcome // of an answer, which isn't to a reverse lookup
	Origin  Origin  // of an answer
	IPv4    bool    // Address is who asked, or what was answered
	Address uint32
	Serial  uint64            // as in Record
	Type    []byte            // of a query
	Name    []byte            // as logged, and as it is normalised: AppendName changes nothing
	Result  []byte            // of an answer with an address of IPv6
	Source  []byte            // of an answer
	Again   bool              // Name is the last one
	address bool              // Name is one
	words   [nameWords]uint64 // that Name began with
	extra   extra
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
// client of IPv4 or nothing, and ends with "\n" or "\r\n": what follows is read as if [Record.Parse] had read it, but r itself doesn't tell of it. Only its
// Stamp does, where stamp says that it is wanted: plain lines one behind the
// other have the same. It returns the line's length with its end, 0 for what
// Parse is to read. All is found going forward, so that a name is looked at once.
func (r *Record) Plain(log []byte, p *Plain, stamp bool) (length int) {
	last := &r.last
	if !last.is(log) {
		return 0
	}
	b := log[last.n:]
	if len(b) < len("cached a is ")+maxIPv4 {
		return 0
	}
	before, n := 0, 0
	if p.Serial = 0; isDigit(b[0]) {
		if before = p.extra.read(b); before == 0 || len(b)-before < len("cached a is ")+maxIPv4 {
			return 0
		}
		p.Serial, b = p.extra.serial, b[before:]
	}
	switch b[0] {
	case 'q':
		if n = p.query(b); before > 0 && p.Address != p.extra.client {
			return 0
		}
	case 'f':
		n = p.forward(b, &r.upstream)
	case 'r':
		if hasPrefix(b, "reply ") {
			p.Source, p.Origin = b[:len("reply")], Upstream
			n = p.answer(b, len("reply "))
		}
	case 'c':
		if hasPrefix(b, "cached ") {
			p.Source, p.Origin = b[:len("cached")], Cache
			n = p.answer(b, len("cached "))
		}
	}
	length = last.n + before + n
	if n == 0 || length-1+last.lost >= cutLen {
		return 0
	}
	if stamp {
		r.known(log[:length-1])
	}
	r.column = last.n
	return length
}

// read reads "SERIAL ADDR/PORT " and returns its length, 0 for what is other.
func (e *extra) read(b []byte) int {
	if n := e.n; n > 0 && n <= len(b) && string(b[:n]) == string(e.text[:n]) {
		return n
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
	case hasPrefix(b, "query[A] "):
		n = len("query[A] ")
	case hasPrefix(b, "query[AAAA] "):
		n = len("query[AAAA] ")
	case hasPrefix(b, "query[HTTPS] "):
		n = len("query[HTTPS] ")
	default:
		return 0
	}
	p.Type = b[len("query[") : n-len("] ")]
	at := n + p.name(b[n:])
	if at == n || !hasPrefix(b[at:], " from ") {
		return 0
	}
	at += len(" from ")
	p.Kind, p.IPv4 = Query, true
	if p.Address, n = leadingIPv4(b[at:]); n == 0 {
		return 0
	}
	return at + n
}

// forward reads "forwarded NAME to ADDR".
func (p *Plain) forward(b []byte, to *upstream) int {
	const word = len("forwarded ")
	if !hasPrefix(b, "forwarded ") {
		return 0
	}
	at := word + p.name(b[word:])
	if at == word || !hasPrefix(b[at:], " to ") {
		return 0
	}
	at += len(" to ")
	p.Kind = Forward
	if n := to.leads(b[at:]); n > 0 {
		return at + n
	}
	return 0
}

// answer reads "NAME is RESULT", which begins at from: an address that no
// filter answers, or one of dnsmasq's words.
func (p *Plain) answer(b []byte, from int) int {
	at := from + p.name(b[from:])
	if at == from || !hasPrefix(b[at:], " is ") {
		return 0
	}
	at += len(" is ")
	p.Kind, p.Outcome = Answer, Address
	if address, n := leadingIPv4(b[at:]); n > 0 {
		if p.Address, p.IPv4 = address, true; address == 0 || isBlockPage(address) || p.address {
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
		if p.Result = result; hasPrefix(result, "::") || !isIPv6(result) || p.address {
			return 0
		}
	}
	return at + n + 1
}

// nameWords is how many words of eight bytes of a name are compared and looked
// at without a branch: those of most names, whose lengths no core can foresee.
const nameWords = 4

// leading has the bits of the first n bytes of nameWords words.
var leading = func() (t [8*nameWords + 1][nameWords]uint64) {
	for n := range t {
		for i := range n {
			t[n][i/8] |= 0xff << (i % 8 * 8)
		}
	}
	return t
}()

// name reads the name that b begins with and returns its length, 0 if no space
// follows or if AppendName would change it: so a line's end is in none.
func (p *Plain) name(b []byte) int {
	if len(b) <= 8*nameWords {
		return 0
	}
	w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	n := len(p.Name)
	if n < len(leading) {
		is, last := &leading[n], &p.words
		if (w0^last[0])&is[0]|(w1^last[1])&is[1]|(w2^last[2])&is[2]|(w3^last[3])&is[3] == 0 && b[n] == ' ' && n > 0 {
			p.Again = true
			return n
		}
	} else if n < len(b) && b[n] == ' ' && string(b[:n]) == string(p.Name) {
		p.Again = true
		return n
	}
	p.Again = false
	// The first of the bits is right; a carry goes to those behind it only.
	changes := eighths(changed(w0)) | eighths(changed(w1))<<8 | eighths(changed(w2))<<16 | eighths(changed(w3))<<24
	if changes != 0 {
		n = bits.TrailingZeros64(changes)
	} else if n = longName(b); n == 0 {
		return 0
	}
	if n == 0 || b[n] != ' ' || b[n-1] == '.' {
		return 0
	}
	p.Name = b[:n]
	p.words[0], p.words[1], p.words[2], p.words[3] = w0, w1, w2, w3
	p.address = (hexByte[b[n-1]] || b[n-1] == ':') && isAddress(p.Name)
	return n
}

// longName returns where the first byte is that AppendName would change, behind
// nameWords words in which it changes none; 0 for nowhere.
func longName(b []byte) int {
	for n := 8 * nameWords; n+8 <= len(b); n += 8 {
		if changes := changed(binary.LittleEndian.Uint64(b[n:])); changes != 0 {
			return n + bits.TrailingZeros64(changes)/8
		}
	}
	return 0
}

// eighths moves the highest bits of eight bytes, of which no others are set,
// together.
func eighths(word uint64) uint64 { return word >> 7 * 0x0102040810204080 >> 56 }
