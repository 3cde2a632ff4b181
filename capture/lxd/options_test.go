package lxd

import "testing"

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
