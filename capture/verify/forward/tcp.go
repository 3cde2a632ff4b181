package forward

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"lxd-allowlist/capture/crash"
)

// idle is how long a connection may be without a query.
const idle = 10 * time.Second

func (f *Forwarder) serveTCP() {
	for {
		conn, err := f.tcp.Accept()
		if err != nil {
			if f.closed(err) {
				return
			}
			continue
		}
		select {
		case f.clients <- struct{}{}:
			f.work.Go(crash.Guarded("a query by TCP", func() {
				f.serveConn(conn)
				<-f.clients
			}))
		default:
			conn.Close()
			r := &request{told: Query{At: time.Now(), From: addrOf(conn), Why: fmt.Sprintf("more than %d connections at once", mostClients)}}
			f.tell(r, nil)
		}
	}
}

// serveConn answers a connection's queries one by one in their order, as
// dnsmasq does. Those behind wait in the connection.
func (f *Forwarder) serveConn(conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(f.running, func() { conn.Close() })()
	queries := bufio.NewReader(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(idle))
		packet, err := readTCP(queries)
		if err != nil {
			return
		}
		r, reply, done := f.judge(packet, time.Now(), addrOf(conn))
		if !done {
			message, err := f.upstream.askTCP(f.running, r)
			reply = f.answered(r, message, err)
		}
		if reply != nil {
			conn.SetWriteDeadline(time.Now().Add(patience))
			err = writeTCP(conn, reply)
		}
		f.tell(r, err)
		if err != nil || reply == nil {
			return
		}
	}
}

func addrOf(conn net.Conn) netip.Addr {
	return conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
}

// readTCP reads a message behind its size: RFC 1035, section 4.2.2.
func readTCP(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, packet)
	return packet, err
}

// writeTCP writes it in one piece, for some clients read no further.
func writeTCP(w io.Writer, packet []byte) error {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(packet)), uint16(len(packet)))
	_, err := w.Write(append(b, packet...))
	return err
}
