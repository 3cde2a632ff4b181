package parse

import (
	"bytes"
	"strings"
)

// Cause is what the lines of a [Loss] were lost by.
type Cause uint8

const (
	// ByRefusal is a query or an answer that dnsmasq didn't take, or an
	// upstream that refuses: no line is missing, but answers are.
	ByRefusal Cause = iota
	// ByQueue is dnsmasq's own queue of lines, log-async.
	ByQueue
	// ByKeeper is the journal or rsyslog, which limit how fast lines come in.
	ByKeeper
	// ByDisk is a log that dnsmasq could not write. How many lines is not said.
	ByDisk
)

// refusals are the beginnings of dnsmasq's messages on what it refused.
// dnsmasq may print some in its locale's language: those are not noticed.
var refusals = []string{
	"Maximum number of concurrent DNS queries ",
	"possible DNS-rebind attack detected",
}

// notice reads what dnsmasq says of itself.
func (r *Record) notice(b []byte) {
	if hasPrefix(b, "started, version ") {
		r.Kind = Start
		return
	}
	if hasPrefix(b, "log failed: ") {
		r.lose(1, ByDisk)
		return
	}
	if n, ok := numbered(b, "overflow: ", " log entries lost"); ok {
		r.lose(n, ByQueue)
		return
	}
	if hasPrefix(b, "nameserver ") && bytes.HasSuffix(b, refused) {
		r.lose(1, ByRefusal)
		return
	}
	for _, beginning := range refusals {
		if hasPrefix(b, beginning) {
			r.lose(1, ByRefusal)
			return
		}
	}
	r.repeat(b)
}

var refused = []byte(" refused to do a recursive query")

func (r *Record) lose(n uint64, by Cause) {
	r.Kind, r.Lost, r.Cause, r.rare = Loss, n, by, true
}

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
		r.Kind, r.Repeats, r.rare = Repeat, n, true
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
		r.rare = true
		r.Repeats = n - 1 // rsyslog counts this one
	}
}

// collectorLoss reads what a log's keeper says of the messages that it threw
// away:
//
//	systemd-journald[1]: Suppressed 123 messages from dnsmasq.service
//	rsyslogd-2177: imuxsock lost 516 messages from pid 159386 due to rate-limiting
//	rsyslogd: imuxsock from <dnsmasq:123>: 516 messages lost due to rate-limiting (…)
//	rsyslogd: imjournal: begin to drop messages due to rate-limiting
//
// What names another program is no loss of ours; what names none may be.
func (r *Record) collectorLoss(tag, b []byte) {
	switch {
	case hasPrefix(tag, "systemd-journal"):
		const before, after = "Suppressed ", " messages from "
		if n, ok := numbered(b, before, after); ok {
			_, unit, _ := bytes.Cut(b, []byte(after))
			if mentionsOurs(unit) {
				r.lose(n, ByKeeper)
			}
		}
	case hasPrefix(tag, "rsyslogd"):
		r.rsyslogLoss(string(b))
	}
}

func (r *Record) rsyslogLoss(s string) {
	if !strings.Contains(s, "due to rate-limiting") {
		return
	}
	for _, before := range []string{"<", ", name: "} {
		if _, program, ok := strings.Cut(s, before); ok && !mentionsOurs([]byte(program)) {
			return
		}
	}
	for _, after := range []string{" messages from pid ", " messages lost"} {
		before, _, ok := strings.Cut(s, after)
		if n := before[strings.LastIndexByte(before, ' ')+1:]; ok && n != "" && len(n) <= maxSerial && countDigits([]byte(n)) == len(n) {
			r.lose(decimal([]byte(n)), ByKeeper)
			return
		}
	}
	if strings.Contains(s, " to drop messages ") {
		r.lose(1, ByKeeper) // how many comes later, from some of its parts
	}
}

// mentionsOurs reports whether a unit or a program is one that dnsmasq may run
// in.
func mentionsOurs(b []byte) bool {
	for _, name := range unitNames {
		if bytes.Contains(b, []byte(name)) {
			return true
		}
	}
	return false
}

func decimal(digits []byte) (n uint64) {
	for _, c := range digits {
		n = n*10 + uint64(c-'0')
	}
	return n
}
