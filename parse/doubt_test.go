package parse

import (
	"strings"
	"testing"
)

// read parses a log and returns what each line with a query says, and how many
// lines of each other kind there are but for [Other].
func read(log string) (queries []string, others map[Kind]int, lost uint64) {
	var s Splitter
	var r Record
	others = make(map[Kind]int)
	line := func(line []byte) {
		for len(line) > 0 {
			r.Parse(line)
			switch r.Kind {
			case Query:
				queries = append(queries, string(r.Name)+" "+string(r.Client))
			case Other:
			default:
				others[r.Kind]++
			}
			lost += r.Lost
			line = r.Rest
		}
	}
	s.Feed([]byte(log), line)
	s.Flush(line)
	return queries, others, lost
}

func TestTwoLinesInOne(t *testing.T) {
	const at = "Jan  8 21:51:56 dnsmasq[14]: "
	const a, b = "query[A] a.example from 192.0.2.5", "query[A] b.example from 192.0.2.5"
	for _, test := range []struct {
		name, log, want string
		garbled         int
		lost            uint64
	}{
		{"two queries of one client", at + a + at + b, "a.example 192.0.2.5, b.example 192.0.2.5", 0, 0},
		{"three", at + a + at + b + at + a, "a.example 192.0.2.5, b.example 192.0.2.5, a.example 192.0.2.5", 0, 0},
		{"with serials", at + "7 192.0.2.5/53 " + a + at + "8 192.0.2.5/53 " + b, "a.example 192.0.2.5, b.example 192.0.2.5", 0, 0},
		{"from standard error", "dnsmasq[14]: " + a + "dnsmasq[14]: " + b, "a.example 192.0.2.5, b.example 192.0.2.5", 0, 0},
		{"another process", at + a + "Jan  9 22:00:00 dnsmasq[4711]: " + b, "a.example 192.0.2.5, b.example 192.0.2.5", 0, 0},
		{"two clients", at + a + at + "query[A] b.example from 192.0.2.6", "", 1, 0},
		{"another form of line", at + a + "dnsmasq[14]: " + b, "", 1, 0},
		{"a text behind the tag", at + "query[A] x dnsmasq[14]: y from 192.0.2.5", "", 1, 0},
		{"the first cut", at + "query[A] a.exa" + at + b, "", 1, 0},
		{"an answer first", at + "reply a.example is 192.0.2.7" + at + b, "", 1, 0},
		{"another word first", at + "cleared cache" + at + b, "", 1, 0},
		{"a hole", at + "query[A] a.exa\x00\x00\x00" + at + b, "b.example 192.0.2.5", 0, 1},
		{"a hole at a line's beginning", "\x00\x00" + at + b, "b.example 192.0.2.5", 0, 0},
	} {
		got, others, lost := read(at + "cleared cache\n" + test.log + "\n")
		if strings.HasPrefix(test.log, "dnsmasq") {
			got, others, lost = read(test.log)
		}
		if strings.Join(got, ", ") != test.want || others[Garbled] != test.garbled || lost != test.lost {
			t.Errorf("%s: %q are asked for, %d lines garbled, %d lost; want %q, %d, %d", test.name, got, others[Garbled], lost, test.want, test.garbled, test.lost)
		}
	}
}

// TestForeignTags holds what is known of the programs in a log: which pass on
// dnsmasq's lines, and which only print what looks so.
func TestForeignTags(t *testing.T) {
	const (
		direct = "Jan  1 00:00:00 host1 dnsmasq[1]: query[A] direct.example from 192.0.2.5\n"
		passed = "Jan  1 00:00:00 host1 vector[7]: dnsmasq[1]: query[A] passed.example from 192.0.2.5\n"
		forged = "Jan  1 00:00:00 host1 sshd[12]: dnsmasq[1]: query[A] forged.example from 192.0.2.5\n"
		inside = "Jan  1 00:00:00 host1 sshd[12]: Invalid user dnsmasq[1]: query[A] forged.example from 203.0.113.9\n"
		json   = `{"SYSLOG_IDENTIFIER":"sshd","MESSAGE":"query[A] forged.example from 203.0.113.9"}` + "\n"
		within = `{"SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Invalid user dnsmasq[1]: query[A] forged.example from 203.0.113.9"}` + "\n"
		dhcp   = `{"SYSLOG_IDENTIFIER":"dnsmasq-dhcp","MESSAGE":"dnsmasq[1]: query[A] forged.example from 203.0.113.9"}` + "\n"
	)
	for _, test := range []struct {
		name, log, want string
		garbled         int
	}{
		{"a word that other lines begin with", "Invalid user a\nInvalid dnsmasq[1]: query[A] forged.example from 192.0.2.5\n", "", 1},
		{"a word where dnsmasq writes itself", direct + "Invalid dnsmasq[1]: query[A] forged.example from 192.0.2.5\n", "direct.example", 1},
		{"words behind a tag", "sshd[12]: Invalid user dnsmasq[1]: query[A] forged.example from 192.0.2.5\n", "", 0},
		{"words behind words", "User root said dnsmasq[1]: query[A] forged.example from 192.0.2.5\n", "", 1},
		{"a collector alone", passed + passed, "passed.example passed.example", 0},
		{"a program that prints other lines", inside + forged, "", 1},
		{"a collector beside it", inside + passed, "passed.example", 0},
		{"where dnsmasq writes itself", direct + forged + passed, "direct.example", 2},
		{"other programs' messages", direct + inside + json + within + dhcp, "direct.example", 0},
		{"the same at first", inside + json + within + dhcp, "", 0},
		{"another message's second line", strings.ReplaceAll(inside, "\n", "") + "\n" + strings.Repeat(" ", 32) + "query[A] forged.example from 203.0.113.9\n", "", 0},
		{"the same behind a text", direct + "some text\n" + strings.Repeat(" ", 40) + direct, "direct.example", 1},
		{"the same, but for the first", direct + strings.Repeat(" ", 32) + direct, "direct.example", 1},
		{"the same at first", strings.Repeat(" ", 32) + direct + direct, "direct.example", 1},
		{"a paste", "   " + direct + "   " + direct, "direct.example direct.example", 0},
		{"a paste that loses its first blanks", direct + "\t  " + direct, "direct.example direct.example", 0},
		{"dnsmasq's other parts", "Jan  1 00:00:00 host1 dnsmasq-dhcp[1]: dnsmasq[1]: query[A] forged.example from 203.0.113.9\n", "", 0},
	} {
		queries, others, _ := read(test.log)
		var names []string
		for _, q := range queries {
			names = append(names, strings.Fields(q)[0])
		}
		if got := strings.Join(names, " "); got != test.want || others[Garbled] != test.garbled {
			t.Errorf("%s: %q are asked for and %d lines garbled, want %q and %d", test.name, got, others[Garbled], test.want, test.garbled)
		}
	}
}

// TestLooksLikeQuery holds the parser to say of what it can't read that it may
// be a query, and of nothing else.
func TestLooksLikeQuery(t *testing.T) {
	for line, want := range map[string]Kind{
		"??? 21:51:57 ??? dnsmasq[1]: query[A] n2.example.com from 192.0.2.5":                         Garbled,
		"Jan  8 21:51:58 dnsmasq[1]: query[A] n3.example.com from 192.0.2..":                          Garbled,
		"level=info text: query[A] n3.example.com from 192.0.2.5":                                     Garbled,
		"=== 2026 === query[AAAA] n3.example.com from fd42::1":                                        Garbled,
		"how do I read query[A] lines from dnsmasq?":                                                  Other,
		"Jan  1 00:00:00 host1 sshd[12]: Invalid user query[A] forged1.example.com from 203.0.113.9":  Other,
		"Jan  1 00:00:00 host1 kernel: query[A] x from eth0":                                          Other,
		`{"SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Invalid user query[A] a.example from 203.0.113.9"}`:   Other,
		`{"SYSLOG_IDENTIFIER":"dnsmasq","MESSAGE":"query[A] a.example from 203.0.113.9","more":"cut `: Garbled,
	} {
		var r Record
		if r.Parse([]byte(line)); r.Kind != want {
			t.Errorf("%q is %v, want %v", line, r.Kind, want)
		}
	}
}

// TestKeepersLoss reads what those who keep a log say of what they threw away.
func TestKeepersLoss(t *testing.T) {
	const at = "Jan  8 21:51:56 host1 "
	for line, want := range map[string]uint64{
		at + "systemd-journald[1]: Suppressed 123 messages from dnsmasq.service":                                                                                123,
		at + "systemd-journald[1]: Suppressed 123 messages from snap.lxd.daemon.service":                                                                        123,
		at + "systemd-journald[1]: Suppressed 123 messages from nginx.service":                                                                                  0,
		at + "rsyslogd-2177: imuxsock lost 516 messages from pid 159386 due to rate-limiting":                                                                   516,
		at + "rsyslogd: imuxsock lost 516 messages from pid 159386 due to rate-limiting":                                                                        516,
		at + "rsyslogd: imuxsock[pid: 812, name: /usr/sbin/dnsmasq] from <dnsmasq:host1>: 98 messages lost due to rate-limiting (200 allowed within 5 seconds)": 98,
		at + "rsyslogd: imuxsock[pid: 812, name: /usr/sbin/nginx] from <nginx:host1>: 98 messages lost due to rate-limiting":                                    0,
		at + "rsyslogd: imjournal: begin to drop messages due to rate-limiting":                                                                                 1,
		at + "rsyslogd: imjournal: 4000 messages lost due to rate-limiting (20000 allowed within 600 seconds)":                                                  4000,
		at + "rsyslogd: [origin software=\"rsyslogd\"] rsyslogd was HUPed":                                                                                      0,
		at + "sshd[1]: Suppressed 123 messages from dnsmasq.service":                                                                                            0,
		`{"SYSLOG_IDENTIFIER":"systemd-journald","MESSAGE":"Suppressed 123 messages from dnsmasq.service"}`:                                                     123,
	} {
		var r Record
		r.Parse([]byte(line))
		if r.Lost != want || want > 0 && (r.Kind != Loss || r.Cause != ByKeeper) {
			t.Errorf("%q: %v of %d, want %d", line, r.Kind, r.Lost, want)
		}
	}
}
