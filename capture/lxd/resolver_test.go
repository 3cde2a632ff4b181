package lxd

import (
	"fmt"
	"testing"
)

func TestReadResolver(t *testing.T) {
	for text, want := range map[string]string{
		"": "[] []",
		"# comment\nnameserver 10.0.0.1\nnameserver fd00::1\nsearch Lxd. corp.example\n": "[10.0.0.1 fd00::1] [lxd corp.example]",
		"domain old.example\nsearch new.example\noptions edns0 trust-ad\n":               "[] [new.example]",
		"nameserver fe80::1%eth0\nnameserver nonsense\nsearch .\n":                       "[fe80::1] []",
	} {
		if r := readResolver(text); fmt.Sprint(r.Servers, r.Search) != want {
			t.Errorf("%q is %v %v, want %s", text, r.Servers, r.Search, want)
		}
	}
}
