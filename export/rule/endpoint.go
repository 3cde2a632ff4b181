package rule

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// Endpoint is an address, or a prefix of them, with a port: what was reached
// without a name.
type Endpoint struct {
	Prefix netip.Prefix // of one address: /32, or /128
	Port   Port
}

// EndpointOf returns the endpoint of one address.
func EndpointOf(to netip.AddrPort, protocol string) Endpoint {
	a := to.Addr().Unmap().WithZone("")
	return Endpoint{netip.PrefixFrom(a, a.BitLen()), Port{to.Port(), protocol}}
}

// Address writes the endpoint without its port, and without the length of a
// prefix that is one address: "192.0.2.7", "2001:db8::/48".
func (e Endpoint) Address() string {
	if e.Prefix.IsSingleIP() {
		return e.Prefix.Addr().String()
	}
	return e.Prefix.String()
}

// String writes the endpoint as [ParseEndpoint] reads it: "192.0.2.7:443/tcp",
// "192.0.2.0/24:443/tcp", "[2001:db8::/48]:443/udp".
func (e Endpoint) String() string {
	address := e.Address()
	if e.Prefix.Addr().Is6() {
		address = "[" + address + "]"
	}
	return address + ":" + e.Port.String()
}

// notEndpointError is of a text that names are mostly tried for, so that its words
// are made by who asks for them alone.
type notEndpointError string

func (e notEndpointError) Error() string {
	return fmt.Sprintf("%q is no address with a port: write 192.0.2.7:443/tcp, 192.0.2.0/24:443/tcp or [2001:db8::7]:443/tcp", string(e))
}

// ParseEndpoint reads what String wrote; without a protocol TCP is meant. It
// doesn't ask whether a list may hold it: see [Endpoint.Problem].
func ParseEndpoint(text string) (e Endpoint, err error) {
	fail := notEndpointError(text)
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return e, fail
	}
	address, port := text[:at], text[at+1:]
	inner, isBracketed := strings.CutPrefix(address, "[")
	inner, isClosed := strings.CutSuffix(inner, "]")
	if isBracketed != isClosed || isBracketed != strings.Contains(inner, ":") {
		return e, fail
	}
	if !strings.Contains(port, "/") {
		port += "/tcp"
	}
	if e.Port, err = ParsePort(port); err != nil {
		return e, fail
	}
	if strings.Contains(inner, "/") {
		e.Prefix, err = netip.ParsePrefix(inner)
	} else if a, problem := netip.ParseAddr(inner); problem != nil {
		err = problem
	} else {
		e.Prefix = netip.PrefixFrom(a, a.BitLen())
	}
	if err != nil {
		return e, fail
	}
	return e, nil
}

// The shortest prefixes that a list may hold: the blocks that one network is
// given at most (RFC 4632; RIR allocations of IPv6).
const (
	minBits4 = 8
	minBits6 = 20
)

// Compare orders endpoints by address, then by port.
func (e Endpoint) Compare(o Endpoint) int {
	return cmp.Or(e.Prefix.Compare(o.Prefix), cmp.Compare(e.Port.Number, o.Port.Number), strings.Compare(e.Port.Protocol, o.Port.Protocol))
}

// Within reports whether another endpoint is all that this one is.
func (e Endpoint) Within(o Endpoint) bool {
	return e.Port == o.Port && o.Prefix.Bits() <= e.Prefix.Bits() && o.Prefix.Contains(e.Prefix.Addr())
}

// Problem says why the endpoint must not be exported, "" if it may.
func (e Endpoint) Problem() string {
	a := e.Prefix.Addr()
	switch {
	case !e.Prefix.IsValid():
		return "has no address"
	case a.Zone() != "" || a.Is4In6():
		return "is an address of one machine's own writing"
	case e.Prefix != e.Prefix.Masked():
		return "has bits set behind its prefix: write " + e.Prefix.Masked().String()
	case a.Is4() && e.Prefix.Bits() < minBits4, a.Is6() && e.Prefix.Bits() < minBits6:
		return "is so short a prefix that it allows a large part of the internet"
	case a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a.IsLinkLocalUnicast():
		return "is no address of another network's: unspecified, loopback, link-local or multicast"
	case e.Port.Number == 0 || e.Port.Protocol != "tcp" && e.Port.Protocol != "udp":
		return "has no port of TCP or UDP"
	}
	return ""
}
