package forward

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
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
	conn    *ipv4.PacketConn
	mu      sync.Mutex
	waiting map[uint16]*waiting // by the id that they were sent with
}

// waiting is a query that upstream was asked.
type waiting struct {
	request *request
	query   []byte    // as it was sent
	next    time.Time // when it is sent again, or given up
	sent    int       // how often it was
	err     error     // of sending it last
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
		u.sockets[i] = &socket{conn: ipv4.NewPacketConn(conn), waiting: make(map[uint16]*waiting)}
	}
	return u, nil
}

// queries are on their way to upstream.
type queries = outbox[*waiting]

// anySocket returns the one that the next queries leave by.
func (u *upstream) anySocket() *socket { return u.sockets[rand.IntN(len(u.sockets))] }

// expect has the query for a request wait, with an id that no other one there
// has, and puts it among those to be sent.
func (s *socket) expect(out *queries, r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := uint16(rand.Uint32())
	for s.waiting[id] != nil {
		id = uint16(rand.Uint32())
	}
	w := &waiting{request: r, query: r.query(id), next: r.told.At.Add(askAgain), sent: 1}
	s.waiting[id] = w
	out.add(w, w.query, nil, nil)
}

// sent notes what became of sending a query.
func (s *socket) sent(w *waiting, err error) {
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.err = err
	}
}

// take returns the request that a packet answers, which waits no longer; nil if
// there is none.
func (s *socket) take(packet []byte) *request {
	if len(packet) < headerSize {
		return nil
	}
	id := binary.BigEndian.Uint16(packet)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting[id]
	if w == nil || !w.request.isAnswered(packet, id) {
		return nil
	}
	delete(s.waiting, id)
	return w.request
}

// takeAll returns all that wait, and no longer do.
func (s *socket) takeAll() (all []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waiting {
		w.request.told.Why = "closed"
		all = append(all, w.request)
	}
	clear(s.waiting)
	return all
}

// remind sends once more what has waited long enough for that, and returns what
// has waited too long, and no longer does.
func (s *socket) remind(now time.Time) (late []*waiting) {
	var again queries
	s.mu.Lock()
	for id, w := range s.waiting {
		switch {
		case now.Before(w.next):
		case w.sent < int(patience/askAgain):
			w.next, w.sent = now.Add(askAgain), w.sent+1
			again.add(w, w.query, nil, nil)
		default:
			delete(s.waiting, id)
			late = append(late, w)
		}
	}
	s.mu.Unlock()
	again.send(s.conn, s.sent)
	return late
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
