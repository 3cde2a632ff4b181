package lxd

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// FuzzOptions holds a raw.dnsmasq to come back byte for byte from our options,
// and what others wrote before, behind or among them meanwhile to stay.
func FuzzOptions(f *testing.F) {
	for _, raw := range []string{
		"", "no-resolv", "a\n\n b  # c\n", "a\n  log-facility = /x # why\nb", "a\r\nlog-facility=/x\r\nb", "log-facility", "quiet-dhcp\nlog-queries=extra\n",
		"a" + denyTag, "log-facility=-",
	} {
		f.Add(raw, "b", uint8(0), false)
		f.Add(raw, "log-facility=/y", uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, raw, more string, at uint8, denies bool) {
		if strings.Contains(raw, mark) { // our comments are ours, whoever has kept them
			return
		}
		ours := withLogging(raw, stderrFacility)
		if denies {
			ours = withDenying(raw, []string{"address=/#/", "server=/*a/127.0.0.1#5"})
		}
		if got := withoutLogging(ours, raw, stderrFacility); got != raw {
			t.Errorf("%q comes back as %q", raw, got)
		}
		if got := withoutLogging(stirred(raw), raw, stderrFacility); got != raw {
			t.Errorf("%q, stirred, comes back as %q", raw, got)
		}
		if strings.Contains(raw, more) || strings.ContainsAny(more, "\r\n") || strings.HasPrefix(more, mark) || strings.HasSuffix(more, denyTag) || setsFacility(more) ||
			slices.Contains(logging(stderrFacility), more) {
			return // a line that could be ours, or of which one alone is accepted
		}
		lines := slices.Collect(strings.Lines(ours))
		n := int(at) % (len(lines) + 1)
		if n == len(lines) {
			lines[n-1] += "\n" // ours has none
		}
		changed := strings.Join(slices.Insert(lines, n, more+"\n"), "")
		got := withoutLogging(changed, raw, stderrFacility)
		theirs := slices.Collect(strings.Lines(got))
		i := slices.IndexFunc(theirs, func(line string) bool { return strings.TrimSuffix(line, "\n") == more })
		if i < 0 {
			t.Fatalf("%q, with %q before line %d of ours, becomes %q", raw, more, n, got)
		}
		if left := strings.Join(slices.Delete(theirs, i, i+1), ""); strings.TrimSuffix(left, "\n") != strings.TrimSuffix(raw, "\n") {
			t.Errorf("%q, with %q before line %d of ours, becomes %q", raw, more, n, got)
		}
	})
}

// FuzzOpening holds a raw.dnsmasq that is taken for harmless to have no line that
// has names answered otherwise, or by a server of theirs alone.
func FuzzOpening(f *testing.F) {
	for _, raw := range []string{"no-resolv\nserver=1.1.1.1#53@eth0 # /x/\n", "server=/x/#", "  conf-dir = /etc/x", "\taddress=/x/1.1.1.1\r\n", "dhcp-option=3,1.2.3.4\n#address"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if line, opens := opening(raw); opens && (line == "" || !strings.Contains(raw, line)) {
			t.Errorf("%q isn't in %q", line, raw)
		} else if !opens {
			for line := range strings.SplitSeq(raw, "\n") {
				line = strings.TrimLeft(line, " \t")
				for _, answers := range []string{"address", "local=", "cname", "host-record", "conf-", "addn-hosts", "rev-server", "servers-file", "auth-"} {
					if strings.HasPrefix(line, answers) {
						t.Errorf("%q is taken for harmless", raw)
					}
				}
				if value, is := strings.CutPrefix(strings.ReplaceAll(line, " ", ""), "server="); is && strings.HasPrefix(value, "/") {
					t.Errorf("%q is taken for harmless", raw)
				}
			}
		}
	})
}

// FuzzResolver holds what an instance's resolv.conf says to addresses without a
// zone, and domains without a blank, and what LXD says to one line.
func FuzzResolver(f *testing.F) {
	f.Add("nameserver 127.0.0.53\nnameserver fe80::1%eth0\nsearch .a.example. b\noptions edns0 trust-ad\n")
	f.Add("domain lxd\nsearch\nnameserver\n nameserver\t10.0.0.1 # x\n")
	f.Add("Error: Failed to run: dnsmasq: bad option at line 3 (Error: \\x00\\x00\n\n)")
	f.Fuzz(func(t *testing.T, text string) {
		r := readResolver(text)
		for _, a := range r.Servers {
			if !a.IsValid() || a.Zone() != "" {
				t.Errorf("%q has the server %v", text, a)
			}
		}
		for _, domain := range r.Search {
			if domain == "" || strings.ContainsFunc(domain, unicode.IsSpace) || strings.HasPrefix(domain, ".") {
				t.Errorf("%q has the domain %q", text, domain)
			}
		}
		if said := plain(errors.New(text)).Error(); strings.ContainsFunc(said, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q is said as %q", text, said)
		}
	})
}
