package parse

import "bytes"

// part returns the length of the part of a wrapper that b starts with, 0 for
// none. Those that begin like a word are tried last.
func (w *wrapper) part(b []byte) int {
	switch c := b[0]; {
	case c == '<':
		if n := priorityLen(b); n > 0 {
			return n
		}
		return facilityLen(b)
	case c == '[':
		return w.bracketLen(b)
	case c == '{':
		return w.labels(b)
	case c == 'd' && hasPrefix(b, "data: {"): // journalctl -o json-sse
		return len("data: ")
	case c == 's' && w.timed: // the containers' runtime interface (CRI)
		for _, stream := range []string{"stdout F ", "stderr F ", "stdout P ", "stderr P "} {
			if hasPrefix(b, stream) {
				return w.inside(len(stream))
			}
		}
	case isDigit(c) && !w.timed:
		return numberLen(b)
	}
	if n := klogLen(b); n > 0 {
		return w.inside(n)
	}
	if n := facilityLen(b); n > 0 && w.timed {
		return w.inside(n)
	}
	if n := composeLen(b); n > 0 {
		return w.inside(n)
	}
	if !w.timed {
		return w.inside(fileLen(b))
	}
	return 0
}

// inside notes that what follows has to have dnsmasq's tag.
func (w *wrapper) inside(n int) int {
	w.bare = w.bare && n == 0
	return n
}

// bracketLen reads what stands in brackets:
//
//	[   42.147422]                journalctl -o short-monotonic
//	[   42.147422 <    0.000123 >]   and -o short-delta
//	[1787983200.123]              OpenWrt's logread -t
//	[2026-11-23 10:00:00.123 812M]   pihole-FTL 5; also "[52/T53] DEBUG: " behind a time
//	[pod/kube-dns-0/dnsmasq]      kubectl logs --prefix
//	[0] docker.dnsmasq: [1795428000.123, {"log"=>   fluent-bit
func (w *wrapper) bracketLen(b []byte) int {
	end := bytes.IndexByte(b, ']')
	if end < 2 || end+2 >= len(b) || b[end+1] != ' ' {
		return 0
	}
	in, n := b[1:end], end+len("] ")
	if isUptime(in) {
		w.timed = true
		return n
	}
	if hasPrefix(in, "pod/") && bytes.IndexByte(in, ' ') < 0 {
		return w.inside(n)
	}
	if time := stampLen(in); time > 0 {
		if time < len(in) && !isThread(in[time+1:]) {
			return 0
		}
		w.setTime(in[:time])
		w.ftl = time < len(in)
		w.bare = w.bare && !w.ftl
		return n + levelLen(b[n:], w.ftl)
	}
	if w.timed && isThread(in) {
		w.ftl, w.bare = true, false
		return n + levelLen(b[n:], true)
	}
	if countDigits(in) == len(in) {
		return w.inside(fluentBitLen(b, n))
	}
	return 0
}

// isUptime reports whether b is a number of seconds with a fraction, and the
// seconds since the line before.
func isUptime(b []byte) bool {
	seconds, since, ok := bytes.Cut(b, []byte("<"))
	if ok {
		since, ok = bytes.CutSuffix(since, []byte(">"))
		if !ok || !isDecimal(bytes.TrimSpace(since)) {
			return false
		}
	}
	return isDecimal(bytes.TrimSpace(seconds))
}

// isDecimal reports whether b is a number with a fraction.
func isDecimal(b []byte) bool {
	n := countDigits(b)
	return n > 0 && n+1 < len(b) && b[n] == '.' && n+1+countDigits(b[n+1:]) == len(b)
}

// isThread reports whether b tells a process and a thread of pihole-FTL:
// "812M", "812/T814", "812/F815".
func isThread(b []byte) bool {
	n := countDigits(b)
	for n > 0 && n < len(b) && (b[n] == '/' || 'A' <= b[n] && b[n] <= 'Z' || isDigit(b[n])) {
		n++
	}
	return n > 0 && n == len(b)
}

// levelLen returns the length of "DEBUG: " or "DEBUG_QUERIES: ".
func levelLen(b []byte, ftl bool) int {
	n := 0
	for n < len(b) && ('A' <= b[n] && b[n] <= 'Z' || b[n] == '_') {
		n++
	}
	if !ftl || n == 0 || !hasPrefix(b[n:], ": ") {
		return 0
	}
	return n + len(": ")
}

// fluentBitLen reads on behind "[0] ", n bytes long, to where the object is.
func fluentBitLen(b []byte, n int) int {
	colon := bytes.Index(b[n:], []byte(": ["))
	if colon <= 0 || bytes.IndexByte(b[n:n+colon], ' ') >= 0 {
		return 0
	}
	i := n + colon + len(": ")
	for i < len(b) && (fluentBitByte[b[i]] || b[i] == '{' && !hasPrefix(b[i:], `{"`)) {
		i++
	}
	if i == len(b) || b[i] != '{' {
		return 0
	}
	return i
}

// fluentBitByte is what stands between fluent-bit's tag and its object: the
// time, and what it knows of the record beside it.
var fluentBitByte = setOf("[]}0123456789., ")

// labels returns the length of the `{app="dnsmasq"} ` that logcli prints.
func (w *wrapper) labels(b []byte) int {
	if !w.timed || len(b) < 2 || b[1] == '"' || b[1] == ' ' {
		return 0
	}
	quoted := false
	for i := 1; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == '}' && !quoted:
			if i+1 < len(b) && isBlank(b[i+1]) {
				return w.inside(i + 2)
			}
			return 0
		}
	}
	return 0
}

// klogLen reads what Kubernetes' own programs print before a line of another:
// "I0601 06:51:50.408924       1 nanny.go:108] ".
func klogLen(b []byte) int {
	if len(b) < len("I0601 06:51:50 ") || bytes.IndexByte([]byte("IWEF"), b[0]) < 0 || countDigits(b[1:]) != 4 || b[5] != ' ' || !isClock(b[6:]) {
		return 0
	}
	end := bytes.Index(b, []byte("] "))
	if end < 0 {
		return 0
	}
	fields := bytes.Fields(b[:end])
	if len(fields) != 4 || countDigits(fields[2]) != len(fields[2]) {
		return 0
	}
	file, line, ok := bytes.Cut(fields[3], []byte(":"))
	if !ok || !bytes.HasSuffix(file, []byte(".go")) || countDigits(line) != len(line) {
		return 0
	}
	return end + len("] ")
}

// facilityLen reads what BusyBox and FreeBSD's syslogd -vv print: "daemon.info
// " and "<daemon.info> ", "<3.6> ".
func facilityLen(b []byte) int {
	word, _, ok := bytes.Cut(b, []byte(" "))
	if !ok {
		return 0
	}
	n := len(word) + 1
	if hasPrefix(word, "<") {
		if word[len(word)-1] != '>' {
			return 0
		}
		word = word[1 : len(word)-1]
	}
	facility, severity, ok := bytes.Cut(word, []byte("."))
	if !ok || len(facility) == 0 {
		return 0
	}
	switch string(severity) {
	case "emerg", "panic", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug":
		return n
	}
	if n == len(word)+3 && countDigits(facility) == len(facility) && len(severity) == 1 && isDigit(severity[0]) {
		return n
	}
	return 0
}

// composeLen reads what docker compose and docker service logs print: the
// container's name, and blanks up to a bar.
func composeLen(b []byte) int {
	n := 0
	for n < len(b) && nameByte[b[n]] {
		n++
	}
	bar := n + blanks(b[n:])
	if n == 0 || bar == n || bar+1 >= len(b) || b[bar] != '|' || b[bar+1] != ' ' {
		return 0
	}
	return bar + len("| ")
}

// nameByte is what a host's or a container's name is made of, with its replica
// and node.
var nameByte = setOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@/")

// numberLen reads a line's number: "12:" and "12-" from grep -n, "12 " with
// blanks from cat -n and nl.
func numberLen(b []byte) int {
	n := countDigits(b)
	if n == 0 || n == len(b) {
		return 0
	}
	if b[n] == ':' || b[n] == '-' {
		return n + 1
	}
	if n += blanks(b[n:]); startsLine(b[n:]) {
		return n
	}
	return 0
}

// fileLen reads a file's name before a line: "FILE:" from grep -H, "FILE-" in
// what grep -A prints beside it, and the line's number behind either.
func fileLen(b []byte) int {
	word, _, _ := bytes.Cut(b, []byte(" "))
	for n, c := range word {
		if c != ':' && c != '-' || n == 0 {
			continue
		}
		rest := b[n+1:]
		if startsLine(rest) {
			return n + 1
		}
		if digits := countDigits(rest); digits > 0 && digits < len(rest) && rest[digits] == c && startsLine(rest[digits+1:]) {
			return n + 1 + digits + 1
		}
	}
	return 0
}

// startsLine reports whether b starts with a time or with dnsmasq's tag.
func startsLine(b []byte) bool {
	_, tagged := afterTag(b)
	return tagged || timeLen(b) > 0
}

// noiseLen returns the length of what is no part of a log: blanks, quoting,
// colours, the holes of a log that was truncated, marks of a text's or a
// record's beginning.
func noiseLen(b []byte) int {
	n := 0
	for n < len(b) && noiseStart[b[n]] {
		switch c := b[n]; {
		case c == 0x1b:
			colour := colourLen(b[n:])
			if colour == 0 {
				return n
			}
			n += colour
		case c == 0xef:
			if !hasPrefix(b[n:], "\uFEFF") {
				return n
			}
			n += len("\uFEFF")
		default:
			n++
		}
	}
	return n
}

var noiseStart = setOf(" \t\r\x00\x1b\x1e>`'\"\xef")

// colourLen returns the length of the ANSI sequence that b starts with, one
// that sets colours or, as grep's, erases to the line's end.
func colourLen(b []byte) int {
	if !hasPrefix(b, "\x1b[") {
		return 0
	}
	n := len("\x1b[")
	for n < len(b) && (isDigit(b[n]) || b[n] == ';') {
		n++
	}
	if n < len(b) && (b[n] == 'm' || b[n] == 'K') {
		return n + 1
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
