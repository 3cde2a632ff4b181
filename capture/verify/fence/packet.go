package fence

import (
	"fmt"
	"time"

	"lxd-allowlist/capture/witness/packet"
)

const (
	helloPrefix = "hello"

	// quicFlows is how many flows of QUIC are read at a time whose beginning is
	// in more than one packet: half as many as there may be connections waiting
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
	lost uint64 // beginnings that weren't read to the end
}

func newHellos() *hellos {
	h := &hellos{}
	h.quic = packet.Flows[*packet.QUIC]{Most: quicFlows, Drop: func(q *packet.QUIC) { h.lost += uint64(q.Pending()) }}
	return h
}

// read reads an IP packet whose data begins a connection of TLS, or is of what
// begins one of QUIC. It is false as long as more is to come of the latter.
func (h *hellos) read(at time.Time, b []byte) (Hello, bool) {
	etherType := uint16(packet.EtherIPv4)
	if len(b) > 0 && b[0]>>4 == 6 {
		etherType = packet.EtherIPv6
	}
	p, _ := packet.ReadIP(etherType, b)
	told := Hello{At: at, To: p.To, Protocol: packet.ProtocolName(p.Protocol)}
	if p.Protocol != packet.UDP {
		said, _ := packet.ReadHello(p.Data)
		told.Name = said.Server
		return told, true
	}
	flow := packet.Flow{From: p.From, To: p.To}
	q, known := h.quic.Get(flow, at)
	if !known {
		q = &packet.QUIC{}
	}
	said, err := q.Add(p.Data)
	if !known && err != packet.ErrOther {
		h.quic.Put(flow, q, at)
	}
	told.Name = said.Server
	return told, err == nil
}
