package forward

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"lxd-allowlist/capture/crash"
)

// serveUDP reads queries and answers at once what needs no upstream.
func (f *Forwarder) serveUDP() {
	packet := make([]byte, 1<<16)
	control := make([]byte, 128)
	for {
		n, c, _, from, err := f.udp.ReadMsgUDPAddrPort(packet, control)
		if err != nil {
			if f.closed(err) {
				return
			}
			continue
		}
		at := time.Now()
		to, lost := cutLost(control[:c])
		if lost > 0 {
			f.lost.Store(uint64(lost))
		}
		r, reply, done := f.judge(packet[:n], at, from.Addr())
		if !done {
			select {
			case f.slots <- struct{}{}:
				to := append([]byte(nil), to...)
				f.work.Go(crash.Guarded("a query", func() {
					f.send(r, f.forward(r, f.upstream.askUDP), to, from)
					<-f.slots
				}))
				continue
			default: // REFUSED is what dnsmasq says then, and no resolver keeps it
				r.told.Why = fmt.Sprintf("more than %d queries at once", mostQueries)
				reply = r.answer(refused)
			}
		}
		f.send(r, reply, to, from)
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

// send sends an answer, if there is one. The control message that came with the
// query makes it leave from the address that was asked.
func (f *Forwarder) send(r *request, reply, control []byte, to netip.AddrPort) {
	var err error
	if reply != nil {
		_, _, err = f.udp.WriteMsgUDPAddrPort(r.fit(reply), control, to)
	}
	f.tell(r, err)
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
