package packet

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// clientHello returns what Go's TLS client says first. Its key share for
// post-quantum cryptography makes it longer than a segment, as browsers' are.
func clientHello(t testing.TB, name string, config *tls.Config) []byte {
	t.Helper()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.InsecureSkipVerify = name, true
	client, server := net.Pipe()
	go func() { _ = tls.Client(client, config).Handshake() }()
	defer server.Close()
	b := make([]byte, 5)
	if _, err := io.ReadFull(server, b); err != nil {
		t.Fatal(err)
	}
	b = append(b, make([]byte, binary.BigEndian.Uint16(b[3:]))...)
	if _, err := io.ReadFull(server, b[5:]); err != nil {
		t.Fatal(err)
	}
	return b
}

// records cuts a handshake message into records of a size.
func records(message []byte, size int) (b []byte) {
	for part := range slices.Chunk(message, size) {
		b = append(b, RecordHandshake, 3, 1, byte(len(part)>>8), byte(len(part)))
		b = append(b, part...)
	}
	return b
}

func TestReadHello(t *testing.T) {
	plain := clientHello(t, "Example.TEST", nil)
	hidden := clientHello(t, "hidden.example.test", &tls.Config{MinVersion: tls.VersionTLS13, EncryptedClientHelloConfigList: sample(t, "ech.hex")})
	if bytes.Contains(hidden, []byte("hidden")) || len(plain) < 1448 {
		t.Fatalf("the client's hellos are other ones: %d bytes", len(plain))
	}
	raw := func(name string) []byte {
		return bytes.Replace(plain, []byte("Example.TEST"), []byte(name), 1)
	}
	old := append([]byte{RecordHandshake, 3, 0, 0, 45, ClientHello, 0, 0, 41, 3, 0}, make([]byte, 32)...)
	old = append(old, 0, 0, 2, 0, 5, 1, 0)
	wrong := bytes.Clone(plain)
	wrong[bytes.Index(plain, []byte("Example"))-1]++ // the name's length
	for _, c := range []struct {
		name string
		b    []byte
		want Hello
		err  error
	}{
		{"nothing", nil, Hello{}, ErrMore},
		{"TLS", plain, Hello{"tls", "example.test", false}, nil},
		{"TLS and more", append(bytes.Clone(plain), "\x14\x03\x03\x00\x01\x01"...), Hello{"tls", "example.test", false}, nil},
		{"records of 7 bytes", records(plain[5:], 7), Hello{"tls", "example.test", false}, nil},
		{"records of 1 byte", records(plain[5:], 1), Hello{"tls", "example.test", false}, nil},
		{"no name", clientHello(t, "", nil), Hello{"tls", "", false}, nil},
		{"bytes that no name has", raw("e\x1b[2J\x00\xff TEST"), Hello{"tls", `e\027[2j\000\255\032test`, false}, nil},
		{"a last dot", raw("example.abc."), Hello{"tls", "example.abc", false}, nil},
		{"ECH", hidden, Hello{"tls", "public.example.test", true}, nil},
		{"SSL 3, no extensions", old, Hello{"tls", "", false}, nil},
		{"a wrong length", wrong, Hello{}, ErrForm},
		{"an empty record", []byte("\x16\x03\x01\x00\x00"), Hello{}, ErrForm},
		{"a ServerHello", []byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), Hello{}, ErrForm},
		{"an endless hello", []byte("\x16\x03\x03\x00\x04\x01\xff\xff\xff"), Hello{}, ErrForm},
		{"no TLS", []byte("\x16\x04\x01"), Hello{}, ErrOther},

		{"HTTP", []byte("GET / HTTP/1.1\r\nUser-Agent: x\r\nhOST:  Example.TEST:8080 \r\n"), Hello{"http", "example.test", false}, nil},
		{"HTTP, bare newlines", []byte("POST /a b HTTP/1.0\nHost:example.test\n"), Hello{"http", "example.test", false}, nil},
		{"HTTP, no host", []byte("GET / HTTP/1.0\r\nX: y\r\n\r\nHost: a\r\n"), Hello{"http", "", false}, nil},
		{"HTTP, an address", []byte("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n"), Hello{"http", "2001:db8::1", false}, nil},
		{"HTTP, by a proxy", []byte("CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n"), Hello{"http", "example.test", false}, nil},
		{"HTTP, a longer method", []byte("VERSION-CONTROL / HTTP/1.1\r\nHost: a\r\n"), Hello{"http", "a", false}, nil},
		{"HTTP, begun", []byte("GET / HTTP/1.1\r\nHost: exam"), Hello{}, ErrMore},
		{"HTTP, just begun", []byte("G"), Hello{}, ErrMore},
		{"HTTP/2", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Hello{}, ErrOther},
		{"SSH", []byte("SSH-2.0-OpenSSH_9.2\r\n"), Hello{}, ErrOther},
		{"SMTP", []byte("EHLO example.test\r\n"), Hello{}, ErrOther},
		{"letters", []byte(strings.Repeat("A", 21)), Hello{}, ErrOther},
	} {
		got, err := ReadHello(c.b)
		if got != c.want || err != c.err {
			t.Errorf("%s: %+v, %v, want %+v, %v", c.name, got, err, c.want, c.err)
		}
		if c.err != nil || got.Protocol == "http" {
			continue
		}
		whole := c.b
		if c.name == "TLS and more" {
			whole = plain
		}
		for n := range whole { // cut short it is begun, and nothing else
			if got, err := ReadHello(whole[:n]); err != ErrMore {
				t.Fatalf("%s: of %d bytes %+v, %v", c.name, n, got, err)
			}
		}
	}
	if h, err := ReadHello(clientHello(t, strings.Repeat("long.", 1000)+"test", nil)); err != nil || len(h.Server) != longestName {
		t.Errorf("a name of %d bytes is kept, %v", len(h.Server), err)
	}
}

// What comes in pieces is what comes in one, whatever the order, with each
// piece twice and overlapping others.
func TestStream(t *testing.T) {
	want := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	for seed := range 200 {
		s := Stream{Limit: len(want)}
		for i := range 400 {
			from := (i*i*7 + seed*13 + i*seed) % len(want)
			to := min(from+1+(i+seed)%5, len(want))
			if !s.Add(from, want[from:to]) {
				t.Fatal("no room")
			}
			if !bytes.HasPrefix(want, s.Head()) {
				t.Fatalf("%q", s.Head())
			}
		}
		if seed > 0 && !s.Add(0, []byte(strings.Repeat("?", len(want)))) || !bytes.HasPrefix(s.Head(), s.Head()) {
			t.Fatal("no room")
		}
		for i, c := range s.Head() {
			if c != want[i] && c != '?' {
				t.Fatalf("%q", s.Head())
			}
		}
	}
	s := Stream{Limit: 8}
	if s.Add(4, []byte("56789")) || !s.Add(4, []byte("5678")) || s.Head() != nil || !s.Add(2, []byte("??xx")) || !s.Add(0, []byte("12")) {
		t.Error("a piece is taken or not as it shouldn't be")
	}
	if got := string(s.Head()); got != "12??5678" {
		t.Errorf("%q, want the first of two pieces that differ", got)
	}
	s.Drop(3)
	if got := string(s.Head()); got != "?5678" || !s.Add(-1, []byte("?5xxxxxx")) || string(s.Head()) != "?5678xx" {
		t.Errorf("%q, then %q", got, s.Head())
	}
	s.Drop(7)
	if s.Head() != nil {
		t.Errorf("%q", s.Head())
	}
	for i := range maxSpans {
		s = Stream{Limit: 1000}
		for j := range maxSpans {
			s.Add(2*j+1, []byte("x"))
		}
		if s.Add(500, []byte("y")) || !s.Add(2*i+1, []byte("xx")) {
			t.Fatal("pieces are beyond count, or what joins them is refused")
		}
	}
}
