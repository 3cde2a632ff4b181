package proof

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// proxyWays are all ways of asking a proxy at addr for a host. A host passes if
// the parent was asked for it.
func proxyWays(addr string, p *parent) []way {
	var ways []way
	// NAME stands for the host in the request.
	for _, w := range []struct {
		name, method string
		must         bool
		line, host   string
		told         string
	}{
		{"HEAD", "HEAD", true, "http://NAME/ HTTP/1.1", "NAME", ""},
		{"POST", "POST", true, "http://NAME/ HTTP/1.1", "NAME\r\nContent-Length: 0", ""},
		{"OPTIONS", "OPTIONS", false, "http://NAME/ HTTP/1.1", "NAME", ""},
		{"HTTP/1.0", "GET", true, "http://NAME/ HTTP/1.0", "NAME", ""},
		{"a port of its own, 80", "GET", true, "http://NAME:80/ HTTP/1.1", "NAME", ""},
		{"plain HTTP to port 443", "GET", false, "http://NAME:443/ HTTP/1.1", "NAME", ""},
		{"no Host", "GET", false, "http://NAME/ HTTP/1.0", "", ""},
		{"another Host", "GET", false, "http://NAME/ HTTP/1.1", "www.example.com", ""},
		{"two Hosts", "GET", false, "http://NAME/ HTTP/1.1", "www.example.com\r\nHost: NAME", ""},
		{"behind another URI", "GET", false, "http://www.example.com/ HTTP/1.1", "NAME", ""},
		{"a path alone", "GET", false, "/ HTTP/1.1", "NAME", ""},
		{"//", "GET", false, "//NAME/ HTTP/1.1", "www.example.com", ""},
		{"a user before it", "GET", false, "http://www.example.com@NAME/ HTTP/1.1", "NAME", ""},
		{"a user and a password before it", "GET", false, "http://www.example.com:443@NAME/ HTTP/1.1", "www.example.com", ""},
		{"a backslash before it", "GET", false, `http://www.example.com\@NAME/ HTTP/1.1`, "NAME", ""},
		{"a fragment behind it", "GET", false, "http://NAME#.example.net/ HTTP/1.1", "NAME", ""},
		{"a query behind it", "GET", false, "http://NAME?.example.net/ HTTP/1.1", "NAME", "another proxy"},
		{"a path behind it", "GET", false, "http://NAME/www.example.com HTTP/1.1", "NAME", ""},
		{"two dots behind it", "GET", false, "http://NAME../ HTTP/1.1", "NAME..", ""},
		{"HTTPS by URI", "GET", false, "https://NAME/ HTTP/1.1", "NAME", ""},
		{"FTP by URI", "GET", false, "ftp://NAME/ HTTP/1.1", "NAME", ""},
		{"CONNECT without a port", "CONNECT", false, "NAME HTTP/1.1", "NAME", ""},
		{"CONNECT with another Host", "CONNECT", false, "NAME:443 HTTP/1.1", "www.example.com:443", ""},
		{"CONNECT with a user", "CONNECT", false, "www.example.com@NAME:443 HTTP/1.1", "NAME:443", ""},
		{"CONNECT to a URI", "CONNECT", false, "http://NAME:443/ HTTP/1.1", "NAME:443", ""},
		{"CONNECT, HTTP/1.0", "CONNECT", true, "NAME:443 HTTP/1.0", "NAME:443", ""},
		{"CONNECT to port 0443", "CONNECT", false, "NAME:0443 HTTP/1.1", "NAME:443", ""},
	} {
		ways = append(ways, way{w.name, w.must, w.told, func(t *testing.T, name string) bool {
			t.Helper()
			text := w.method + " " + w.line + "\r\n"
			if w.host != "" {
				text += "Host: " + w.host + "\r\n"
			}
			p.took("")
			// Whatever it says to an odd request, and be it nothing.
			request(t, addr, w.method, strings.ReplaceAll(text+"Connection: close\r\n\r\n", "NAME", name))
			return p.took(name)
		}})
	}
	return ways
}

// hello shakes hands over a connection.
func hello(conn net.Conn, name string, change ...func(*tls.Config)) error {
	config := &tls.Config{ServerName: name, InsecureSkipVerify: true}
	for _, c := range change {
		c(config)
	}
	return tls.Client(conn, config).Handshake()
}

// tlsWays are all ways of asking a proxy at addr for a host by the name in a
// TLS hello. A host passes if the server behind answers, or if the proxy has
// looked it up.
func tlsWays(addr string, u *upstream) []way {
	var ways []way
	add := func(name string, must bool, try func(conn net.Conn, name string) error) {
		ways = append(ways, way{name, must, "", func(t *testing.T, name string) bool {
			t.Helper()
			conn, err := net.DialTimeout("tcp", addr, patience)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			u.forget(name)
			return try(conn, name) == nil || !must && u.knows(name)
		}})
	}
	add("TLS 1.2", true, func(conn net.Conn, name string) error {
		return hello(conn, name, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	})
	add("ALPN", true, func(conn net.Conn, name string) error {
		return hello(conn, name, func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} })
	})
	add("a hello in two segments", true, func(conn net.Conn, name string) error {
		return hello(&firstWrite{conn, func(p []byte) [][]byte { return [][]byte{p[:60], p[60:]} }}, name)
	})
	add("a hello in two records", false, func(conn net.Conn, name string) error {
		return hello(&firstWrite{conn, func(p []byte) [][]byte {
			const head, first = 5, 60
			rest := len(p) - head - first
			second := append(append([]byte{}, p[:3]...), byte(rest>>8), byte(rest))
			start := append(append([]byte{}, p[:3]...), 0, first)
			return [][]byte{append(start, p[head:head+first]...), append(second, p[head+first:]...)}
		}}, name)
	})
	add("plain HTTP", false, func(conn net.Conn, name string) error {
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name)
		return served(conn)
	})
	add("CONNECT", false, func(conn net.Conn, name string) error {
		fmt.Fprintf(conn, "CONNECT %s:443 HTTP/1.1\r\nHost: %s\r\n\r\n", name, name)
		return served(conn)
	})
	return ways
}

// served returns an error if nothing but a refusal of the proxy's own comes.
func served(conn net.Conn) error {
	data, err := io.ReadAll(conn)
	if !bytes.Contains(data, []byte("HTTPS server")) { // as Go's says to plain HTTP
		return fmt.Errorf("refused: %q, %v", data, err)
	}
	return nil
}

// firstWrite cuts what is written first.
type firstWrite struct {
	net.Conn
	cut func([]byte) [][]byte
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.cut == nil {
		return w.Conn.Write(p)
	}
	parts := w.cut(p)
	w.cut = nil
	for _, part := range parts {
		if _, err := w.Conn.Write(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
