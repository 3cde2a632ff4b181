package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"lxd-allowlist/parse"
)

// The servers of the cases, all on the host.
const (
	bridgeDNS = host4 + ":53"
	ownDNS    = "198.51.100.53"
	cdn       = "198.51.100.10" // of many names
	web6      = "2001:db8:1::10"
	bare      = "198.51.100.99" // of no name
)

// zone is what the DNS servers know.
var zone = map[string]string{
	"one.test": cdn, "two.test": cdn, "web.test": cdn, "quic.test": cdn, "dot.test": cdn, "doh.test": cdn,
	"six.test": web6, "quic6.test": web6,
}

// world is what answers an instance, as the internet would.
type world struct {
	g    *ground
	conf *tls.Config
}

func newWorld(g *ground) *world {
	g.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.check(err)
	certificate := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
	g.check(err)
	w := &world{g: g, conf: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1", "test"}}}
	for _, a := range []string{host4, ownDNS} {
		w.packets(a+":53", func(c net.PacketConn, b []byte, from net.Addr) {
			_, _ = c.WriteTo(resolve(b), from)
		})
		w.streams(a+":53", nil, serveDNS)
	}
	w.packets(bare+":123", func(c net.PacketConn, b []byte, from net.Addr) { _, _ = c.WriteTo(b, from) })
	w.streams(bare+":9999", nil, echo)
	w.streams(cdn+":853", w.conf, serveDNS)
	w.streams(cdn+":8080", nil, serveHTTP)
	for _, a := range []string{cdn, web6} {
		w.streams(net.JoinHostPort(a, "443"), w.conf, serveHTTP)
		w.quic(net.JoinHostPort(a, "443"))
	}
	return w
}

// packets answers datagrams at an address.
func (w *world) packets(address string, answer func(c net.PacketConn, b []byte, from net.Addr)) {
	w.g.t.Helper()
	c, err := net.ListenPacket("udp", address)
	w.g.check(err)
	w.serve(c, func() bool {
		b := make([]byte, 2048)
		n, from, err := c.ReadFrom(b)
		if err == nil {
			answer(c, b[:n], from)
		}
		return !errors.Is(err, net.ErrClosed)
	})
}

// streams answers connections at an address, by TLS where conf is given.
func (w *world) streams(address string, conf *tls.Config, answer func(net.Conn)) {
	w.g.t.Helper()
	l, err := net.Listen("tcp", address)
	w.g.check(err)
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	w.serve(l, func() bool {
		c, err := l.Accept()
		if err == nil {
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				answer(c)
			}()
		}
		return !errors.Is(err, net.ErrClosed)
	})
}

// serve calls step until it is false, which it is when c is closed.
func (w *world) serve(c io.Closer, step func() bool) {
	var served sync.WaitGroup
	served.Go(func() {
		for step() {
		}
	})
	w.g.t.Cleanup(func() {
		_ = c.Close()
		served.Wait()
	})
}

// quic accepts QUIC at an address, of both versions. Where the client's port is
// even it has to come again, with what a Retry packet gave it.
func (w *world) quic(address string) {
	w.g.t.Helper()
	c, err := net.ListenPacket("udp", address)
	w.g.check(err)
	tr := &quic.Transport{Conn: c, VerifySourceAddress: func(a net.Addr) bool { return a.(*net.UDPAddr).Port%2 == 0 }}
	l, err := tr.Listen(w.conf, &quic.Config{Versions: []quic.Version{quic.Version1, quic.Version2}})
	w.g.check(err)
	w.serve(closers{l, tr, c}, func() bool {
		_, err := l.Accept(context.Background())
		return err == nil
	})
}

type closers []io.Closer

func (all closers) Close() (err error) {
	for _, c := range all {
		err = errors.Join(err, c.Close())
	}
	return err
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func serveHTTP(c net.Conn) {
	b := make([]byte, 4096)
	if _, err := c.Read(b); err == nil {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	}
}

func serveDNS(c net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		b := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		_, _ = c.Write(prefixed(resolve(b)))
	}
}

// resolve answers from the zone, by way of a CNAME record.
func resolve(query []byte) []byte {
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil || len(q.Questions) != 1 {
		return nil
	}
	name := q.Questions[0].Name.String()
	key := parse.AppendName(nil, []byte(name))
	a, err := netip.ParseAddr(zone[string(key)])
	var b []byte
	if err == nil && a.Is4() == (q.Questions[0].Type == dnsmessage.TypeA) {
		b = dnsAnswer(name, []string{"edge." + name}, zone[string(key)], 30)
	} else {
		b, _ = (&dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Questions: q.Questions}).Pack()
	}
	copy(b, query[:2])
	b[3] |= 0x80                             // recursion is there
	copy(b[12:], query[12:12+len(name)+1+4]) // with the case and the type that it came in
	return b
}

// lookup asks a server from within the instance.
func (w *world) lookup(network, server, protocol, name string) error {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return w.g.dial(ctx, protocol, server)
	}}
	found, err := r.LookupNetIP(w.g.t.Context(), network, name+".")
	if err == nil && (len(found) != 1 || found[0].Unmap().String() != zone[name]) {
		err = fmt.Errorf("%s is %v", name, found)
	}
	return err
}

// get makes a request from within the instance to an address.
func (w *world) get(url, address string) error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) { return w.g.dial(ctx, network, address) },
	}}
	r, err := client.Get(url)
	if err == nil {
		err = r.Body.Close()
	}
	return err
}

// dialQUIC opens connections by a port of the instance's, one for each name.
func (w *world) dialQUIC(port int, address string, v quic.Version, names ...string) (err error) {
	var c net.PacketConn
	w.g.do(func() { c, err = net.ListenPacket("udp", fmt.Sprintf(":%d", port)) })
	if err != nil {
		return err
	}
	tr := &quic.Transport{Conn: c}
	defer closers{tr, c}.Close()
	to, err := net.ResolveUDPAddr("udp", address)
	for _, name := range names {
		if err != nil {
			return err
		}
		ctx, stop := context.WithTimeout(w.g.t.Context(), patience)
		var conn *quic.Conn
		conn, err = tr.Dial(ctx, to, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"test"}}, &quic.Config{Versions: []quic.Version{v}})
		if err == nil {
			err = conn.CloseWithError(0, "")
		}
		stop()
	}
	return err
}

func (w *world) dialTLS(address, name string, conf *tls.Config) error {
	c, err := w.g.dial(w.g.t.Context(), "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if conf == nil {
		conf = &tls.Config{}
	}
	conf.ServerName, conf.InsecureSkipVerify = name, true
	return tls.Client(c, conf).Handshake()
}

// asked is what is told of a name that was looked up.
func asked(kind, name, server, protocol string) []string {
	return []string{
		fmt.Sprintf("query %s %s to %s/%s", kind, name, server, protocol),
		fmt.Sprintf("answer %s [edge.%s] [%s] for 30s by %s", name, name, zone[name], server),
	}
}

// Real clients speak to real servers, and what is told is that and nothing else.
func TestCases(t *testing.T) {
	g := newGround(t, cdn+"/32", ownDNS+"/32", bare+"/32", web6+"/128")
	w := newWorld(g)
	s := g.watch()
	const web4, webSix = cdn + ":443", "[" + web6 + "]:443"
	for i, c := range []struct {
		name string
		do   func() error
		want [][]string
	}{
		{"TLS, IPv4", func() error {
			return errors.Join(w.lookup("ip4", bridgeDNS, "udp", "one.test"), w.get("https://one.test/", web4))
		}, [][]string{asked("A", "one.test", bridgeDNS, "udp"), {"connection " + web4 + "/tcp", "hello tls one.test to " + web4}}},
		{"TLS, IPv6", func() error {
			return errors.Join(w.lookup("ip6", bridgeDNS, "udp", "six.test"), w.get("https://six.test/", webSix))
		}, [][]string{asked("AAAA", "six.test", bridgeDNS, "udp"), {"connection " + webSix + "/tcp", "hello tls six.test to " + webSix}}},
		{"an address of two names", func() error { return errors.Join(w.get("https://two.test/", web4), w.get("https://one.test/", web4)) },
			[][]string{{"connection " + web4 + "/tcp", "hello tls two.test to " + web4, "connection " + web4 + "/tcp", "hello tls one.test to " + web4}}},
		{"HTTP", func() error { return w.get("http://web.test:8080/", cdn+":8080") },
			[][]string{{"connection " + cdn + ":8080/tcp", "hello http web.test to " + cdn + ":8080"}}},
		{"QUIC", func() error { return w.dialQUIC(50001, web4, quic.Version1, "quic.test") },
			[][]string{{"connection " + web4 + "/udp", "hello quic quic.test to " + web4}}},
		{"QUIC, version 2, IPv6", func() error { return w.dialQUIC(50003, webSix, quic.Version2, "quic6.test") },
			[][]string{{"connection " + webSix + "/udp", "hello quic quic6.test to " + webSix}}},
		{"QUIC, after a Retry", func() error { return w.dialQUIC(50004, web4, quic.Version1, "quic.test") },
			[][]string{{"connection " + web4 + "/udp", "hello quic quic.test to " + web4}}},
		{"QUIC, two names by one port", func() error { return w.dialQUIC(50005, web4, quic.Version1, "one.test", "two.test") },
			[][]string{{"connection " + web4 + "/udp", "hello quic one.test to " + web4, "hello quic two.test to " + web4}}},
		{"DNS over TLS", func() error { return w.dialTLS(cdn+":853", "dot.test", nil) },
			[][]string{{"connection " + cdn + ":853/tcp", "hello tls dot.test to " + cdn + ":853"}}},
		{"ECH", func() error {
			// That the server has no such key makes no difference on the way.
			err := w.dialTLS(web4, "one.test", &tls.Config{
				EncryptedClientHelloConfigList:      sample(t, "ech.hex"),
				EncryptedClientHelloRejectionVerify: func(tls.ConnectionState) error { return nil },
			})
			if !errors.As(err, new(*tls.ECHRejectionError)) {
				return fmt.Errorf("the server says %v", err)
			}
			return nil
		}, [][]string{{"connection " + web4 + "/tcp", "hello tls public.example.test to " + web4 + ", perhaps hidden"}}},
		{"DNS over HTTPS", func() error { return w.get("https://doh.test/dns-query?dns=AAABAAABAAAAAAAAAWEEdGVzdAAAAQAB", web4) },
			[][]string{{"connection " + web4 + "/tcp", "hello tls doh.test to " + web4}}},
		{"a resolver of its own", func() error { return w.lookup("ip4", ownDNS+":53", "udp", "two.test") },
			[][]string{asked("A", "two.test", ownDNS+":53", "udp")}},
		{"a resolver of its own, TCP", func() error { return w.lookup("ip4", ownDNS+":53", "tcp", "two.test") },
			[][]string{{"connection " + ownDNS + ":53/tcp"}, asked("A", "two.test", ownDNS+":53", "tcp")}},
		{"a bare address", func() error { return w.exchange("tcp", bare+":9999") }, [][]string{{"connection " + bare + ":9999/tcp"}}},
		{"a bare address, UDP", func() error { return w.exchange("udp", bare+":123") }, [][]string{{"connection " + bare + ":123/udp"}}},
		{"a bare address, TLS without a name", func() error { return w.dialTLS(web4, "", nil) }, [][]string{{"connection " + web4 + "/tcp", "hello tls  to " + web4}}},
		{"a port that refuses", func() error {
			if err := w.exchange("tcp", bare+":1"); err == nil {
				return errors.New("it doesn't")
			}
			return nil
		}, [][]string{{"connection " + bare + ":1/tcp"}}},
		{"ping", func() error { return w.ping(bare) }, [][]string{{"connection " + bare + ":0/icmp"}}},
	} {
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got, want := s.take(g, i), slices.Concat(c.want...); !slices.Equal(got, want) {
			t.Errorf("%s: told:\n\t%s\nwant:\n\t%s", c.name, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

func (w *world) ping(address string) error {
	b, err := (&icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: 1}}).Marshal(nil)
	if err != nil {
		return err
	}
	return w.say("ip4:icmp", address, b)
}

// exchange says something to a server that says it again.
func (w *world) exchange(network, address string) error {
	return w.say(network, address, []byte("something"))
}

func (w *world) say(network, address string, b []byte) error {
	c, err := w.g.dial(w.g.t.Context(), network, address)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(b); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 64))
	return err
}
