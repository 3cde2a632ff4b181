package packet

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err == nil {
		b, err = hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// In testdata, hello.hex is what Go's TLS client said once, and ech.hex what DNS
// would tell of a server whose name is hidden behind public.example.test.

// The sample packets of RFC 9001, appendix A.2, and RFC 9369, appendix A.2.
func TestSamplesOfTheRFCs(t *testing.T) {
	for _, name := range []string{"rfc9001.hex", "rfc9369.hex"} {
		b := sample(t, name)
		kept := slices.Clone(b)
		var q QUIC
		if h, err := q.Add(b); err != nil || h != (Hello{"quic", "example.com", false}) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if h, err := q.Add(b); err != ErrMore || q.Pending() != 0 {
			t.Errorf("%s: again %+v, %v", name, h, err)
		}
		if !slices.Equal(b, kept) || !LooksLikeQUIC(b) {
			t.Errorf("%s: changed, or not taken for QUIC", name)
		}
		for n := range b {
			if h, err := new(QUIC).Add(b[:n]); err != ErrOther {
				t.Fatalf("%s: of %d bytes %+v, %v", name, n, h, err)
			}
		}
		for i := range b { // a changed bit is noticed
			b[i] ^= 4
			if h, err := new(QUIC).Add(b); err != ErrOther {
				t.Fatalf("%s: %+v, %v with byte %d changed", name, h, err, i)
			}
			b[i] ^= 4
		}
	}
}

// varint writes a number in 4 bytes of RFC 9000, section 16.
func varint(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)|0x80000000) }

func crypto(offset int, data []byte) []byte {
	return slices.Concat([]byte{frameCRYPTO}, varint(offset), varint(len(data)), data)
}

// seal writes an Initial packet: with the keys of one connection ID, addressed
// to another.
func seal(v *quicVersion, keysOf, destination string, number byte, frames ...[]byte) []byte {
	return sealWith(v, keysOf, destination, "token", number, slices.Concat(frames...))
}

func sealWith(v *quicVersion, keysOf, destination, token string, number byte, frames []byte) []byte {
	k := newKeys(v, []byte(keysOf))
	frames = append(frames, make([]byte, max(0, 20-len(frames)))...)
	header := binary.BigEndian.AppendUint32([]byte{v.Initial}, v.Number)
	header = slices.Concat(header, []byte{byte(len(destination))}, []byte(destination), []byte{3}, []byte("own"),
		varint(len(token)), []byte(token), varint(1+len(frames)+k.aead.Overhead()), []byte{number})
	nonce := slices.Clone(k.iv)
	nonce[11] ^= number
	at := len(header) - 1
	b := k.aead.Seal(slices.Clone(header), nonce, frames, header)
	var mask [16]byte
	k.header.Encrypt(mask[:], b[at+4:][:16])
	b[0] ^= mask[0] & 0x0f
	b[at] ^= mask[1]
	return b
}

func TestQUIC(t *testing.T) {
	hello := clientHello(t, "example.test", nil)[5:]
	other := clientHello(t, "other.test", nil)[5:]
	a, b, c := hello[:700], hello[700:1200], hello[1200:]
	acks := []byte{frameACK, 5, 0, 1, 0, 0, 0, framePing, frameACKECN, 5, 0, 0, 0, 1, 2, 3, framePing, 0, 0, 0}
	handshake := []byte{0xe0, 0, 0, 0, 1, 2, 'i', 'd', 0, 0x40, 4, 1, 2, 3, 4}
	handshake2 := []byte{0xf0, 0x6b, 0x33, 0x43, 0xcf, 2, 'i', 'd', 0, 0x40, 4, 1, 2, 3, 4}
	want := Hello{"quic", "example.test", false}
	for _, v := range quicVersions {
		const id = "clients1"
		later := handshake
		if v.Number != 1 {
			later = handshake2
		}
		one := seal(v, id, id, 0, crypto(0, hello))
		for _, test := range []struct {
			name      string
			datagrams [][]byte
			hellos    []Hello // after each
			errs      []error
		}{
			{"one", [][]byte{one}, []Hello{want}, []error{nil}},
			{"three", [][]byte{seal(v, id, id, 0, crypto(0, a)), seal(v, id, id, 1, crypto(700, b)), seal(v, id, id, 2, crypto(1200, c))}, []Hello{{}, {}, want}, []error{ErrMore, ErrMore, nil}},
			{"backwards, twice", [][]byte{seal(v, id, id, 2, crypto(1200, c)), seal(v, id, id, 1, crypto(700, b)), seal(v, id, id, 1, crypto(700, b)), seal(v, id, id, 0, crypto(0, a)), seal(v, id, id, 0, crypto(0, a))}, []Hello{{}, {}, {}, want, {}}, []error{ErrMore, ErrMore, ErrMore, nil, ErrMore}},
			{"in one datagram, with acknowledgments", [][]byte{slices.Concat(seal(v, id, id, 0, acks, crypto(700, b), acks, crypto(0, a)), later, seal(v, id, id, 1, crypto(1200, c)))}, []Hello{want}, []error{nil}},
			{"to the server's ID later", [][]byte{seal(v, id, id, 0, crypto(0, a), crypto(1200, c)), seal(v, id, "servers", 1, crypto(700, b))}, []Hello{{}, want}, []error{ErrMore, nil}},
			{"after a Retry", [][]byte{seal(v, id, id, 0, crypto(0, a)), seal(v, "retry", "retry", 1, crypto(0, a)), seal(v, "retry", "retry", 2, crypto(700, hello[700:]))}, []Hello{{}, {}, want}, []error{ErrMore, ErrMore, nil}},
			{"after a Retry of the whole", [][]byte{one, seal(v, "retry", "retry", 1, crypto(0, hello))}, []Hello{want, {}}, []error{nil, ErrMore}},
			{"two connections, mixed", [][]byte{seal(v, id, id, 0, crypto(0, a)), seal(v, "second", "second", 0, crypto(0, other[:700])), seal(v, id, id, 1, crypto(700, hello[700:])), seal(v, "second", "second", 1, crypto(700, other[700:]))}, []Hello{{}, {}, want, {"quic", "other.test", false}}, []error{ErrMore, ErrMore, nil, nil}},
			{"handshake after it", [][]byte{one, later}, []Hello{want, {}}, []error{nil, ErrMore}},
			{"an empty ID", [][]byte{seal(v, "", "", 0, crypto(0, hello))}, []Hello{want}, []error{nil}},
			{"of another connection", [][]byte{seal(v, "elsewhere", id, 1, crypto(0, hello))}, []Hello{{}}, []error{ErrOther}},
			{"handshake alone", [][]byte{later}, []Hello{{}}, []error{ErrOther}},
			{"beyond all length", [][]byte{seal(v, id, id, 0, crypto(LongestHello-1, a))}, []Hello{{}}, []error{ErrForm}},
			{"a frame that isn't allowed", [][]byte{seal(v, id, id, 0, []byte{0x08}, crypto(0, hello))}, []Hello{{}}, []error{ErrForm}},
			{"no hello", [][]byte{seal(v, id, id, 0, crypto(0, []byte("\x02\x00\x00\x00")))}, []Hello{{}}, []error{ErrForm}},
			{"endless acknowledgments", [][]byte{seal(v, id, id, 0, []byte{frameACK, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0})}, []Hello{{}}, []error{ErrForm}},
			{"closed", [][]byte{seal(v, id, id, 0, []byte{frameClose, 0, 0, 0})}, []Hello{{}}, []error{ErrMore}},
		} {
			var q QUIC
			for i, datagram := range test.datagrams {
				if h, err := q.Add(datagram); h != test.hellos[i] || err != test.errs[i] {
					t.Errorf("version %#x, %s: datagram %d is %+v, %v, want %+v, %v", v.Number, test.name, i, h, err, test.hellos[i], test.errs[i])
				}
			}
		}
	}
	var q QUIC
	for i := range 100 {
		if _, err := q.Add(seal(quicVersions[0], string(rune('a'+i)), string(rune('a'+i)), 0, crypto(0, a))); err != ErrMore || q.Pending() > maxConnections {
			t.Fatalf("%v, %d connections are kept", err, q.Pending())
		}
	}
	token := make([]byte, 3000)
	_, _ = rand.Read(token)
	if h, err := new(QUIC).Add(sealWith(quicVersions[0], "id", "id", string(token), 0, crypto(0, hello))); err != nil || h != want {
		t.Errorf("with a token: %+v, %v", h, err)
	}
}

// FuzzQUIC reads datagrams of one flow: as they are, and as the frames of an
// Initial packet.
func FuzzQUIC(f *testing.F) {
	hello := sample(f, "hello.hex")[5:]
	f.Add(sample(f, "rfc9001.hex"), []byte{})
	f.Add(sample(f, "rfc9369.hex"), crypto(700, hello[700:]))
	f.Add([]byte{}, slices.Concat(crypto(700, hello[700:]), []byte{frameACKECN, 5, 0, 1, 0, 0, 0, 1, 2, 3}, crypto(0, hello[:700])))
	f.Fuzz(func(t *testing.T, datagram, frames []byte) {
		frames = frames[:min(len(frames), math.MaxUint16/8)]
		var q QUIC
		for _, b := range [][]byte{datagram, seal(quicVersions[0], "id", "id", 0, frames), seal(quicVersions[0], "id", "server", 1, crypto(0, hello)), datagram} {
			h, err := q.Add(b)
			if (err == nil) != (h.Protocol == "quic") || len(h.Server) > 4*longestName {
				t.Errorf("%+v, %v", h, err)
			}
			for _, c := range q.connections {
				if c.crypto.Size() > 2*LongestHello {
					t.Errorf("%d bytes are kept", c.crypto.Size())
				}
			}
		}
	})
}
