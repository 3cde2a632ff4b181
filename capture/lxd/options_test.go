package lxd

import (
	"strings"
	"testing"
)

func TestWithLogging(t *testing.T) {
	const ours = "log-queries=extra\nlog-facility=-\nquiet-dhcp\nquiet-dhcp6"
	for _, test := range []struct{ raw, want string }{
		{"", ours},
		{"no-resolv", "no-resolv\n" + ours},
		{"no-resolv\n", "no-resolv\n" + ours},
		{"a\n\n b  # c\n", "a\n\n b  # c\n" + ours},
		{"log-facility=/x\na", "a\n" + ours},
		{"a\n  log-facility = /x # why\nb", "a\nb\n" + ours},
		{"a\nlog-facility=/x", "a\n" + ours},
		{"log-facility", ours},
		{"# log-facility=/x\n", "# log-facility=/x\n" + ours},
		{"log-queries\nquiet-dhcp", "log-queries\nquiet-dhcp\n" + ours},
		{"a\r\nlog-facility=/x\r\nb", "a\r\nb\n" + ours},
	} {
		if got := withLogging(test.raw, stderrFacility); got != test.want {
			t.Errorf("withLogging(%q) = %q, want %q", test.raw, got, test.want)
		}
	}
}

func TestDisablesDNS(t *testing.T) {
	for raw, want := range map[string]bool{
		"": false, "port=0": true, "a\n port = 0 # none\n": true,
		"port=53": false, "port=0\nport=53": false, "#port=0": false, "port=05": false,
	} {
		if got := disablesDNS(raw); got != want {
			t.Errorf("disablesDNS(%q) = %v", raw, got)
		}
	}
}

// What others made of a raw.dnsmasq that had our options is theirs, less
// these.
func TestWithoutLogging(t *testing.T) {
	for _, test := range []struct{ original, change, want string }{
		{"a\n", "%s\nb", "a\nb"},
		{"a", "%s\nb", "a\nb"},
		{"", "%s\nb", "b"},
		{"a\n", "b\n%s", "b\na\n"},
		{"", "b\n%s", "b\n"},
		{"a\nlog-facility=/x\nb\n", "%s\nc\n", "a\nb\nc\nlog-facility=/x\n"},
		{"log-facility=/x\n", "%s\nlog-facility=/y\n", "log-facility=/y\n"},
		{"a\n", "something else", "something else"},
	} {
		changed := strings.Replace(test.change, "%s", withLogging(test.original, stderrFacility), 1)
		if got := withoutLogging(changed, test.original, stderrFacility); got != test.want {
			t.Errorf("of %q changed to %q, theirs is %q, want %q", test.original, changed, got, test.want)
		}
	}
}
