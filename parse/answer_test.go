package parse

import "testing"

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		answer        string
		outcome, told Outcome
		origin        Origin
		ptr           bool
	}{
		{"reply a.example is 192.0.2.7", Address, Address, Upstream, false},
		{"reply a.example is 2001:db8::7", Address, Address, Upstream, false},
		{"reply a.example is <CNAME>", Alias, Alias, Upstream, false},
		{"reply a.example is NXDOMAIN", NoName, NoName, Upstream, false},
		{"cached a.example is NXDOMAIN", NoName, NoName, Cache, false},
		{"cached-stale a.example is 192.0.2.7", Address, Address, Cache, false},
		{"cached a.example is NODATA", NoData, NoData, Cache, false},
		{"cached a.example is NODATA-IPv4", NoData, NoData, Cache, false},
		{"cached a.example is NODATA-IPv6", NoData, NoData, Cache, false},
		{"reply error is SERVFAIL", ServFail, ServFail, Upstream, false},
		{"config error is REFUSED (EDE: not ready)", Refused, Refused, Local, false},
		{"reply error is not implemented", OtherError, OtherError, Upstream, false},
		{"reply error is FORMERR", OtherError, OtherError, Upstream, false},
		{"reply error is 9", OtherError, OtherError, Upstream, false},
		{"reply is truncated", Data, Data, Upstream, false},
		{"reply a.example is <HTTPS>", Data, Data, Upstream, false},
		{"reply a.example is v=spf1 ", Data, Data, Upstream, false},
		{"reply a.example is 9", Data, Data, Upstream, false},
		{"reply a.example is 192.0.2.7 (DNSSEC signed)", Address, Address, Upstream, false},
		{"reply 192.0.2.7 is a.example", Address, Address, Upstream, true},
		{"/etc/hosts 2001:db8::7 is a.example", Address, Address, Local, true},
		// Answered here.
		{"/etc/hosts a.example is 192.0.2.7", Address, Address, Local, false},
		{"DHCP web.lxd is 10.0.0.2", Address, Address, Local, false},
		{"config a.example is 192.0.2.7", Address, Address, Local, false},
		{"config a.example is <CNAME>", Alias, Alias, Local, false},
		{"config a.example is NODATA-IPv6", NoData, NoData, Local, false},
		{"config a.example is NODATA-IPv6 (EDE: filtered)", NoData, NoData, Local, false},
		{"config 192.168.0.1 is NXDOMAIN", NoName, NoName, Local, true},
		{"auth a.example is 192.0.2.7", Address, Address, Local, false},
		{"Pi-hole hostname pi.hole is 192.0.2.7", Address, Address, Local, false},
		// Blocked by dnsmasq's own rules, by hosts files, by upstreams.
		{"config a.example is NXDOMAIN", Blocked, NoName, Local, false},
		{"config a.example is 0.0.0.0", Blocked, Address, Local, false},
		{"config a.example is ::", Blocked, Address, Local, false},
		{"/etc/hosts.block a.example is 0.0.0.0", Blocked, Address, Local, false},
		{"reply a.example is 0.0.0.0", Blocked, Address, Upstream, false},
		{"cached a.example is ::", Blocked, Address, Cache, false},
		{"reply a.example is 146.112.61.104", Blocked, Address, Upstream, false},
		{"cached a.example is ::ffff:146.112.61.110", Blocked, Address, Cache, false},
		{"reply a.example is 146.112.61.103", Address, Address, Upstream, false},
		{"reply a.example is 146.112.61.111", Address, Address, Upstream, false},
		{"reply error is REFUSED (EDE: blocked)", Blocked, Refused, Upstream, false},
		{"reply error is SERVFAIL (EDE: censored)", Blocked, ServFail, Upstream, false},
		{"reply error is REFUSED (EDE: prohibited)", Blocked, Refused, Upstream, false},
		{"reply error is SERVFAIL (EDE: network error)", ServFail, ServFail, Upstream, false},
		// Blocked by Pi-hole, old and new.
		{"gravity blocked a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"gravity blocked a.example is ::", Blocked, Address, Filter, false},
		{"gravity blocked a.example is 192.168.0.2", Blocked, Address, Filter, false},
		{"gravity blocked (CNAME) a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"gravity blacklisted a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"exactly denied a.example is NXDOMAIN", Blocked, NoName, Filter, false},
		{"exactly denied (CNAME) a.example is NODATA", Blocked, NoData, Filter, false},
		{"exactly blacklisted a.example is NODATA-IPv4", Blocked, NoData, Filter, false},
		{"regex denied a.example is NXDOMAIN", Blocked, NoName, Filter, false},
		{"regex blacklisted a.example is REFUSED (EDE: blocked)", Blocked, Refused, Filter, false},
		{"special domain a.example is NXDOMAIN", Blocked, NoName, Filter, false},
		{"Mozilla canary domain use-application-dns.net is NXDOMAIN", Blocked, NoName, Filter, false},
		{"Apple iCloud Private Relay domain mask.icloud.com is NXDOMAIN", Blocked, NoName, Filter, false},
		{"Designated Resolver domain _dns.resolver.arpa is NODATA", Blocked, NoData, Filter, false},
		{"Rate-limiting a.example is REFUSED (EDE: blocked)", Blocked, Refused, Filter, false},
		{"Rate-limiting a.example is REFUSED", Blocked, Refused, Filter, false},
		{"blocked upstream with NULL address a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"blocked upstream with known address (IPv4) a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"blocked upstream with NXDOMAIN + no RA a.example is NXDOMAIN", Blocked, NoName, Filter, false},
		{"blocked upstream with EDE15 a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"to be refused (gravity database is not available) a.example is REFUSED", Blocked, Refused, Filter, false},
		{"/etc/pihole/gravity.list a.example is 0.0.0.0", Blocked, Address, Filter, false},
		{"/etc/pihole/gravity.list a.example is 192.168.0.2", Blocked, Address, Filter, false},
		{"/etc/pihole/black.list a.example is 192.168.0.2", Blocked, Address, Filter, false},
		{"/etc/pihole/local.list pi.hole is 192.168.0.2", Address, Address, Local, false},
	} {
		for _, line := range []string{tag + test.answer, tag + "7 10.0.0.2/5353 " + test.answer} {
			var r Record
			r.Parse([]byte(line))
			if r.Kind != Answer || r.Outcome() != test.outcome || r.Answered() != test.told || r.Origin() != test.origin || r.PTR() != test.ptr {
				t.Errorf("%q: %v, outcome %d, told %d, origin %d, PTR %t; want outcome %d, told %d, origin %d, PTR %t",
					line, r.Kind, r.Outcome(), r.Answered(), r.Origin(), r.PTR(), test.outcome, test.told, test.origin, test.ptr)
			}
		}
	}
}

// TestWhoBlocked holds a blocked answer to name the filter and the name that
// was asked for.
func TestWhoBlocked(t *testing.T) {
	for answer, want := range map[string][2]string{
		"gravity blocked a.example is 0.0.0.0":                  {"gravity blocked", "a.example"},
		"gravity blocked (CNAME) a.example is 0.0.0.0":          {"gravity blocked (CNAME)", "a.example"},
		"Rate-limiting a.example is REFUSED (EDE: blocked)":     {"Rate-limiting", "a.example"},
		"blocked upstream with known address (IPv4) a is ::":    {"blocked upstream with known address (IPv4)", "a"},
		"config a.example is NXDOMAIN":                          {"config", "a.example"},
		"/etc/pihole/gravity.list a.example is 192.168.0.2":     {"/etc/pihole/gravity.list", "a.example"},
		"reply a.example is 0.0.0.0":                            {"reply", "a.example"},
		"gravity blocked gravity blocked b.example is 0.0.0.0":  {"gravity blocked", "gravity blocked b.example"},
		"regex denied a.example is 1.2.3.4 is 0.0.0.0 (EDE: x)": {"regex denied", "a.example is 1.2.3.4"},
	} {
		var r Record
		if r.Parse([]byte(tag + answer)); string(r.Source) != want[0] || string(r.Name) != want[1] || r.Outcome() != Blocked {
			t.Errorf("%q: outcome %d by %q of %q, want %q of %q", answer, r.Outcome(), r.Source, r.Name, want[0], want[1])
		}
	}
}

// TestFTLsOwnLog reads the queries in pihole-FTL's own log, of several versions.
func TestFTLsOwnLog(t *testing.T) {
	for line, want := range map[string]string{
		`2026-01-08 21:51:56.123 CET [812/T814] DEBUG_QUERIES: **** new UDP IPv4 query[A] query "n1.example.com" from eth0/192.0.2.5#53312 (ID 12, FTL 34, dnsmasq_interface.c:817)`: "query A n1.example.com 192.0.2.5",
		`[2026-01-08 21:51:56.123 812M] **** new UDP IPv6 query[AAAA] query "n1.example.com" from lo/fd42::5#53312 (ID 12, FTL 34, src/dnsmasq_interface.c:602)`:                     "query AAAA n1.example.com fd42::5",
		`[2020-01-08 21:51:56.123 812M] **** new TCP query[A] "n1.example.com" from 192.0.2.5 (ID 12, FTL 34, dnsmasq_interface.c:400)`:                                              "query A n1.example.com 192.0.2.5",
		`[2020-01-08 21:51:56.123 812M] **** new UDP IPv4 query[A] query "x" from lo/1.2.3.4#5 (ID 1, FTL 2, a" from eth0/192.0.2.5#53312 (ID 12, FTL 34, dnsmasq_interface.c:817)`:  `query A x" from lo/1.2.3.4#5 (ID 1, FTL 2, a 192.0.2.5`,
		`[2020-01-08 21:51:56.123 812M] **** new UDP IPv4 query[A] query "x" from eth0/192.0.2.#53312 (ID 12, FTL 34, dnsmasq_interface.c:817)`:                                      "garbled",
		`[2020-01-08 21:51:56.123 812M] **** got cache reply: n1.example.com is 192.0.2.7 (ID 12, dnsmasq_interface.c:817)`:                                                          "other",
		`[2020-01-08 21:51:56.123 812M] query[A] n1.example.com from 192.0.2.5`:                                                                                                      "garbled",
	} {
		var r Record
		if r.Parse([]byte(line)); brief(&r) != want {
			t.Errorf("%s is %q, want %q", line, brief(&r), want)
		}
	}
}
