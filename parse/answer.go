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
	rest := b[n:]
	is := lastIs(rest)
	if is < 0 || is == 1 {
		return
	}
	r.Kind = Answer
	r.Source = b[:n]
	r.Result = withoutNote(rest[is+len(" is "):])
	if is > 0 {
		r.Name = rest[1:is]
	}
	if string(r.Name) == "error" && isError(r.Result) {
		r.Name = nil
	}
}

// hostsAnswer reads "/path/of/hosts NAME is RESULT". The path may have spaces,
// and no name in a hosts file does.
func (r *Record) hostsAnswer(b []byte) {
	is := lastIs(b)
	if is < 0 {
		return
	}
	sp := bytes.LastIndexByte(b[:is], ' ')
	if sp < 0 || sp+1 == is {
		return
	}
	r.Kind = Answer
	r.Source = b[:sp]
	r.Name = b[sp+1 : is]
	r.Result = withoutNote(b[is+len(" is "):])
}

var is = []byte(" is ")

// lastIs returns where the last " is " starts, -1 if there is none.
func lastIs(b []byte) int {
	sp := bytes.LastIndexByte(b, ' ')
	if sp >= len(" is") && string(b[sp-len(" is"):sp]) == " is" {
		return sp - len(" is")
	}
	return bytes.LastIndex(b, is)
}

var ede = []byte(" (EDE: ")

// withoutNote cuts the note off that log-queries=extra puts behind a result.
func withoutNote(result []byte) []byte {
	if len(result) == 0 || result[len(result)-1] != ')' {
		return result
	}
	const signed = " (DNSSEC signed)"
	if n := len(result) - len(signed); n >= 0 && string(result[n:]) == signed {
		return result[:n]
	}
	if n := bytes.LastIndex(result, ede); n >= 0 {
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
