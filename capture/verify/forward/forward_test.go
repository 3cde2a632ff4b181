package forward

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// ways are those that a client can come by. Every address of 127.0.0.0/8 is
// this host's, and a connection takes no answer from another than it asked.
var ways = []struct{ network, host string }{
	{"udp", "127.0.0.1"},
	{"udp", "127.0.0.2"},
	{"udp", "::1"},
	{"tcp", "127.0.0.2"},
	{"tcp", "::1"},
}

func TestForward(t *testing.T) {
	s := serve(t, address)
	f, told := run(t, Config{Upstream: s.addr, Source: netip.MustParseAddr("127.0.0.9")})
	for _, way := range ways {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			conn := connect(t, f, way.network, way.host)
			client := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr()

			m := parsed(t, exchange(t, conn, query("WWW.Allowed.example", dnsmessage.TypeA)))
			if m.ID != 0x1234 || m.RCode != dnsmessage.RCodeSuccess || len(m.Answers) != 1 || m.Questions[0].Name.String() != "WWW.Allowed.example." {
				t.Errorf("the answer is %v", m.GoString())
			}
			q := told.next(t)
			if q.At.IsZero() || q.Took <= 0 || q.From != client {
				t.Errorf("told %v", q)
			}
			if got := fmt.Sprint(q.Name, q.Type, q.Allowed, q.Why, q.Outcome, q.Addresses); got != "www.allowed.exampleAtrueNOERROR[192.0.2.7]" {
				t.Errorf("told %s", got)
			}

			m = parsed(t, exchange(t, conn, query("evil.example", dnsmessage.TypeHTTPS)))
			if m.ID != 0x1234 || m.RCode != dnsmessage.RCodeNameError || !m.Response || !m.RecursionAvailable || !m.RecursionDesired || len(m.Authorities) != 0 {
				t.Errorf("the refusal is %v", m.GoString())
			}
			q = told.next(t)
			if got := fmt.Sprint(q.From, q.Name, q.Type, q.Allowed, q.Why, q.Outcome); got != client.String()+"evil.exampleHTTPSfalseNXDOMAIN" {
				t.Errorf("told %s", got)
			}
		})
	}
	all := s.all()
	if len(all) != len(ways) {
		t.Errorf("upstream was asked %d times for %d allowed names", len(all), len(ways))
	}
	for i, q := range all {
		m := q.message()
		if name := m.Questions[0].Name.String(); name != "WWW.Allowed.example." || q.from.Addr().String() != "127.0.0.9" || q.tcp != (ways[i].network == "tcp") {
			t.Errorf("upstream was asked for %s from %v, by TCP: %t", name, q.from, q.tcp)
		}
	}
}

// Queries that are read together, from several clients by several addresses, are
// each answered with what was asked, from where it was asked.
func TestManyAtOnce(t *testing.T) {
	s := serve(t, func(q *asked) []byte {
		var last byte
		fmt.Sscanf(q.message().Questions[0].Name.String(), "n%d.", &last)
		return q.with(&dnsmessage.AResource{A: [4]byte{192, 0, 2, last}})
	})
	held := make(chan bool)
	f, _ := run(t, Config{Upstream: s.addr, Asked: func(Query) { <-held }})
	if _, err := connect(t, f, "udp", "127.0.0.1").Write(plain[:1]); err != nil { // which nothing is read behind
		t.Fatal(err)
	}
	var conns []net.Conn
	for range 8 {
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
			conns = append(conns, connect(t, f, "udp", host))
		}
	}
	const each = 4
	for n := range each {
		for i, conn := range conns {
			name := fmt.Sprintf("n%d.allowed.example", n*len(conns)+i)
			if n%2 == 1 {
				name = fmt.Sprintf("n%d.evil.example", n*len(conns)+i)
			}
			if _, err := conn.Write(edited(query(name, dnsmessage.TypeA), 1, byte(n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(held)
	for i, conn := range conns {
		for range each {
			answer := make([]byte, mostSize)
			size, err := conn.Read(answer)
			if err != nil {
				t.Fatal(err)
			}
			m := parsed(t, answer[:size])
			n := int(m.ID & 0xff)
			number := n*len(conns) + i
			got, want := fmt.Sprint(m.Questions[0].Name, m.RCode), fmt.Sprint(fmt.Sprintf("n%d.evil.example.", number), dnsmessage.RCodeNameError)
			if n%2 == 0 {
				want = fmt.Sprint(fmt.Sprintf("n%d.allowed.example.", number), dnsmessage.RCodeSuccess, byte(number))
				if len(m.Answers) == 1 {
					got = fmt.Sprint(got, m.Answers[0].Body.(*dnsmessage.AResource).A[3])
				}
			}
			if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("client %d was answered %s, want %s", i, got, want)
			}
		}
	}
}

// Neither the port that upstream is asked from nor the id can be told beforehand.
func TestPortsAndIDs(t *testing.T) {
	s := serve(t, address)
	f, _ := run(t, Config{Upstream: s.addr})
	conn := connect(t, f, "udp", "127.0.0.1")
	const queries = 64
	for range queries {
		exchange(t, conn, plain)
	}
	ports, ids := map[uint16]bool{}, map[string]bool{}
	for _, q := range s.all() {
		ports[q.from.Port()], ids[string(q.packet[:2])] = true, true
	}
	if len(ports) < 2 || len(ids) < queries/2 {
		t.Errorf("%d queries came from %d ports with %d ids", queries, len(ports), len(ids))
	}
}

// A host without IPv6 has a socket of another kind.
func TestIPv4(t *testing.T) {
	f, told := runOn(t, "lo", "4", Config{Upstream: serve(t, address).addr})
	for _, network := range []string{"udp", "tcp"} {
		if m := parsed(t, exchange(t, connect(t, f, network, "127.0.0.2"), plain)); len(m.Answers) != 1 {
			t.Errorf("the answer is %v", m.GoString())
		}
		if q := told.next(t); q.From.String() != "127.0.0.1" && q.From.String() != "127.0.0.2" {
			t.Errorf("told %+v", q)
		}
	}
	if conn, err := net.Dial("tcp", fmt.Sprintf("[::1]:%d", f.Port())); err == nil {
		conn.Close()
		t.Error("it listens by IPv6")
	}
}
