package parse

import "bytes"

// form is what log-queries=extra put before a message.
type form uint8

const (
	bare       form = iota // nothing
	addressed              // "17 ADDR/PORT ", or "* ADDR/PORT " up to 2.85
	serialOnly             // "17 ", before dnsmasq's own queries
)

// maxSerial is how many digits a serial has at most, an unsigned int.
const maxSerial = len("4294967295")

// extraStart is what log-queries=extra starts a message with.
var extraStart = setOf("0123456789*UT")

// splitExtra reads what log-queries=extra puts before the message b: the
// query's serial, who asked, and what follows, b itself where there is nothing
// of the kind.
func splitExtra(b []byte) (serial uint64, client, rest []byte, f form) {
	rest = b
	if hasPrefix(b, "UDP ") || hasPrefix(b, "TCP ") {
		rest = b[len("UDP "):]
	}
	n := countDigits(rest)
	starred := n == 0 && hasPrefix(rest, "* ")
	if starred {
		n = 1
	}
	if n == 0 || n > maxSerial || n >= len(rest) || rest[n] != ' ' {
		return 0, nil, b, bare
	}
	client, after, ok := clientPort(rest[n+1:])
	if starred && !ok {
		return 0, nil, b, bare
	}
	if !starred {
		serial = decimal(rest[:n])
	}
	if !ok {
		return serial, nil, rest[n+1:], serialOnly
	}
	return serial, client, after, addressed
}

// clientPort splits "ADDR/PORT rest".
func clientPort(b []byte) (client, rest []byte, ok bool) {
	slash := bytes.IndexByte(b, '/')
	if slash < 0 || !isZoned(b[:slash]) {
		return nil, nil, false
	}
	rest = b[slash+1:]
	n := countDigits(rest)
	if n == 0 || n > len("65535") || n >= len(rest) || rest[n] != ' ' {
		return nil, nil, false
	}
	return b[:slash], rest[n+1:], true
}
