package witness

import (
	"fmt"
	"net/netip"
	"time"
)

// Source is one of those who see.
type Source uint8

const (
	// Wire sees the packets of the instance's interface: the truth about what
	// was sent, and nothing of who sent it.
	Wire Source = iota
	// Who sees the calls of its processes.
	Who

	sources = 2
)

// String returns "packets" or "processes".
func (s Source) String() string { return [sources]string{"packets", "processes"}[s] }

// Book is what a [Joiner] writes to: the ledger. It is called by one goroutine
// at a time, and never with the joiner held.
type Book interface {
	// Asked tells of a query that a process sent. known is false for a name
	// that the book doesn't have, perhaps not yet.
	Asked(name string, by *Process, at time.Time) (known bool)
	// Reached tells of a connection to an address that names were answered
	// for. It returns how many of them the book has.
	Reached(Reach) (known int)
	// Said tells what a connection that was told of before turned out to be:
	// with a server name or a hidden one.
	Said(Reach)
	// Bypassed tells of what went round the bridge's DNS.
	Bypassed(Bypass)
	// Names returns the names that dnsmasq's log gave an address for.
	Names(netip.Addr) []string
	// Owns reports whether an address is known to be the instance's.
	Owns(netip.Addr) bool
	// Lost tells of events that were not seen, or could not be kept: of Who
	// those whose process isn't known for it, and nothing else is.
	Lost(of Source, n uint64, why string)
}

// Reach is one connection, by the names whose answers gave its address.
type Reach struct {
	// Names is one name where it is known which was meant. Several share the
	// address, so that any of them may have been.
	Names    []string
	To       netip.AddrPort
	Protocol string // "tcp", "udp"
	Spoken   string // "tls", "quic", "http"; "" for what isn't known
	Server   string // the server name that was seen, where it is none of Names
	Hidden   bool   // the server name is encrypted; Server is the public one before it
	Process  *Process
	At       time.Time
}

// Kind is a way round the bridge's DNS.
type Kind uint8

// The kinds. What is several of them is of the first.
const (
	DoT      Kind = iota // DNS over TLS or QUIC: port 853
	DoH                  // DNS over HTTPS, by a resolver's known name or address
	Resolver             // a query to another resolver than the bridge's
	Inside               // answered within the instance, from a cache or a file: the bridge never saw the name
	Bare                 // a connection to an address that no DNS answer gave
	Hidden               // a connection whose server name is encrypted (ECH)
	Foreign              // from an IPv6 address that isn't known to be the instance's, such as a temporary one
	kinds
)

// kindWords are the kinds as they are kept, and for people.
var kindWords = [kinds][2]string{
	DoT:      {"dot", "DNS over TLS"},
	DoH:      {"doh", "DNS over HTTPS"},
	Resolver: {"resolver", "another resolver"},
	Inside:   {"inside", "answered inside"},
	Bare:     {"bare", "bare address"},
	Hidden:   {"ech", "hidden server name (ECH)"},
	Foreign:  {"ipv6", "unknown IPv6 source"},
}

// String returns the kind for people: "DNS over TLS", "bare address".
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return kindWords[k][1]
}

// MarshalText returns the kind's word: "dot", "doh", "resolver", "inside",
// "bare", "ech", "ipv6".
func (k Kind) MarshalText() ([]byte, error) {
	if k >= kinds {
		return nil, fmt.Errorf("no kind of a way round DNS: %d", k)
	}
	return []byte(kindWords[k][0]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, w := range kindWords {
		if w[0] == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("no kind of a way round DNS: %q", text)
}

// Bypass is one thing that went round the bridge's DNS.
type Bypass struct {
	Kind     Kind
	To       netip.AddrPort // the zero one for Inside
	From     netip.Addr     // of Foreign
	Protocol string         // "tcp", "udp"; "" for Inside
	Name     string         // the server name that was seen, or the name that was asked for; "" where it isn't known
	Process  *Process
	At       time.Time
}
