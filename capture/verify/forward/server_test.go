package forward

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// patienceOfTests bounds what is awaited on a machine under load.
const patienceOfTests = 30 * time.Second

// server is an upstream that answers as a test says, and keeps what it was
// asked.
type server struct {
	addr   netip.AddrPort
	answer func(q *asked) []byte // nil for no answer; several at once

	mu    sync.Mutex
	asked []*asked
}

// asked is a query that came to a server.
type asked struct {
	packet []byte
	tcp    bool
	from   netip.AddrPort
}

// serve starts a server on loopback that ends with the test.
func serve(t testing.TB, answer func(*asked) []byte) *server {
	t.Helper()
	for {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		addr := udp.LocalAddr().(*net.UDPAddr).AddrPort()
		tcp, err := net.Listen("tcp", addr.String())
		if err != nil { // taken: another one
			udp.Close()
			continue
		}
		udp.SetReadBuffer(buffer)
		t.Cleanup(func() { udp.Close(); tcp.Close() })
		s := &server{addr: addr, answer: answer}
		go s.serveUDP(udp)
		go s.serveTCP(tcp)
		return s
	}
}

func (s *server) serveUDP(conn *net.UDPConn) {
	packet := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(packet)
		if err != nil {
			return
		}
		go func(q *asked) {
			if answer := s.ask(q); answer != nil {
				conn.WriteToUDPAddrPort(answer, from)
			}
		}(&asked{packet: bytes.Clone(packet[:n]), from: from})
	}
}

func (s *server) serveTCP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for {
				packet, err := readTCP(conn)
				if err != nil {
					return
				}
				answer := s.ask(&asked{packet: packet, tcp: true, from: conn.RemoteAddr().(*net.TCPAddr).AddrPort()})
				if answer == nil || writeTCP(conn, answer) != nil {
					return
				}
			}
		}()
	}
}

func (s *server) ask(q *asked) []byte {
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	return s.answer(q)
}

// all returns what has been asked.
func (s *server) all() []*asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// message returns the query as a message without answers.
func (q *asked) message() dnsmessage.Message {
	var m dnsmessage.Message
	if err := m.Unpack(q.packet); err != nil {
		panic(fmt.Sprintf("the upstream was sent %x: %v", q.packet, err))
	}
	m.Response, m.RecursionAvailable = true, true
	return m
}

// with returns the answer to a query that has these records.
func (q *asked) with(records ...dnsmessage.ResourceBody) []byte {
	m := q.message()
	for _, body := range records {
		h := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 300}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: body})
	}
	return pack(m)
}

func pack(m dnsmessage.Message) []byte {
	packet, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return packet
}

// address answers everything with the same address.
func address(q *asked) []byte {
	return q.with(&dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}})
}

// told are the queries that a forwarder told of.
type told chan Query

// next returns the next one.
func (c told) next(t testing.TB) Query {
	t.Helper()
	select {
	case q := <-c:
		return q
	case <-time.After(patienceOfTests):
		t.Fatal("nothing was told")
		return Query{}
	}
}

// allowed is the list of most tests.
func allowed(name string, _ uint16) bool {
	return name == "allowed.example" || strings.HasSuffix(name, ".allowed.example")
}

// run starts a forwarder on loopback that ends with the test.
func run(t testing.TB, c Config) (*Forwarder, told) {
	t.Helper()
	return runOn(t, "lo", "", c)
}

func runOn(t testing.TB, iface, family string, c Config) (*Forwarder, told) {
	t.Helper()
	c.Interface = iface
	if c.Allow == nil {
		c.Allow = allowed
	}
	told := make(told, 1<<16)
	if c.Asked == nil {
		c.Asked = func(q Query) { told <- q }
	}
	f, err := start(c, family)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, told
}

// connect opens a connection to a forwarder at an address of loopback.
func connect(t testing.TB, f *Forwarder, network, host string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, net.JoinHostPort(host, fmt.Sprint(f.Port())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patienceOfTests))
	return conn
}

// exchange sends a packet and returns the answer.
func exchange(t testing.TB, conn net.Conn, packet []byte) []byte {
	t.Helper()
	var answer []byte
	var err error
	if conn.LocalAddr().Network() == "tcp" {
		if err = writeTCP(conn, packet); err == nil {
			answer, err = readTCP(conn)
		}
	} else if _, err = conn.Write(packet); err == nil {
		answer = make([]byte, mostSize+1)
		var n int
		n, err = conn.Read(answer)
		answer = answer[:n]
	}
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// query returns a query: the header with a flag, the question, and what is
// behind it.
func query(name string, t dnsmessage.Type, more ...byte) []byte {
	b := []byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	b = append(b, wire(name)...)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	b = append(b, 0, classIN)
	if len(more) > 0 {
		b[11] = 1
	}
	return append(b, more...)
}

// wire returns a name in the form that it has in messages; "\." is a dot within
// a label.
func wire(name string) (b []byte) {
	name = strings.ReplaceAll(name, `\.`, "\x00")
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			continue
		}
		b = append(b, byte(len(label)))
		b = append(b, strings.ReplaceAll(label, "\x00", ".")...)
	}
	return append(b, 0)
}

// options is EDNS with a size, DNSSEC wanted, and an option.
func options(size uint16, option ...byte) []byte {
	b := []byte{0, 0, 41, byte(size >> 8), byte(size), 0, 0, 0x80, 0, 0, byte(len(option))}
	return append(b, option...)
}

// parsed returns a message.
func parsed(t testing.TB, packet []byte) dnsmessage.Message {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		t.Fatalf("%x: %v", packet, err)
	}
	return m
}
