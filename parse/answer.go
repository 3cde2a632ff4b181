package parse

import "bytes"

// Outcome is what became of a query.
type Outcome uint8

const (
	// Address is an address; in the answer to a reverse lookup ([Record.PTR])
	// the name that an address has.
	Address Outcome = iota
	// Alias is a CNAME: the next answer names its target.
	Alias
	// NoName is NXDOMAIN: there is no such name.
	NoName
	// NoData is a name without records of the type that was asked for.
	NoData
	// ServFail is an upstream that failed.
	ServFail
	// Refused is an upstream, or dnsmasq itself, that would not answer.
	Refused
	// OtherError is any other error.
	OtherError
	// Data is a record without an address in it: TXT, HTTPS, SRV. An answer
	// that was truncated counts as one; the client asks again over TCP.
	Data
	// Blocked is a name that a filter kept from its client, whatever it told
	// the client instead: see [Record.Answered]. [Record.Source] says who.
	// That the name doesn't exist, or does, can't be told from it.
	Blocked
)

// Origin is where an answer came from.
type Origin uint8

const (
	// Upstream is a server that dnsmasq forwarded the query to.
	Upstream Origin = iota
	// Cache is dnsmasq's memory of an upstream's answer.
	Cache
	// Local is dnsmasq itself: its configuration, its leases, a hosts file or
	// a zone of its own. No upstream was asked for the name, but perhaps where
	// the outcome is [NoData]: so it leaves out what filter-AAAA is to filter.
	Local
	// Filter is a filter within dnsmasq, as Pi-hole's.
	Filter
)

// Outcome returns what an [Answer] says became of its query.
//
// "config a.example is NXDOMAIN" is a rule of dnsmasq's own, such as
// local=/a.example/, and so Blocked. dnsmasq says the same of a name in its
// own domain (LXD's is "lxd") that no instance has: who knows that domain can
// tell the two apart. No host has the address 0.0.0.0 or ::, so that an answer
// with it is a filter's, even if it is upstream.
func (r *Record) Outcome() Outcome {
	if r.blocked() {
		return Blocked
	}
	return r.Answered()
}

// Answered returns what the client of an [Answer] was told, whoever said it;
// it is never [Blocked].
func (r *Record) Answered() Outcome {
	if r.result.ok {
		return Address
	}
	switch string(r.Result) {
	case "NXDOMAIN":
		return NoName
	case "NODATA", "NODATA-IPv4", "NODATA-IPv6":
		return NoData
	case "<CNAME>":
		return Alias
	case "SERVFAIL":
		return ServFail
	case "REFUSED":
		return Refused
	}
	switch {
	case isAddress(r.Result) || r.PTR():
		return Address
	case len(r.Name) == 0 && string(r.Result) != "truncated":
		return OtherError
	}
	return Data
}

func (r *Record) blocked() bool {
	switch {
	case r.filtered, isBlockList(r.Source):
		return true
	case r.result.ok:
		return r.result.address == 0 || isBlockPage(r.result.address)
	}
	switch string(r.Result) {
	case "::":
		return true
	case "NXDOMAIN":
		return string(r.Source) == "config" && !r.PTR()
	}
	mapped, ok := bytes.CutPrefix(r.Result, []byte("::ffff:"))
	if !ok {
		return false
	}
	address, ok := readIPv4(mapped)
	return ok && isBlockPage(address)
}

// isBlockPage reports whether an address is one of the servers that OpenDNS
// (Cisco Umbrella) names in the place of what it filters, 146.112.61.104 to
// .110 and the same as IPv4-mapped IPv6 addresses: "What are the Cisco
// Umbrella block page IP addresses?" in its support pages.
func isBlockPage(address uint32) bool {
	const first, last = 146<<24 | 112<<16 | 61<<8 | 104, 146<<24 | 112<<16 | 61<<8 | 110
	return first <= address && address <= last
}

// isBlockList reports whether a hosts file is a list of Pi-hole's before 5.0.
// The names in it may have the address of Pi-hole itself.
func isBlockList(source []byte) bool {
	if !hasPrefix(source, "/") {
		return false
	}
	switch string(source[bytes.LastIndexByte(source, '/')+1:]) {
	case "gravity.list", "black.list", "regex.list":
		return true
	}
	return false
}

// Origin returns where an [Answer] came from.
func (r *Record) Origin() Origin {
	switch string(r.Source) {
	case "reply":
		return Upstream
	case "cached", "cached-stale":
		return Cache
	}
	if r.filtered || isBlockList(r.Source) {
		return Filter
	}
	return Local
}

// PTR reports whether an [Answer] is one to a reverse lookup: dnsmasq prints
// the address in the place of the name, "reply 192.0.2.7 is a.example".
func (r *Record) PTR() bool { return isAddress(r.Name) }

// answer reads a message whose first word is n bytes long and followed by
// " NAME is RESULT", or by " is RESULT" where there is no name.
func (r *Record) answer(b []byte, n int) {
	rest := b[n+1:]
	at := bytes.IndexByte(rest, ' ')
	if at > 0 && hasPrefix(rest[at:], " is ") {
		result := rest[at+len(" is "):]
		if r.result.read(result); r.result.ok {
			r.Kind, r.Source, r.Name, r.Result = Answer, b[:n], rest[:at], result
			return
		}
	}
	name, result, ok := cutOnly(rest, at, " is ")
	if !ok {
		if isJoined(b[n:]) {
			r.Kind = Garbled
			return
		}
		name, result, ok = cutLast(rest, " is ")
	}
	if ok && len(name) == 0 {
		return
	}
	if !ok {
		if !hasPrefix(b[n:], " is ") {
			return
		}
		name, result = nil, b[n+len(" is "):]
	}
	r.Kind = Answer
	r.Source, r.Name = b[:n], name
	r.setResult(result)
	if string(name) == "error" && isError(r.Result) {
		r.Name = nil
	}
}

// hostsAnswer reads "/path/of/hosts NAME is RESULT". The path may have spaces,
// and no name in a hosts file does.
func (r *Record) hostsAnswer(b []byte) {
	if isJoined(b) {
		r.Kind = Garbled
		return
	}
	left, result, ok := cutLast(b, " is ")
	sp := bytes.LastIndexByte(left, ' ')
	if !ok || sp < 0 || sp == len(left)-1 {
		return
	}
	r.Kind = Answer
	r.Source, r.Name = left[:sp], left[sp+1:]
	r.setResult(result)
}

// setResult takes a result apart from blanks behind it and from the note that
// log-queries=extra adds.
func (r *Record) setResult(result []byte) {
	result = trimEnd(result)
	r.Result = result
	if len(result) == 0 || result[len(result)-1] != ')' {
		r.result.read(result)
		return
	}
	const signed = " (DNSSEC signed)"
	at := len(result) - len(signed)
	if at < 0 || string(result[at:]) != signed {
		if at = lastIndex(result, " (EDE: "); at < 0 {
			return
		}
	}
	r.rare = true
	r.Result, r.Note = result[:at], result[at+len(" ("):len(result)-1]
	r.result.read(r.Result)
	switch string(r.Note) {
	case "EDE: blocked", "EDE: censored", "EDE: filtered", "EDE: prohibited":
		r.filtered = r.filtered || string(r.Source) != "config" // which says "filtered" of filter-AAAA
	}
}

// isError reports whether a result is what dnsmasq prints behind "error is",
// to tell that from a host of the name "error".
func isError(result []byte) bool {
	switch string(result) {
	case "SERVFAIL", "REFUSED", "FORMERR", "not implemented":
		return true
	}
	return len(result) > 0 && countDigits(result) == len(result)
}

// cutOnly cuts b, whose first space is at, around a word with a space at either
// end, if there are no other spaces: no search from the end is needed then.
func cutOnly(b []byte, at int, word string) (before, after []byte, ok bool) {
	if at < 0 || !hasPrefix(b[at:], word) {
		return nil, nil, false
	}
	after = b[at+len(word):]
	return b[:at], after, bytes.IndexByte(after, ' ') < 0
}
