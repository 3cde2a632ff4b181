package fence

import (
	"fmt"
	"time"

	"lxd-allowlist/capture/witness/packet"
)

const (
	helloPrefix = "hello"
	morePrefix  = "hello goes on"

	// quicFlows is how many flows of QUIC, and of TLS, are read at a time whose
	// beginning is in more than one packet: half as many as there may be connections waiting
	// to be told.
	quicFlows = waiting / 2
)

// readPacket reads the headers of what a frame of a type (0x0800) bears. What
// is cut short is left out.
func readPacket(etherType uint16, b []byte) Packet {
	p, ok := packet.ReadIP(etherType, b)
	if !ok {
		return Packet{Protocol: fmt.Sprintf("frame %#04x", etherType)}
	}
	return Packet{Protocol: packet.ProtocolName(p.Protocol), From: p.From, To: p.To}
}

// hellos reads server names in what begins connections.
type hellos struct {
	quic packet.Flows[*packet.QUIC]
	tcp  packet.Flows[*greeting]
	open int    // greetings that aren't whole, those that were given up among them
	lost uint64 // beginnings of QUIC that weren't read to the end, and were given up for others
}

// greeting is a ClientHello in more than one segment.
type greeting struct {
	begun uint32 // its first byte's number
	parts packet.Stream
}

func newHellos() *hellos {
	h := &hellos{}
	h.quic = packet.Flows[*packet.QUIC]{Most: quicFlows, Drop: func(q *packet.QUIC) { h.lost += uint64(q.Pending()) }}
	h.tcp = packet.Flows[*greeting]{Most: quicFlows, Drop: func(*greeting) {}}
	return h
}

// read reads an IP packet whose data begins a connection of TLS, or is of what
// begins one of QUIC. It is false as long as more is to come.
func (h *hellos) read(at time.Time, b []byte) (Hello, bool) {
	p := read(b)
	if p.Protocol == packet.UDP {
		return h.datagram(at, p)
	}
	flow := packet.Flow{From: p.From, To: p.To}
	if known, ok := h.tcp.Get(flow, at); ok {
		if known.begun == p.Sequence {
			return Hello{}, false // it is sent once more
		}
		h.forget(flow)
	}
	said, err := packet.ReadHello(p.Data)
	if err == packet.ErrMore {
		g := &greeting{begun: p.Sequence, parts: packet.Stream{Limit: packet.LongestHello}}
		g.parts.Add(0, p.Data)
		h.tcp.Put(flow, g, at)
		h.open++
		return Hello{}, false
	}
	return named(at, p, said), true
}

// more reads an IP packet that may go on with a ClientHello. It is true when
// that is whole.
func (h *hellos) more(at time.Time, b []byte) (Hello, bool) {
	p := read(b)
	flow := packet.Flow{From: p.From, To: p.To}
	g, ok := h.tcp.Get(flow, at)
	if !ok {
		return Hello{}, false // it was whole before
	}
	g.parts.Add(int(int32(p.Sequence-g.begun)), p.Data)
	said, err := packet.ReadHello(g.parts.Head())
	if err == packet.ErrMore {
		return Hello{}, false
	}
	h.forget(flow)
	return named(at, p, said), true
}

func (h *hellos) forget(flow packet.Flow) {
	h.tcp.Delete(flow)
	h.open--
}

// unfinished is how many beginnings aren't whole yet, or never will be.
func (h *hellos) unfinished() int { return h.open }

func read(b []byte) packet.Packet {
	etherType := uint16(packet.EtherIPv4)
	if len(b) > 0 && b[0]>>4 == 6 {
		etherType = packet.EtherIPv6
	}
	p, _ := packet.ReadIP(etherType, b)
	return p
}

func named(at time.Time, p packet.Packet, said packet.Hello) Hello {
	return Hello{At: at, To: p.To, Protocol: packet.ProtocolName(p.Protocol), Name: said.Server}
}

func (h *hellos) datagram(at time.Time, p packet.Packet) (Hello, bool) {
	flow := packet.Flow{From: p.From, To: p.To}
	q, known := h.quic.Get(flow, at)
	if !known {
		q = &packet.QUIC{}
	}
	said, err := q.Add(p.Data)
	if !known && err != packet.ErrOther {
		h.quic.Put(flow, q, at)
	}
	return named(at, p, said), err == nil
}
