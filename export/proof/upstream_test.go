package proof

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// upstream is a name server that answers everything, and remembers what it
// was asked.
type upstream struct {
	addr  string
	mu    sync.Mutex
	asked map[string]bool
}

// The upstream's answers, and a name with a CNAME to one that is on no list.
var (
	answer4 = [4]byte{127, 99, 0, 1}
	answer6 = [16]byte{0xfd, 15: 1}
)

// otherAnswers are the data of other types, as they are on the wire; the names in
// them are one label.
var otherAnswers = map[dnsmessage.Type][]byte{
	dnsmessage.TypePTR:   []byte("\x04host\x00"),
	dnsmessage.TypeMX:    []byte("\x00\x0a\x04host\x00"),
	dnsmessage.TypeSRV:   []byte("\x00\x00\x00\x00\x01\xbb\x04host\x00"),
	dnsmessage.TypeSVCB:  []byte("\x00\x01\x00"),
	dnsmessage.TypeHTTPS: []byte("\x00\x01\x00"),
	typeCAA:              []byte("\x00\x05issuex"),
}

const typeCAA dnsmessage.Type = 257

const (
	aliasName   = "cname.example.net."
	aliasTarget = "target.evil.org."
)

func startUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{addr: freeAddr(t), asked: make(map[string]bool)}
	udp, errUDP := net.ListenPacket("udp", u.addr)
	tcp, errTCP := net.Listen("tcp", u.addr)
	if err := errors.Join(errUDP, errTCP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	go serveUDP(udp, u.reply)
	go serveTCP(tcp, u.reply)
	return u
}

func serveUDP(conn net.PacketConn, answer func([]byte) []byte) {
	packet := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if reply := answer(packet[:n]); reply != nil {
			conn.WriteTo(reply, from)
		}
	}
}

func serveTCP(l net.Listener, answer func([]byte) []byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for {
				packet, err := readTCP(conn)
				if err != nil || writeTCP(conn, answer(packet)) != nil {
					return
				}
			}
		}()
	}
}

func readTCP(r io.Reader) ([]byte, error) {
	var size uint16
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	packet := make([]byte, size)
	_, err := io.ReadFull(r, packet)
	return packet, err
}

func writeTCP(w io.Writer, packet []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...))
	return err
}

// reply returns the answer, nil for what is no question.
func (u *upstream) reply(packet []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(packet)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	more, err := p.AllQuestions() // some hand on several
	if err != nil {
		return nil
	}
	all := append([]dnsmessage.Question{q}, more...)
	u.mu.Lock()
	for _, q := range all {
		u.asked[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))] = true
	}
	u.mu.Unlock()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: head.ID, Response: true, OpCode: head.OpCode, RecursionDesired: head.RecursionDesired, RecursionAvailable: true},
		Questions: all,
	}
	add := func(name dnsmessage.Name, body dnsmessage.ResourceBody) {
		h := dnsmessage.ResourceHeader{Name: name, Class: q.Class, TTL: 60}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: body})
	}
	// As servers do. What has no answer is not asked for again while it hasn't.
	if head.OpCode != 0 {
		m.RCode = dnsmessage.RCodeNotImplemented
		q.Type = 0
	} else if len(more) > 0 {
		m.RCode = dnsmessage.RCodeFormatError
		q.Type = 0
	}
	owner := q.Name
	if strings.EqualFold(owner.String(), aliasName) {
		target := dnsmessage.MustNewName(aliasTarget)
		add(owner, &dnsmessage.CNAMEResource{CNAME: target})
		owner = target
	}
	switch q.Type {
	case dnsmessage.TypeA:
		add(owner, &dnsmessage.AResource{A: answer4})
	case dnsmessage.TypeAAAA:
		add(owner, &dnsmessage.AAAAResource{AAAA: answer6})
	case dnsmessage.TypeTXT:
		add(owner, &dnsmessage.TXTResource{TXT: []string{"answer"}})
	case dnsmessage.TypeALL:
		add(owner, &dnsmessage.AResource{A: answer4})
	default:
		if data := otherAnswers[q.Type]; data != nil {
			add(owner, &dnsmessage.UnknownResource{Type: q.Type, Data: data})
		}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// forget has the upstream not know of being asked for the name.
func (u *upstream) forget(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.asked, strings.ToLower(name))
}

// knows returns whether the upstream was asked for the name.
func (u *upstream) knows(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked[strings.ToLower(name)]
}

// leaked returns the denied names that the upstream was asked for. The target
// of an allowed CNAME is none of them: servers look it up for themselves.
func (u *upstream) leaked(denied map[string]bool) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var names []string
	for name := range u.asked {
		if denied[name] && name+"." != aliasTarget {
			names = append(names, name)
		}
	}
	return names
}

// lookup asks a server for a name, by UDP as nearly everybody does, and by TCP
// for what is truncated.
func lookup(t *testing.T, server, name string, kind dnsmessage.Type) dnsmessage.Message {
	t.Helper()
	return ask(t, server, name, kind, dnsmessage.ClassINET)
}

func ask(t *testing.T, server, name string, kind dnsmessage.Type, class dnsmessage.Class) dnsmessage.Message {
	t.Helper()
	qname, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".") // which is the same name
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: qname, Type: kind, Class: class}},
	}
	packet, err := question.Pack()
	if err != nil {
		t.Fatal(err)
	}
	network := "udp"
	const tries = 5
	for range tries { // a datagram may be lost
		reply, exchangeErr := exchange(network, server, packet)
		if err = exchangeErr; err != nil {
			continue
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil {
			t.Fatalf("%s %v: %v", name, kind, err)
		}
		if m.Truncated && network == "udp" { // whatever it says, it isn't all
			network = "tcp"
			continue
		}
		return m
	}
	t.Fatalf("%s %v: no answer: %v", name, kind, err)
	panic("unreachable")
}

// exchange sends a packet and returns the reply.
func exchange(network, server string, packet []byte) ([]byte, error) {
	conn, err := net.Dial(network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if network == "tcp" {
		if err := writeTCP(conn, packet); err != nil {
			return nil, err
		}
		return readTCP(conn)
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	reply := make([]byte, 65536)
	n, err := conn.Read(reply)
	return reply[:n], err
}

// resolves asks for all types that carry data and returns whether the name
// passes. NXDOMAIN is the only denial; any other answer fails the test.
func resolves(t *testing.T, server, name string) bool {
	t.Helper()
	passed := 0
	kinds := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeTXT}
	for _, kind := range kinds {
		m := lookup(t, server, name, kind)
		switch {
		case m.RCode == dnsmessage.RCodeSuccess && len(m.Answers) > 0:
			passed++
		case m.RCode != dnsmessage.RCodeNameError:
			t.Errorf("%s %v: neither an answer nor NXDOMAIN: %v", name, kind, m.GoString())
		}
	}
	if passed != 0 && passed != len(kinds) {
		t.Errorf("%s passes for some types only", name)
	}
	return passed > 0
}
