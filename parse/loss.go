package parse

import "bytes"

// losses are the beginnings of dnsmasq's messages on what was lost or refused.
// dnsmasq may print some in its locale's language: those are not noticed.
var losses = []string{
	"log failed: ",
	"Maximum number of concurrent DNS queries ",
	"possible DNS-rebind attack detected",
}

// notice reads what dnsmasq says of itself.
func (r *Record) notice(b []byte) {
	if hasPrefix(b, "started, version ") {
		r.Kind = Start
		return
	}
	if n, ok := numbered(b, "overflow: ", " log entries lost"); ok {
		r.lose(n)
		return
	}
	if hasPrefix(b, "nameserver ") && bytes.HasSuffix(b, refused) {
		r.lose(1)
		return
	}
	for _, beginning := range losses {
		if hasPrefix(b, beginning) {
			r.lose(1)
			return
		}
	}
	r.repeat(b)
}

var refused = []byte(" refused to do a recursive query")

func (r *Record) lose(n uint64) { r.Kind, r.Lost = Loss, n }

// numbered returns the number between before and after; after may be followed
// by more.
func numbered(b []byte, before, after string) (uint64, bool) {
	if !hasPrefix(b, before) {
		return 0, false
	}
	b = b[len(before):]
	n := countDigits(b)
	if n == 0 || n > maxSerial || !hasPrefix(b[n:], after) {
		return 0, false
	}
	return decimal(b[:n]), true
}

// repeat reads what stands for messages that were the same:
//
//	last message repeated 5 times               sysklogd, BusyBox; the line before
//	message repeated 5 times: [ MESSAGE]        rsyslog; the message itself
func (r *Record) repeat(b []byte) {
	if n, ok := numbered(b, "last message repeated ", " time"); ok {
		r.Kind, r.Repeats = Repeat, n
		return
	}
	n, ok := numbered(b, "message repeated ", " times: [")
	if !ok || b[len("message repeated ")] == '0' || b[len(b)-1] != ']' {
		return
	}
	b = b[bytes.IndexByte(b, '[')+1 : len(b)-1]
	if hasPrefix(b, " ") {
		b = b[1:]
	}
	if hasPrefix(b, "message repeated ") {
		return
	}
	if r.message(b); r.Kind != Other {
		r.Repeats = n - 1 // rsyslog counts this one
	}
}

func decimal(digits []byte) (n uint64) {
	for _, c := range digits {
		n = n*10 + uint64(c-'0')
	}
	return n
}
