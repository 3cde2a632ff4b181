package forward

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// upstream is the bridge's dnsmasq.
type upstream struct {
	addr    netip.AddrPort
	source  netip.Addr
	sockets [4]*socket
	slots   chan struct{} // a connection holds one
}

// mostConnections are those to upstream at any moment: dnsmasq serves 20 in
// all, each with a process of its own.
const mostConnections = 10

// askAgain is when a query that has no answer is sent again. dnsmasq answers
// nothing for about a second while it is started anew.
const askAgain = time.Second

// socket is a socket for UDP, and the queries sent there that have no answer.
type socket struct {
	conn    *net.UDPConn
	mu      sync.Mutex
	waiting map[uint16]*waiting // by the id that they were sent with
}

type waiting struct {
	request *request
	answer  chan []byte
}

func dial(addr netip.AddrPort, source netip.Addr) (*upstream, error) {
	u := &upstream{addr: addr, source: source, slots: make(chan struct{}, mostConnections)}
	var local *net.UDPAddr
	if source.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	for i := range u.sockets {
		conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(addr))
		if err != nil {
			for _, s := range u.sockets[:i] {
				s.conn.Close()
			}
			return nil, err
		}
		conn.SetReadBuffer(buffer)
		u.sockets[i] = &socket{conn: conn, waiting: make(map[uint16]*waiting)}
	}
	return u, nil
}

// receive hands answers to those who wait for them until the socket is closed.
// Another error says that nobody listens there: those who wait ask again.
func (s *socket) receive(closed func(error) bool) {
	packet := make([]byte, 1<<16)
	for {
		n, err := s.conn.Read(packet)
		switch {
		case err == nil && n >= headerSize:
			s.deliver(packet[:n])
		case err != nil && closed(err):
			return
		}
	}
}

func (s *socket) deliver(packet []byte) {
	id := uint16(packet[0])<<8 | uint16(packet[1])
	s.mu.Lock()
	w := s.waiting[id]
	s.mu.Unlock()
	if w == nil || !w.request.isAnswered(packet, id) {
		return
	}
	select {
	case w.answer <- append([]byte(nil), packet...):
	default: // it was asked twice
	}
}

// expect returns an id for a query that is about to be sent.
func (s *socket) expect(w *waiting) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		id := uint16(rand.Uint32())
		if s.waiting[id] == nil {
			s.waiting[id] = w
			return id
		}
	}
}

func (s *socket) forget(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
}

// askUDP returns upstream's answer by UDP.
func (u *upstream) askUDP(running context.Context, r *request) ([]byte, error) {
	s := u.sockets[rand.IntN(len(u.sockets))]
	w := &waiting{request: r, answer: make(chan []byte, 1)}
	id := s.expect(w)
	defer s.forget(id)
	query := r.query(id)
	again := time.NewTicker(askAgain)
	defer again.Stop()
	var err error
	for range patience / askAgain {
		_, err = s.conn.Write(query)
		select {
		case answer := <-w.answer:
			return answer, nil
		case <-running.Done():
			return nil, running.Err()
		case <-again.C:
		}
	}
	return nil, u.silent(err)
}

// silent is the error for an upstream that gave no answer; err is the last one
// that there was about it, if any.
func (u *upstream) silent(err error) error {
	if err != nil {
		return fmt.Errorf("upstream %v doesn't answer: %w", u.addr, err)
	}
	return fmt.Errorf("upstream %v doesn't answer", u.addr)
}

// askTCP returns upstream's answer by TCP.
func (u *upstream) askTCP(running context.Context, r *request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(running, patience)
	defer cancel()
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-ctx.Done():
		return nil, u.silent(nil)
	}
	again := time.NewTicker(askAgain)
	defer again.Stop()
	var err error
	for range patience / askAgain {
		var answer []byte
		if answer, err = u.connect(ctx, r); err == nil {
			return answer, nil
		}
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
	return nil, u.silent(err)
}

// connect asks by a connection of its own.
func (u *upstream) connect(ctx context.Context, r *request) ([]byte, error) {
	var d net.Dialer
	if u.source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(u.source, 0))
	}
	conn, err := d.DialContext(ctx, "tcp", u.addr.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	id := uint16(rand.Uint32())
	if err := writeTCP(conn, r.query(id)); err != nil {
		return nil, err
	}
	answer, err := readTCP(conn)
	if err != nil {
		return nil, err
	}
	if !r.isAnswered(answer, id) {
		return nil, errors.New("it answers another question")
	}
	return answer, nil
}
