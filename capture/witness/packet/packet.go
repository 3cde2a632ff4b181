// Package packet reads what an instance sends and is sent: the headers of
// frames, and the first that is said over a connection. All of it is written by
// whoever runs in the instance, so that nothing here trusts a length or a name:
// what breaks its form is an error, and what is kept is bounded. It knows no
// socket.
package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Why something isn't read.
var (
	// ErrMore says that what there is so far has its form, and isn't whole.
	ErrMore = errors.New("more of it is to come")
	// ErrOther says that it is none of what is looked for.
	ErrOther = errors.New("something else")
	// ErrForm says that it begins as what is looked for, and breaks its form or
	// is too long.
	ErrForm = errors.New("it breaks its form")
)

// Types of Ethernet's frames.
const (
	EtherIPv4 = 0x0800
	EtherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8 // a VLAN's tag before another
)

// What an IP packet bears, by IANA's numbers.
const (
	ICMP   = 1
	IGMP   = 2
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58

	Fragment = 44 // this and what follows are headers of IPv6 before what it bears

	hopByHop           = 0
	routing            = 43
	authentication     = 51
	destinationOptions = 60
)

// Extensions are IPv6's headers before what a packet bears.
var Extensions = []uint8{hopByHop, routing, Fragment, authentication, destinationOptions}

// Types of ICMP and ICMPv6: a ping.
const (
	EchoRequest  = 8
	EchoRequest6 = 128
)

// Part is how much of an IP packet is in one that was sent in fragments.
type Part uint8

// The parts. Fragments aren't put together.
const (
	Whole Part = iota
	First      // its beginning
	Later      // something behind that, of which nothing is read but the addresses
)

// Flags of TCP.
const (
	FIN = 1
	SYN = 2
	RST = 4
	ACK = 16
)

// Packet is an IP packet's headers, and where what it bears begins.
type Packet struct {
	Protocol uint8          // that it bears; an IPv6 extension's where that is cut off
	From, To netip.AddrPort // ports are 0 where the protocol has none, or they are cut off
	Type     uint8          // ICMP's
	Flags    uint8          // TCP's
	Sequence uint32         // TCP's
	// Data is what TCP or UDP bears, as far as it was captured; nil where
	// their header isn't whole. It is a part of what was read.
	Data []byte
	Part Part
	// Cut says that Data isn't all of it: the capture or an IP fragment ends
	// before, or a header is wrong.
	Cut bool
}

// ProtocolName returns "tcp", "udp", "icmp", "icmpv6", "protocol 47".
func ProtocolName(protocol uint8) string {
	switch protocol {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMP:
		return "icmp"
	case ICMPv6:
		return "icmpv6"
	}
	return fmt.Sprintf("protocol %d", protocol)
}

// ReadFrame reads an Ethernet frame, of a VLAN or none. It is false for what
// isn't IP.
func ReadFrame(b []byte) (Packet, bool) {
	const addresses = 12
	if len(b) < addresses {
		return Packet{}, false
	}
	b = b[addresses:]
	for len(b) >= 2 {
		switch etherType := binary.BigEndian.Uint16(b); etherType {
		case etherVLAN, etherQinQ:
			b = b[min(4, len(b)):]
		default:
			return ReadIP(etherType, b[2:])
		}
	}
	return Packet{}, false
}

// ReadIP reads what a frame of a type bears. It is false for what isn't IP.
func ReadIP(etherType uint16, b []byte) (Packet, bool) {
	switch {
	case etherType == EtherIPv4 && len(b) >= 20 && b[0]>>4 == 4:
		return readIPv4(b), true
	case etherType == EtherIPv6 && len(b) >= 40 && b[0]>>4 == 6:
		return readIPv6(b), true
	}
	return Packet{}, false
}

// clip takes off what Ethernet put behind a packet to fill a frame, and says
// whether something is missing. The kernel writes 0 for the length of what it
// cuts to size itself.
func clip(b []byte, length int) ([]byte, bool) {
	if length == 0 {
		return b, false
	}
	return b[:min(length, len(b))], length > len(b)
}

func readIPv4(b []byte) Packet {
	from, _ := netip.AddrFromSlice(b[12:16])
	to, _ := netip.AddrFromSlice(b[16:20])
	protocol, parts := b[9], binary.BigEndian.Uint16(b[6:])
	header := max(int(b[0]&15)*4, 20)
	b, cut := clip(b, int(binary.BigEndian.Uint16(b[2:])))
	p := Packet{Protocol: protocol, Cut: cut}
	rest := b[min(header, len(b)):]
	if p.part(parts&0x1fff != 0, parts&0x2000 != 0); p.Part == Later {
		rest = nil
	}
	p.transport(from, to, rest)
	return p
}

func readIPv6(b []byte) Packet {
	from, _ := netip.AddrFromSlice(b[8:24])
	to, _ := netip.AddrFromSlice(b[24:40])
	next := b[6]
	rest, cut := clip(b[40:], int(binary.BigEndian.Uint16(b[4:])))
	p := Packet{Cut: cut}
	for {
		if !slices.Contains(Extensions, next) {
			p.Protocol = next
			p.transport(from, to, rest)
			return p
		}
		if len(rest) < 8 {
			p.Protocol, p.Cut = next, true
			p.transport(from, to, nil)
			return p
		}
		length := 8 + int(rest[1])*8
		switch next {
		case authentication:
			length = 8 + int(rest[1])*4
		case Fragment:
			length = 8
			parts := binary.BigEndian.Uint16(rest[2:])
			if p.part(parts&^7 != 0, parts&1 != 0); p.Part == Later {
				p.Protocol = rest[0]
				p.transport(from, to, nil)
				return p
			}
		}
		next, rest = rest[0], rest[min(length, len(rest)):]
	}
}

// part notes what a fragment says of itself: that it is behind others, and that
// others are behind it.
func (p *Packet) part(behind, more bool) {
	switch {
	case behind:
		p.Part = Later
	case more:
		p.Part = First
	}
	p.Cut = p.Cut || p.Part != Whole
}

// transport reads the header of what the packet bears.
func (p *Packet) transport(from, to netip.Addr, b []byte) {
	var source, destination uint16
	switch p.Protocol {
	case TCP, UDP:
		if len(b) >= 4 {
			source, destination = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		if p.Protocol == TCP {
			p.tcp(b)
		} else {
			p.udp(b)
		}
	case ICMP, ICMPv6:
		if len(b) > 0 {
			p.Type = b[0]
		}
	}
	p.From, p.To = netip.AddrPortFrom(from, source), netip.AddrPortFrom(to, destination)
}

func (p *Packet) tcp(b []byte) {
	if len(b) < 20 {
		p.Cut = true
		return
	}
	p.Sequence, p.Flags = binary.BigEndian.Uint32(b[4:]), b[13]
	if header := int(b[12]>>4) * 4; header >= 20 && header <= len(b) {
		p.Data = b[header:]
	} else {
		p.Cut = true
	}
}

func (p *Packet) udp(b []byte) {
	if len(b) < 8 {
		p.Cut = true
		return
	}
	p.Data = b[8:]
	if length := int(binary.BigEndian.Uint16(b[4:])); length >= 8 && length < len(b) {
		p.Data = b[8:length]
	}
}
