package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/parse"
)

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func ip(from, to string, protocol byte, payload []byte) []byte {
	f, t := netip.MustParseAddr(from), netip.MustParseAddr(to)
	if f.Is6() {
		return slices.Concat([]byte{0x60, 0, 0, 0}, be16(len(payload)), []byte{protocol, 64}, f.AsSlice(), t.AsSlice(), payload)
	}
	return slices.Concat([]byte{0x45, 0}, be16(20+len(payload)), []byte{0, 1, 0, 0, 64, protocol, 0, 0}, f.AsSlice(), t.AsSlice(), payload)
}

func udpOf(payload string) []byte {
	return slices.Concat(be16(5), be16(6), be16(8+len(payload)), []byte{0, 0}, []byte(payload))
}

func tcpOf(flags byte, options, payload string) []byte {
	return slices.Concat(be16(5), be16(6), []byte{0, 0, 0, 9, 0, 0, 0, 0, byte(20+len(options)) / 4 << 4, flags, 0xff, 0xff, 0, 0, 0, 0}, []byte(options), []byte(payload))
}

// behind puts an IPv6 extension header before what a packet bears.
func behind(kind byte, header []byte, packet []byte) []byte {
	p := slices.Concat(packet[:40], []byte{packet[6]}, header, packet[40:])
	p[6] = kind
	binary.BigEndian.PutUint16(p[4:], uint16(len(p)-40))
	return p
}

func ethernet(packet []byte, tags ...byte) []byte {
	kind := be16(EtherIPv4)
	if packet[0]>>4 == 6 {
		kind = be16(EtherIPv6)
	}
	return slices.Concat(make([]byte, 12), tags, kind, packet)
}

func TestReadFrame(t *testing.T) {
	const a4, b4, a6, b6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"
	options := ip(a4, b4, UDP, udpOf("mark"))
	options = slices.Concat(options[:20], make([]byte, 40), options[20:])
	options[0], options[3] = 0x4f, byte(len(options))
	first, later := ip(a4, b4, UDP, udpOf("mark")), ip(a4, b4, UDP, udpOf("mark"))
	first[6], later[7] = 0x20, 9
	part := func(offset uint16) []byte {
		return behind(Fragment, []byte{0, byte(offset >> 8), byte(offset), 0, 0, 0, 1}, ip(a6, b6, UDP, udpOf("mark")))
	}
	hop := func(b []byte) []byte { return behind(hopByHop, []byte{0, 1, 4, 0, 0, 0, 0}, b) }
	gso := ip(a6, b6, TCP, tcpOf(ACK, "", "mark"))
	gso[4], gso[5] = 0, 0
	short := ip(a4, b4, TCP, tcpOf(ACK, "", ""))
	short[32] = 15 << 4 // a header longer than the packet
	for _, c := range []struct {
		name     string
		frame    []byte
		protocol byte
		from, to string
		data     string
		cut      bool
	}{
		{"UDP", ethernet(ip(a4, b4, UDP, udpOf("mark"))), UDP, "10.0.0.1:5", "10.0.0.2:6", "mark", false},
		{"UDP, filled up", append(ethernet(ip(a4, b4, UDP, udpOf("mark"))), "filling"...), UDP, "10.0.0.1:5", "10.0.0.2:6", "mark", false},
		{"TCP, filled up", append(ethernet(ip(a4, b4, TCP, tcpOf(ACK, "", ""))), "filling"...), TCP, "10.0.0.1:5", "10.0.0.2:6", "", false},
		{"options", ethernet(options), UDP, "10.0.0.1:5", "10.0.0.2:6", "mark", false},
		{"VLAN", ethernet(ip(a4, b4, UDP, udpOf("mark")), 0x81, 0, 0, 5), UDP, "10.0.0.1:5", "10.0.0.2:6", "mark", false},
		{"two VLANs", ethernet(ip(a6, b6, UDP, udpOf("mark")), 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6), UDP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"TCP", ethernet(ip(a6, b6, TCP, tcpOf(SYN, "\x02\x04\x05\xb4", "mark"))), TCP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"TCP, longer than a length can say", ethernet(gso), TCP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"TCP, a wrong header", ethernet(short), TCP, "10.0.0.1:5", "10.0.0.2:6", "", true},
		{"TCP, captured in part", ethernet(ip(a4, b4, TCP, tcpOf(ACK, "", "mark")))[:57], TCP, "10.0.0.1:5", "10.0.0.2:6", "mar", true},
		{"first fragment", ethernet(first), UDP, "10.0.0.1:5", "10.0.0.2:6", "mark", true},
		{"later fragment", ethernet(later), UDP, "10.0.0.1:0", "10.0.0.2:0", "", true},
		{"first fragment, IPv6", ethernet(part(1)), UDP, "[fd00::1]:5", "[fd00::2]:6", "mark", true},
		{"only fragment, IPv6", ethernet(part(0)), UDP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"later fragment, IPv6", ethernet(part(64)), UDP, "[fd00::1]:0", "[fd00::2]:0", "", true},
		{"extensions", ethernet(hop(hop(ip(a6, b6, UDP, udpOf("mark"))))), UDP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"authentication", ethernet(behind(authentication, append([]byte{1}, make([]byte, 10)...), ip(a6, b6, UDP, udpOf("mark")))), UDP, "[fd00::1]:5", "[fd00::2]:6", "mark", false},
		{"extensions, cut off", ethernet(hop(ip(a6, b6, UDP, udpOf("mark"))))[:14+44], hopByHop, "[fd00::1]:0", "[fd00::2]:0", "", true},
		{"ICMP", ethernet(ip(a4, b4, ICMP, []byte{8, 0})), ICMP, "10.0.0.1:0", "10.0.0.2:0", "", false},
		{"GRE", ethernet(ip(a4, b4, 47, nil)), 47, "10.0.0.1:0", "10.0.0.2:0", "", false},
	} {
		p, ok := ReadFrame(c.frame)
		if !ok || p.Protocol != c.protocol || p.From.String() != c.from || p.To.String() != c.to || string(p.Data) != c.data || p.Cut != c.cut {
			t.Errorf("%s: %+v, %q", c.name, p, p.Data)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 12), append(make([]byte, 12), 8, 6, 0, 1), ethernet([]byte{0x45}), ethernet([]byte{0x60}), append(make([]byte, 12), 0x81, 0, 0)} {
		if p, ok := ReadFrame(b); ok {
			t.Errorf("%x is %+v", b, p)
		}
	}
	if p, _ := ReadFrame(ethernet(ip(a4, b4, TCP, tcpOf(SYN|ACK, "", "")))); p.Flags != SYN|ACK || p.Sequence != 9 {
		t.Errorf("%+v", p)
	}
	for part, b := range map[Part][]byte{Whole: part(0), First: first, Later: later} {
		if p, _ := ReadFrame(ethernet(b)); p.Part != part {
			t.Errorf("%x: %+v", b, p)
		}
	}
	if p, _ := ReadFrame(ethernet(ip(a4, b4, ICMP, []byte{8, 0}))); p.Type != 8 {
		t.Errorf("%+v", p)
	}
}

func message(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func question(name string, kind dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}
}

func TestReadQuery(t *testing.T) {
	one := message(t, dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true}, Questions: []dnsmessage.Question{question("wWw.Example.test.", dnsmessage.TypeHTTPS)}})
	three := message(t, dnsmessage.Message{Questions: []dnsmessage.Question{question("a.test.", dnsmessage.TypeA), question("B.test.", dnsmessage.TypeA), question(".", dnsmessage.TypeNS)}})
	answer := slices.Clone(one)
	answer[2] |= 0x80
	dot := slices.Clone(one)
	dot[14] = '.'
	for _, c := range []struct {
		name  string
		b     []byte
		names string
		err   error
	}{
		{"one", one, "www.example.test", nil},
		{"three", three, "a.test b.test .", nil},
		{"three, cut", three[:len(three)-3], "a.test b.test", ErrForm},
		{"a dot in a label", dot, `w\046w.example.test`, nil},
		{"an answer", answer, "", ErrOther},
		{"cut", one[:20], "", ErrOther},
		{"nothing", nil, "", ErrOther},
	} {
		all, err := ReadQuery(c.b)
		var names []string
		for _, q := range all {
			names = append(names, q.Name)
		}
		if got := strings.Join(names, " "); got != c.names || err != c.err {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
	if all, _ := ReadQuery(one); parse.TypeName(all[0].Type) != "HTTPS" || all[0].Class != 1 {
		t.Errorf("%+v", all)
	}
}

func TestReadAnswer(t *testing.T) {
	name := func(s string, ttl uint32) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(s), Class: dnsmessage.ClassINET, TTL: ttl}
	}
	b := message(t, dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true, RCode: 0},
		Questions: []dnsmessage.Question{question("www.example.test.", dnsmessage.TypeA)},
		Answers: []dnsmessage.Resource{
			{Header: name("www.example.test.", 5), Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("CDN.example.test.")}},
			{Header: name("cdn.example.test.", 9), Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("edge.example.test.")}},
			{Header: name("edge.example.test.", 300), Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
			{Header: name("edge.example.test.", 60), Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 2}}},
			{Header: name("edge.example.test.", 90), Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}},
		},
	})
	a, err := ReadAnswer(b)
	if err != nil || strings.Join(a.Chain, " ") != "cdn.example.test edge.example.test" || len(a.Addresses) != 3 ||
		a.Addresses[2] != netip.MustParseAddr("2001:db8::1") || a.Least != time.Minute || a.Longest != 5*time.Minute || a.Code != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if !IsResponse(b) {
		t.Error("it isn't taken for a response")
	}
	if a, err := ReadAnswer(b[:len(b)-20]); err == nil || len(a.Addresses) != 2 {
		t.Errorf("cut: %+v, %v", a, err)
	}
	b[3] |= 3
	if a, _ := ReadAnswer(b); a.Code != 3 {
		t.Errorf("%+v", a)
	}
}

// Of a flood of flows the latest are kept, and all others told.
func TestFlowsAreBounded(t *testing.T) {
	var dropped []int
	f := Flows[int]{Most: 10, Idle: time.Minute, Drop: func(n int) { dropped = append(dropped, n) }}
	at := time.Unix(0, 0)
	flow := func(n int) Flow { return Flow{To: netip.AddrPortFrom(netip.Addr{}, uint16(n))} }
	for i := range 95 {
		f.Put(flow(i), i, at)
		if n, ok := f.Get(flow(0), at); i < 80 && (!ok || n != 0) {
			t.Fatalf("what is used is dropped after %d", i)
		}
		if len(f.now)+len(f.before) > 20 {
			t.Fatalf("%d flows are kept", len(f.now)+len(f.before))
		}
	}
	if n, ok := f.Get(flow(90), at); !ok || n != 90 {
		t.Error("one of the latest is dropped")
	}
	f.Delete(flow(90))
	if _, ok := f.Get(flow(90), at); ok {
		t.Error("it isn't deleted")
	}
	if _, ok := f.Get(flow(94), at.Add(time.Minute)); !ok {
		t.Error("it is dropped too soon")
	}
	if _, ok := f.Get(flow(94), at.Add(4*time.Minute)); ok {
		t.Error("it isn't dropped when it was silent")
	}
	slices.Sort(dropped)
	if len(dropped) != 94 || !slices.Equal(slices.Compact(dropped), dropped) {
		t.Errorf("dropped: %v", dropped)
	}
}

func FuzzFrames(f *testing.F) {
	for _, b := range [][]byte{
		ip("10.0.0.1", "10.0.0.2", UDP, udpOf("mark")), ip("fd00::1", "fd00::2", TCP, tcpOf(SYN, "\x02\x04\x05\xb4", "")),
		behind(Fragment, []byte{0, 0, 1, 0, 0, 0, 1}, ip("fd00::1", "fd00::2", UDP, udpOf("mark"))),
		behind(authentication, append([]byte{1}, make([]byte, 10)...), ip("fd00::1", "fd00::2", UDP, udpOf("mark"))),
	} {
		f.Add(ethernet(b))
		f.Add(ethernet(b, 0x81, 0, 0, 5))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := ReadFrame(b)
		if ok && (!p.From.Addr().IsValid() || !p.To.Addr().IsValid() || ProtocolName(p.Protocol) == "") || len(p.Data) > len(b) {
			t.Errorf("%+v", p)
		}
	})
}

// FuzzHello holds what is read of the pieces of a beginning to what is read of
// the whole: no more than is to come is ever said of less.
func FuzzHello(f *testing.F) {
	for _, b := range [][]byte{
		sample(f, "hello.hex"), records(sample(f, "hello.hex")[5:], 100), []byte("\x16\x03\x01\x00\x02\x01\x00"),
		[]byte("GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: example.test:80\r\n\r\n"), []byte("SSH-2.0-x\r\n"),
	} {
		f.Add(b, uint16(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		h, err := ReadHello(b)
		if (err == nil) != (h.Protocol != "") || len(h.Server) > 4*longestName {
			t.Errorf("%+v, %v", h, err)
		}
		if again := string(parse.AppendName(nil, []byte(h.Server))); !strings.Contains(h.Server, `\`) && again != h.Server && h.Server != "" {
			t.Errorf("%q is normalised to %q", h.Server, again)
		}
		cut := b[:min(int(at), len(b))]
		if part, e := ReadHello(cut); e != ErrMore && (part != h || e != err) {
			t.Errorf("of %d bytes %+v, %v, of all %+v, %v", len(cut), part, e, h, err)
		}
		s := Stream{Limit: len(b)}
		if !s.Add(len(cut), b[len(cut):]) || !s.Add(0, cut) || !bytes.Equal(s.Head(), b) {
			t.Error("two pieces aren't the whole")
		}
	})
}

func FuzzDNS(f *testing.F) {
	f.Add(message(f, dnsmessage.Message{Questions: []dnsmessage.Question{question("a.test.", dnsmessage.TypeA), question("B.test.", dnsmessage.TypeA)}}))
	f.Add(message(f, dnsmessage.Message{
		Header: dnsmessage.Header{Response: true}, Questions: []dnsmessage.Question{question("a.test.", dnsmessage.TypeA)},
		Answers: []dnsmessage.Resource{
			{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("a.test."), TTL: 5}, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}},
			{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("b.test."), TTL: 5}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
		},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ReadQuery(b)
		if err == nil && len(all) != int(binary.BigEndian.Uint16(b[4:])) || err == nil && IsResponse(b) {
			t.Errorf("%d questions, %v", len(all), err)
		}
		a, _ := ReadAnswer(b)
		if a.Least > a.Longest || a.Least < 0 || len(a.Addresses) > len(b)/4 {
			t.Errorf("%+v", a)
		}
	})
}
