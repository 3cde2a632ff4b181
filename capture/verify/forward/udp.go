package forward

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// answers are on their way to clients.
type answers = outbox[*request]

// serveUDP reads queries and answers at once what needs no upstream.
func (f *Forwarder) serveUDP() {
	in := newBatch()
	var on queries
	var back answers
	for {
		n, err := f.udp.ReadBatch(in, 0)
		if err != nil {
			if f.closed(err) {
				return
			}
			continue
		}
		at := time.Now()
		s := f.upstream.anySocket()
		for _, m := range in[:n] {
			control, lost := cutLost(m.OOB[:m.NN])
			if lost > 0 {
				f.lost.Store(uint64(lost))
			}
			r, reply, done := f.judge(m.Buffers[0][:m.N], at, m.Addr.(*net.UDPAddr).AddrPort().Addr())
			r.from, r.control = m.Addr, control
			if !done {
				select {
				case f.slots <- struct{}{}:
					r.control = append([]byte(nil), control...)
					s.expect(&on, r)
					continue
				default: // REFUSED is what dnsmasq says then, and no resolver keeps it
					r.told.Why = fmt.Sprintf("more than %d queries at once", mostQueries)
					reply = r.answer(refused)
				}
			}
			f.answer(&back, r, reply)
		}
		on.send(s.conn, s.sent)
		back.send(f.udp, f.tell)
	}
}

// judge reads a query and asks the list.
func (f *Forwarder) judge(packet []byte, at time.Time, from netip.Addr) (r *request, reply []byte, done bool) {
	r, reply, done = read(packet)
	r.told.At, r.told.From = at, from.Unmap()
	if done {
		return r, reply, true
	}
	if r.told.Allowed = f.config.Allow(r.told.Name, r.qtype); !r.told.Allowed {
		return r, r.answer(nxDomain), true
	}
	return r, nil, false
}

// receive hands upstream's answers to clients until the socket is closed.
// Another error says that nobody listens there: those who wait ask again.
func (f *Forwarder) receive(s *socket) {
	in := newBatch()
	var back answers
	for {
		n, err := s.conn.ReadBatch(in, 0)
		if err != nil {
			if f.closed(err) {
				return
			}
			continue
		}
		for _, m := range in[:n] {
			message := m.Buffers[0][:m.N]
			if r := s.take(message); r != nil {
				<-f.slots
				f.answer(&back, r, f.answered(r, message, nil))
			}
		}
		back.send(f.udp, f.tell)
	}
}

// remind asks again what upstream has not answered, and gives up in the end.
func (f *Forwarder) remind() {
	tick := time.NewTicker(askAgain / 10)
	defer tick.Stop()
	var back answers
	for {
		select {
		case <-f.running.Done():
			return
		case <-tick.C:
		}
		for _, s := range f.upstream.sockets {
			for _, w := range s.remind(time.Now()) {
				<-f.slots
				f.answer(&back, w.request, f.answered(w.request, nil, f.upstream.silent(w.err)))
			}
		}
		back.send(f.udp, f.tell)
	}
}

// answer has an answer sent, if there is one.
func (f *Forwarder) answer(back *answers, r *request, reply []byte) {
	if reply == nil {
		f.tell(r, nil)
		return
	}
	back.add(r, r.fit(reply), r.control, r.from)
}

// cutLost takes the count of lost packets, which the kernel adds once there are
// any, from the control messages of a packet.
func cutLost(control []byte) (rest []byte, lost uint32) {
	const header = syscall.SizeofCmsghdr
	size := syscall.CmsgSpace(4)
	if len(control) < size {
		return control, 0
	}
	c := control[header-8 : header] // level and type
	if binary.NativeEndian.Uint32(c) != syscall.SOL_SOCKET || binary.NativeEndian.Uint32(c[4:]) != syscall.SO_RXQ_OVFL {
		return control, 0
	}
	return control[size:], binary.NativeEndian.Uint32(control[header:])
}
