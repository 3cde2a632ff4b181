package parse

import "bytes"

// Outcome is what an answer says of the name.
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
)

// Outcome returns what an [Answer] says of its name.
func (r *Record) Outcome() Outcome {
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

// PTR reports whether an [Answer] is one to a reverse lookup: dnsmasq prints
// the address in the place of the name, "reply 192.0.2.7 is a.example".
func (r *Record) PTR() bool { return isAddress(r.Name) }

// answer reads a message whose first word is n bytes long and followed by
// " NAME is RESULT", or by " is RESULT" where there is no name.
func (r *Record) answer(b []byte, n int) {
	name, result, ok := cutLast(b[n+1:], " is ")
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
	r.Source, r.Name, r.Result = b[:n], name, withoutNote(result)
	if string(name) == "error" && isError(r.Result) {
		r.Name = nil
	}
}

// hostsAnswer reads "/path/of/hosts NAME is RESULT". The path may have spaces,
// and no name in a hosts file does.
func (r *Record) hostsAnswer(b []byte) {
	left, result, ok := cutLast(b, " is ")
	sp := bytes.LastIndexByte(left, ' ')
	if !ok || sp < 0 || sp == len(left)-1 {
		return
	}
	r.Kind = Answer
	r.Source, r.Name, r.Result = left[:sp], left[sp+1:], withoutNote(result)
}

// withoutNote cuts the note off that log-queries=extra puts behind a result.
func withoutNote(result []byte) []byte {
	if len(result) == 0 || result[len(result)-1] != ')' {
		return result
	}
	const signed = " (DNSSEC signed)"
	if n := len(result) - len(signed); n >= 0 && string(result[n:]) == signed {
		return result[:n]
	}
	if n := lastIndex(result, " (EDE: "); n >= 0 {
		return result[:n]
	}
	return result
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
