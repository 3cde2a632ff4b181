package packet

import (
	"bytes"
	"golang.org/x/crypto/cryptobyte"

	"lxd-allowlist/parse"
)

// Hello is what a client says of the server that it is for, before anything is
// encrypted.
type Hello struct {
	Protocol string // "tls", "quic", "http"
	Server   string // as parse normalises it; "" where it names none
	// Hidden says that it has an Encrypted Client Hello (RFC 9849): another
	// server's name may be in there, and Server no more than the one before it.
	// Clients that have nothing to hide send a likeness, so that nobody on the
	// way can tell: Server is then the server.
	Hidden bool
}

// What a TLS connection begins with.
const (
	RecordHandshake = 22 // TLS's ContentType handshake
	ClientHello     = 1  // its HandshakeType client_hello
)

// Records returns the ContentTypes that a record of TLS has (RFC 8446, section
// 5.1): change_cipher_spec, alert, handshake, application_data.
func Records() []byte { return []byte{20, 21, RecordHandshake, 23} }

const (
	serverNameType = 0 // the extension server_name
	hostName       = 0 // and its kind of name
	echType        = 0xfe0d

	helloRandomAt = 4 + 2 // behind the message's head and a version
	helloRandom   = 32

	// longestRecord is what one record bears at most (RFC 8446, section 5.1).
	longestRecord = 1 << 14
	// LongestHello is the longest beginning of a connection that is read, in
	// bytes: a ClientHello of the longest record, in a hundred records. The
	// longest that clients send have some 3 kB.
	LongestHello = longestRecord + 512
	// longestName is what a host's name has at most, without its last dot (RFC
	// 1035, section 2.3.4). A ClientHello has room for 16 kB.
	longestName = 253
)

// ReadHello reads what a client says first on a TCP connection: TLS, or a
// request of HTTP/1.
func ReadHello(b []byte) (Hello, error) {
	switch {
	case len(b) == 0:
		return Hello{}, ErrMore
	case b[0] == RecordHandshake:
		return readTLS(b)
	}
	return readHTTP(b)
}

// readTLS reads a ClientHello, which may be cut into records anywhere.
func readTLS(b []byte) (Hello, error) {
	var message []byte
	for {
		if len(b) > 1 && b[1] != 3 { // the major version, of TLS 1.3 too
			return Hello{}, ErrOther
		}
		if len(b) < 5 {
			return Hello{}, ErrMore
		}
		length := int(b[3])<<8 | int(b[4])
		if b[0] != RecordHandshake || length == 0 || length > longestRecord {
			return Hello{}, ErrForm
		}
		record := b[5:]
		if len(record) > length {
			record = record[:length:length]
		}
		if message == nil {
			message = record
		} else {
			message = append(message, record...)
		}
		h, err := readClientHello(message)
		if err != ErrMore || len(record) < length {
			return h, err
		}
		b = b[5+length:]
	}
}

// readClientHello reads a message of TLS's handshake, as QUIC has it bare.
func readClientHello(b []byte) (Hello, error) {
	if len(b) < 4 {
		if len(b) > 0 && b[0] != ClientHello {
			return Hello{}, ErrForm
		}
		return Hello{}, ErrMore
	}
	length := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if b[0] != ClientHello || length > longestRecord {
		return Hello{}, ErrForm
	}
	if len(b) < 4+length {
		return Hello{}, ErrMore
	}
	s := cryptobyte.String(b[4 : 4+length])
	h := Hello{Protocol: "tls"}
	var session, suites, compressions, extensions cryptobyte.String
	if !s.Skip(2+helloRandom) || !s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&compressions) {
		return Hello{}, ErrForm
	}
	if s.Empty() {
		return h, nil // of before extensions were thought of
	}
	if !s.ReadUint16LengthPrefixed(&extensions) {
		return Hello{}, ErrForm
	}
	for !extensions.Empty() {
		var kind uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&data) {
			return Hello{}, ErrForm
		}
		switch kind {
		case serverNameType:
			name, ok := readServerName(data)
			if !ok {
				return Hello{}, ErrForm
			}
			h.Server = normal(name)
		case echType:
			h.Hidden = true
		}
	}
	return h, nil
}

// readServerName reads the extension of RFC 6066, section 3.
func readServerName(s cryptobyte.String) (name []byte, ok bool) {
	var list, entry cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return nil, false
	}
	for !list.Empty() {
		var kind uint8
		if !list.ReadUint8(&kind) || !list.ReadUint16LengthPrefixed(&entry) {
			return nil, false
		}
		if kind == hostName && name == nil {
			name = entry
		}
	}
	return name, true
}

// normal returns a server's name as parse has names, "" for none. Of one that
// no host can have the beginning is kept, and one dot at its end is as good as many.
func normal(name []byte) string {
	if len(name) == 0 {
		return ""
	}
	name = name[:min(len(name), longestName)]
	for bytes.HasSuffix(name, []byte("..")) {
		name = name[:len(name)-1]
	}
	return string(parse.AppendName(nil, name))
}
