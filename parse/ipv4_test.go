package parse

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// What is an address of IPv4, and which, is what the standard library says.
func TestIPv4(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	var last network
	check := func(text string) {
		t.Helper()
		a, err := netip.ParseAddr(text)
		is := err == nil && a.Is4()
		var want uint32
		if is {
			four := a.As4()
			want = binary.BigEndian.Uint32(four[:])
		}
		if got, ok := readIPv4([]byte(text)); ok != is || ok && got != want {
			t.Errorf("%q is %08x, %t, want %08x, %t", text, got, ok, want, is)
		}
		line := []byte(text + "\n12.34.56.78\n")
		for _, m := range []network{{}, last} {
			if got, n := m.leading(line); n > 0 != is || is && (got != want || n != len(text)+1) {
				t.Errorf("%q ends a line as %08x, %d, want %08x, %t, behind %+v", text, got, n, want, is, last)
			}
			if is {
				last = m
			}
		}
	}
	for _, text := range []string{"", "1.1.1.1", "1.1.1.a", "1.1.1..", "0.0.0.0", "255.255.255.255", "255.255.255.256", "01.1.1.1", "1.1.1.01", "1234.1.1.1", "1..1.1.12", "1.1.1.1.1", "11.11.11.", ".11.11.11", "1111.11.11", "a.example.com", "12345678", "1.2.3/4.55", "1.2.3:4.55", "\xb1.2.3.4444", "255.255.255.2555"} {
		check(text)
	}
	for range 200_000 {
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], rng.Uint32()>>rng.IntN(8))
		for i := range four {
			four[i] >>= rng.IntN(8)
		}
		text := []byte(netip.AddrFrom4(four).String())
		check(string(text))
		for range rng.IntN(3) {
			text[rng.IntN(len(text))] = "0123456789../:a\x00\xff"[rng.IntN(17)]
		}
		check(string(text))
	}
}

func FuzzIPv4(f *testing.F) {
	f.Add([]byte("192.0.2.1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := netip.ParseAddr(string(b))
		if got, ok := readIPv4(b); ok != (err == nil && a.Is4()) {
			t.Errorf("%q is %08x, %t", b, got, ok)
		}
	})
}
