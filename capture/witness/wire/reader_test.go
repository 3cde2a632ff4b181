package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/packet"
)

// told keeps events as lines, each without the instance's own ports.
type told struct{ lines []string }

func (s *told) add(format string, a ...any) { s.lines = append(s.lines, fmt.Sprintf(format, a...)) }

func (s *told) Query(q witness.Query) {
	s.add("query %s %s to %s/%s", q.Type, q.Name, q.Server, q.Protocol)
}

func (s *told) Answer(a witness.Answer) {
	s.add("answer %s %v %v for %v by %s", a.Name, a.Chain, a.Addresses, a.TTL, a.Server)
}
func (s *told) Connection(c witness.Connection) { s.add("connection %s/%s", c.To, c.Protocol) }

func (s *told) Hello(h witness.Hello) {
	hidden := ""
	if h.Hidden {
		hidden = ", perhaps hidden"
	}
	s.add("hello %s %s to %s%s", h.Protocol, h.Server, h.To, hidden)
}
func (s *told) Lost(n uint64, why string) { s.add("lost %d %s", n, why) }

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// frame returns an Ethernet frame of IP.
func frame(from, to string, protocol byte, payload []byte) []byte {
	f, t := netip.MustParseAddr(from), netip.MustParseAddr(to)
	head := []byte("\x00\x16\x3e\x00\x00\x01\x00\x16\x3e\x00\x00\x02")
	if f.Is6() {
		return slices.Concat(head, be16(packet.EtherIPv6), []byte{0x60, 0, 0, 0}, be16(len(payload)), []byte{protocol, 64}, f.AsSlice(), t.AsSlice(), payload)
	}
	h := slices.Concat([]byte{0x45, 0}, be16(20+len(payload)), []byte{0, 1, 0, 0, 64, protocol, 0, 0}, f.AsSlice(), t.AsSlice())
	sum := uint32(0)
	for i := 0; i < len(h); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
	binary.BigEndian.PutUint16(h[10:], ^uint16(sum>>16+sum&0xffff))
	return slices.Concat(head, be16(packet.EtherIPv4), h, payload)
}

const (
	ours4, theirs4 = "10.78.0.2", "203.0.113.1"
	ours6, theirs6 = "fd78::2", "2001:db8::1"
)

func datagram(source, destination int, payload []byte) []byte {
	return frame(ours4, theirs4, packet.UDP, slices.Concat(be16(source), be16(destination), be16(8+len(payload)), []byte{0, 0}, payload))
}

func datagramIn(source, destination int, payload []byte) []byte {
	return frame(theirs4, ours4, packet.UDP, slices.Concat(be16(source), be16(destination), be16(8+len(payload)), []byte{0, 0}, payload))
}

func segmentOf(source, destination, number int, flags byte, payload []byte) []byte {
	return slices.Concat(be16(source), be16(destination), be32(number), be32(0), []byte{0x50, flags, 0xff, 0xff, 0, 0, 0, 0}, payload)
}

func segment(source, destination, number int, flags byte, payload []byte) []byte {
	return frame(ours4, theirs4, packet.TCP, segmentOf(source, destination, number, flags, payload))
}

func segmentIn(source, destination, number int, flags byte, payload []byte) []byte {
	return frame(theirs4, ours4, packet.TCP, segmentOf(source, destination, number, flags, payload))
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../packet/testdata/" + name)
	if err == nil {
		b, err = hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dnsQuery(name string) []byte {
	b, _ := (&dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}).Pack()
	return b
}

func dnsAnswer(name string, chain []string, address string, ttl uint32) []byte {
	m := &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl}
	for _, target := range chain {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target)}})
		h.Name = dnsmessage.MustNewName(target)
	}
	if a := netip.MustParseAddr(address); a.Is4() {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
	} else {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
	}
	b, _ := m.Pack()
	return b
}

// prefixed is a message as TCP has it.
func prefixed(message []byte) []byte { return append(be16(len(message)), message...) }

// in marks a frame as one to the instance.
type in []byte

func TestReader(t *testing.T) {
	hello := sample(t, "hello.hex")
	quic := sample(t, "rfc9001.hex")
	const to = "203.0.113.1:443"
	syn, greeting := "connection "+to+"/tcp", "hello tls example.test to "+to
	query := prefixed(dnsQuery("A.test."))
	answer := prefixed(dnsAnswer("a.test.", []string{"b.test."}, "192.0.2.1", 60))
	part := func(b []byte) []byte { b[14+6] = 0x20; return b } // more fragments follow
	http := []byte("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n")
	for _, c := range []struct {
		name   string
		frames []any
		want   []string
	}{
		{"TLS", []any{segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, hello)}, []string{syn, greeting}},
		{"around the numbers' end", []any{segment(1, 443, -700, packet.SYN, nil), segment(1, 443, -699, packet.ACK, hello[:900]), segment(1, 443, 201, packet.ACK, hello[900:])}, []string{syn, greeting}},
		{"split, out of order, twice", []any{
			segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 1010, packet.ACK, hello[1000:]), segment(1, 443, 510, packet.ACK, hello[500:1000]),
			segment(1, 443, 510, packet.ACK, hello[500:1000]), segment(1, 443, 10, packet.ACK, hello[:600]), segment(1, 443, 10, packet.ACK, hello),
		}, []string{syn, greeting}},
		{"with the SYN", []any{segment(1, 443, 9, packet.SYN, hello)}, []string{syn, greeting}},
		{"a port taken anew", []any{
			segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, hello[:100]), segment(1, 443, 90000, packet.SYN, nil), segment(1, 443, 90001, packet.ACK, hello),
		}, []string{syn, syn, greeting, "lost 1 " + reasonTexts[unfinished]}},
		{"refused", []any{segment(1, 443, 9, packet.SYN, nil), in(segmentIn(443, 1, 0, packet.RST|packet.ACK, nil)), segment(1, 443, 10, packet.ACK, hello)}, []string{syn}},
		{"reset halfway", []any{segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, hello[:100]), segment(1, 443, 110, packet.RST, nil)}, []string{syn, "lost 1 " + reasonTexts[unfinished]}},
		{"open before", []any{segment(1, 443, 10, packet.ACK, hello)}, nil},
		{"opened by another", []any{in(segmentIn(1, 443, 9, packet.SYN, nil)), segment(443, 1, 9, packet.SYN|packet.ACK, nil), segment(443, 1, 10, packet.ACK, hello)}, nil},
		{"HTTP", []any{segment(1, 80, 9, packet.SYN, nil), segment(1, 80, 10, packet.ACK, http[:20]), segment(1, 80, 30, packet.ACK, http[20:])}, []string{"connection 203.0.113.1:80/tcp", "hello http web.test to 203.0.113.1:80"}},
		{"neither", []any{segment(1, 22, 9, packet.SYN, nil), segment(1, 22, 10, packet.ACK, []byte("SSH-2.0-x\r\n")), segment(1, 22, 10, packet.ACK, hello)}, []string{"connection 203.0.113.1:22/tcp"}},
		{"too long", []any{segment(1, 80, 9, packet.SYN, nil), segment(1, 80, 10, packet.ACK, []byte("GET /")), segment(1, 80, 15, packet.ACK, make([]byte, packet.LongestHello))}, []string{"connection 203.0.113.1:80/tcp", "lost 1 " + reasonTexts[unfinished]}},
		{"wrong", []any{segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, []byte("\x16\x03\x01\x00\x00"))}, []string{syn, "lost 1 " + reasonTexts[malformed]}},
		{"in fragments", []any{segment(1, 443, 9, packet.SYN, nil), part(segment(1, 443, 10, packet.ACK, hello[:800]))}, []string{syn, "lost 1 " + reasonTexts[fragments]}},

		{"DNS", []any{datagram(1, 53, dnsQuery("A.test.")), in(datagramIn(53, 1, dnsAnswer("a.test.", []string{"B.test.", "c.test."}, "192.0.2.1", 60)))}, []string{
			"query A a.test to 203.0.113.1:53/udp", "answer a.test [b.test c.test] [192.0.2.1] for 1m0s by 203.0.113.1:53",
		}},
		{"DNS by TCP", []any{
			segment(1, 53, 9, packet.SYN, nil), in(segmentIn(53, 1, 99, packet.SYN|packet.ACK, nil)), segment(1, 53, 10, packet.ACK, query[:7]), segment(1, 53, 17, packet.ACK, append(query[7:len(query):len(query)], query...)),
			in(segmentIn(53, 1, 100, packet.ACK, answer[:30])), in(segmentIn(53, 1, 130, packet.ACK, append(answer[30:len(answer):len(answer)], answer[:9]...))), in(segmentIn(53, 1, 100+len(answer)+9, packet.ACK, answer[9:])),
			segment(1, 53, 10+2*len(query), packet.FIN|packet.ACK, nil), segment(1, 53, 10+2*len(query), packet.ACK, query),
		}, []string{
			"connection 203.0.113.1:53/tcp", "query A a.test to 203.0.113.1:53/tcp", "query A a.test to 203.0.113.1:53/tcp",
			"answer a.test [b.test] [192.0.2.1] for 1m0s by 203.0.113.1:53", "answer a.test [b.test] [192.0.2.1] for 1m0s by 203.0.113.1:53",
		}},
		{"TLS to DNS's port", []any{segment(1, 53, 9, packet.SYN, nil), segment(1, 53, 10, packet.ACK, hello[:700]), segment(1, 53, 710, packet.ACK, hello[700:])}, []string{"connection 203.0.113.1:53/tcp", "hello tls example.test to 203.0.113.1:53"}},
		{"no DNS to its port", []any{datagram(1, 53, []byte("tunnel")), datagram(1, 53, []byte("tunnel"))}, []string{"connection 203.0.113.1:53/udp"}},
		{"no DNS to its port by TCP", []any{segment(1, 53, 9, packet.SYN, nil), segment(1, 53, 10, packet.ACK, []byte("\x00\x03abc"))}, []string{"connection 203.0.113.1:53/tcp", "lost 1 " + reasonTexts[malformed]}},
		{"a wrong answer", []any{in(datagramIn(53, 1, []byte("\x00\x07\x80\x00\x00\x01")))}, []string{"lost 1 " + reasonTexts[malformed]}},
		{"an answer in fragments", []any{in(part(datagramIn(53, 1, dnsAnswer("a.test.", nil, "192.0.2.1", 60))))}, []string{"answer a.test [] [192.0.2.1] for 1m0s by 203.0.113.1:53", "lost 1 " + reasonTexts[fragments]}},

		{"QUIC", []any{datagram(1, 443, quic), datagram(1, 443, quic)}, []string{"connection 203.0.113.1:443/udp", "hello quic example.com to " + to}},
		{"QUIC to another port", []any{datagram(1, 53, quic)}, []string{"connection 203.0.113.1:53/udp", "hello quic example.com to 203.0.113.1:53"}},
		{"QUIC of another version", []any{datagram(1, 443, []byte("\xc0QUIC\x00\x00")), datagram(1, 443, []byte("\xc0QUIC\x00\x00")), datagram(1, 443, []byte("\xc0QUIC\x00\x00")), datagram(1, 443, []byte("\xc0QUIC\x00\x00")), datagram(1, 443, []byte("\xc0QUIC\x00\x00"))}, []string{"connection 203.0.113.1:443/udp", "lost 1 " + reasonTexts[unreadable]}},
		{"UDP", []any{datagram(1, 123, []byte("x")), datagram(1, 123, []byte("x")), datagram(2, 123, nil)}, []string{"connection 203.0.113.1:123/udp", "connection 203.0.113.1:123/udp"}},
		{"UDP from others", []any{in(datagramIn(9, 123, []byte("x"))), datagram(123, 9, []byte("x"))}, nil},
		{"other protocols", []any{
			frame(ours4, theirs4, packet.ICMP, []byte{8, 0, 0, 0}), frame(ours4, theirs4, packet.ICMP, []byte{8, 0, 0, 1}), frame(ours4, theirs4, packet.ICMP, []byte{0, 0, 0, 0}),
			frame(ours6, theirs6, packet.ICMPv6, []byte{128, 0, 0, 0}), frame(ours6, theirs6, packet.ICMPv6, []byte{135, 0, 0, 0}), frame(ours4, theirs4, packet.IGMP, nil), frame(ours4, theirs4, 47, nil), in(frame(theirs4, ours4, 41, nil)),
		}, []string{"connection 203.0.113.1:0/icmp", "connection [2001:db8::1]:0/icmpv6", "connection 203.0.113.1:0/protocol 47"}},
		{"no IP", []any{[]byte("\x00\x16\x3e\x00\x00\x01\x00\x16\x3e\x00\x00\x02\x08\x06\x00\x01")}, nil},
	} {
		r, s := newReader(), &told{}
		r.sink = s
		for _, f := range c.frames {
			b, toInstance := f.(in)
			if !toInstance {
				b = f.([]byte)
			}
			r.frame(time.Unix(0, 0), toInstance, b)
		}
		r.tellLost()
		if !slices.Equal(s.lines, c.want) {
			t.Errorf("%s: told:\n\t%s\nwant:\n\t%s", c.name, strings.Join(s.lines, "\n\t"), strings.Join(c.want, "\n\t"))
		}
	}
}

// A flow that was silent is told anew.
func TestIdleFlowsBeginAnew(t *testing.T) {
	r, s := newReader(), &told{}
	r.sink = s
	for _, after := range []time.Duration{0, idle / 2, idle, 3 * idle / 2, 5 * idle, 5*idle + 1} {
		r.frame(time.Unix(0, 0).Add(after), false, datagram(1, 123, []byte("x")))
	}
	if len(s.lines) != 2 {
		t.Errorf("told %d times, want it after a silence", len(s.lines))
	}
}

// Whatever an instance begins and doesn't end, it takes a bounded part of our
// memory, and what is given up for it is counted.
func TestReaderIsBounded(t *testing.T) {
	hello, quic := sample(t, "hello.hex"), sample(t, "rfc9001.hex")
	r, s := newReader(), &told{}
	r.sink = s
	const n = 3 * maxFlows
	for i := range n {
		port, address := 1+i%60000, fmt.Sprintf("203.0.%d.%d", 113+i/60000, i%250)
		for _, b := range [][]byte{segmentOf(port, 443, 9, packet.SYN, nil), segmentOf(port, 443, 10, packet.ACK, hello[:1000]), segmentOf(port, 443, 8000, packet.ACK, make([]byte, 1000))} {
			r.frame(time.Unix(0, 0), false, frame(ours4, address, packet.TCP, b))
		}
		b := slices.Concat(be16(port), be16(443), be16(8+len(quic)), []byte{0, 0}, quic)
		r.frame(time.Unix(0, 0), false, frame(ours4, address, packet.UDP, b))
		if r.bytes > maxBytes+packet.LongestHello*2 || r.bytes < 0 {
			t.Fatalf("%d bytes are kept", r.bytes)
		}
	}
	lost := r.lost[beyond]
	if lost < n-2*maxFlows || lost > n {
		t.Errorf("%d are said to be lost of %d", lost, n)
	}
	r.tellLost()
	if !slices.Contains(s.lines, fmt.Sprintf("lost %d %s", lost, reasonTexts[beyond])) || r.lost[beyond] != 0 {
		t.Error("it isn't told, or twice")
	}
	for i := range n {
		r.frame(time.Unix(0, 0), false, frame(ours4, fmt.Sprintf("203.0.113.%d", i%250), packet.TCP, segmentOf(1+i%60000, 443, 10, packet.RST, nil)))
	}
	if r.bytes != 0 {
		t.Errorf("%d bytes are kept of nothing", r.bytes)
	}
}

// FuzzReader reads packets of one instance, in both directions, of few flows.
func FuzzReader(f *testing.F) {
	hello, quic := sample(f, "hello.hex"), sample(f, "rfc9001.hex")
	entry := func(kind byte, payload []byte) []byte {
		return slices.Concat([]byte{kind}, be16(len(payload)), payload)
	}
	f.Add(slices.Concat(entry(0, segmentOf(1, 443, 9, packet.SYN, nil)), entry(0, segmentOf(1, 443, 510, packet.ACK, hello[500:])), entry(0, segmentOf(1, 443, 10, packet.ACK, hello[:500]))))
	f.Add(slices.Concat(entry(0, segmentOf(1, 53, 9, packet.SYN, nil)), entry(1, segmentOf(53, 1, 9, packet.SYN|packet.ACK, nil)), entry(0, segmentOf(1, 53, 10, packet.ACK, prefixed(dnsQuery("a.test.")))), entry(1, segmentOf(53, 1, 10, packet.ACK, prefixed(dnsAnswer("a.test.", nil, "192.0.2.1", 5))))))
	f.Add(slices.Concat(entry(2, slices.Concat(be16(1), be16(443), be16(8+len(quic)), []byte{0, 0}, quic)), entry(3, slices.Concat(be16(53), be16(1), be16(0), []byte{0, 0}, dnsAnswer("a.test.", []string{"b.test."}, "2001:db8::1", 5)))))
	f.Add(slices.Concat(entry(4, []byte{8, 0})))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, s := newReader(), &told{}
		r.sink = s
		packets, sizes := 0, 0
		for len(b) >= 3 {
			kind, size := b[0], min(int(binary.BigEndian.Uint16(b[1:])), len(b)-3)
			payload := b[3 : 3+size]
			b = b[3+size:]
			protocol := []byte{packet.TCP, packet.UDP, packet.ICMP, packet.Fragment}[kind/2%4]
			from, to := ours6, theirs6
			toInstance := kind%2 == 1
			if toInstance {
				from, to = to, from
			}
			whole := frame(from, to, protocol, payload)
			kept := bytes.Clone(whole)
			r.frame(time.Unix(0, 0), toInstance, whole)
			if !bytes.Equal(whole, kept) {
				t.Fatal("the frame was changed")
			}
			packets, sizes = packets+1, sizes+size
		}
		r.tellLost()
		if len(s.lines) > packets+sizes/5+int(reasons) {
			t.Errorf("%d events of %d packets of %d bytes", len(s.lines), packets, sizes)
		}
		if r.bytes < 0 || r.bytes > 4*packet.LongestHello*max(packets, 1) {
			t.Errorf("%d bytes are kept of %d packets", r.bytes, packets)
		}
		for _, line := range s.lines {
			for _, c := range []byte(line) {
				if c < ' ' || c > '~' {
					t.Errorf("%q", line)
				}
			}
		}
	})
}
