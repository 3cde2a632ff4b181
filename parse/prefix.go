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

// maker is who wrote a line.
type maker uint8

const (
	unknown  maker = iota // how the line begins is no form that is known
	ours                  // dnsmasq's part that answers queries
	foreign               // another program, or another part of dnsmasq
	doubtful              // perhaps another program, and so nobody
)

// State is what the lines of a log say of those to come: how they begin, and
// which programs write them. A part of a log is read as within the whole by a
// [Record] that has the state from before it.
type State struct {
	last remembered
	// column is where the message began in the line above, indent how many
	// blanks the log's lines begin with. journalctl prints the further lines of
	// another program's message with column blanks, and what a client made that
	// program print may look like a line of ours.
	column, indent int
	collectors     collectors
}

// Same reports whether a line, and all that follow it, are read as one with
// either state.
func (s *State) Same(t *State, line []byte) bool {
	p, q := &s.last, &t.last
	return p.n == q.n && p.stamp == q.stamp && p.end == q.end && p.tag == q.tag && p.lost == q.lost &&
		sameButDigits(p.text[:p.n], q.text[:q.n]) && s.indent == t.indent && s.collectors == t.collectors &&
		(s.column == t.column || len(line) > 0 && !noiseStart[line[0]])
}

// deepIndent is what no paste is indented by: journalctl's shortest line has
// some more before the message.
const deepIndent = 16

// remembered is what stands before a line's message. The next line mostly has
// the same but for digits, and to read it anew would cost more than all that
// follows. Where the form is known, digits may be any.
type remembered struct {
	text       [160]byte
	n          int   // of text, 0 for none
	words      words // of text
	stamp, end int   // where in it the time is
	tag        int   // where in it dnsmasq's own tag is, n if it has none
	process    uint32
	lost       int // how much longer the line was in dnsmasq's buffer
}

// is reports whether a line, of wordsLen bytes at least, starts with what is
// remembered.
func (p *remembered) is(line []byte) bool { return p.n > 0 && p.words.begin(line, p.text[:p.n]) }

// set remembers what a line starts with.
func (p *remembered) set(text []byte) {
	p.n = copy(p.text[:], text)
	p.words[0], p.words[1], p.words[2], p.words[3] = fourWords((*[wordsLen]byte)(p.text[:]))
}

// matches reports whether a line starts with the first n bytes of what is
// remembered, but for digits.
func (p *remembered) matches(line []byte, n int) bool {
	if len(line) < n {
		return false
	}
	i := 0
	for ; i+8 <= n; i += 8 {
		if string(line[i:i+8]) != string(p.text[i:i+8]) && !sameButDigits(line[i:i+8], p.text[i:i+8]) {
			return false
		}
	}
	return sameButDigits(line[i:n], p.text[i:n])
}

// sameButDigits reports whether two texts of one length have the same bytes,
// any digit being the same as another.
func sameButDigits(a, b []byte) bool {
	for i, c := range a {
		if d := b[i]; c != d && !(isDigit(c) && isDigit(d)) {
			return false
		}
	}
	return true
}

// known takes what is known from a beginning that is remembered, and returns
// the length that the line had in dnsmasq's buffer.
func (r *Record) known(line []byte) (own int) {
	last := &r.last
	if last.end > 0 {
		r.Stamp = line[last.stamp:last.end]
	}
	r.column, r.process = last.n, last.process
	return len(line) + last.lost
}

// prefix reads what stands before the message. own is the length that the
// line had in dnsmasq's buffer.
func (r *Record) prefix(line []byte) (message []byte, own int, who maker) {
	if last := &r.last; last.n > 0 && last.matches(line, last.n) {
		if tag := line[last.tag:last.n]; string(tag) != string(last.text[last.tag:last.n]) {
			last.process = processOf(tag)
		}
		last.set(line[:last.n])
		return line[last.n:], r.known(line), ours
	}
	indent := blanks(line)
	if r.column > 0 && indent >= r.column {
		return nil, 0, foreign // the line above goes on
	}
	if indent >= r.indent+deepIndent {
		return nil, 0, doubtful
	}
	w := wrapper{collectors: &r.collectors}
	switch who = w.read(line); who {
	case foreign:
		r.collectorLoss(w.tag, w.rest)
	case ours:
		r.Stamp, r.process = w.stamp, w.process
		own = r.remember(line, &w)
	}
	if who == unknown || w.json {
		r.column = 0
	} else {
		r.column, r.indent = len(line)-len(w.rest), indent
	}
	return w.rest, own, who
}

// remember keeps what stands before a line's message and returns how long the
// line was in dnsmasq's buffer.
func (r *Record) remember(line []byte, w *wrapper) (own int) {
	switch {
	case w.tagLen == 0:
		own = len(bareLost) + len(w.rest)
	case w.marked:
		own = len(syslogLost) + w.tagLen + len(w.rest)
	default:
		own = len(line)
	}
	r.collectors.direct = r.collectors.direct || w.tagLen > 0 && !w.nested
	n := len(line) - len(w.rest)
	if w.loose || n == 0 || n > len(r.last.text) {
		return own
	}
	p := &r.last
	p.set(line[:n])
	p.tag, p.lost, p.process = n-w.tagLen, own-len(line), r.process
	p.stamp, p.end = 0, 0
	if w.stamp != nil {
		p.stamp = cap(line) - cap(w.stamp)
		p.end = p.stamp + len(w.stamp)
	}
	return own
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

// processOf returns the number in "dnsmasq[123]: ", 0 if there is none.
func processOf(tag []byte) uint32 {
	if len(tag) <= len(tagName) || tag[len(tagName)] != '[' {
		return 0
	}
	tag = tag[len(tagName)+1:]
	return uint32(decimal(tag[:countDigits(tag)]))
}

// isJoined reports whether what has a space in it holds the tag of another
// line: the newline between the two is missing. What follows can't be taken
// for a line, since a client may ask for a name that looks so.
func isJoined(b []byte) bool { return tagAt(b) >= 0 }

// tagAt returns where in b dnsmasq's tag is, -1 if it isn't.
func tagAt(b []byte) int {
	for from := 0; ; {
		at := bytes.Index(b[from:], []byte(tagName))
		if at < 0 {
			return -1
		}
		at += from
		if _, ok := afterTag(b[at:]); ok {
			return at
		}
		from = at + len(tagName)
	}
}
