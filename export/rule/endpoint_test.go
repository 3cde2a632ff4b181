package rule

import (
	"net/netip"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7:443/tcp":         "",
		"192.0.2.0/24:53/udp":       "",
		"[2001:db8::7]:443/udp":     "",
		"[2001:db8::/48]:443/tcp":   "",
		"192.0.2.7/24:443/tcp":      "bits set",
		"0.0.0.0/0:443/tcp":         "short a prefix",
		"[::/0]:443/tcp":            "short a prefix",
		"127.0.0.1:443/tcp":         "loopback",
		"[fe80::1]:443/tcp":         "link-local",
		"224.0.0.251:5353/udp":      "multicast",
		"192.0.2.7:0/tcp":           "no port",
		"192.0.2.7:7/sctp":          "no port",
		"[::ffff:192.0.2.7]:43/tcp": "own writing",
	} {
		e, err := ParseEndpoint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if e.String() != text {
			t.Errorf("%s is written %s", text, e)
		}
		if why := e.Problem(); (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("the problem of %s is %q, not %q", text, why, want)
		}
	}
	if e, err := ParseEndpoint("192.0.2.7:443"); err != nil || e != EndpointOf(netip.MustParseAddrPort("[::ffff:192.0.2.7]:443"), "tcp") {
		t.Errorf("%v, %v", e, err)
	}
	for _, text := range []string{"", ":443", "192.0.2.7", "a.example:443", "2001:db8::7:443", "[192.0.2.7]:443", "[2001:db8::7:443", "192.0.2.7:65536", "192.0.2.7:x/tcp", "192.0.2.0/33:443", "192.0.2.7:443/"} {
		if e, err := ParseEndpoint(text); err == nil {
			t.Errorf("%q is read as %s", text, e)
		}
	}
}
