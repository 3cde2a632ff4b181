package proof

import (
	"strings"
	"testing"
)

// The checks that formats name take the files.
func TestCheck(t *testing.T) {
	for _, name := range []string{"dnsmasq", "lxd-raw-dnsmasq", "dnsmasq-nftset", "rpz", "dnsdist"} {
		f := format(t, name)
		words := strings.Fields(f.Check)
		for i := range words {
			if words[i] == "FILE" {
				words[i] = file(t, f, rules())
			}
		}
		if out := run(t, words[0], words[1:]...); !strings.Contains(out, "OK") {
			t.Errorf("%s says:\n%s", f.Check, out)
		}
	}
}
