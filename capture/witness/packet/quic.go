package packet

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// quicVersion is what a version of QUIC protects a client's first packets with,
// for whoever knows it: RFC 9001, section 5.2, and RFC 9369, section 3.3.
type quicVersion struct {
	QUICVersion
	retry byte // the first byte of Retry packets
	salt  []byte
	label string
}

// QUICVersion is how a version of QUIC is told.
type QUICVersion struct {
	Number  uint32 // big-endian behind the first byte
	Initial byte   // the first byte of Initial packets, its lower half left out
}

// QUICVersions returns those that are read.
func QUICVersions() (all []QUICVersion) {
	for _, v := range quicVersions {
		all = append(all, v.QUICVersion)
	}
	return all
}

var quicVersions = []*quicVersion{
	{
		QUICVersion{1, 0xc0}, 0xf0,
		[]byte("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"), "quic",
	},
	{
		QUICVersion{0x6b3343cf, 0xd0}, 0xc0,
		[]byte("\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"), "quicv2",
	},
}

const (
	longHeader   = 0xc0 // with the bit that all versions set
	longType     = 0xf0 // with that bit
	longestID    = 20
	headerSample = 16 // of the packet, that its header's protection is made of
	// maxConnections is how many connections one port of a client may begin
	// with one port of a server at a time. Clients that begin many by one port
	// do so to many servers.
	maxConnections = 8
)

// QUIC reads the hellos of one flow of UDP: of one port to another. Many
// connections may begin there.
type QUIC struct {
	connections []*initial // the latest last
}

// initial is the beginning of one connection.
type initial struct {
	keys   *keys
	crypto Stream
	done   bool
	random [helloRandom]byte // of the hello, which is done
}

// LooksLikeQUIC reports whether a datagram may be the beginning of a QUIC
// connection, of whatever version.
func LooksLikeQUIC(datagram []byte) bool {
	return len(datagram) >= 7 && datagram[0]&longHeader == longHeader && binary.BigEndian.Uint32(datagram[1:]) != 0
}

// Add reads a datagram of the client's. The hello comes with the one that makes
// it whole, once; the others are ErrMore. ErrOther is for what is of no version
// that is known, or no client's beginning.
func (q *QUIC) Add(datagram []byte) (Hello, error) {
	var of *initial
	read := false
	for len(datagram) > 0 {
		p, rest, ok := readLong(datagram)
		if !ok {
			break
		}
		datagram = rest
		if p.kind != p.version.Initial {
			read = read || len(q.connections) > 0
			continue
		}
		frames, c := q.open(p)
		if c == nil {
			continue
		}
		of, read = c, true
		if !c.done && !readFrames(frames, &c.crypto) {
			c.done = true
			return Hello{}, ErrForm
		}
	}
	switch {
	case !read:
		return Hello{}, ErrOther
	case of == nil || of.done:
		return Hello{}, ErrMore
	}
	h, err := readClientHello(of.crypto.Head())
	if err == ErrMore {
		return Hello{}, err
	}
	if err == nil {
		copy(of.random[:], of.crypto.Head()[helloRandomAt:])
	}
	of.done, of.crypto = true, Stream{}
	if err != nil {
		return Hello{}, err
	}
	for _, c := range q.connections {
		if c != of && c.done && c.random == of.random {
			return Hello{}, ErrMore // it was told before the server's Retry
		}
	}
	h.Protocol = "quic"
	return h, nil
}

// Pending returns how many hellos have begun and aren't whole.
func (q *QUIC) Pending() (n int) {
	for _, c := range q.connections {
		if !c.done {
			n++
		}
	}
	return n
}

// long is a packet with a long header, which a connection begins with.
type long struct {
	version     *quicVersion
	kind        byte
	destination []byte
	packet      []byte // up to its end
	number      int    // where its number begins, which is protected
}

// readLong reads the packet that a datagram begins with: RFC 9000, section 17.2.
func readLong(b []byte) (p long, rest []byte, ok bool) {
	s := cryptobyte.String(b)
	var first uint8
	var version uint32
	var destination, source cryptobyte.String
	if !s.ReadUint8(&first) || first&longHeader != longHeader || !s.ReadUint32(&version) ||
		!s.ReadUint8LengthPrefixed(&destination) || !s.ReadUint8LengthPrefixed(&source) || len(destination) > longestID {
		return long{}, nil, false
	}
	i := slices.IndexFunc(quicVersions, func(v *quicVersion) bool { return v.Number == version })
	if i < 0 {
		return long{}, nil, false
	}
	p = long{version: quicVersions[i], kind: first & longType, destination: destination}
	if p.kind == p.version.retry {
		return p, nil, true // servers send it, and nothing behind it
	}
	var token []byte
	if p.kind == p.version.Initial && !readVector(&s, &token) {
		return long{}, nil, false
	}
	length, ok := readVarint(&s)
	if !ok || length > uint64(len(s)) {
		return long{}, nil, false
	}
	p.number = len(b) - len(s)
	end := p.number + int(length)
	p.packet = b[:end]
	return p, b[end:], true
}

// readVarint reads a number of RFC 9000, section 16.
func readVarint(s *cryptobyte.String) (uint64, bool) {
	var first uint8
	var rest []byte
	if !s.ReadUint8(&first) || !s.ReadBytes(&rest, 1<<(first>>6)-1) {
		return 0, false
	}
	n := uint64(first & 0x3f)
	for _, b := range rest {
		n = n<<8 | uint64(b)
	}
	return n, true
}

// readVector reads bytes behind their number.
func readVector(s *cryptobyte.String, to *[]byte) bool {
	n, ok := readVarint(s)
	return ok && n <= uint64(len(*s)) && s.ReadBytes(to, int(n))
}

// open returns the frames of an Initial packet, and its connection. Its keys
// are made of the destination's ID in the client's first packet, which later
// ones don't have; after a Retry they are made anew.
func (q *QUIC) open(p long) ([]byte, *initial) {
	if len(p.packet) < p.number+4+headerSample {
		return nil, nil
	}
	for _, c := range slices.Backward(q.connections) {
		if c.keys.version == p.version {
			if frames, ok := c.keys.open(p); ok {
				return frames, c
			}
		}
	}
	c := &initial{keys: newKeys(p.version, p.destination), crypto: Stream{Limit: LongestHello}}
	frames, ok := c.keys.open(p)
	if !ok {
		return nil, nil
	}
	if len(q.connections) == maxConnections {
		q.connections = q.connections[1:]
	}
	q.connections = append(q.connections, c)
	return frames, c
}

// keys are those of a client's Initial packets.
type keys struct {
	version *quicVersion
	aead    cipher.AEAD
	header  cipher.Block
	iv      []byte
}

func newKeys(v *quicVersion, destination []byte) *keys {
	// None of it fails for these sizes.
	common, _ := hkdf.Extract(sha256.New, destination, v.salt)
	client := expand(common, "client in", sha256.Size)
	block, _ := aes.NewCipher(expand(client, v.label+" key", 16))
	k := &keys{version: v, iv: expand(client, v.label+" iv", 12)}
	k.aead, _ = cipher.NewGCM(block)
	k.header, _ = aes.NewCipher(expand(client, v.label+" hp", 16))
	return k
}

// expand is HKDF-Expand-Label of RFC 8446, section 7.1, without a context.
func expand(secret []byte, label string, length int) []byte {
	const prefix = "tls13 "
	info := append([]byte{byte(length >> 8), byte(length), byte(len(prefix) + len(label))}, prefix...)
	info = append(append(info, label...), 0)
	key, _ := hkdf.Expand(sha256.New, secret, string(info), length)
	return key
}

// open takes the protection off the header and the frames: RFC 9001, sections
// 5.3 and 5.4. The packet stays as it is.
func (k *keys) open(p long) ([]byte, bool) {
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], p.packet[p.number+4:][:headerSample])
	header := bytes.Clone(p.packet[:p.number+4])
	header[0] ^= mask[0] & 0x0f
	length := int(header[0]&3) + 1
	header = header[:p.number+length]
	nonce := bytes.Clone(k.iv)
	for i := range length {
		header[p.number+i] ^= mask[1+i]
		nonce[len(nonce)-length+i] ^= header[p.number+i]
	}
	frames, err := k.aead.Open(nil, nonce, p.packet[p.number+length:], header)
	return frames, err == nil
}

// Types of the frames that an Initial packet may have.
const (
	framePadding = 0x00
	framePing    = 0x01
	frameACK     = 0x02
	frameACKECN  = 0x03
	frameCRYPTO  = 0x06
	frameClose   = 0x1c
)

// readFrames adds what the frames have of the handshake.
func readFrames(b []byte, to *Stream) bool {
	s := cryptobyte.String(b)
	for {
		s = bytes.TrimLeft(s, "\x00") // padding
		var kind uint8
		if !s.ReadUint8(&kind) {
			return true
		}
		switch kind {
		case framePadding, framePing:
		case frameACK, frameACKECN:
			if !skipACK(&s, kind == frameACKECN) {
				return false
			}
		case frameCRYPTO:
			var data []byte
			offset, ok := readVarint(&s)
			if !ok || !readVector(&s, &data) || offset > uint64(to.Limit) || !to.Add(int(offset), data) {
				return false
			}
		case frameClose:
			return true // nothing follows that is for a handshake
		default:
			return false
		}
	}
}

// skipACK skips the largest number, the delay, the ranges, and the counts of
// ECN: RFC 9000, section 19.3.
func skipACK(s *cryptobyte.String, ecn bool) bool {
	var numbers [3]uint64
	for i := range numbers {
		n, ok := readVarint(s)
		if !ok {
			return false
		}
		numbers[i] = n
	}
	ranges := numbers[2]
	if ranges > uint64(len(*s)) {
		return false
	}
	left := 1 + 2*ranges
	if ecn {
		left += 3
	}
	for range left {
		if _, ok := readVarint(s); !ok {
			return false
		}
	}
	return true
}
