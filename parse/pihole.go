package parse

import "bytes"

// The sources of answers that Pi-hole's dnsmasq, pihole-FTL 5.0 to 6.4, has
// beside dnsmasq's own (dnsmasq_interface.c, "blockingreason"). Each answers
// " NAME is RESULT"; the lists may have " (CNAME)" behind them, for a name
// whose alias is on the list. Before 5.0 it blocked by hosts files alone.
var (
	filterSources = []string{
		"gravity blocked", "gravity blacklisted",
		"exactly denied", "exactly blacklisted",
		"regex denied", "regex blacklisted",
		"Rate-limiting",
		"special domain",
		"Mozilla canary domain",
		"Apple iCloud Private Relay domain",
		"Designated Resolver domain",
		"to be refused (gravity database is not available)",
		"to be dropped (gravity database is not available)",
		"to be blocked (gravity database is not available)",
		"blocked upstream with known address (IPv4)",
		"blocked upstream with known address (IPv6)",
		"blocked upstream with known address",
		"blocked upstream with NULL address",
		"blocked upstream with 0.0.0.0",
		"blocked upstream with ::",
		"blocked upstream with NXDOMAIN + no RA",
		"blocked upstream with NXRA address",
		"blocked upstream with EDE15",
	}
	hostSource = "Pi-hole hostname"
)

// pihole reads an answer of one of Pi-hole's own sources.
func (r *Record) pihole(b []byte) {
	if hasPrefix(b, hostSource) && hasPrefix(b[len(hostSource):], " ") {
		r.answer(b, len(hostSource))
		return
	}
	for _, source := range filterSources {
		if !hasPrefix(b, source) {
			continue
		}
		n := len(source)
		if hasPrefix(b[n:], " (CNAME) ") {
			n += len(" (CNAME)")
		}
		if hasPrefix(b[n:], " ") {
			r.answer(b, n)
			r.filtered = r.Kind == Answer
		}
		return
	}
}

// ftlQuery is how pihole-FTL's own log, with debug.queries, tells of a query:
//
//	**** new UDP IPv4 query[A] query "a.example" from eth0/10.0.0.2#5353 (ID 7, FTL 12, dnsmasq_interface.c:817)
//
// Up to 5.2 the interface, the port and the second "query" are missing.
const ftlQuery = "**** new "

func (r *Record) ftlQuery(b []byte) {
	if !hasPrefix(b, ftlQuery) {
		return
	}
	b = b[len(ftlQuery):]
	for _, word := range []string{"UDP ", "TCP ", "IPv4 ", "IPv6 "} {
		if hasPrefix(b, word) {
			b = b[len(word):]
		}
	}
	source, _, ok := bytes.Cut(b, []byte("["))
	if !ok || string(source) != "query" {
		return
	}
	r.Kind = Garbled
	t, rest, ok := bracketed(b[len(source):])
	if !ok {
		return
	}
	rest = bytes.TrimPrefix(rest, []byte("query "))
	name, rest, ok := cutLast(rest, `" from `)
	if !ok || len(name) < 2 || name[0] != '"' {
		return
	}
	client, _, ok := bytes.Cut(rest, []byte(" (ID "))
	client = client[bytes.IndexByte(client, '/')+1:]
	if port := bytes.LastIndexByte(client, '#'); port >= 0 {
		client = client[:port]
	}
	if !ok || !isZoned(client) {
		return
	}
	r.Kind, r.Source, r.Type, r.Name, r.Client = Query, source, typeName(t), name[1:], client
}
