package forward

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// silent answers nothing.
func silent(*asked) []byte { return nil }

func TestUpstreamIsDown(t *testing.T) {
	t.Parallel()
	nobody := freePort(t)
	for _, test := range []struct {
		what     string
		upstream netip.AddrPort
		network  string
		why      string
	}{
		{"nobody there", nobody, "udp", fmt.Sprintf("upstream %v doesn't answer", nobody)},
		{"nobody there", nobody, "tcp", "connection refused"},
		{"silence", serve(t, silent).addr, "udp", "doesn't answer"},
		{"silence", serve(t, silent).addr, "tcp", "doesn't answer"},
	} {
		t.Run(test.what+" "+test.network, func(t *testing.T) {
			t.Parallel()
			f, told := run(t, Config{Upstream: test.upstream})
			answer := exchange(t, connect(t, f, test.network, "127.0.0.1"), plain)
			checkRefusal(t, plain, answer, "SERVFAIL")
			if q := told.next(t); !q.Allowed || !strings.Contains(q.Why, test.why) || q.Took >= 5*1e9 {
				t.Errorf("told %+v", q)
			}
		})
	}
}

// A query that is lost while upstream is started anew is sent again.
func TestUpstreamComesBack(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	s := serve(t, func(q *asked) []byte {
		if !lost.Swap(true) {
			return nil
		}
		return address(q)
	})
	for _, network := range []string{"udp", "tcp"} {
		lost.Store(false)
		f, told := run(t, Config{Upstream: s.addr})
		if m := parsed(t, exchange(t, connect(t, f, network, "127.0.0.1"), plain)); len(m.Answers) != 1 {
			t.Errorf("the answer is %v", m.GoString())
		}
		if q := told.next(t); q.Why != "" || q.Outcome != "NOERROR" {
			t.Errorf("told %+v", q)
		}
	}
}

// What comes from upstream and answers another question is not handed on.
func TestOtherAnswers(t *testing.T) {
	evil := &dnsmessage.AResource{A: [4]byte{203, 0, 113, 1}}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	go func() {
		packet := make([]byte, mostSize)
		for {
			n, from, err := udp.ReadFromUDPAddrPort(packet)
			if err != nil {
				return
			}
			q := &asked{packet: bytes.Clone(packet[:n])}
			forged := q.with(evil)
			end := len(plain)
			for _, answer := range [][]byte{
				{},
				forged[:2],
				forged[:len(plain)-1],
				edited(forged, 0, forged[0]^1),
				edited(forged, 1, forged[1]^1),
				edited(forged, 2, 0x01),                    // a query
				edited(forged, 2, 0xa1),                    // another opcode
				edited(forged, 5, 2),                       // another number of questions
				edited(forged, 5, 0),                       // none, and no error
				edited(forged, 12, 1),                      // another name
				edited(forged, 13, 'b'),                    //
				edited(forged, 20, forged[20]|0x20),        // a control character instead of a length
				edited(forged, end-3, 28),                  // another type
				edited(forged, end-1, 3),                   // another class
				edited(q.with(v4), 13, []byte("ALLoW")...), // the answer
				q.with(v4),                                 // once more
			} {
				udp.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	f, told := run(t, Config{Upstream: udp.LocalAddr().(*net.UDPAddr).AddrPort()})
	for range mostQueries + 1 {
		answer := exchange(t, connect(t, f, "udp", "127.0.0.1"), plain)
		if m := parsed(t, answer); len(m.Answers) != 1 || m.Questions[0].Name.String() != "allowed.example." {
			t.Errorf("the answer is %v", m.GoString())
		}
		if q := told.next(t); fmt.Sprint(q.Addresses) != "[192.0.2.7]" {
			t.Errorf("told %+v", q)
		}
	}
}

// Errors come back as they are, also from a server that leaves the question out.
func TestUpstreamErrors(t *testing.T) {
	for code, want := range map[byte]string{1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 11: "RCODE11"} {
		for _, question := range []bool{true, false} {
			s := serve(t, func(q *asked) []byte {
				if question {
					return edited(q.packet, 2, 0x81, code)
				}
				return edited(q.packet[:12], 2, 0x81, code, 0, 0)
			})
			f, told := run(t, Config{Upstream: s.addr})
			for _, network := range []string{"udp", "tcp"} {
				var p dnsmessage.Parser
				h, err := p.Start(exchange(t, connect(t, f, network, "127.0.0.1"), plain))
				if err != nil || h.ID != 0x1234 || h.RCode != dnsmessage.RCode(code) {
					t.Errorf("the answer's header is %v, %v", h.GoString(), err)
				}
				if q := told.next(t); q.Outcome != want || q.Why != "" {
					t.Errorf("told %+v, want %s", q, want)
				}
			}
		}
	}
}

// An answer that is too large for the client says so, and is whole by TCP.
func TestTruncated(t *testing.T) {
	texts := make([]dnsmessage.ResourceBody, 20)
	for i := range texts {
		texts[i] = &dnsmessage.TXTResource{TXT: []string{strings.Repeat("a", 250)}}
	}
	s := serve(t, func(q *asked) []byte { return q.with(texts...) }) // whatever the size
	f, _ := run(t, Config{Upstream: s.addr})
	for _, more := range [][]byte{nil, options(1232), options(65535)} {
		packet := query("allowed.example", dnsmessage.TypeTXT, more...)
		answer := exchange(t, connect(t, f, "udp", "127.0.0.1"), packet)
		m := parsed(t, answer)
		if !m.Truncated || m.ID != 0x1234 || len(m.Answers) != 0 || len(m.Questions) != 1 || len(m.Additionals) != min(len(more), 1) {
			t.Errorf("by UDP the answer is %v", m.GoString())
		}
		m = parsed(t, exchange(t, connect(t, f, "tcp", "127.0.0.1"), packet))
		if m.Truncated || len(m.Answers) != len(texts) {
			t.Errorf("by TCP the answer has %d records", len(m.Answers))
		}
	}
}

// What upstream has cut itself is handed on as it is.
func TestTruncatedByUpstream(t *testing.T) {
	f, _ := run(t, Config{Upstream: serve(t, func(q *asked) []byte { return edited(q.with(v4), 2, 0x83) }).addr})
	if m := parsed(t, exchange(t, connect(t, f, "udp", "127.0.0.1"), plain)); !m.Truncated || len(m.Answers) != 1 {
		t.Errorf("the answer is %v", m.GoString())
	}
}

// Many queries in one segment, and one in many, are answered in their order.
func TestPipelining(t *testing.T) {
	f, _ := run(t, Config{Upstream: serve(t, address).addr})
	conn := connect(t, f, "tcp", "127.0.0.1")
	names := []string{"a.allowed.example.", "evil.example.", "b.allowed.example.", "c.evil.example.", "allowed.example."}
	var stream bytes.Buffer
	for _, name := range names {
		if err := writeTCP(&stream, query(name, dnsmessage.TypeA)); err != nil {
			t.Fatal(err)
		}
	}
	whole := stream.Bytes()
	for _, size := range []int{len(whole), 1} {
		for piece := range slices.Chunk(whole, size) {
			if _, err := conn.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names {
			answer, err := readTCP(conn)
			if err != nil {
				t.Fatal(err)
			}
			if m := parsed(t, answer); m.Questions[0].Name.String() != name || len(m.Answers) == 1 != allowed(strings.TrimSuffix(name, "."), 0) {
				t.Errorf("%s is answered by %v", name, m.GoString())
			}
		}
	}
}

// While upstream is silent, a client has so many queries there, and no more;
// what needs no upstream is answered meanwhile.
func TestBoundedQueries(t *testing.T) {
	s := serve(t, silent)
	f, told := run(t, Config{Upstream: s.addr})
	conn := connect(t, f, "udp", "127.0.0.1")
	for range mostQueries {
		if _, err := conn.Write(plain); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		checkRefusal(t, plain, exchange(t, conn, plain), "REFUSED")
		if q := told.next(t); !q.Allowed || q.Why != "more than 120 queries at once" || q.Outcome != "REFUSED" {
			t.Errorf("told %+v", q)
		}
		evil := query("evil.example", dnsmessage.TypeA)
		checkRefusal(t, evil, exchange(t, conn, evil), "NXDOMAIN")
		told.next(t)
	}
	f.Close()
	for range mostQueries {
		if q := told.next(t); q.Why != "closed" || q.Outcome != "" {
			t.Errorf("told %+v", q)
		}
	}
}

func TestBoundedConnections(t *testing.T) {
	f, told := run(t, Config{Upstream: serve(t, address).addr})
	open := make([]net.Conn, mostClients)
	for i := range open {
		open[i] = connect(t, f, "tcp", "127.0.0.1")
		exchange(t, open[i], plain) // it is served
		told.next(t)
	}
	if _, err := readTCP(connect(t, f, "tcp", "127.0.0.1")); err == nil {
		t.Error("one more connection is served")
	}
	if q := told.next(t); q.Why != "more than 64 connections at once" || q.From.String() != "127.0.0.1" {
		t.Errorf("told %+v", q)
	}
	exchange(t, open[0], plain)
	told.next(t)
	open[0].Close()
	for { // until the server has seen that one end
		conn := connect(t, f, "tcp", "127.0.0.1")
		if writeTCP(conn, plain) == nil {
			if _, err := readTCP(conn); err == nil {
				break
			}
		}
		told.next(t)
	}
}

// What came in while nothing was read is lost in part, and counted; it is
// answered from the address that was asked after that, too.
func TestLost(t *testing.T) {
	held := make(chan bool)
	var total atomic.Int64
	f, _ := run(t, Config{Upstream: serve(t, address).addr, Asked: func(Query) {
		<-held
		total.Add(1)
	}})
	flood := connect(t, f, "udp", "127.0.0.1")
	const sent = 20000
	for range sent {
		if _, err := flood.Write([]byte("short")); err != nil {
			t.Fatal(err)
		}
	}
	close(held)
	tries := 0
	for _, host := range []string{"127.0.0.2", "::1"} {
		conn := connect(t, f, "udp", host)
		for answered := false; !answered; tries++ { // the first may be lost, too
			if _, err := conn.Write(plain); err != nil {
				t.Fatal(err)
			}
			conn.SetReadDeadline(time.Now().Add(time.Second))
			_, err := conn.Read(make([]byte, mostSize))
			answered = err == nil
		}
	}
	f.Close()
	if lost := f.Lost(); lost == 0 || int64(lost)+total.Load() != int64(sent+tries) {
		t.Errorf("of %d packets %d were lost and %d were told of", sent+tries, lost, total.Load())
	}
}

// Nothing is called once Close has returned, whatever was under way.
func TestClose(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		reached := make(chan bool, 1)
		s := serve(t, func(*asked) []byte { reached <- true; return nil })
		var closed atomic.Bool
		var told []Query
		f, _ := run(t, Config{Upstream: s.addr, Asked: func(q Query) {
			if closed.Load() {
				t.Errorf("told %+v", q)
			}
			told = append(told, q)
		}})
		conn := connect(t, f, network, "127.0.0.1")
		b := plain
		if network == "tcp" {
			b = append([]byte{0, byte(len(plain))}, plain...)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		<-reached
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			closed.Store(true)
		}
		if len(told) != 1 || told[0].Why != "closed" || told[0].Outcome != "" {
			t.Errorf("%s: told %+v", network, told)
		}
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", f.Port())); err == nil {
			conn.Close()
			t.Error("it still listens")
		}
	}
}
