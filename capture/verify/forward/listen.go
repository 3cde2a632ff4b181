package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"golang.org/x/net/ipv4"
)

// portTries is how many free ports of UDP may be taken for TCP.
const portTries = 100

// buffer is the size that is asked for of sockets' buffers, for queries that
// come in a burst. The kernel may give less.
const buffer = 1 << 20

// listen opens the same port by UDP and TCP on an interface. The family is "4"
// for IPv4 alone, as it is on hosts without IPv6, and "" for what there is.
func listen(iface, family string) (*ipv4.PacketConn, net.Listener, error) {
	c := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) (err error) {
		if e := raw.Control(func(fd uintptr) { err = prepare(network, int(fd), iface) }); e != nil {
			return e
		}
		return err
	}}
	var err error
	for range portTries {
		var conn net.PacketConn
		if conn, err = c.ListenPacket(context.Background(), "udp"+family, ":0"); err != nil {
			return nil, nil, err
		}
		udp := conn.(*net.UDPConn)
		var tcp net.Listener
		if tcp, err = c.Listen(context.Background(), "tcp"+family, fmt.Sprintf(":%d", udp.LocalAddr().(*net.UDPAddr).Port)); err == nil {
			udp.SetReadBuffer(buffer)
			return ipv4.NewPacketConn(udp), tcp, nil
		}
		udp.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, nil, err
}

// prepare binds a socket to an interface, and has one for UDP say with each
// packet which address it was sent to, and what was lost before it.
func prepare(network string, fd int, iface string) error {
	if err := syscall.BindToDevice(fd, iface); err != nil {
		return fmt.Errorf("bind to %s: %w", iface, err)
	}
	switch {
	case strings.HasPrefix(network, "tcp"):
		return nil
	case network == "udp6": // which takes IPv4, too
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1); err != nil {
			return err
		}
	default:
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1); err != nil {
			return err
		}
	}
	return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RXQ_OVFL, 1)
}
