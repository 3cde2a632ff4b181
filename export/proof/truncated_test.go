package proof

import (
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Some servers truncate a denial, Knot Resolver with SERVFAIL: by UDP it says
// neither yes nor no, and by TCP it is to be heard.
func TestTruncated(t *testing.T) {
	for _, udp := range []dnsmessage.RCode{dnsmessage.RCodeServerFailure, dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError} {
		for _, passes := range []bool{true, false} {
			addr := startTruncating(t, udp, passes)
			m := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
				Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("www.example.com."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
			}
			if got := answers(t, addr, "udp", m, false); got != passes {
				t.Errorf("%v and TC over UDP: answers %v, want %v", udp, got, passes)
			}
			if got := resolves(t, addr, "www.example.com"); got != passes {
				t.Errorf("%v and TC over UDP: resolves %v, want %v", udp, got, passes)
			}
		}
	}
}

// startTruncating is a name server that truncates all that it says by UDP, beside
// an answer, and by TCP has an answer or NXDOMAIN.
func startTruncating(t *testing.T, code dnsmessage.RCode, passes bool) (addr string) {
	t.Helper()
	u := &upstream{addr: freeAddr(t), asked: make(map[string]bool)}
	change := func(packet []byte, by func(*dnsmessage.Message)) []byte {
		var m dnsmessage.Message
		if err := m.Unpack(u.reply(packet)); err != nil {
			return nil
		}
		by(&m)
		reply, _ := m.Pack()
		return reply
	}
	udp, err := net.ListenPacket("udp", u.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	tcp, err := net.Listen("tcp", u.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	go serveUDP(udp, func(packet []byte) []byte {
		return change(packet, func(m *dnsmessage.Message) { m.Truncated, m.RCode = true, code })
	})
	go serveTCP(tcp, func(packet []byte) []byte {
		return change(packet, func(m *dnsmessage.Message) {
			if !passes {
				m.RCode, m.Answers = dnsmessage.RCodeNameError, nil
			}
		})
	})
	return u.addr
}
