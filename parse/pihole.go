package parse

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
