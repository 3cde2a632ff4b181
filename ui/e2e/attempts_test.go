package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// allowedName is the one name on the list that attempts are made against.
const allowedName = "host71.example.test"

// firstExit is the number of the address that the first of the attempts goes to,
// see [numbered]; the nth goes to the one that is n further.
const firstExit = 100

// ofBridge is what is added to the number of an attempt that the bridge's own
// dnsmasq is to help out: that goes to its address, and is known by its text.
const ofBridge = 1000

// shortly is how long an attempt by packets waits for what comes of it: whoever
// is refused may never hear.
const shortly = 300 * time.Millisecond

// attempt is a way out of an instance.
type attempt struct {
	name string
	// try sends something with a text, if it has a place for one.
	try func(ctx context.Context, to netip.Addr, text string) error
	// told is the name that is refused, "" for one with the text, or the address
	// that it goes to.
	told string
	// bridged says that the bridge's dnsmasq helps it out where no list is in
	// force.
	bridged bool
}

// cleaned stands for the name that is refused where none is: the list allows
// what it is about, and the text is lost on the way.
const cleaned = "-"

// attempts are all that are made.
var attempts = slices.Concat([]attempt{
	{name: "HTTP", try: overTCP(80, func(c net.Conn, text string) error {
		_, err := fmt.Fprintf(c, "GET /%s HTTP/1.0\r\n\r\n", text)
		return err
	})},
	{name: "TLS", try: overTCP(443, func(c net.Conn, text string) error { return secured(c, text).Handshake() })},
	{name: "DNS over TLS", try: overTCP(853, func(c net.Conn, text string) error {
		return writeMessage(secured(c, text), question(text, "example", "test"))
	})},
	{name: "DNS over HTTPS", try: overTCP(443, func(c net.Conn, text string) error {
		r, err := http.NewRequest(http.MethodPost, "https://resolver.example/dns-query", bytes.NewReader(question(text, "example", "test")))
		if err == nil {
			err = r.Write(secured(c, text))
		}
		return err
	})},
	{name: "QUIC", try: func(ctx context.Context, to netip.Addr, text string) error {
		c, err := quic.DialAddr(ctx, netip.AddrPortFrom(to, 443).String(), &tls.Config{ServerName: text + ".example", InsecureSkipVerify: true, NextProtos: []string{"test"}}, &quic.Config{HandshakeIdleTimeout: shortly})
		if err == nil {
			err = c.CloseWithError(0, "")
		}
		return err
	}},
	{name: "UDP", try: func(ctx context.Context, to netip.Addr, text string) error {
		return send(ctx, "udp", netip.AddrPortFrom(to, 9).String(), []byte(text))
	}},
	{name: "UDP in fragments", try: func(ctx context.Context, to netip.Addr, text string) error {
		return send(ctx, "udp", netip.AddrPortFrom(to, 9).String(), append([]byte(text), make([]byte, fragmented)...))
	}},
	{name: "GRE", try: func(ctx context.Context, to netip.Addr, text string) error {
		return send(ctx, "ip:47", to.String(), slices.Concat([]byte{0, 0, 8, 0}, []byte(text)))
	}},
	{name: "ping", try: func(ctx context.Context, to netip.Addr, text string) error {
		if to.Is6() { // whose checksum the kernel sets
			return send(ctx, "ip6:ipv6-icmp", to.String(), slices.Concat([]byte{128, 0, 0, 0, 0, 1, 0, 1}, []byte(text)))
		}
		return send(ctx, "ip4:icmp", to.String(), []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1})
	}},
}, spoken("UDP", func(ctx context.Context, to netip.Addr, message []byte) error {
	return send(ctx, "udp", netip.AddrPortFrom(to, 53).String(), message)
}), spoken("TCP", func(ctx context.Context, to netip.Addr, message []byte) error {
	return overTCP(53, func(c net.Conn, _ string) error {
		err := writeMessage(c, message)
		if err == nil {
			_, err = readMessage(c)
		}
		return err
	})(ctx, to, "")
}))

// messages are what name servers are told.
var messages = []struct {
	name    string
	say     func(text string) []byte
	told    string
	bridged bool
}{
	{"a name", func(text string) []byte { return question(text, "example", "test") }, "", true},
	{"type TXT", func(text string) []byte { return typed(16, 1, text, "example", "test") }, "", true},
	{"both cases", func(text string) []byte { return question(strings.ToUpper(text), "eXaMpLe", "TeSt") }, "", true},
	{"no letters", func(text string) []byte { return question("\xff\x01"+text, "example", "test") }, "", true},
	{"a dot in a label", func(text string) []byte { return question(text, "host71.example.test") }, "", true},
	{"a hexadecimal name", func(string) []byte { return question("0xcb007147") }, "0xcb007147", false},
	{"two questions", func(text string) []byte { return edited(doubled(text), 5, 2) }, allowedName, false},
	{"256 questions", func(text string) []byte { return edited(doubled(text), 4, 1, 0) }, allowedName, false},
	{"no question", func(text string) []byte { return append(edited(question()[:12], 5, 0), text...) }, noName, false},
	{"opcode STATUS", func(text string) []byte { return edited(question(text, "example", "test"), 2, 2<<3) }, "", false},
	{"opcode NOTIFY", func(text string) []byte { return edited(question(text, "example", "test"), 2, 4<<3) }, "", false},
	{"opcode UPDATE", func(text string) []byte { return edited(question(text, "example", "test"), 2, 5<<3) }, "", false},
	{"class CHAOS", func(text string) []byte { return typed(1, 3, text, "example", "test") }, "", false},
	{"class ANY", func(text string) []byte { return typed(1, 255, text, "example", "test") }, "", false},
	{"type ANY", func(text string) []byte { return typed(255, 1, text, "example", "test") }, "", true},
	{"type AXFR", func(text string) []byte { return typed(252, 1, text, "example", "test") }, "", true},
	{"an answer", func(text string) []byte { return edited(question(text, "example", "test"), 2, 0x81) }, "", false},
	{"a cut question", func(text string) []byte { m := question(text, "example", "test"); return m[:len(m)-1] }, noName, false},
	{"half a header", func(text string) []byte { return []byte(text) }, noName, false},
	{"an option of EDNS", func(text string) []byte {
		option := append([]byte{0xfd, 0xe9, 0, byte(len(text))}, text...)
		return edited(slices.Concat(question("host71", "example", "test"), []byte{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, byte(len(option))}, option), 11, 1)
	}, cleaned, false},
	{"a record", func(text string) []byte {
		return edited(slices.Concat(question("host71", "example", "test"), []byte{0, 0, 16, 0, 1, 0, 0, 0, 0, 0, byte(len(text) + 1), byte(len(text))}, []byte(text)), 11, 1)
	}, cleaned, false},
	{"in fragments", func(text string) []byte {
		return append(question(text, "example", "test"), make([]byte, fragmented)...)
	}, "", false},
	{"more behind it", func(text string) []byte { return append(question("host71", "example", "test"), text...) }, cleaned, false},
}

// fragmented is how many bytes no packet takes by itself.
const fragmented = 3000

// noName is what a report has for a query that no name is read of.
const noName = "(no name)"

// spoken returns the messages as attempts by one protocol.
func spoken(by string, say func(ctx context.Context, to netip.Addr, message []byte) error) (all []attempt) {
	for _, m := range messages {
		all = append(all, attempt{"DNS over " + by + ", " + m.name, func(ctx context.Context, to netip.Addr, text string) error {
			return say(ctx, to, m.say(text))
		}, m.told, m.bridged})
	}
	return all
}

// question returns one for the address of a name.
func question(labels ...string) []byte { return typed(1, 1, labels...) }

func typed(kind, class byte, labels ...string) []byte {
	m := []byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, label := range labels {
		m = append(append(m, byte(len(label))), label...)
	}
	return append(m, 0, 0, kind, 0, class)
}

// doubled has a question behind that for the allowed name.
func doubled(text string) []byte {
	return append(question("host71", "example", "test"), question(text, "example", "test")[12:]...)
}

func edited(m []byte, at int, to ...byte) []byte {
	copy(m[at:], to)
	return m
}

func secured(c net.Conn, text string) *tls.Conn {
	return tls.Client(c, &tls.Config{ServerName: text + ".example", InsecureSkipVerify: true})
}

// overTCP connects to a port and speaks there.
func overTCP(port uint16, speak func(c net.Conn, text string) error) func(context.Context, netip.Addr, string) error {
	return func(ctx context.Context, to netip.Addr, text string) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(to, port).String())
		if err != nil {
			return err
		}
		defer c.Close()
		until, _ := ctx.Deadline()
		_ = c.SetDeadline(until)
		return speak(c, text)
	}
}

// send sends a packet and waits for what comes of it.
func send(ctx context.Context, network, to string, packet []byte) error {
	c, err := new(net.Dialer).DialContext(ctx, network, to)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(shortly))
	if _, err = c.Write(packet); err == nil {
		_, err = c.Read(make([]byte, 2048))
	}
	return err
}

// leave makes each attempt a number of times, by IPv4 and by IPv6, directly and
// by the bridge's name servers, of which there is one of each family. That they
// fail is nothing that it tells.
func leave(ctx context.Context, args []string) error {
	times, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	try := func(a attempt, to netip.Addr, of exit) {
		all.Go(func() {
			for n := range times {
				ctx, cancel := context.WithTimeout(ctx, 10*shortly)
				_ = a.try(ctx, to, tag(of)+strconv.Itoa(n))
				cancel()
			}
		})
	}
	for i, family := range []int{4, 6} {
		server, err := netip.ParseAddr(args[i+1])
		if err != nil {
			return err
		}
		for n, a := range attempts {
			try(a, numbered(family, firstExit+n), exit{family, n})
			if a.bridged {
				try(a, server, exit{family, ofBridge + n})
			}
		}
	}
	all.Wait()
	// What the list allows works all the while.
	return need(ctx, []string{"20s", "http/4/" + allowedName, "quic/6/" + allowedName})
}
