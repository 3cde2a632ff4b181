package parse

import (
	"bytes"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("a", 61)
	for _, test := range []struct {
		logged, want string
		class        Class
	}{
		{"a.example", "a.example", Host},
		{"A.Example.", "a.example", Host},
		{"wpad", "wpad", Host},
		{"_http._tcp.deb.example", "_http._tcp.deb.example", Host},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", Host},
		{"1.2.3.4a", "1.2.3.4a", Host},
		{"1-1", "1-1", Host},
		{label + ".example", label + ".example", Host},
		{longest, longest, Host},
		{"7.2.0.192.IN-ADDR.ARPA", "7.2.0.192.in-addr.arpa", Reverse},
		{"b._dns-sd._udp.0.0.0.10.in-addr.arpa", "b._dns-sd._udp.0.0.0.10.in-addr.arpa", Reverse},
		{"in-addr.arpa", "in-addr.arpa", Reverse},
		{"1.0.ip6.arpa", "1.0.ip6.arpa", Reverse},
		{"notin-addr.arpa", "notin-addr.arpa", Host},
		{"in-addr.arpa.example", "in-addr.arpa.example", Host},
		{"<name unprintable>", "<name unprintable>", Unprintable},
		{"<Name unprintable>", `<name\032unprintable>`, Unfit},
		{"0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa", Unfit},
		{".", ".", Unfit},
		{"", "", Unfit},
		{"a..b", "a..b", Unfit},
		{".a", ".a", Unfit},
		{"a..", "a.", Unfit},
		{"1.2.3.4", "1.2.3.4", Unfit},
		{"a.1", "a.1", Unfit},
		{"42", "42", Unfit},
		{"0x7f00000a", "0x7f00000a", Unfit},
		{"169.254.169.0xFE", "169.254.169.0xfe", Unfit},
		{"0177.0.0.01", "0177.0.0.01", Unfit},
		{"a.0x", "a.0x", Unfit},
		{"a.0xg", "a.0xg", Host},
		{"0x7f.example", "0x7f.example", Host},
		{"x0xa", "x0xa", Host},
		{"a b.example", `a\032b.example`, Unfit},
		{`a\032b.example`, `a\092032b.example`, Unfit},
		{"A\x00\x1b\x7f\xc3\xa9.Example", `a\000\027\127\195\169.example`, Unfit},
		{"a*.example", "a*.example", Unfit},
		{"a" + label + ".example", "a" + label + ".example", Unfit},
		{"a" + longest, "a" + longest, Unfit},
	} {
		got := AppendName([]byte("kept "), []byte(test.logged))
		if string(got) != "kept "+test.want {
			t.Errorf("AppendName(%q) is %q, want %q", test.logged, got, test.want)
		}
		name := []byte(test.want)
		if class := Classify(name); class != test.class || Clean(name) != (class == Host || class == Reverse) {
			t.Errorf("Classify(%q) is %d, clean %t; want class %d", name, class, Clean(name), test.class)
		}
	}
}

// FuzzNames holds two names to one form only if they differ in nothing but
// case and the trailing dot.
func FuzzNames(f *testing.F) {
	f.Add([]byte("A b.example"), []byte(`a\032b.example.`))
	f.Add([]byte("<name unprintable>"), []byte("<NAME unprintable>"))
	f.Add([]byte(`\032`), []byte(" "))
	f.Add([]byte("WWW.Example.COM."), []byte("www.example.com"))
	f.Add([]byte("0x7f000001"), []byte("0X7F000001"))
	f.Add([]byte("evil.o+rg"), []byte("evil.o\xffrg"))
	f.Add([]byte("x\x00y.evil.org"), []byte(`x\000y.evil.org`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, y := string(AppendName(nil, a)), string(AppendName(nil, b))
		if equal := inDNS(a) == inDNS(b); x == y && !equal {
			t.Errorf("%q and %q are both %q", a, b, x)
		} else if x != y && equal && x != unprintable && y != unprintable {
			t.Errorf("%q is %q and %q is %q", a, x, b, y)
		}
	})
}

// inDNS returns what two names that DNS holds equal have in common. Of names
// that end in two dots, which dnsmasq doesn't print, it knows nothing.
func inDNS(name []byte) string {
	folded := bytes.Clone(name)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] += 'a' - 'A'
		}
	}
	if len(folded) > 1 {
		folded = bytes.TrimSuffix(folded, []byte("."))
	}
	return string(folded)
}

// Whether a name is normal is said of eight bytes at once, of fewer of each: of
// four bytes that hardly any name has eight say no.
func TestIsNormal(t *testing.T) {
	for c := range 256 {
		for at := range 19 {
			for length := at + 1; length < 20; length++ {
				name := []byte("abcdefgh.0123-_z{}~"[:length])
				name[at] = byte(c)
				want := nameChange[c] == 0 && (length < 8 || !strings.ContainsRune("@[]^", rune(c)))
				if got := isNormal(name); got != want {
					t.Fatalf("%q is normal: %t, want %t", name, got, want)
				}
			}
		}
	}
}
