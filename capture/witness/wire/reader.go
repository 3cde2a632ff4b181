package wire

import (
	"net/netip"
	"time"

	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/packet"
	"lxd-allowlist/parse"
)

// What an instance can make us remember.
const (
	maxFlows = 4096            // of each kind that are followed: twice as many for a while
	maxBytes = 16 << 20        // of what is said first and isn't whole
	idle     = 2 * time.Minute // after which a flow of UDP is another one: longer than most NATs wait
	maxTries = 4               // of a flow's packets that look like QUIC and can't be read
	maxDNS   = 2 + 1<<16 - 1   // a message by TCP, behind its length
	quicPort = 443             // where what looks like QUIC is taken for it
	noNext   = 59              // IPv6 without anything in it
)

// reason is why something was lost.
type reason uint8

const (
	fragments reason = iota
	beyond
	unfinished
	malformed
	unreadable
	reasons
)

var reasonTexts = [reasons]string{
	fragments:  "packets in IP fragments, which are not put together",
	beyond:     "connections whose beginning is not known, for there were too many at a time",
	unfinished: "connections whose beginning did not become whole",
	malformed:  "DNS messages and beginnings of connections that break their form",
	unreadable: "connections of QUIC that can't be read, of another version or from before",
}

// reader makes events of an instance's packets.
type reader struct {
	sink  witness.Sink
	tcp   packet.Flows[*stream]    // until it is known what they begin with; DNS for as long as they are open
	udp   packet.Flows[*datagrams] // as the instance sends them
	other packet.Flows[struct{}]   // of other protocols, whose number stands for the ports
	bytes int
	lost  [reasons]uint64
}

// stream is one direction of a TCP connection.
type stream struct {
	began uint32 // its SYN's number
	base  uint32 // the number of the first byte in parts
	parts packet.Stream
	dns   bool
}

// datagrams is what is known of a flow of UDP.
type datagrams struct {
	quic  *packet.QUIC
	tries int // that failed
}

func newReader() *reader {
	r := &reader{}
	r.tcp = packet.Flows[*stream]{Most: maxFlows, Drop: func(s *stream) {
		r.bytes -= s.parts.Size()
		if !s.dns || s.parts.Size() > 0 {
			r.lost[beyond]++
		}
	}}
	r.udp = packet.Flows[*datagrams]{Most: maxFlows, Idle: idle, Drop: func(d *datagrams) {
		if d.quic != nil {
			r.lost[beyond] += uint64(d.quic.Pending())
		}
	}}
	r.other = packet.Flows[struct{}]{Most: maxFlows, Idle: idle, Drop: func(struct{}) {}}
	return r
}

// tellLost tells what was lost since it was last called.
func (r *reader) tellLost() {
	for why, n := range r.lost {
		if n > 0 {
			r.sink.Lost(n, reasonTexts[why])
			r.lost[why] = 0
		}
	}
}

// frame reads what the instance sent, or was sent.
func (r *reader) frame(at time.Time, toInstance bool, b []byte) {
	p, ok := packet.ReadFrame(b)
	switch {
	case !ok || p.Part == packet.Later: // its first fragment is told
	case p.Protocol == packet.TCP:
		r.segment(at, toInstance, p)
	case p.Protocol == packet.UDP && toInstance:
		r.datagramIn(at, p)
	case p.Protocol == packet.UDP:
		r.datagram(at, p)
	case !toInstance:
		r.others(at, p)
	}
}

// others tells of pings, tunnels and the like.
func (r *reader) others(at time.Time, p packet.Packet) {
	switch {
	case p.Protocol == packet.ICMP && p.Type != packet.EchoRequest, p.Protocol == packet.ICMPv6 && p.Type != packet.EchoRequest6,
		p.Protocol == packet.IGMP, p.Protocol == noNext:
		return // the bridge's own business, and answers
	}
	number := uint16(p.Protocol)
	flow := packet.Flow{From: netip.AddrPortFrom(p.From.Addr(), number), To: netip.AddrPortFrom(p.To.Addr(), number)}
	if _, known := r.other.Get(flow, at); !known {
		r.other.Put(flow, struct{}{}, at)
		r.connection(at, p)
	}
}

func (r *reader) connection(at time.Time, p packet.Packet) {
	r.sink.Connection(witness.Connection{At: at, From: p.From, To: p.To, Protocol: packet.ProtocolName(p.Protocol)})
}

func (r *reader) hello(at time.Time, flow packet.Flow, h packet.Hello) {
	r.sink.Hello(witness.Hello{At: at, From: flow.From, To: flow.To, Protocol: h.Protocol, Server: h.Server, Hidden: h.Hidden})
}

// query tells what is asked. It is false for what is no query.
func (r *reader) query(at time.Time, flow packet.Flow, protocol string, message []byte) bool {
	questions, err := packet.ReadQuery(message)
	if err == packet.ErrOther {
		return false
	}
	for _, q := range questions {
		r.sink.Query(witness.Query{At: at, Name: q.Name, Type: parse.TypeName(q.Type), From: flow.From, Server: flow.To, Protocol: protocol})
	}
	if err != nil {
		r.lost[malformed]++
	}
	return true
}

// answer tells what a server says. What of it can't be read is counted.
func (r *reader) answer(at time.Time, flow packet.Flow, message []byte) {
	q, end := packet.FirstQuestion(message)
	if end == 0 || !packet.IsResponse(message) {
		r.lost[malformed]++
		return
	}
	a, err := packet.ReadAnswer(message)
	if err != nil {
		r.lost[malformed]++
	}
	r.sink.Answer(witness.Answer{
		At: at, Name: q.Name, To: flow.To, Server: flow.From,
		Chain: a.Chain, Addresses: a.Addresses, TTL: a.Least,
	})
}

// datagramIn reads one to the instance.
func (r *reader) datagramIn(at time.Time, p packet.Packet) {
	if p.From.Port() == dnsPort {
		r.fragment(p)
		r.answer(at, packet.Flow{From: p.From, To: p.To}, p.Data)
		return
	}
	// What the instance sends there is an answer.
	flow := packet.Flow{From: p.To, To: p.From}
	if _, known := r.udp.Get(flow, at); !known {
		r.udp.Put(flow, &datagrams{}, at)
	}
}

// datagram reads one of the instance's.
func (r *reader) datagram(at time.Time, p packet.Packet) {
	flow := packet.Flow{From: p.From, To: p.To}
	if p.To.Port() == dnsPort {
		r.fragment(p)
		if r.query(at, flow, "udp", p.Data) {
			return
		}
	}
	d, known := r.udp.Get(flow, at)
	if !known {
		d = &datagrams{}
		r.udp.Put(flow, d, at)
		r.connection(at, p)
	}
	if d.tries == maxTries || !packet.LooksLikeQUIC(p.Data) {
		return
	}
	if p.To.Port() != dnsPort {
		r.fragment(p)
	}
	if d.quic == nil {
		d.quic = &packet.QUIC{}
	}
	switch h, err := d.quic.Add(p.Data); err {
	case nil:
		r.hello(at, flow, h)
	case packet.ErrForm:
		r.lost[malformed]++
	case packet.ErrOther:
		if d.tries++; d.tries == maxTries && p.To.Port() == quicPort {
			r.lost[unreadable]++
		}
	}
}

// fragment counts a packet of which something is wanted that isn't in it.
func (r *reader) fragment(p packet.Packet) {
	if p.Part == packet.First {
		r.lost[fragments]++
	}
}
