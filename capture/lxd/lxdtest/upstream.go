package lxdtest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Filtered are domains that the tests' upstream denies, as a filter would.
var Filtered = []string{"example.com", "example.org"}

// upstream is a name server on loopback that the test's bridges ask, for as
// long as the test's process runs. It has an address of each family for every
// name that isn't [Filtered], and so can be told from what dnsmasq answers by
// itself: 192.0.2.7 and 2001:db8::7, and 198.18.113.8 and 2001:db8:113::8 of one
// that begins with "host8.".
var upstream = sync.OnceValues(func() (port int, err error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("start an upstream for the tests' bridges: %w", err)
	}
	go serve(conn)
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
})

func serve(conn *net.UDPConn) {
	packet := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}
		a, aaaa := addresses(q.Name.String())
		filtered := slices.ContainsFunc(Filtered, func(domain string) bool { return strings.HasSuffix("."+q.Name.String(), "."+domain+".") })
		switch {
		case filtered:
			m.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: a}}}
		case q.Type == dnsmessage.TypeAAAA:
			m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: aaaa}}}
		}
		if reply, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

// addresses returns those of a name.
func addresses(name string) (a [4]byte, aaaa [16]byte) {
	var n byte
	if _, err := fmt.Sscanf(name, "host%d.", &n); err == nil {
		return [4]byte{198, 18, 113, n}, [16]byte{0x20, 0x01, 0x0d, 0xb8, 0x01, 0x13, 15: n}
	}
	return [4]byte{192, 0, 2, 7}, [16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 7}
}
