package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/dns/dnsmessage"
)

// kinds are the ways by which [fetch] has something of a server.
var kinds = []string{"http", "https", "quic"}

// What is asked of a server: a word, or a download, which [internet.more] leads.
const (
	wordPath     = "/"
	downloadPath = "/download"
)

// serve starts the servers.
func (in *internet) serve() {
	in.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	in.check(err)
	certificate := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
	in.check(err)
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1", "test"}}
	in.serveHTTP("http", in.listen(":80"))
	in.serveHTTP("https", tls.NewListener(in.listen(":443"), conf))
	in.serveStreams(in.listen(":53"))
	in.serveStreams(tls.NewListener(in.listen(":853"), conf))
	for _, family := range []int{4, 6} {
		in.serveDatagrams(in.listenPacket("udp", netip.AddrPortFrom(numbered(family, resolverHost), 53).String()))
		in.serveQUIC(in.listenPacket(fmt.Sprint("udp", family), ":443"), conf)
	}
}

func (in *internet) listen(at string) (l net.Listener) {
	in.t.Helper()
	in.within(func() (err error) {
		l, err = net.Listen("tcp", at)
		return err
	})
	in.t.Cleanup(func() { _ = l.Close() })
	return l
}

func (in *internet) listenPacket(network, at string) (c net.PacketConn) {
	in.t.Helper()
	in.within(func() (err error) {
		c, err = net.ListenPacket(network, at)
		return err
	})
	in.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (in *internet) serveHTTP(kind string, l net.Listener) {
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.answer(kind, r.Context().Value(http.LocalAddrContextKey).(net.Addr), r.URL.Path, func(line string) error {
			_, err := io.WriteString(w, line)
			return errors.Join(err, http.NewResponseController(w).Flush())
		})
	})}
	in.t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.Serve(l) }() // until it is closed
}

// answer serves a path, line by line.
func (in *internet) answer(kind string, at net.Addr, path string, say func(line string) error) {
	in.took(kind, at)
	if say(begun) != nil || path != downloadPath {
		return
	}
	for range in.more[kind] {
		if say(goesOn) != nil {
			return
		}
	}
	_ = say(whole)
}

// The lines of a download.
const (
	begun  = "begun\n"
	goesOn = "goes on\n"
	whole  = "whole\n"
)

func (in *internet) serveQUIC(c net.PacketConn, conf *tls.Config) {
	in.t.Helper()
	tr := &quic.Transport{Conn: c, ConnContext: func(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
		in.mu.Lock()
		in.opened = append(in.opened, ctx)
		in.mu.Unlock()
		return ctx, nil
	}}
	l, err := tr.Listen(conf, nil)
	in.check(err)
	in.t.Cleanup(func() { _ = tr.Close() })
	go func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			go func() {
				s, err := c.AcceptStream(context.Background())
				if err != nil {
					return
				}
				path, _ := io.ReadAll(s) // to its end: the client has no more to say
				in.answer("quic", c.LocalAddr(), string(path), func(line string) error {
					_, err := io.WriteString(s, line)
					return err
				})
				_ = s.Close()
			}()
		}
	}()
}

// awaitClosed waits for the connections of QUIC so far to be over. Until then
// the server goes on sending to who is gone, who answers by ICMP.
func (in *internet) awaitClosed() {
	in.mu.Lock()
	opened := in.opened
	in.opened = nil
	in.mu.Unlock()
	for _, ctx := range opened {
		<-ctx.Done()
	}
}

// serveDatagrams answers queries one after another.
func (in *internet) serveDatagrams(c net.PacketConn) {
	go func() {
		query := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(query)
			if err != nil {
				return
			}
			if reply := resolve(query[:n], mostByUDP); reply != nil {
				_, _ = c.WriteTo(reply, from)
			}
		}
	}()
}

// serveStreams answers queries that come by a stream.
func (in *internet) serveStreams(l net.Listener) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					query, err := readMessage(c)
					if err != nil {
						return
					}
					if err := writeMessage(c, resolve(query, mostByTCP)); err != nil {
						return
					}
				}
			}()
		}
	}()
}

// The longest answers, in bytes.
const (
	mostByUDP = 1232
	mostByTCP = 65535
)

// longText is how many bytes of text a name has.
const longText = 2000

// resolve answers a query in so many bytes, or says that there are more: name
// hostN.example.test has the Nth address of either family, host47 by an alias,
// and a long text. It returns nil for what can't be read.
func resolve(query []byte, most int) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 || m.OpCode != 0 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	n := 0
	if _, err := fmt.Sscanf(q.Name.String(), "host%d.example.test.", &n); err != nil {
		m.RCode = dnsmessage.RCodeNameError
	}
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}
	if n == aliased {
		edge := dnsmessage.MustNewName("edge.elsewhere.test.")
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.CNAMEResource{CNAME: edge}})
		head.Name = edge
	}
	switch {
	case n == 0:
	case q.Type == dnsmessage.TypeA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: numbered(4, n).As4()}})
	case q.Type == dnsmessage.TypeAAAA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: numbered(6, n).As16()}})
	case q.Type == dnsmessage.TypeTXT:
		part := strings.Repeat("x", longText/10) // a string has at most 255
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.TXTResource{TXT: slices.Repeat([]string{part}, 10)}})
	}
	reply, err := m.Pack()
	if len(reply) > most {
		m.Truncated, m.Answers = true, nil
		reply, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return reply
}

// aliased is the number of the name that is an alias of one elsewhere.
const aliased = 47

// readMessage reads a message of DNS from a stream.
func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	m := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, m)
	return m, err
}

func writeMessage(w io.Writer, m []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	return err
}
