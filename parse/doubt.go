package parse

import "bytes"

// doubt reads a line again that is no message as it stands, or looks like a
// query and breaks its form: without what isn't a part of it.
func (r *Record) doubt(line []byte) {
	if trimmed := trimEnd(line); len(trimmed) < len(line) {
		r.Parse(trimmed)
		return
	}
	// A log that was truncated while it was written to has a hole of NULs,
	// which dnsmasq never writes. What stands before it lost its end.
	if hole := bytes.LastIndexByte(line, 0); hole >= 0 {
		before := line[:hole]
		r.Parse(line[hole+1:])
		if noiseLen(before) < len(before) {
			r.Lost++
			r.rare = true
		}
		return
	}
	if isJoined(r.Text) {
		r.split(line)
		if r.Kind == Other {
			r.Kind = Garbled
		}
		return
	}
	if r.Kind == Other && looksLikeQuery(line) {
		r.Kind = Garbled
	}
}

// split reads a line that holds two, the line break between them missing, as
// where one log was copied behind another. A client can ask for a name that
// looks so. Only two queries are taken for what they seem, and only if one
// client made both: then none has anything to gain by it, since it could have
// asked for either name.
func (r *Record) split(line []byte) {
	p := &r.last
	if p.tag == p.n || !p.matches(line, p.n) {
		return
	}
	begin := tagAt(line[p.n:])
	if begin += p.n - p.tag; begin <= p.n || !p.matches(line[begin:], p.tag) {
		return
	}
	first, second := Record{State: State{last: *p}}, Record{State: State{last: *p}}
	first.Parse(line[:begin])
	second.Parse(line[begin:])
	if first.Kind != Query || second.Kind != Query || !sameAddress(first.Client, second.Client) {
		return
	}
	r.Kind, r.Serial, r.Stamp, r.Text = Query, first.Serial, first.Stamp, first.Text
	r.Source, r.Type, r.Name, r.Client = first.Source, first.Type, first.Name, first.Client
	r.Rest, r.rare = line[begin:], true
}

// looksLikeQuery reports whether dnsmasq's word on a query is somewhere in a
// line.
func looksLikeQuery(line []byte) bool {
	for {
		at := bytes.Index(line, []byte("query["))
		if at < 0 {
			return false
		}
		line = line[at+len("query"):]
		if _, rest, ok := bracketed(line); ok {
			return hasClient(rest)
		}
	}
}

// hasClient reports whether " from " and an address are somewhere in b.
func hasClient(b []byte) bool {
	for {
		_, rest, ok := bytes.Cut(b, []byte(" from "))
		if !ok {
			return false
		}
		n := 0
		for n < len(rest) && (hexByte[rest[n]] || rest[n] == '.' || rest[n] == ':') {
			n++
		}
		if isAddress(rest[:n]) {
			return true
		}
		b = rest
	}
}

// trimEnd cuts off the end what is no part of a line: blanks, colours, quotes,
// the holes of a log that was truncated.
func trimEnd(b []byte) []byte {
	for n := len(b); n > 0; n = len(b) {
		switch c := b[n-1]; {
		case noiseEnd[c]:
			b = b[:n-1]
		case c == ',' && n > 1 && (b[n-2] == '"' || b[n-2] == '\''):
			b = b[:n-2]
		case c == 'm' || c == 'K':
			begin := bytes.LastIndexByte(b, 0x1b)
			if begin < 0 || colourLen(b[begin:]) != n-begin {
				return b
			}
			b = b[:begin]
		default:
			return b
		}
	}
	return b
}

var noiseEnd = setOf(" \t\r\x00`'\"")
