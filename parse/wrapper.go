package parse

import "bytes"

// wrapper reads a line's beginning: what the message was wrapped in on its way
// through syslog, the journal, a container's runtime, a collector, grep. Each
// part is told by its own form, from the line's beginning on; nothing is
// searched for. So what stands in a field of a message, dnsmasq's or another
// program's, is never taken for a line.
type wrapper struct {
	rest  []byte // what follows
	stamp []byte // the last time, but for one without a date behind one with it
	tag   []byte // of another program

	process uint32 // in dnsmasq's own tag
	tagLen  int    // of that, 0 without
	nested  bool   // dnsmasq's own tag stands behind a collector's
	loose   bool   // what another line that starts the same says can't be known from it

	timed  bool // a time was there, be it one since the machine's start
	dated  bool // stamp has a date
	marked bool // something else than dnsmasq's own time was there
	hosted bool // a word that may be the host's name was, behind the last time
	bare   bool // dnsmasq's message may follow without its tag
	ftl    bool // pihole-FTL wrote the line
	json   bool // rest is no part of the line

	collectors *collectors
	depth      int
	names      int // how many of the depth are names that the line begins with
}

const (
	// maxParts is how many parts a line's beginning may have: what a cluster,
	// a collector and grep put there, with room to spare.
	maxParts = 16
	// maxDepth is how many collectors may have passed a line on.
	maxDepth = 3
)

// read reads the beginning of a line.
func (w *wrapper) read(line []byte) maker {
	w.rest, w.bare = line, true
	for range maxParts {
		if n := noiseLen(w.rest); n > 0 {
			w.rest, w.marked = w.rest[n:], true
		}
		b := w.rest
		if message, ok := afterTag(b); ok {
			w.ownTag(b, message)
			return ours
		}
		if len(b) == 0 {
			return unknown
		}
		if w.bare && isMessage(b) || w.ftl && hasPrefix(b, ftlQuery) {
			w.loose = true
			return ours
		}
		if b[0] == '{' && w.labels(b) == 0 {
			return w.object(b)
		}
		if header, ok := after5424(b); ok {
			return w.syslog5424(header)
		}
		if n := timeLen(b); n > 0 {
			w.setTime(b[:n])
			w.rest = b[n:]
			if b[n] != 0x1b {
				w.rest = b[n+1:]
			}
			if b[n] == ':' { // pihole -t cuts the tag out, and today's date
				w.rest = w.rest[noiseLen(w.rest):]
				w.loose = true
				return ours
			}
			continue
		}
		if n := w.part(b); n > 0 {
			w.rest, w.marked = b[n:], true
			continue
		}
		n := bytes.IndexAny(b, " \t")
		if n <= 0 {
			return unknown
		}
		if b[n-1] == ':' {
			return w.from(tagOf(b[:n]), b[n+1:])
		}
		if !w.timed && !w.marked && w.depth == w.names {
			return w.named(b[:n], b[n+1:])
		}
		if !w.timed || w.hosted {
			return unknown
		}
		w.rest, w.hosted, w.marked, w.bare = b[n+1:], true, true, false
	}
	return unknown
}

// ownTag takes dnsmasq's own tag, which is before the message in b. A service
// manager that takes down standard error adds a tag of the same name.
func (w *wrapper) ownTag(b, message []byte) {
	if again, ok := afterTag(message); ok {
		b, message, w.marked = message, again, true
	}
	w.rest, w.tagLen, w.process = message, len(b)-len(message), processOf(b)
}

// timeLen returns the length of the time that b starts with, if a blank, ": "
// or a change of colour follows it.
func timeLen(b []byte) int {
	n := stampLen(b)
	if n == 0 || n >= len(b) || !isBlank(b[n]) && b[n] != 0x1b && !hasPrefix(b[n:], ": ") {
		return 0
	}
	return n
}

// setTime takes a time. The last one is the nearest to dnsmasq, but one
// without a date says less than one with it.
func (w *wrapper) setTime(b []byte) {
	s, _ := scanStamp(b)
	dated := s.isUnix || s.month != 0
	if w.stamp != nil || !isCtime(b) {
		w.marked = true
	}
	if dated || !w.dated {
		w.stamp = b
	}
	w.timed, w.dated = true, w.dated || dated
	w.hosted = false
	// What stores the journal's messages alone prints them behind such a time.
	w.bare = w.bare && s.year != 0 && isDigit(b[0])
}

// isCtime reports whether a time is as dnsmasq writes it.
func isCtime(b []byte) bool {
	return len(b) == len("Nov 23 10:00:00") && b[len("Nov 23")] == ' ' && !isDigit(b[0])
}

// isMessage reports whether b starts as dnsmasq's messages on queries do.
func isMessage(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if extraStart[b[0]] {
		_, _, rest, form := splitExtra(b)
		if form == serialOnly {
			return hasPrefix(rest, "dnssec-")
		}
		b = rest
	}
	if len(b) == 0 {
		return false
	}
	for _, word := range messageWords[b[0]] {
		if hasPrefix(b, word) {
			return true
		}
	}
	return false
}

// messageWords is what messages on queries start with, by the first byte.
var messageWords = func() (words [256][]string) {
	for _, word := range append([]string{
		"query[", "auth[", "forwarded ", "reply ", "cached ", "cached-stale ", "config ", "DHCP ",
		"dnssec-query[", "dnssec-retry[", hostSource,
	}, filterSources...) {
		words[word[0]] = append(words[word[0]], word)
	}
	return words
}()
