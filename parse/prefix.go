package parse

import "bytes"

// cutLen is the length at which a line was cut: dnsmasq formats it in a
// buffer of 1024 bytes with its prefix and a NUL.
const cutLen = 1023

// What a line lost on its way from dnsmasq's buffer, to tell whether it was
// cut from what is left of it.
const (
	syslogLost = "<30>Nov 23 10:00:00 "                   // the syslog daemon writes its own
	bareLost   = "<30>Nov 23 10:00:00 dnsmasq[4194304]: " // the most that can be missing
)

// remembered is what stands before a line's message. The next line mostly has
// the same, and to read it anew would cost a quarter of the whole.
type remembered struct {
	text       [64]byte
	n          int // of text, 0 for none
	stamp, end int // where in it the time is
	lost       int // how much longer the line was in dnsmasq's buffer
}

// prefix reads what stands before the message. own is the length that the
// line had in dnsmasq's buffer. ok is false for a line of another program or
// subsystem.
func (r *Record) prefix(line []byte) (message []byte, own int, ok bool) {
	last := &r.last
	if last.n > 0 && len(line) >= last.n && string(line[:last.n]) == string(last.text[:last.n]) {
		if last.end > 0 {
			r.Stamp = line[last.stamp:last.end]
		}
		return line[last.n:], len(line) + last.lost, true
	}
	priority := priorityLen(line)
	p := remembered{stamp: priority}
	rest := line[priority:]
	if n := stampLen(rest); n > 0 {
		r.Stamp, rest = rest[:n], rest[n+1:]
		p.end = p.stamp + n
	}
	if message, ok = afterTag(rest); !ok {
		if p.end == 0 {
			return rest, len(bareLost) + len(rest), true
		}
		// The next word is the host's name, unless it is another program's tag.
		host := bytes.IndexByte(rest, ' ')
		if host <= 0 || rest[host-1] == ':' {
			return nil, 0, false
		}
		rest = rest[host+1:]
		p.lost = len(syslogLost) + len(rest) - len(line)
		if message, ok = afterTag(rest); !ok {
			return nil, 0, false
		}
	}
	if p.n = len(line) - len(message); p.n <= len(p.text) {
		copy(p.text[:], line[:p.n])
		*last = p
	}
	return message, len(line) + p.lost, true
}

// priorityLen returns the length of the "<30>" that a line starts with.
func priorityLen(line []byte) int {
	if len(line) == 0 || line[0] != '<' {
		return 0
	}
	n := 1 + countDigits(line[1:])
	if n == 1 || n > 4 || n == len(line) || line[n] != '>' {
		return 0
	}
	return n + 1
}

const tagName = "dnsmasq"

// afterTag returns what follows "dnsmasq[123]: " or "dnsmasq: ".
func afterTag(b []byte) ([]byte, bool) {
	if !hasPrefix(b, tagName) {
		return nil, false
	}
	b = b[len(tagName):]
	if len(b) > 0 && b[0] == '[' {
		n := countDigits(b[1:])
		if n == 0 || len(b) <= n+1 || b[n+1] != ']' {
			return nil, false
		}
		b = b[n+2:]
	}
	if !hasPrefix(b, ": ") {
		return nil, false
	}
	return b[2:], true
}

// form is what log-queries=extra put before a message.
type form uint8

const (
	bare       form = iota // nothing
	addressed              // "17 ADDR/PORT ", or "* ADDR/PORT " up to 2.85
	serialOnly             // "17 ", before dnsmasq's own queries
)

// maxSerial is how many digits a serial has at most, an unsigned int.
const maxSerial = len("4294967295")

// extra reads what log-queries=extra puts before the message b and returns
// what follows: b itself where there is nothing of the kind.
func (r *Record) extra(b []byte) ([]byte, form) {
	rest := b
	if hasPrefix(b, "UDP ") || hasPrefix(b, "TCP ") {
		rest = b[len("UDP "):]
	}
	n := countDigits(rest)
	starred := n == 0 && hasPrefix(rest, "* ")
	if starred {
		n = 1
	}
	if n == 0 || n > maxSerial || n >= len(rest) || rest[n] != ' ' {
		return b, bare
	}
	client, after, ok := clientPort(rest[n+1:])
	if starred && !ok {
		return b, bare
	}
	if !starred {
		for _, digit := range rest[:n] {
			r.Serial = r.Serial*10 + uint64(digit-'0')
		}
	}
	if !ok {
		return rest[n+1:], serialOnly
	}
	r.Client = client
	return after, addressed
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
