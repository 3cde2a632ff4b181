package fence

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	helloPrefix     = "hello"
	recordHandshake = 22 // TLS's ContentType handshake
	clientHello     = 1  // its HandshakeType client_hello
)

// readPacket reads the headers of what a frame of a type (0x0800) bears. What
// is cut short is left out.
func readPacket(etherType uint16, b []byte) Packet {
	p, _ := readIP(etherType, b)
	return p
}

// readIP returns besides what the IP packet bears.
func readIP(etherType uint16, b []byte) (Packet, []byte) {
	switch {
	case etherType == etherIPv4 && len(b) >= 20 && b[0]>>4 == 4:
		return readIPv4(b)
	case etherType == etherIPv6 && len(b) >= 40 && b[0]>>4 == 6:
		return readIPv6(b)
	}
	return Packet{Protocol: fmt.Sprintf("frame %#04x", etherType)}, nil
}

func readIPv4(b []byte) (Packet, []byte) {
	from, _ := netip.AddrFromSlice(b[12:16])
	to, _ := netip.AddrFromSlice(b[16:20])
	rest := b[min(int(b[0]&15)*4, len(b)):]
	if bigEndian.Uint16(b[6:])&0x1fff != 0 {
		rest = nil // a later fragment has no ports
	}
	return withPorts(b[9], from, to, rest), rest
}

func readIPv6(b []byte) (Packet, []byte) {
	from, _ := netip.AddrFromSlice(b[8:24])
	to, _ := netip.AddrFromSlice(b[24:40])
	next, rest := b[6], b[40:]
	for len(rest) >= 8 {
		length := 8
		switch next {
		case unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS:
			length += int(rest[1]) * 8
		case unix.IPPROTO_FRAGMENT:
			if bigEndian.Uint16(rest[2:])&^7 != 0 {
				return withPorts(rest[0], from, to, nil), nil
			}
		default:
			return withPorts(next, from, to, rest), rest
		}
		next, rest = rest[0], rest[min(length, len(rest)):]
	}
	return withPorts(next, from, to, rest), rest
}

func withPorts(protocol uint8, from, to netip.Addr, b []byte) Packet {
	p := Packet{Protocol: fmt.Sprintf("protocol %d", protocol)}
	var source, destination uint16
	switch protocol {
	case unix.IPPROTO_ICMP:
		p.Protocol = "icmp"
	case unix.IPPROTO_ICMPV6:
		p.Protocol = "icmpv6"
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP:
		p.Protocol = "tcp"
		if protocol == unix.IPPROTO_UDP {
			p.Protocol = "udp"
		}
		if len(b) >= 4 {
			source, destination = bigEndian.Uint16(b), bigEndian.Uint16(b[2:])
		}
	}
	p.From, p.To = netip.AddrPortFrom(from, source), netip.AddrPortFrom(to, destination)
	return p
}

// readHello reads an IP packet whose TCP data begins a TLS connection.
func readHello(at time.Time, b []byte) Hello {
	etherType := uint16(etherIPv4)
	if len(b) > 0 && b[0]>>4 == 6 {
		etherType = etherIPv6
	}
	p, segment := readIP(etherType, b)
	h := Hello{At: at, To: p.To}
	if len(segment) >= 20 {
		h.Name = serverName(segment[min(int(segment[12]>>4)*4, len(segment)):])
	}
	return h
}

// longestName is what a host's name has at most, without its last dot (RFC
// 1035, section 2.3.4). A ClientHello has room for 16 kB.
const longestName = 253

// serverName returns the name in a ClientHello that begins a TLS connection.
func serverName(b []byte) (name string) {
	stop := errors.New("read")
	_ = tls.Server(sent{r: bytes.NewReader(b)}, &tls.Config{
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			name = strings.Clone(h.ServerName[:min(len(h.ServerName), longestName)])
			return nil, stop
		},
	}).Handshake()
	return name
}

// sent is a connection by which something was sent that nobody answers.
type sent struct {
	net.Conn
	r io.Reader
}

func (s sent) Read(b []byte) (int, error)  { return s.r.Read(b) }
func (s sent) Write(b []byte) (int, error) { return len(b), nil }
