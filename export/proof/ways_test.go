package proof

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsWays are all ways of asking a name server at addr, whose upstream is u.
// A name passes if there is an answer, or if the upstream was asked for it.
func dnsWays(addr string, u *upstream) []way {
	var ways []way
	add := func(name string, must bool, told, network string, change func(*dnsmessage.Message)) {
		ways = append(ways, way{name, must, told, func(t *testing.T, name string) bool {
			t.Helper()
			m := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: 4712, RecursionDesired: true},
				Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
			}
			change(&m)
			passes := false
			// An odd one is asked again: it may have been an earlier one
			// that the upstream has only now heard of.
			for range 2 {
				u.forget(name)
				if answers(t, addr, network, m, !must) {
					return true
				}
				if passes = u.knows(name); !passes || must {
					break
				}
			}
			return passes
		}})
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, kind := range []struct {
			name string
			kind dnsmessage.Type
			must bool
		}{
			{"A", dnsmessage.TypeA, true}, {"AAAA", dnsmessage.TypeAAAA, true}, {"HTTPS", dnsmessage.TypeHTTPS, true},
			{"SVCB", dnsmessage.TypeSVCB, true}, {"TXT", dnsmessage.TypeTXT, true}, {"MX", dnsmessage.TypeMX, true},
			{"SRV", dnsmessage.TypeSRV, true}, {"PTR", dnsmessage.TypePTR, true}, {"CAA", typeCAA, true},
			// Servers have ways of their own with these.
			{"NS", dnsmessage.TypeNS, false}, {"SOA", dnsmessage.TypeSOA, false}, {"CNAME", dnsmessage.TypeCNAME, false},
			{"NULL", 10, false}, {"ANY", dnsmessage.TypeALL, false}, {"type 65280", 65280, false},
		} {
			add(kind.name+" over "+strings.ToUpper(network), kind.must, "", network, func(m *dnsmessage.Message) { m.Questions[0].Type = kind.kind })
		}
	}
	// dnsmasq 2.93 asks whoever serves the name above.
	for _, network := range []string{"udp", "tcp"} {
		add("DS over "+strings.ToUpper(network), false, "type DS", network, func(m *dnsmessage.Message) { m.Questions[0].Type = 43 })
	}
	for name, class := range map[string]dnsmessage.Class{"CH": dnsmessage.ClassCHAOS, "HS": dnsmessage.ClassHESIOD, "NONE": 254, "65280": 65280} {
		add("class "+name, false, "", "udp", func(m *dnsmessage.Message) { m.Questions[0].Class = class })
	}
	add("class ANY", false, "class ANY", "udp", func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassANY })
	add("RD off", false, "", "udp", func(m *dnsmessage.Message) { m.RecursionDesired = false })
	add("CD", true, "", "udp", func(m *dnsmessage.Message) { m.CheckingDisabled = true })
	add("AD", true, "", "udp", func(m *dnsmessage.Message) { m.AuthenticData = true })
	add("EDNS", true, "", "udp", edns(4096, false))
	add("EDNS of 512 bytes", true, "", "udp", edns(512, false))
	add("DO", true, "", "udp", edns(1232, true))
	add("DO and CD", true, "", "udp", func(m *dnsmessage.Message) { edns(1232, true)(m); m.CheckingDisabled = true })
	add("opcode STATUS", false, "opcode", "udp", func(m *dnsmessage.Message) { m.OpCode = 2 })
	add("upper case", true, "", "udp", cased(func(int) bool { return true }))
	add("0x20", true, "", "udp", cased(func(i int) bool { return i%2 == 0 }))
	add("behind a question that passes", false, "several questions", "udp", func(m *dnsmessage.Message) {
		first := dnsmessage.Question{Name: dnsmessage.MustNewName("www.example.com."), Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET}
		m.Questions = []dnsmessage.Question{first, m.Questions[0]}
	})
	// The odd ones last, so that nothing of theirs is taken for another's.
	slices.SortStableFunc(ways, func(a, b way) int {
		if a.must == b.must {
			return 0
		}
		return map[bool]int{true: -1, false: 1}[a.must]
	})
	return ways
}

// edns adds an OPT record.
func edns(size int, do bool) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		var h dnsmessage.ResourceHeader
		h.SetEDNS0(size, dnsmessage.RCodeSuccess, do)
		m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{}})
	}
}

// cased writes the letters for which that holds as capitals.
func cased(upper func(int) bool) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		name := &m.Questions[0].Name
		for i, c := range name.Data[:name.Length] {
			if 'a' <= c && c <= 'z' && upper(i) {
				name.Data[i] = c - 'a' + 'A'
			}
		}
	}
}

// answers returns whether a server has an answer to the last question. One
// that hangs up has none, and one that may be silent and is. What is truncated
// is no answer: it is asked for again over TCP.
func answers(t *testing.T, server, network string, m dnsmessage.Message, maySilent bool) bool {
	t.Helper()
	conn, err := net.Dial(network, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	stream := bufio.NewReader(conn)
	send := func(m dnsmessage.Message) bool {
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if network == "tcp" {
			return writeTCP(conn, packet) == nil
		}
		_, err = conn.Write(packet)
		return err == nil
	}
	receive := func() ([]byte, error) {
		if network == "tcp" {
			return readTCP(stream)
		}
		reply := make([]byte, 65536)
		n, err := conn.Read(reply)
		return reply[:n], err
	}
	if !send(m) {
		return false
	}
	// Servers may say nothing to an odd question. They have had their time
	// when usual ones that were asked later are answered; each has a name of
	// its own, so that the upstream is asked for it.
	usual := func(n int) bool {
		name := dnsmessage.MustNewName(fmt.Sprintf("usual-%d.example.net.", usuals.Add(1)))
		return send(dnsmessage.Message{
			Header:    dnsmessage.Header{ID: m.ID + uint16(n) + 1, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		})
	}
	const enough = 3
	for n := 0; n < enough; {
		if maySilent && !usual(n) {
			return false
		}
		reply, err := receive()
		if err != nil {
			return false
		}
		var p dnsmessage.Parser
		if h, err := p.Start(reply); err == nil && h.ID == m.ID {
			if h.Truncated && network == "udp" {
				return answers(t, server, "tcp", m, maySilent)
			}
			return holdsAnswer(p, m.Questions[len(m.Questions)-1])
		}
		n++
	}
	return false
}

var usuals atomic.Int64

// holdsAnswer returns whether the rest of a reply has an answer to q.
func holdsAnswer(p dnsmessage.Parser, q dnsmessage.Question) bool {
	if p.SkipAllQuestions() != nil {
		return false
	}
	for {
		h, err := p.AnswerHeader()
		if err != nil {
			return false
		}
		if strings.EqualFold(h.Name.String(), q.Name.String()) && h.Type == q.Type || q.Type == dnsmessage.TypeALL {
			return true
		}
		if p.SkipAnswer() != nil {
			return false
		}
	}
}
