package parse

import "testing"

func TestIDN(t *testing.T) {
	for typed, want := range map[string]string{
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.Example": "xn--bcher-kva.example", "bu\u0308cher.example": "xn--bcher-kva.example",
		"straße.de": "xn--strae-oqa.de", "例え。テスト": "xn--r8jz45g.xn--zckzah", "_sip.bücher.example": "_sip.xn--bcher-kva.example",
		"XN--BCHER-KVA.example": "xn--bcher-kva.example", "a_b.example": "a_b.example", "παράδειγμα.δοκιμή": "xn--hxajbheg2az3al.xn--jxalpdlp",
	} {
		if got, err := ASCII(typed); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", typed, got, err, want)
		}
	}
	for _, bad := range []string{"a\u202eb.example", "a\uFFFDb.example", "\u0300a.example", "אa.example"} {
		if got, err := ASCII(bad); err == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}

func TestReadable(t *testing.T) {
	for name, want := range map[string]string{
		"xn--bcher-kva.example": "bücher.example", "a.example": "", "xn--.example": "", "xn--a.example": "", "xn--999999.example": "",
		"www.xn--r8jz45g.xn--zckzah": "www.例え.テスト", "xn--a-ecp.example": "", "axn--b.example": "",
	} {
		if got := Readable(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
