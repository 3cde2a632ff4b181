package witness

import (
	"net/netip"
	"slices"
)

// flow is a connection by its two ends.
type flow struct {
	from end
	place
}

func flowOf(from, to netip.AddrPort, protocol string) flow {
	return flow{endOf(from), placeOf(to, protocol)}
}

// place is where a connection goes to. Like end it is bytes alone: a map finds
// it in less time and holds it in less room.
type place struct {
	to       end
	protocol [len("protocol 255")]byte
}

func placeOf(to netip.AddrPort, protocol string) place {
	p := place{to: endOf(to)}
	copy(p.protocol[:], protocol)
	return p
}

// end is an address, of IPv4 by its IPv6 form, and a port.
type end struct {
	address [16]byte
	port    uint16
}

func endOf(a netip.AddrPort) end { return end{a.Addr().As16(), a.Port()} }

const dnsPort, dotPort, httpsPort = 53, 853, 443

// stays reports whether a packet is for nobody outside of the bridge: for the
// instance itself, for whoever listens, or to get an address.
func stays(to netip.AddrPort, protocol string) bool {
	a := to.Addr()
	return !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.Is6() && a.IsLinkLocalUnicast() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || protocol == "udp" && slices.Contains([]uint16{67, 547}, to.Port())
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// samePort reports whether two ends may be one: a port that isn't known may be
// any.
func samePort(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() || a.Port() == 0 || b.Port() == 0
}
