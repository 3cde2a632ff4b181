package wire

import (
	"encoding/binary"
	"time"

	"lxd-allowlist/capture/witness/packet"
)

// segment reads one of TCP's.
func (r *reader) segment(at time.Time, toInstance bool, p packet.Packet) {
	flow := packet.Flow{From: p.From, To: p.To}
	if p.Data == nil {
		r.fragment(p)
		return
	}
	if p.Flags&packet.RST != 0 {
		r.end(at, flow)
		r.end(at, packet.Flow{From: p.To, To: p.From})
		return
	}
	if toInstance && p.From.Port() != dnsPort {
		return
	}
	s, known := r.tcp.Get(flow, at)
	if p.Flags&packet.SYN != 0 && (p.Flags&packet.ACK != 0) == toInstance {
		if !known || s.began != p.Sequence { // else it is sent once more
			r.end(at, flow)
			s, known = newStream(p, toInstance), true
			r.tcp.Put(flow, s, at)
			if !toInstance {
				r.connection(at, p)
			}
		}
		p.Sequence++ // it counts as a byte, before those that it may bear
	}
	if !known {
		return // it was open before, or nothing more is wanted of it
	}
	if len(p.Data) > 0 {
		r.fragment(p)
		if !r.said(at, flow, toInstance, s, p) {
			r.forget(flow, s)
			return
		}
	}
	if p.Flags&packet.FIN != 0 && s.parts.Size() == 0 { // else a part may come late
		r.forget(flow, s)
	}
}

func newStream(p packet.Packet, toInstance bool) *stream {
	s := &stream{began: p.Sequence, base: p.Sequence + 1, parts: packet.Stream{Limit: packet.LongestHello}}
	if toInstance || p.To.Port() == dnsPort {
		s.dns, s.parts.Limit = true, maxDNS
	}
	return s
}

// end forgets a connection that is over.
func (r *reader) end(at time.Time, flow packet.Flow) {
	if s, known := r.tcp.Get(flow, at); known {
		if s.parts.Size() > 0 {
			r.lost[unfinished]++
		}
		r.forget(flow, s)
	}
}

func (r *reader) forget(flow packet.Flow, s *stream) {
	r.bytes -= s.parts.Size()
	r.tcp.Delete(flow)
}

// said adds what a segment bears, and tells what is whole now. It is false when
// nothing more is wanted.
func (r *reader) said(at time.Time, flow packet.Flow, toInstance bool, s *stream, p packet.Packet) bool {
	if !s.dns && s.parts.Size() == 0 && p.Sequence == s.base { // as nearly always: no copy is needed
		if h, err := packet.ReadHello(p.Data); err == nil {
			r.hello(at, flow, h)
			return false
		}
	}
	before := s.parts.Size()
	fits := s.parts.Add(int(int32(p.Sequence-s.base)), p.Data)
	r.bytes += s.parts.Size() - before
	switch {
	case !fits:
		r.lost[unfinished]++
		return false
	case r.bytes > maxBytes:
		r.lost[beyond]++
		return false
	}
	head := s.parts.Head()
	if s.dns && !toInstance && s.base == s.began+1 {
		// Whoever goes round a filter by port 53 speaks something else there.
		if _, err := packet.ReadHello(head); err == nil || err == packet.ErrMore && len(head) > 0 && head[0] == packet.RecordHandshake {
			s.dns, s.parts.Limit = false, packet.LongestHello
		}
	}
	if s.dns {
		return r.messages(at, flow, toInstance, s, head)
	}
	h, err := packet.ReadHello(head)
	switch err {
	case nil:
		r.hello(at, flow, h)
	case packet.ErrForm:
		r.lost[malformed]++
	}
	if err == packet.ErrMore && len(head) == packet.LongestHello {
		r.lost[unfinished]++
		return false
	}
	return err == packet.ErrMore
}

// messages tells of the DNS messages that are whole, each behind its length.
func (r *reader) messages(at time.Time, flow packet.Flow, toInstance bool, s *stream, head []byte) bool {
	read := 0
	for len(head)-read >= 2 {
		end := read + 2 + int(binary.BigEndian.Uint16(head[read:]))
		if end > len(head) {
			break
		}
		message := head[read+2 : end]
		switch {
		case toInstance:
			r.answer(at, flow, message)
		case !r.query(at, flow, "tcp", message):
			r.lost[malformed]++
			return false
		}
		read = end
	}
	before := s.parts.Size()
	s.parts.Drop(read)
	r.bytes += s.parts.Size() - before
	s.base += uint32(read)
	return true
}
