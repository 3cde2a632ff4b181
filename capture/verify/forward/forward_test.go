package forward

import (
	"fmt"
	"net"
	"net/netip"
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
		if name := m.Questions[0].Name.String(); name != "WWW.Allowed.example." || q.from.String() != "127.0.0.9" || q.tcp != (ways[i].network == "tcp") {
			t.Errorf("upstream was asked for %s from %v, by TCP: %t", name, q.from, q.tcp)
		}
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
