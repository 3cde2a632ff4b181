package parse

import "bytes"

// Plain is a line in one of the few forms that nine of ten have: a query, a
// query that was forwarded, or an answer with one record of an upstream's. It
// has what is wanted of such a line; its slices are parts of it.
type Plain struct {
	Kind    Kind    // Query, Forward or Answer
	Outcome Outcome // of an answer, which isn't to a reverse lookup
	Origin  Origin  // of an answer
	IPv4    bool    // Address is who asked, or what was answered
	Address uint32
	Type    []byte // of a query
	Name    []byte // as logged
	Result  []byte // of an answer with an address of IPv6
	Source  []byte // of an answer
}

// Plain reads a line that begins as the last one did and has one of those
// forms: what follows is read as if [Record.Parse] had read it, but r itself
// doesn't tell of it. Only its Stamp does, where stamp says that it is wanted:
// plain lines one behind the other have the same. ok is false for what Parse is
// to read.
func (r *Record) Plain(line []byte, p *Plain, stamp bool) (ok bool) {
	last := &r.last
	if !last.is(line) || len(line)+last.lost >= cutLen {
		return false
	}
	b := line[last.n:]
	if len(b) < len("cached a is ") {
		return false
	}
	switch b[0] {
	case 'q':
		ok = p.query(b)
	case 'f':
		ok = p.forward(b, &r.upstream)
	case 'r':
		if ok = hasPrefix(b, "reply ") && p.answer(b[len("reply "):]); ok {
			p.Source, p.Origin = b[:len("reply")], Upstream
		}
	case 'c':
		if ok = hasPrefix(b, "cached ") && p.answer(b[len("cached "):]); ok {
			p.Source, p.Origin = b[:len("cached")], Cache
		}
	}
	if !ok {
		return false
	}
	if stamp {
		r.known(line)
	}
	r.column = last.n
	return true
}

// query reads "query[TYPE] NAME from ADDR", with an address of IPv4.
func (p *Plain) query(b []byte) bool {
	var name []byte
	switch {
	case hasPrefix(b, "query[A] "):
		p.Type, name = b[len("query["):len("query[A")], b[len("query[A] "):]
	case hasPrefix(b, "query[AAAA] "):
		p.Type, name = b[len("query["):len("query[AAAA")], b[len("query[AAAA] "):]
	case hasPrefix(b, "query[HTTPS] "):
		p.Type, name = b[len("query["):len("query[HTTPS")], b[len("query[HTTPS] "):]
	default:
		return false
	}
	at := bytes.IndexByte(name, ' ')
	if at <= 0 || !hasPrefix(name[at:], " from ") {
		return false
	}
	p.Kind, p.Name = Query, name[:at]
	p.Address, p.IPv4 = readIPv4(name[at+len(" from "):])
	return p.IPv4
}

// forward reads "forwarded NAME to ADDR".
func (p *Plain) forward(b []byte, to *upstream) bool {
	if !hasPrefix(b, "forwarded ") {
		return false
	}
	name := b[len("forwarded "):]
	at := bytes.IndexByte(name, ' ')
	if at <= 0 || !hasPrefix(name[at:], " to ") {
		return false
	}
	p.Kind, p.Name = Forward, name[:at]
	return to.is(name[at+len(" to "):])
}

// answer reads "NAME is RESULT": an address that no filter answers, or one of
// dnsmasq's words.
func (p *Plain) answer(name []byte) bool {
	at := bytes.IndexByte(name, ' ')
	if at <= 0 || !hasPrefix(name[at:], " is ") {
		return false
	}
	result := name[at+len(" is "):]
	p.Kind, p.Name = Answer, name[:at]
	p.Outcome = Address
	if p.Address, p.IPv4 = readIPv4(result); p.IPv4 {
		return p.Address != 0 && !isBlockPage(p.Address) && !isAddress(p.Name)
	}
	switch string(result) {
	case "<CNAME>":
		p.Outcome = Alias
	case "NODATA-IPv6", "NODATA-IPv4", "NODATA":
		p.Outcome = NoData
	case "NXDOMAIN":
		p.Outcome = NoName
	default:
		p.Result = result
		return !hasPrefix(result, "::") && isIPv6(result) && !isAddress(p.Name)
	}
	return true
}
