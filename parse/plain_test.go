package parse

import (
	"bytes"
	"strings"
	"testing"
)

// plainReader is a record with what it read of the last plain line.
type plainReader struct {
	Record
	plain Plain
}

// agreePlain fails if Plain takes a line for something else than Parse does,
// each after the lines before it, or leaves another state behind. It reports
// whether Plain read the line.
func agreePlain(t *testing.T, quick *plainReader, full *Record, line []byte) bool {
	if bytes.IndexByte(line, '\n') >= 0 {
		return false // it is no line
	}
	p, other := &quick.plain, quick.plain
	unstamped, short := quick.Record, *quick
	full.Parse(chomp(line))
	log := append(bytes.Clone(line), '\n')
	if n := short.Plain(log, &short.plain, true); n != 0 && n != len(log) {
		t.Fatalf("%q is plain up to %d", line, n)
	}
	log = append(log, "Nov 23 10:00:00 dnsmasq[1234]: query[A] next.example from 10.0.0.2\n"...)
	switch n := quick.Plain(log, p, true); n {
	case 0:
		quick.Parse(chomp(line))
		return false
	case len(line) + 1:
	default:
		t.Fatalf("%q is plain up to %d", line, n)
	}
	unstamped.Plain(log, &other, false)
	if string(AppendName(nil, p.Name)) != string(p.Name) {
		t.Fatalf("%q is plain, and its name is not normal", line)
	}
	tally, any := full.Tally()
	switch {
	case any != (p.Serial != 0) || any && tally != quick.PlainTally(p) || full.Rest != nil || full.Serial != p.Serial:
		t.Fatalf("%q is plain, with serial %d and %+v, rest %q, serial %d", line, p.Serial, tally, full.Rest, full.Serial)
	case p.Kind != full.Kind || string(p.Name) != string(full.Name) || string(quick.Stamp) != string(full.Stamp):
		t.Fatalf("%q is %v of %q at %q, want %v", line, p.Kind, p.Name, quick.Stamp, plainOf(full))
	case !quick.Same(&full.State, nil) || quick.column != full.column || unstamped.State != quick.State:
		t.Fatalf("%q leaves another state", line)
	}
	switch p.Kind {
	case Query:
		if at, ok := full.ClientIPv4(); string(p.Type) != string(full.Type) || !ok || p.Client != at || p.Lines != 1 || p.Forwarded || p.Answered {
			t.Fatalf("%q: %q by %x, want %v", line, p.Type, p.Client, plainOf(full))
		}
	case Forward:
		if string(full.Source) != "forwarded" {
			t.Fatalf("%q is forwarded by %q", line, full.Source)
		}
	case Answer:
		at, ok := full.ResultIPv4()
		if p.Outcome != full.Outcome() || p.Origin != full.Origin() || p.Outcome == Address && full.PTR() || p.IPv4 != ok || ok && p.Address != at ||
			string(p.Source) != string(full.Source) || p.Outcome == Address && !ok && string(p.Result) != string(full.Result) {
			t.Fatalf("%q is %+v, want %v: %v", line, *p, full.Outcome(), plainOf(full))
		}
	default:
		t.Fatalf("%q is a plain %v", line, p.Kind)
	}
	return true
}

// Plain agrees with Parse on all logs, and reads most lines of those that have
// little but queries.
func TestPlain(t *testing.T) {
	for _, name := range []string{"session.log", "session-extra.log", "session-journald.log", "shapes-extra.log", "dhcp-sample.log"} {
		var quick plainReader
		var full Record
		before := 0
		for _, end := range []string{"", "\r"} {
			plain, all := 0, 0
			for line := range bytes.Lines(testdata(t, name)) {
				all++
				if agreePlain(t, &quick, &full, append(bytes.TrimSuffix(line, []byte("\n")), end...)) {
					plain++
				}
			}
			if plain < before || strings.HasPrefix(name, "session") && name != "session-journald.log" && plain < all/2 {
				t.Errorf("%s: %d of %d lines are plain, with %q at their ends; %d before", name, plain, all, end, before)
			}
			before = plain
		}
	}
	var quick plainReader
	var full Record
	long := strings.Repeat("a", cutLen)
	for _, line := range []string{
		tag + "query[A] a.example from 10.0.0.2", "Nov 23 10:00:00 otherhost sshd[1]: Invalid user", tag + "query[A] a.example from 10.0.0.2",
		tag + "query[A] " + long + " from 10.0.0.2", tag + "reply " + long + " is 10.0.0.3",
	} {
		agreePlain(t, &quick, &full, []byte(line))
	}
	for n := cutLen - 2*len(tag) - 40; n < cutLen; n++ {
		for _, extra := range []string{"", "17 10.0.0.2/4 "} {
			agreePlain(t, &quick, &full, []byte(tag+extra+"reply "+long[:n]+" is 10.0.0.3"))
		}
	}
}

// What belongs to a query is read with it, as long as it is no line that Parse
// is to read, or another's.
func TestPlainFollows(t *testing.T) {
	for _, extra := range []string{"", "17 10.0.0.2/4 "} {
		for _, end := range []string{"\n", "\r\n"} {
			var r Record
			begin := tag + extra
			r.Parse([]byte(begin + "query[A] a.example from 10.0.0.2"))
			var query string
			check := func(lines int, read, rest string) {
				t.Helper()
				var p Plain
				n := r.Plain([]byte(read+rest+query), &p, false)
				if n != len(read) || p.Lines != lines || p.Forwarded != (lines > 1) || p.Answered != (lines > 2) {
					t.Fatalf("of %q %d bytes and %d lines are plain, want %d and %d", read+rest, n, p.Lines, len(read), lines)
				}
			}
			for length := 1; len(begin)+length+len("query[A]  from 10.0.0.2")+len(end)-len("\n") < cutLen; length++ {
				name := strings.Repeat("a", length)
				query = begin + "query[A] " + name + " from 10.0.0.2" + end
				forward := begin + "forwarded " + name + " to 10.100.100.53" + end
				message := "reply " + name + " is 192.0.2.225" + end
				if len(forward)-len("\n") < cutLen {
					check(3, query+forward+begin+message, begin+message)
				} else {
					check(1, query, forward)
				}
				for _, rest := range []string{query, "Nov 23 10:00:01" + begin[len("Nov 23 10:00:00"):] + message, tag + "18 10.0.0.2/4 " + message, begin + "reply " + name + "a is 192.0.2.225" + end} {
					check(1, query, rest)
				}
			}
		}
	}
}

// FuzzPlain holds Plain to Parse on a message behind one of the same prefix.
func FuzzPlain(f *testing.F) {
	for _, seed := range lines {
		f.Add([]byte(seed.line), "10.0.0.2")
	}
	for _, seed := range []string{
		"query[A]  from 10.0.0.2", "query[A] a.example. from 10.0.0.2", "query[A] A.example from 10.0.0.2", "query[A] a.example from 10.0.0.02", "query[A] a.example from 10.0.0.2 ", "query[A] 1.2.3.4 from 10.0.0.2",
		"reply a.example is 0.0.0.0", "reply a.example is 146.112.61.104", "reply 10.0.0.2 is 10.0.0.3", "reply ::1 is 10.0.0.3", "reply ::1 is 2001:db8::1", "reply 2001:db8::a is 192.0.2.7",
		"reply a.example is 2001:db8::1", "cached a.example is ::", "reply a.example is ::ffff:146.112.61.104", "reply error is SERVFAIL", "reply error is NXDOMAIN",
		"cached a.example is NXDOMAIN", "cached a.example is <CNAME>", "reply a.example is NODATA-IPv6 (EDE: blocked)", "config a.example is NXDOMAIN",
		"cached-stale a.example is 10.0.0.3", "forwarded a.example to 10.0.0.53", "forwarded a.example to 10.0.0.53#54", "forwarded a.example to ",
		"reply a is b is 10.0.0.3", "query[HTTPS] a from 10.0.0.2", "query[PTR] 2.0.0.10.in-addr.arpa from 10.0.0.2", "query[AA] a.example from 10.0.0.2", "reply a.example is 198.51.100.7\r", "reply a.example is 198.51.100.7\r\r",
		"reply a.example is 255.255.255.255\r", "forwarded a.example to 10.0.0.53\r", "cached a.example is NXDOMAIN\r", "query[A] a.example from 10.0.0.2\r",
		"17 10.0.0.2/40000 query[A] a.example from 10.0.0.2", "17 10.0.0.2/40000 query[A] a.example from 10.0.0.3", "17 10.0.0.2/40000 reply a.example is 192.0.2.7\r",
		"17 10.0.0.2/400000 query[A] a.example from 10.0.0.2", "17 10.0.0.02/4 query[A] a.example from 10.0.0.2", "007 10.0.0.2/4 reply a.example is NODATA",
		"17 10.0.0.2/ query[A] a.example from 10.0.0.2", "42949672950 10.0.0.2/4 reply a.example is NODATA", "17 fe80::1%lxdbr0/4 query[A] a.example from fe80::1",
		"17 forwarded a.example to 10.0.0.53", "4294967295 255.255.255.255/65535 forwarded a.example to 10.0.0.53", "* 10.0.0.2/4 reply a.example is NODATA",
		"17 10.0.0.2/4 17 10.0.0.2/4 reply a.example is NODATA", "17 10.0.0.2/4 reply error is SERVFAIL",
	} {
		f.Add([]byte(tag+seed), "1.2.3.4")
	}
	f.Fuzz(func(t *testing.T, line []byte, client string) {
		var quick plainReader
		var full Record
		quick.Parse(line)
		full.Parse(line)
		for range 2 { // the second time what it begins with is known
			agreePlain(t, &quick, &full, line)
		}
		if prefix, ok := bytes.CutSuffix(line, full.Text); ok {
			for _, message := range []string{"query[A] a.example from " + client, client + " query[A] a.example from 10.0.0.2", "7 " + client + "/53 query[A] a.example from 10.0.0.2", "cached a.example is " + client, "forwarded a.example to " + client, "reply " + client + " is 10.0.0.2"} {
				agreePlain(t, &quick, &full, append(bytes.Clone(prefix), message...))
			}
		}
		agreePlain(t, &quick, &full, line)
	})
}
