package parse

import "bytes"

// Special says what a normalised name is for, if it is none that an
// application has on the internet.
type Special uint8

const (
	// NotSpecial is a name like any other.
	NotSpecial Special = iota
	// Loopback is localhost and what is below it, RFC 6761.
	Loopback
	// Multicast is a name under local, which mDNS answers, RFC 6762.
	Multicast
	// HomeNet is a name under home.arpa, RFC 8375.
	HomeNet
	// Onion is a name in the Tor network, RFC 7686.
	Onion
	// Internal is a name under internal, which ICANN reserved for private use,
	// or alt, RFC 9476.
	Internal
	// Unresolvable is a name under test or invalid, RFC 6761.
	Unresolvable
	// Discovery asks the network at hand for what it has: resolver.arpa, RFC
	// 9462, ipv4only.arpa, RFC 8880, service.arpa, RFC 9665, eap-noob.arpa, RFC
	// 9140, and 6tisch.arpa, RFC 9031.
	Discovery
	// Canary is use-application-dns.net, by which a browser asks whether it may
	// go round the network's resolver.
	Canary
	// Browsing asks which services there are, RFC 6763: lb._dns-sd._udp and
	// _services._dns-sd._udp.
	Browsing
	// Chaos is a name by which a server tells of itself: version.bind, id.server.
	Chaos
	// Documentation is the TLD example and example.com, .net and .org, RFC 6761.
	// They resolve, or stand for names that do, in examples and tests: nothing
	// is to be dropped for being one.
	Documentation
	// Service is the owner of an SRV, TXT or similar record, with a label that
	// starts with "_", RFC 8552: a name to resolve, but no host to connect to.
	Service
	// SingleLabel is a name without a dot: wpad, or a browser's random probe.
	SingleLabel
)

// String returns the kind in a few words.
func (s Special) String() string {
	return [...]string{"", "loopback name", "multicast DNS name", "home network name", "Tor name",
		"private-use name", "reserved name", "network discovery", "DNS-over-HTTPS canary",
		"service browsing", "server identity", "documentation name", "service name", "single label"}[s]
}

// specialDomains are by themselves and with all that is below them.
var specialDomains = []struct {
	domain string
	kind   Special
}{
	{"localhost", Loopback},
	{"local", Multicast},
	{"home.arpa", HomeNet},
	{"onion", Onion},
	{"internal", Internal},
	{"alt", Internal},
	{"test", Unresolvable},
	{"invalid", Unresolvable},
	{"resolver.arpa", Discovery},
	{"ipv4only.arpa", Discovery},
	{"service.arpa", Discovery},
	{"eap-noob.arpa", Discovery},
	{"6tisch.arpa", Discovery},
	{"use-application-dns.net", Canary},
	{"bind", Chaos},
	{"server", Chaos},
	{"example", Documentation},
	{"example.com", Documentation},
	{"example.net", Documentation},
	{"example.org", Documentation},
}

// SpecialUse returns what a normalised name is for. What is below a name of
// [Documentation] may be a [Service] or [Browsing] before that.
func SpecialUse(name []byte) Special {
	if isBrowsing(name) {
		return Browsing
	}
	isService := hasPrefix(name, "_") || bytes.Contains(name, []byte("._"))
	for _, s := range specialDomains {
		if !isUnder(name, s.domain) || s.kind == Documentation && isService {
			continue
		}
		return s.kind
	}
	switch {
	case isService:
		return Service
	case len(name) > 0 && bytes.IndexByte(name, '.') < 0:
		return SingleLabel
	}
	return NotSpecial
}

// isBrowsing reports whether the name asks for services or for the domains to
// look for them in.
func isBrowsing(name []byte) bool {
	first, rest, ok := bytes.Cut(name, []byte("."))
	if !ok || !hasPrefix(rest, "_dns-sd._udp") && !hasPrefix(rest, "_dns-sd._tcp") {
		return false
	}
	if rest = rest[len("_dns-sd._udp"):]; len(rest) > 0 && rest[0] != '.' {
		return false
	}
	switch string(first) {
	case "b", "db", "r", "dr", "lb", "_services":
		return true
	}
	return false
}
