package lxd

import (
	"strings"
	"testing"
)

func TestWithLogging(t *testing.T) {
	const waits = "# lxd-allowlist: "
	const ours = "# lxd-allowlist: what follows is there while it watches, and goes with it\nlog-queries=extra\nlog-facility=-\nquiet-dhcp\nquiet-dhcp6"
	for _, test := range []struct{ raw, want string }{
		{"", ours},
		{"no-resolv", "no-resolv\n" + ours},
		{"no-resolv\n", "no-resolv\n" + ours},
		{"a\n\n b  # c\n", "a\n\n b  # c\n" + ours},
		{"log-facility=/x\na", waits + "log-facility=/x\na\n" + ours},
		{"a\n  log-facility = /x # why\nb", "a\n" + waits + "  log-facility = /x # why\nb\n" + ours},
		{"a\nlog-facility=/x", "a\n" + waits + "log-facility=/x\n" + ours},
		{"log-facility", waits + "log-facility\n" + ours},
		{"# log-facility=/x\n", "# log-facility=/x\n" + ours},
		{"log-queries\nquiet-dhcp", "log-queries\nquiet-dhcp\n" + ours},
		{"a\r\nlog-facility=/x\r\nb", "a\r\n" + waits + "log-facility=/x\r\nb\n" + ours},
	} {
		if got := withLogging(test.raw, stderrFacility); got != test.want {
			t.Errorf("withLogging(%q) = %q, want %q", test.raw, got, test.want)
		}
		if got := withoutLogging(test.want, test.raw, stderrFacility); got != test.raw {
			t.Errorf("%q comes back as %q", test.raw, got)
		}
		if got := withoutLogging(stirred(test.raw), test.raw, stderrFacility); got != test.raw {
			t.Errorf("%q, stirred, comes back as %q", test.raw, got)
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

// What others made of a raw.dnsmasq that had our options is theirs, line by
// line, less ours.
func TestWithoutLogging(t *testing.T) {
	const facility = "log-facility=-\n"
	for _, test := range []struct {
		original string
		change   func(string) string
		want     string
	}{
		{"a\n", behind("b"), "a\nb"},
		{"a", behind("b"), "a\nb"},
		{"", behind("b"), "b"},
		{"a\n", before("b\n"), "b\na\n"},
		{"a", before("b\n"), "b\na"},
		{"", before("b\n"), "b\n"},
		{"a\nlog-facility=/x\nb\n", behind("c\n"), "a\nlog-facility=/x\nb\nc\n"},
		{"log-facility=/x\n", behind("log-facility=/y\n"), "log-facility=/y\n"},
		{"a\n", swap(facility, "log-facility=/y\n"), "a\nlog-facility=/y\n"},
		{"log-facility=/x\na\n", swap(facility, "log-facility=/y\n"), "a\nlog-facility=/y\n"},
		{"a\n", swap(facility, facility+"b\n"), "a\nb\n"},
		{"a\n", swap(facility, ""), "a\n"},
		{"a\n", swap(header+"\n", ""), "a\n"},
		{"a" + denyTag, before("b\n"), "b\na" + denyTag},
		{"quiet-dhcp\n", swap(header+"\n", ""), "quiet-dhcp\n"},
		{"quiet-dhcp\na\n", swap("\nquiet-dhcp\nquiet-dhcp6", ""), "quiet-dhcp\na\n"},
		{"a\nquiet-dhcp\nb\n", swap("b\n", ""), "a\nquiet-dhcp\n"},
		{"quiet-dhcp\na\n", func(raw string) string { return strings.TrimPrefix(raw, "quiet-dhcp\n") }, "a\n"},
		{"a\n", swap("\n", "\r\n"), "a\r\n"},
		{"first\nb\n", swap("first\n", "c\n"), "c\nb\n"},
		{"a\n", func(string) string { return "something else" }, "something else"},
		{"a\n", func(string) string { return "" }, ""},
	} {
		changed := test.change(withLogging(test.original, stderrFacility))
		if got := withoutLogging(changed, test.original, stderrFacility); got != test.want {
			t.Errorf("of %q changed to %q, theirs is %q, want %q", test.original, changed, got, test.want)
		}
	}
}

// Lines that hold names back are ours whatever is around them, and nothing else is.
func TestWithoutDenying(t *testing.T) {
	lines := []string{"address=/#/", "server=/*a/127.0.0.1#5"}
	for _, test := range []struct {
		original string
		change   func(string) string
		want     string
	}{
		{"a\n", before(""), "a\n"},
		{"a", before(""), "a"},
		{"", before(""), ""},
		{"", behind("b"), "b"},
		{"a", behind("b\n"), "a\nb\n"},
		{"a\n", swap(denyHeader+"\n", ""), "a\n"},
		{"a\n", swap("server=", "b\nserver="), "a\nb\n"},
		{"a\n", swap(lines[0]+denyTag+"\n", ""), "a\n"},
		{"a\n", swap("\n", "\r\n"), "a\r\n"},
		{"a\n", behind("quiet-dhcp\n" + header + "\nlog-facility=-\n"), "a\nquiet-dhcp\nlog-facility=-\n"},
		{"log-facility=/x\n", before("b\n"), "b\nlog-facility=/x\n"},
		{"theirs" + denyTag + "\n", before("b\n"), "b\ntheirs" + denyTag + "\n"},
		{"a\n", func(string) string { return "something else" }, "something else"},
	} {
		changed := test.change(withDenying(test.original, lines))
		if got := withoutLogging(changed, test.original, stderrFacility); got != test.want {
			t.Errorf("of %q changed to %q, theirs is %q, want %q", test.original, changed, got, test.want)
		}
	}
}

// Beside what isn't known to be harmless no list is held.
func TestOpening(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "\n# server=/x/1.1.1.1\n\tno-resolv\n": "", "server=1.1.1.1": "", " server = 1.1.1.1#53@eth0 # /x/": "",
		"log-facility=/x\nquiet-dhcp6\ndhcp-option=3,1.2.3.4": "", "stop-dns-rebind\nlocal-ttl=5": "",
		"no-resolv\nserver=/x/1.1.1.1\n": "server=/x/1.1.1.1", "server=/x/#": "server=/x/#", "server": "server", "server=": "server=",
		"local=/x/": "local=/x/", "address=/x/1.1.1.1": "address=/x/1.1.1.1", "conf-file=/etc/x": "conf-file=/etc/x",
		"  conf-dir = /etc/x  ": "conf-dir = /etc/x", "servers-file=/x": "servers-file=/x", "addn-hosts=/x": "addn-hosts=/x",
		"host-record=a,1.1.1.1": "host-record=a,1.1.1.1", "cname=a,b": "cname=a,b", "rev-server=10.0.0.0/8,1.1.1.1": "rev-server=10.0.0.0/8,1.1.1.1",
		"dnssec": "dnssec", "auth-server=x": "auth-server=x", "whatever": "whatever",
	} {
		if line, opens := opening(raw); line != want || opens != (want != "") {
			t.Errorf("opening(%q) = %q, %v, want %q", raw, line, opens, want)
		}
	}
}

func behind(more string) func(string) string {
	return func(raw string) string { return raw + "\n" + more }
}
func before(more string) func(string) string { return func(raw string) string { return more + raw } }
func swap(old, with string) func(string) string {
	return func(raw string) string { return strings.ReplaceAll(raw, old, with) }
}
