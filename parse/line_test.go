package parse

import (
	"strconv"
	"strings"
	"testing"
)

const tag = "Nov 23 10:00:00 dnsmasq[123]: "

// long returns a query line of n bytes that a hostile client made to be cut
// within the name.
func long(prefix string, n int) string {
	const end = " from 6.6.6.6"
	return prefix + "query[A] " + strings.Repeat("a", n-len(prefix)-len("query[A] ")-len(end)) + end
}

// lines seeds the fuzzer too.
var lines = []struct {
	line string
	want string // kind, then what is set of: type name client | source name result
}{
	// Queries.
	{tag + "query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{tag + "query[AAAA] A.Example from 10.0.0.2", "query AAAA A.Example 10.0.0.2"},
	{tag + "query[NSAP_PTR] a.example from fd42::2", "query NSAP_PTR a.example fd42::2"},
	{tag + "query[A] a.example from fe80::1%lxdbr0", "query A a.example fe80::1%lxdbr0"},
	{tag + "query[A] a.example from ::ffff:10.0.0.2", "query A a.example ::ffff:10.0.0.2"},
	{tag + "query[type=65] a.example from 10.0.0.2", "query HTTPS a.example 10.0.0.2"},
	{tag + "query[type=64] a.example from 10.0.0.2", "query SVCB a.example 10.0.0.2"},
	{tag + "query[type=65399] a.example from 10.0.0.2", "query type=65399 a.example 10.0.0.2"},
	{tag + "auth[SOA] a.example from 10.0.0.2", "query SOA a.example 10.0.0.2"},
	{tag + "query[NS] . from 10.0.0.2", "query NS . 10.0.0.2"},
	{tag + "query[A] <name unprintable> from 10.0.0.2", "query A <name unprintable> 10.0.0.2"},
	{tag + `query[A] a "b' #;|*\<>$% c from 10.0.0.2`, `query A a "b' #;|*\<>$% c 10.0.0.2`},
	// With log-queries=extra.
	{tag + "7 10.0.0.2/5353 query[A] a.example from 10.0.0.2", "7 query A a.example 10.0.0.2"},
	{tag + "4294967295 fd42::2/5353 query[A] a.example from fd42::2", "4294967295 query A a.example fd42::2"},
	{tag + "7 fe80::1%lxdbr0/5353 query[A] a.example from fe80::1", "7 query A a.example fe80::1"},
	{tag + "7 fe80::1%lxdbr0/5353 query[A] a.example from fe80::1%lxdbr0", "7 query A a.example fe80::1%lxdbr0"},
	{tag + "UDP 7 10.0.0.2/5353 query[A] a.example from 10.0.0.2", "7 query A a.example 10.0.0.2"},
	{tag + "TCP 7 10.0.0.2/5353 query[A] a.example from 10.0.0.2", "7 query A a.example 10.0.0.2"},
	{tag + "* 10.0.0.2/5353 query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	// Prefixes.
	{"Nov  3 10:00:00 dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"Nov 23 10:00:00 host dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"Nov 23 10:00:00.123456 host dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"Nov 23 10:00:00 dnsmasq dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"Nov 23 10:00:00 dnsmasq-1 dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"<30>Nov 23 10:00:00 dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"2026-11-23T10:00:00+0100 host dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"2026-11-23T10:00:00.123456+01:00 host dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"2026-11-23T10:00:00.123456789Z dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"dnsmasq[1]: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"dnsmasq: query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"query[A] a.example from 10.0.0.2", "query A a.example 10.0.0.2"},
	{"7 10.0.0.2/5353 query[A] a.example from 10.0.0.2", "7 query A a.example 10.0.0.2"},
	{"Nov 23 10:00:00 dnsmasq-dhcp[1]: DHCPACK(lxdbr0) 10.0.0.2 00:16:3e:00:00:01 web", "other"},
	{"Nov 23 10:00:00 dnsmasq-tftp[1]: query[A] a.example from 10.0.0.2", "other"},
	{"Nov 23 10:00:00 dnsmasq-dhcp[1]: dnsmasq[1]: query[A] a.example from 10.0.0.2", "other"},
	{"Nov 23 10:00:00 host dnsmasq-script[1]: query[A] a.example from 10.0.0.2", "other"},
	{"Nov 23 10:00:00 host other[1]: dnsmasq[1]: query[A] a.example from 10.0.0.2", "garbled"},
	{"Nov 23 10:00:00 query[A] a.example from 10.0.0.2", "garbled"},
	{"Xyz 23 10:00:00 dnsmasq[1]: query[A] a.example from 10.0.0.2", "garbled"},
	{"dnsmasq[]: query[A] a.example from 10.0.0.2", "other"},
	// What a client can put in a name.
	{tag + "query[A] x from 1.2.3.4 from 10.0.0.2", "query A x from 1.2.3.4 10.0.0.2"},
	{tag + "7 10.0.0.2/5353 query[A] query[A] b.example from 1.2.3.4 from 10.0.0.2", "7 query A query[A] b.example from 1.2.3.4 10.0.0.2"},
	{tag + "query[A] " + tag + "query[A] b.example from 1.2.3.4 from 10.0.0.2", "garbled"},
	{tag + "forwarded " + tag + "query[A] b.example from 1.2.3.4 to 10.0.0.1", "garbled"},
	{tag + "reply " + tag + "query[A] b.example from 1.2.3.4 is NXDOMAIN", "garbled"},
	{tag + "reply b.example is " + tag + "query[A] b.example from 1.2.3.4", "garbled"},
	{tag + "/etc/hosts b.example is 1.2.3.4" + tag + "query[A] b.example from 1.2.3.4", "garbled"},
	{tag + "query[A] a dnsmasq b from 10.0.0.2", "query A a dnsmasq b 10.0.0.2"},
	{tag + "reply b.example is 1.2.3.4 is NXDOMAIN", "answer reply b.example is 1.2.3.4 NXDOMAIN"},
	{tag + "reply b.example to 1.2.3.4 is NXDOMAIN", "answer reply b.example to 1.2.3.4 NXDOMAIN"},
	{tag + "7 10.0.0.2/5353 query[A] x from 6.6.6.6", "7 garbled 10.0.0.2"},
	{tag + "7 fe80::1%a/5353 query[A] x from fe80::1%b", "7 garbled fe80::1%a"},
	{tag + "7 query[A] x from 6.6.6.6", "7 garbled"},
	{tag + "query[A] e73.a", "garbled"},
	{tag + "query[A] a.example from 10.0.0.2 ", "query A a.example 10.0.0.2"},
	{tag + "7 10.0.0.2/5353 query[A] a.example from 10.0.0.2\t", "7 query A a.example 10.0.0.2"},
	{tag + "query[A] a.example from 10.0.0.2 x", "garbled"},
	{tag + "query[A] a.example from 10.0.0", "garbled"},
	{tag + "query[A] a.example from 010.0.0.2", "garbled"},
	{tag + "query[A] a.example from 10.0.0.256", "garbled"},
	{tag + "query[A] a.example from 1.2.3.4%eth0", "garbled"},
	{tag + "query[A] a.example from fe80::1%", "garbled"},
	{tag + "query[A] a.example from 1:2:3:4:5:6:7:8", "query A a.example 1:2:3:4:5:6:7:8"},
	{tag + "query[A] a.example from 1:2:3:4::5:6:7:8", "garbled"},
	{tag + "query[A] a.example from 1::2::3", "garbled"},
	{tag + "query[A] a.example from 1:2", "garbled"},
	{tag + "query[A] a.example from 1:", "garbled"},
	{tag + "query[A] a.example from 12345::", "garbled"},
	{tag + "query[A] a.example from 1:2:3:4:5:6:7:10.0.0.2", "garbled"},
	{tag + "query[A] a.example from ", "garbled"},
	{tag + "query[A]  from 10.0.0.2", "garbled"},
	{tag + "query[a] a.example from 10.0.0.2", "garbled"},
	{tag + "query[type=] a.example from 10.0.0.2", "garbled"},
	{tag + "query[] a.example from 10.0.0.2", "garbled"},
	{tag + "query[A]a.example from 10.0.0.2", "garbled"},
	{tag + "query[A", "garbled"},
	{tag + "auth[", "garbled"},
	{"ny.example from 127.0.0.1", "other"},
	{long(tag, 1022), "query A " + strings.Repeat("a", 970) + " 6.6.6.6"},
	{long(tag, 1023), "cut"},
	{long(tag, 4096), "cut"},
	{long("Nov 23 10:00:00 h dnsmasq[123]: ", 1021), "cut"},
	{long("", 985), "cut"},
	{"Nov 23 10:00:00 host other[1]: " + strings.Repeat("a", 2000), "other"},
	// Forwarded.
	{tag + "forwarded a.example to 127.0.0.1#5501", "forward forwarded a.example 127.0.0.1#5501"},
	{tag + "7 10.0.0.2/5353 forwarded a.example to 127.0.0.1", "7 forward forwarded a.example 127.0.0.1 10.0.0.2"},
	{tag + "dnssec-query[DS] a.example to 127.0.0.1", "forward dnssec-query DS a.example 127.0.0.1"},
	{tag + "7 dnssec-retry[DNSKEY] a.example to 127.0.0.1", "7 forward dnssec-retry DNSKEY a.example 127.0.0.1"},
	{tag + "* 10.0.0.2/5353 dnssec-query[DS] a.example to 127.0.0.1", "forward dnssec-query DS a.example 127.0.0.1 10.0.0.2"},
	{tag + "forwarded a.example", "other"},
	{tag + "dnssec-query[DS a.example to 127.0.0.1", "other"},
	// Answers.
	{tag + "reply a.example is 192.0.2.7", "answer reply a.example 192.0.2.7"},
	{tag + "reply a.example is <CNAME>", "answer reply a.example <CNAME>"},
	{tag + "cached a.example is NODATA-IPv6", "answer cached a.example NODATA-IPv6"},
	{tag + "cached-stale a.example is 192.0.2.7", "answer cached-stale a.example 192.0.2.7"},
	{tag + "config a.lxd is NXDOMAIN", "answer config a.lxd NXDOMAIN"},
	{tag + "DHCP web.lxd is 10.0.0.2", "answer DHCP web.lxd 10.0.0.2"},
	{tag + "auth a.example is 192.0.2.7", "answer auth a.example 192.0.2.7"},
	{tag + "/etc/hosts a.example is 192.0.2.7", "answer /etc/hosts a.example 192.0.2.7"},
	{tag + "7 10.0.0.2/5353 /etc/my hosts a.example is 192.0.2.7", "7 answer /etc/my hosts a.example 192.0.2.7 10.0.0.2"},
	{tag + "reply 10.0.7.7 is web.lxd", "answer reply 10.0.7.7 web.lxd"},
	{tag + "reply a.example is v=spf1 ", "answer reply a.example v=spf1"},
	{tag + "reply a.example is ", "answer reply a.example"},
	{tag + "reply a.example is v=spf1 include:b.example -all", "answer reply a.example v=spf1 include:b.example -all"},
	{tag + "7 10.0.0.2/5353 reply a.example is 192.0.2.7 (DNSSEC signed)", "7 answer reply a.example 192.0.2.7 10.0.0.2"},
	{tag + "reply error is SERVFAIL", "answer reply SERVFAIL"},
	{tag + "reply error is not implemented", "answer reply not implemented"},
	{tag + "reply error is 9", "answer reply 9"},
	{tag + "7 10.0.0.2/5353 config error is REFUSED (EDE: not ready)", "7 answer config REFUSED 10.0.0.2"},
	{tag + "reply error is NXDOMAIN", "answer reply error NXDOMAIN"},
	{tag + "reply error is 192.0.2.7", "answer reply error 192.0.2.7"},
	{tag + "7 10.0.0.2/5353 reply is truncated", "7 answer reply truncated 10.0.0.2"},
	{tag + "reply is truncated is 192.0.2.7", "answer reply is truncated 192.0.2.7"},
	{tag + "/etc/hosts a is  is 192.0.2.7", "other"},
	{tag + "reply a.example", "other"},
	{tag + "reply  is 192.0.2.7", "other"},
	{tag + "validation a.example is SECURE", "other"},
	{tag + "ipset add allowed 192.0.2.7 a.example", "other"},
	// What dnsmasq says of itself.
	{tag + "started, version 2.90 cachesize 150", "start"},
	{tag + "overflow: 439 log entries lost", "loss"},
	{tag + "log failed: No space left on device", "loss"},
	{tag + "Maximum number of concurrent DNS queries reached (max: 150)", "loss"},
	{tag + "Maximum number of concurrent DNS queries to a.example reached (max: 150)", "loss"},
	{tag + "possible DNS-rebind attack detected: a.example", "loss"},
	{tag + "nameserver 192.0.2.1 refused to do a recursive query", "loss"},
	{tag + "nameserver 192.0.2.1 xrefused to do a recursive query", "other"},
	{tag + "7 10.0.0.2/5353 overflow: 439 log entries lost", "7 other 10.0.0.2"},
	{tag + "overflow: 4294967296000 log entries lost", "other"},
	{tag + "last message repeated 3 times", "repeat"},
	{tag + "message repeated 3 times: [ query[A] a.example from 10.0.0.2]", "query A a.example 10.0.0.2"},
	{tag + "message repeated 3 times: [ message repeated 2 times: [ query[A] a.example from 10.0.0.2]]", "garbled"},
	{tag + "using nameserver 192.0.2.1#53", "other"},
	{tag + "cleared cache", "other"},
	{tag, "other"},
	{"", "other"},
}

// brief returns the parts that a record has, in the table's order.
func brief(r *Record) string {
	p := plainOf(r)
	parts := []string{p.kind.String(), p.source, p.qtype, p.name, p.result, p.client}
	if p.kind == Query {
		parts[1] = ""
	}
	if p.serial != 0 {
		parts = append([]string{strconv.FormatUint(p.serial, 10)}, parts...)
	}
	var set []string
	for _, part := range parts {
		if part != "" {
			set = append(set, part)
		}
	}
	return strings.Join(set, " ")
}

func TestParse(t *testing.T) {
	var r Record
	for _, test := range lines {
		for range 2 { // the second time with the first one's prefix in mind
			r.Parse([]byte(test.line))
			if got := brief(&r); got != test.want {
				t.Errorf("%q\n got %q\nwant %q", test.line, got, test.want)
			}
			if want, ok := reference(test.line); ok && plainOf(&r) != want {
				got := plainOf(&r)
				t.Errorf("%q\n got %v\nwant %v", test.line, got, want)
			}
		}
	}
}

// TestParseText holds what a Loss and a line of another program hand over.
func TestParseText(t *testing.T) {
	for line, want := range map[string]string{
		tag + "overflow: 439 log entries lost":               "overflow: 439 log entries lost",
		tag + "7 10.0.0.2/5353 reply is truncated":           "7 10.0.0.2/5353 reply is truncated",
		"Nov 23 10:00:00 host other[1]: query[A] a from ::1": "Nov 23 10:00:00 host other[1]: query[A] a from ::1",
	} {
		var r Record
		if r.Parse([]byte(line)); string(r.Text) != want {
			t.Errorf("the text of %q is %q, want %q", line, r.Text, want)
		}
	}
}

// TestCounts holds what a line says of others: how many are lost, and how
// often more it came itself.
func TestCounts(t *testing.T) {
	for line, want := range map[string]struct{ lost, repeats uint64 }{
		"overflow: 439 log entries lost":                              {439, 0},
		"log failed: No space left on device":                         {1, 0},
		"Maximum number of concurrent DNS queries reached (max: 150)": {1, 0},
		"last message repeated 3 times":                               {0, 3},
		"last message repeated 1 time":                                {0, 1},
		"message repeated 3 times: [ query[A] a from ::1]":            {0, 2},
		"query[A] a from ::1":                                         {0, 0},
	} {
		var r Record
		if r.Parse([]byte(tag + line)); r.Lost != want.lost || r.Repeats != want.repeats {
			t.Errorf("%q: %d lost and %d repeated, want %d and %d", line, r.Lost, r.Repeats, want.lost, want.repeats)
		}
	}
}

func TestTypeName(t *testing.T) {
	for n, want := range map[uint16]string{1: "A", 10: "NULL", 65: "HTTPS", 257: "CAA", 65280: "type=65280", 0: "type=0"} {
		if got := TypeName(n); got != want {
			t.Errorf("type %d is %s, want %s", n, got, want)
		}
	}
}
