package parse

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// plain is a Record in strings, to compare and to write in tables.
type plain struct {
	kind                       Kind
	serial                     uint64
	stamp, client, qtype, name string
	source, result, text       string
}

func (p plain) String() string {
	return fmt.Sprintf("%v serial=%d stamp=%q client=%q type=%q name=%q source=%q result=%q text=%q",
		p.kind, p.serial, p.stamp, p.client, p.qtype, p.name, p.source, p.result, p.text)
}

func plainOf(r *Record) plain {
	return plain{
		kind: r.Kind, serial: r.Serial, stamp: string(r.Stamp), client: string(r.Client),
		qtype: string(r.Type), name: string(r.Name), source: string(r.Source),
		result: string(r.Result), text: string(r.Text),
	}
}

const (
	clockForm = `\d\d:\d\d:\d\d(?:\.\d+)?`
	stampForm = `(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d ` + clockForm +
		`|\d{4}-\d\d-\d\dT` + clockForm + `(?:Z|[+-]\d\d:?\d\d)?)`
	tagForm  = `dnsmasq(?:\[\d+\])?: `
	typeForm = `\[([A-Z0-9_]+|type=\d{1,5})\] `
)

// sourceForm is the first word, or words, of an answer.
var sourceForm = func() string {
	form := "reply|cached|cached-stale|config|DHCP|auth|" + hostSource
	for _, source := range filterSources {
		form += "|" + regexp.QuoteMeta(source) + `(?: \(CNAME\))?`
	}
	return form
}()

// The forms of a line, for a parser that is slow and plain to see.
var (
	taggedForm = regexp.MustCompile(`(?s)^(?:<\d{1,3}>)?(?:(` + stampForm + `) (?:[a-z-]+[a-z] )?)?(` + tagForm + `(.*))$`)

	addressedForm = regexp.MustCompile(`(?s)^(?:(?:UDP |TCP )?(?:(\d{1,10})|\*)) ([^ /]+)/\d{1,5} (.*)$`)
	serialForm    = regexp.MustCompile(`(?s)^(?:UDP |TCP )?(\d{1,10}) (.*)$`)

	queryStart   = regexp.MustCompile(`^(?:query|auth)\[`)
	queryForm    = regexp.MustCompile(`(?s)^(query|auth)` + typeForm + `(.+) from ([^ ]+)$`)
	forwardForm  = regexp.MustCompile(`(?s)^(?:(forwarded)|(dnssec-query|dnssec-retry)` + strings.TrimSuffix(typeForm, " ") + `) (.+) to ([^ ]*)$`)
	answerForm   = regexp.MustCompile(`(?s)^(` + sourceForm + `) (.+) is (.*)$`)
	namelessForm = regexp.MustCompile(`(?s)^(` + sourceForm + `) is (.*)$`)
	hostsForm    = regexp.MustCompile(`(?s)^(/.*) is (.*)$`)
	hostsName    = regexp.MustCompile(`(?s)^(.*) ([^ ]+)$`)
	errorForm    = regexp.MustCompile(`^(?:SERVFAIL|REFUSED|FORMERR|not implemented|\d+)$`)
	insideForm   = regexp.MustCompile(`query` + typeForm)
	addressStart = regexp.MustCompile(`^[0-9a-fA-F.:]*`)
	tagInside    = regexp.MustCompile(tagForm)
	repeatForm   = regexp.MustCompile(`^last message repeated \d{1,10} time`)
	repeatedForm = regexp.MustCompile(`(?s)^message repeated [1-9]\d{0,9} times: \[ ?(.*)\]$`)
	lossForm     = regexp.MustCompile(`(?s)^(?:overflow: \d{1,10} log entries lost|log failed: |Maximum number of concurrent DNS queries |possible DNS-rebind attack detected|nameserver (?:.* )?refused to do a recursive query$)`)
)

// reference reads a line as Record.Parse does, if it is wrapped in no more
// than syslog's own form and nothing is to be cut off its end; ok is false
// otherwise.
func reference(line string) (p plain, ok bool) {
	m := taggedForm.FindStringSubmatch(line)
	if m == nil || strings.HasPrefix(m[3], "dnsmasq") || strings.ContainsAny(line, "\x00\x1b") {
		return p, false
	}
	p.stamp, p.text = m[1], m[3]
	own := len(line)
	if p.stamp != "" && !strings.HasPrefix(line, p.stamp+" dnsmasq") || len(p.stamp) != len("Nov 23 10:00:00") {
		own = len("<30>Nov 23 10:00:00 ") + len(m[2])
	}
	if own >= 1023 {
		p.kind = Cut
		return p, true
	}
	p.read(p.text)
	if p.kind == Other && (tagInside.MatchString(p.text) || queryInside(p.text)) {
		p.kind = Garbled
	}
	return p, p.kind != Other && p.kind != Garbled || trimEndOf(line) == line
}

// notice reads what dnsmasq says of itself and reports whether it is that.
func (p *plain) notice(text string) bool {
	switch {
	case repeatForm.MatchString(text):
		p.kind = Repeat
	case repeatedForm.MatchString(text):
		inner := repeatedForm.FindStringSubmatch(text)[1]
		if strings.HasPrefix(inner, "message repeated ") {
			return false
		}
		p.read(inner)
	case strings.HasPrefix(text, "started, version "):
		p.kind = Start
	case lossForm.MatchString(text):
		p.kind = Loss
	default:
		return false
	}
	return true
}

func queryInside(text string) bool {
	for {
		m := insideForm.FindStringSubmatchIndex(text)
		if m == nil {
			return false
		}
		for _, from := range strings.Split(text[m[1]:], " from ")[1:] {
			if address, err := netip.ParseAddr(addressStart.FindString(from)); err == nil && address.Zone() == "" {
				return true
			}
		}
		text = text[m[0]+1:]
	}
}

func trimEndOf(line string) string { return endForm.ReplaceAllLiteralString(line, "") }

var endForm = regexp.MustCompile("(?:[ \\t\\r`'\"]|[\"'],)+$")

// read reads a message with what log-queries=extra puts before it.
func (p *plain) read(text string) {
	rest, hasSerial := text, false
	if m := addressedForm.FindStringSubmatch(rest); m != nil && zonedAddress(m[2]) {
		p.serial, _ = strconv.ParseUint(m[1], 10, 64)
		p.client, rest = m[2], m[3]
	} else if m := serialForm.FindStringSubmatch(rest); m != nil {
		p.serial, _ = strconv.ParseUint(m[1], 10, 64)
		rest, hasSerial = m[2], true
	}
	p.message(rest, hasSerial)
}

func (p *plain) message(text string, serialOnly bool) {
	if queryStart.MatchString(text) {
		p.kind = Garbled
		m := queryForm.FindStringSubmatch(text)
		if m == nil || tagInside.MatchString(m[3]) && strings.Contains(m[3], " ") || serialOnly || !zonedAddress(m[4]) || p.client != "" && !agree(p.client, m[4]) {
			return
		}
		p.kind, p.source, p.qtype, p.name, p.client = Query, m[1], referenceType(m[2]), m[3], m[4]
		return
	}
	if !serialOnly && p.client == "" && p.notice(text) {
		return
	}
	if tagInside.MatchString(text) {
		p.kind = Garbled
		return
	}
	if m := forwardForm.FindStringSubmatch(text); m != nil {
		p.kind, p.source, p.qtype, p.name, p.result = Forward, m[1]+m[2], referenceType(m[3]), m[4], trimEndOf(m[5])
		return
	}
	if m := answerForm.FindStringSubmatch(text); m != nil {
		p.kind, p.source, p.name, p.result = Answer, m[1], m[2], withoutRemark(m[3])
		if p.name == "error" && errorForm.MatchString(p.result) {
			p.name = ""
		}
		return
	}
	if m := namelessForm.FindStringSubmatch(text); m != nil {
		p.kind, p.source, p.result = Answer, m[1], withoutRemark(m[2])
		return
	}
	if m := hostsForm.FindStringSubmatch(text); m != nil {
		if n := hostsName.FindStringSubmatch(m[1]); n != nil {
			p.kind, p.source, p.name, p.result = Answer, n[1], n[2], withoutRemark(m[2])
		}
		return
	}
}

func withoutRemark(result string) string {
	result = trimEndOf(result)
	if before, ok := strings.CutSuffix(result, " (DNSSEC signed)"); ok {
		return before
	}
	if at := strings.LastIndex(result, " (EDE: "); at >= 0 && strings.HasSuffix(result, ")") {
		return result[:at]
	}
	return result
}

func referenceType(t string) string {
	if name, ok := typeNames[t]; ok {
		return string(name)
	}
	return t
}

func zonedAddress(s string) bool {
	address, zone, zoned := strings.Cut(s, "%")
	a, err := netip.ParseAddr(address)
	return err == nil && (!zoned || a.Is6() && zone != "" && !strings.Contains(zone, " "))
}

func agree(before, after string) bool {
	a, zoneA, _ := strings.Cut(before, "%")
	b, zoneB, _ := strings.Cut(after, "%")
	return a == b && (zoneA == zoneB || zoneA == "" || zoneB == "")
}

// referenceClean is [Clean] by a regular expression.
func referenceClean(name []byte) bool {
	return len(name) <= 253 && cleanForm.Match(name) && !numberForm.Match(name)
}

var (
	cleanForm  = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\z`)
	numberForm = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)\z`)
)

// referenceLines cuts a whole log into lines.
func referenceLines(log []byte) (lines []string) {
	for line := range bytes.Lines(log) {
		line, ended := bytes.CutSuffix(line, []byte("\n"))
		if line = bytes.TrimLeft(line, "\x00"); len(line) == 0 && !ended {
			continue
		}
		if len(line) > maxLine {
			line = line[:maxLine]
		} else {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		lines = append(lines, string(line))
	}
	return lines
}
