package cgroup

import (
	"encoding/binary"
	"net/netip"

	"lxd-allowlist/capture/witness/packet"
)

// How much of the questions by TCP is kept: of each side of a connection, and
// of how many.
const (
	mostStreams = 1024
	mostStream  = 4096
)

// mostQuestion is where a message's question ends at the latest: RFC 1035,
// sections 2.3.4 and 4.1.2.
const mostQuestion = packet.HeaderSize + 255 + 4

// streams cut what is sent by TCP into DNS messages.
type streams struct{ recent[ends, *stream] }

type ends struct{ from, to netip.AddrPort }

type stream struct {
	packet.Stream
	base uint32 // the sequence number of what it begins with
}

// add returns the messages that a packet completes, each as far as its question
// needs it; false where a part of them is missing for good. They are good until
// the next call.
func (s *streams) add(p packetSeen) (messages [][]byte, whole bool) {
	k := ends{p.from, p.to}
	st, ok := s.get(k)
	if !ok {
		st = &stream{Stream: packet.Stream{Limit: mostStream}, base: p.sequence}
		s.put(k, st)
	}
	if !st.Add(int(int32(p.sequence-st.base)), p.payload) {
		s.drop(k)
		return nil, false
	}
	for {
		head := st.Head()
		if len(head) < 2 {
			break
		}
		size := int(binary.BigEndian.Uint16(head))
		if len(head) < 2+min(size, mostQuestion) {
			break
		}
		messages = append(messages, append([]byte(nil), head[2:2+min(size, mostQuestion, len(head)-2)]...))
		st.base += uint32(2 + size)
		if len(head) >= 2+size {
			st.Drop(2 + size)
		} else { // the rest is dropped as it comes
			st.Stream = packet.Stream{Limit: mostStream}
		}
	}
	// What the kernel didn't hand over lies behind what is awaited.
	missing := int32(p.sequence + uint32(len(p.payload)) - st.base)
	if p.length > len(p.payload) && missing >= 0 {
		s.drop(k)
		return messages, false
	}
	return messages, true
}
