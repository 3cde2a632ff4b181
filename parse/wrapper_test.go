package parse

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// wrappers are what people have around a message. "%s" stands for it, and
// "T" in the want for the time that the line has.
var wrappers = []struct{ name, form, time string }{
	{"dnsmasq's log file", "Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"dnsmasq's standard error", "dnsmasq[14]: %s", ""},
	{"dnsmasq in the foreground", "dnsmasq: %s", ""},
	{"syslog's socket", "<30>Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog", "Jan  8 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog over the network", "<30>Jan  8 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog, a host called dnsmasq", "Jan  8 21:51:56 dnsmasq dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog, an address for the host", "Jan  8 21:51:56 192.0.2.1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog, an IPv6 address", "Jan  8 21:51:56 fd42::1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog, day with one digit", "Jan 8 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog with a year", "Jan  8 2026 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog with the year first", "2026 Jan  8 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog, relayed", "Jan  8 21:51:57 relay Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"syslog with milliseconds", "Jan  8 21:51:56.123 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56.123Z"},
	{"rsyslog", "2026-01-08T21:51:56.123456+01:00 host1 dnsmasq[14]: %s", "2026-01-08T20:51:56.123456Z"},
	{"RFC 5424", "<30>1 2026-01-08T21:51:56.123Z host1 dnsmasq 14 - - %s", "2026-01-08T21:51:56.123Z"},
	{"RFC 5424 without priority", "1 2026-01-08T21:51:56Z host1 dnsmasq 14 - - %s", "2026-01-08T21:51:56Z"},
	{"RFC 5424 with structured data", `<30>1 2026-01-08T21:51:56Z host1 dnsmasq 14 ID7 [a@1 k="v \"]\\"][b c="d"] %s`, "2026-01-08T21:51:56Z"},
	{"RFC 5424 with a mark of UTF-8", "<30>1 2026-01-08T21:51:56Z host1 dnsmasq - - - \uFEFF%s", "2026-01-08T21:51:56Z"},
	{"RFC 5424 without a time", "<30>1 - - dnsmasq - - - %s", ""},
	{"RFC 5424, a file's line within", "<30>1 2026-01-08T21:51:57Z host1 filebeat 7 - - Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"BusyBox", "Jan  8 21:51:56 router daemon.info dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"BusyBox, another facility", "Jan  8 21:51:56 router local0.notice dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"BusyBox, no host", "Jan  8 21:51:56 daemon.info dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"FreeBSD", "Jan  8 21:51:56 <daemon.info> host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"FreeBSD in numbers", "Jan  8 21:51:56 <3.6> host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"OpenWrt", "Thu Jan  8 21:51:56 2026 daemon.info dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"OpenWrt with -t", "Thu Jan  8 21:51:56 2026 [1767909116.123] daemon.info dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"date", "Thu Jan  8 21:51:56 CET 2026 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"pihole -t", "21:51:56: %s", "2026-11-23T21:16:00Z"},
	{"pihole -t, extra", "21:51:56 dnsmasq[14]: %s", "2026-11-23T21:16:00Z"},
	{"pihole -t, yesterday", "Jan  8 21:51:56: %s", "2026-01-08T21:51:56Z"},
	{"pihole -t, coloured", "21:51:56: \x1b[0m%s\x1b[0m", "2026-11-23T21:16:00Z"},
	{"pihole -t, coloured as a whole", "\x1b[1;31m21:51:56: %s\x1b[0m", "2026-11-23T21:16:00Z"},
	{"pihole -d", "   Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"kube-dns", "I0108 21:51:56.408924       1 nanny.go:116] dnsmasq[14]: %s", ""},
	{"kubectl logs --prefix", "[pod/kube-dns-0/dnsmasq] dnsmasq[14]: %s", ""},
	{"kubectl logs --timestamps", "2026-01-08T21:51:56.123456789Z dnsmasq[14]: %s", "2026-01-08T21:51:56.123456789Z"},
	{"kubectl logs with both", "[pod/kube-dns-0/dnsmasq] 2026-01-08T21:51:56Z I0108 21:51:56.4 1 nanny.go:116] dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"docker compose", "dnsmasq-1  | dnsmasq[1]: %s", ""},
	{"docker-compose", "dns_1            | dnsmasq: %s", ""},
	{"docker compose, coloured", "\x1b[36mdnsmasq-1  | \x1b[0mdnsmasq[1]: %s", ""},
	{"docker compose -t", "dnsmasq-1  | 2026-01-08T21:51:56.1Z dnsmasq[1]: %s", "2026-01-08T21:51:56.1Z"},
	{"docker service logs", "pihole.1.xk3abc@node-1    | Jan  8 21:51:56 dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"docker logs -t", "2026-01-08T21:51:57.1Z Jan  8 21:51:56 dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"CRI", "2026-01-08T21:51:56.123456789Z stderr F dnsmasq[1]: %s", "2026-01-08T21:51:56.123456789Z"},
	{"CRI, a file's line", "2026-01-08T21:51:57.1+01:00 stdout F Jan  8 21:51:56 dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o cat", "%s", ""},
	{"journalctl -o short-iso", "2026-01-08T21:51:56+0100 host1 dnsmasq[14]: %s", "2026-01-08T20:51:56Z"},
	{"journalctl -o short-full", "Thu 2026-01-08 21:51:56 PDT host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o short-full, UTC", "Thu 2026-01-08 21:51:56 UTC host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o short-full, offset", "Thu 2026-01-08 21:51:56 +0545 host1 dnsmasq[14]: %s", "2026-01-08T16:06:56Z"},
	{"journalctl -o short-precise", "Jan 08 21:51:56.123456 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56.123456Z"},
	{"journalctl -o with-unit", "Thu 2026-01-08 21:51:56 CEST host1 dnsmasq.service[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o with-unit, instance", "Thu 2026-01-08 21:51:56 CEST host1 dnsmasq@lan.service[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o with-unit, no host", "Thu 2026-01-08 21:51:56 CEST dnsmasq.service[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o with-unit, LXD's", "Thu 2026-01-08 21:51:56 CEST host1 snap.lxd.daemon.service[14]: %s", "2026-01-08T21:51:56Z"},
	{"journalctl -o short-monotonic", "[   42.147422] host1 dnsmasq[14]: %s", ""},
	{"journalctl -o short-delta", "[   42.147422 <    0.000123 >] host1 dnsmasq[14]: %s", ""},
	{"journalctl -o short-delta, first", "[   42.147422               ] host1 dnsmasq[14]: %s", ""},
	{"journalctl -o short-unix", "1767909116.123456 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56.123456Z"},
	{"journalctl -o json", `{"PRIORITY":"6","SYSLOG_IDENTIFIER":"dnsmasq","MESSAGE":"%s","_PID":"14","__REALTIME_TIMESTAMP":"1767909116123456"}`, "2026-01-08T21:51:56.123456Z"},
	{"journalctl -o json-sse", `data: {"MESSAGE":"%s","SYSLOG_IDENTIFIER":"dnsmasq"}`, ""},
	{"journalctl -o json-seq", "\x1e" + `{"MESSAGE":"%s","SYSLOG_IDENTIFIER":"dnsmasq"}`, ""},
	{"docker's json-file", `{"log":"dnsmasq[1]: %s\n","stream":"stderr","time":"2026-01-08T21:51:56.123456789Z"}`, "2026-01-08T21:51:56.123456789Z"},
	{"docker's json-file, stamped", `{"log":"Jan  8 21:51:56 dnsmasq[1]: %s\r\n","stream":"stderr","time":"2026-01-08T21:51:57Z"}`, "2026-01-08T21:51:56Z"},
	{"fluentd to a file", "2026-01-08T21:51:56+00:00\tdocker.dnsmasq\t" + `{"container_id":"a1","log":"dnsmasq[1]: %s"}`, "2026-01-08T21:51:56Z"},
	{"fluentd to standard output", `2026-01-08 21:51:56.000000000 +0000 docker.dnsmasq: {"log":"dnsmasq[1]: %s"}`, "2026-01-08T21:51:56Z"},
	{"fluent-bit", `[0] docker.dnsmasq: [1767909116.123456789, {"log"=>"dnsmasq[1]: %s"}]`, ""},
	{"fluent-bit 2", `[0] docker.dnsmasq: [[1767909116.123456789, {}], {"stream"=>"stderr", "log"=>"dnsmasq[1]: %s"}]`, ""},
	{"fluentd's syslog", `{"host":"host1","ident":"dnsmasq","pid":"14","message":"%s"}`, ""},
	{"Vector", `{"appname":"dnsmasq","facility":"daemon","host":"host1","message":"%s","procid":14,"source_type":"syslog","timestamp":"2026-01-08T21:51:56Z"}`, "2026-01-08T21:51:56Z"},
	{"Vector, the whole line", `{"file":"/var/log/dnsmasq.log","message":"Jan  8 21:51:56 dnsmasq[14]: %s","timestamp":"2026-01-08T21:51:57Z"}`, "2026-01-08T21:51:56Z"},
	{"logcli -o jsonl", `{"labels":{"app":"dnsmasq"},"line":"dnsmasq[14]: %s","timestamp":"2026-01-08T21:51:56Z"}`, "2026-01-08T21:51:56Z"},
	{"logcli", `2026-01-08T21:51:56Z {app="dnsmasq", file="a}\" b"} dnsmasq[14]: %s`, "2026-01-08T21:51:56Z"},
	{"Elasticsearch", `{"_index":"a","_source":{"message":"Jan  8 21:51:56 dnsmasq[14]: %s"}}`, "2026-01-08T21:51:56Z"},
	{"rsyslog's JSON", `{"timestamp":"2026-01-08T21:51:56Z","host":"host1","syslogtag":"dnsmasq[14]:","msg":" %s"}`, "2026-01-08T21:51:56Z"},
	{"Grafana, messages of the journal", "2026-01-08 21:51:56.123\t%s", "2026-01-08T21:51:56.123Z"},
	{"slashes", "2026/01/08 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"slashes, no host", "2026/01/08 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"month first", "01/28/2026 21:51:56 dnsmasq[14]: %s", "2026-01-28T21:51:56Z"},
	{"day first", "28/01/2026 21:51:56 dnsmasq[14]: %s", "2026-01-28T21:51:56Z"},
	{"either first", "01/02/2026 21:51:56 dnsmasq[14]: %s", ""},
	{"dots", "08.01.2026 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"a web server's", "08/Jan/2026:21:51:56 +0100 dnsmasq[14]: %s", "2026-01-08T20:51:56Z"},
	{"a comma before the fraction", "2026-01-08 21:51:56,123 dnsmasq[14]: %s", "2026-01-08T21:51:56.123Z"},
	{"no separators", "20260108 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"no year", "01-08 21:51:56.123 dnsmasq[14]: %s", "2026-01-08T21:51:56.123Z"},
	{"in brackets", "[2026-01-08 21:51:56] dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"svlogd -tt", "2026-01-08_21:51:56.12345 dnsmasq[14]: %s", "2026-01-08T21:51:56.12345Z"},
	{"multilog", "@4000000069602706075aef40 dnsmasq: %s", "2026-01-08T21:51:56.1234Z"},
	{"s6-log", "2026-01-08 21:51:56.123400000  dnsmasq: %s", "2026-01-08T21:51:56.1234Z"},
	{"a collector", "Jan  8 21:51:57 host1 collector[1]: dnsmasq[14]: %s", "2026-01-08T21:51:57Z"},
	{"a collector of files", "Jan  8 21:51:57 host1 docker/pihole[812]: Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"docker's journald driver", "Jan  8 21:51:56 host1 1f2a3b4c5d6e[812]: dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"a collector of collectors", "Jan  8 21:51:56 host1 a[1]: b[2]: dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"a unit's own tag twice", "Jan  8 21:51:56 host1 dnsmasq[1]: dnsmasq[1]: %s", "2026-01-08T21:51:56Z"},
	{"a host without a time", "host1 dnsmasq[14]: %s", ""},
	{"podman logs --names", "pihole dnsmasq[1]: %s", ""},
	{"stern", "kube-dns-0 dnsmasq dnsmasq[14]: %s", ""},
	{"kail", "default/kube-dns-0[dnsmasq]: dnsmasq[14]: %s", ""},
	{"ts", "Jan 08 21:51:56 dnsmasq: %s", "2026-01-08T21:51:56Z"},
	{"RFC 2822", "Thu, 08 Jan 2026 21:51:56 +0100 dnsmasq[1]: %s", "2026-01-08T20:51:56Z"},
	{"twelve hours", "01/28/2026 09:51:56 PM dnsmasq[1]: %s", "2026-01-28T21:51:56Z"},
	{"twelve hours, midnight", "01/28/2026 12:51:56 AM host1 dnsmasq[1]: %s", "2026-01-28T00:51:56Z"},
	{"seconds", "1767909116 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"day first, by name", "8 Jan 2026 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"Cisco", "Jan 08 2026 21:51:56 host1: dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"single quotes", "'Jan  8 21:51:56 dnsmasq[14]: %s'", "2026-01-08T21:51:56Z"},
	{"ECS", `{"@timestamp":"2026-01-08T21:51:56Z","message":"%s","process":{"name":"dnsmasq","pid":14}}`, "2026-01-08T21:51:56Z"},
	{"syslog-ng's JSON", `{"PROGRAM":"dnsmasq","PRIORITY":"info","MESSAGE":"%s","HOST":"host1","DATE":"Jan  8 21:51:56"}`, "2026-01-08T21:51:56Z"},
	{"Kubernetes' JSON", `{"log":"I0108 21:51:56.4       1 nanny.go:116] dnsmasq[14]: %s\n","kubernetes":{"container_name":"dnsmasq","labels":{"a":"b"}},"time":"2026-01-08T21:51:56Z"}`, "2026-01-08T21:51:56Z"},
	{"Google's JSON", `{"textPayload":"dnsmasq[14]: %s","timestamp":"2026-01-08T21:51:56Z"}`, "2026-01-08T21:51:56Z"},
	{"grep -n", "12:Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -n, of messages", "12:%s", ""},
	{"grep -nA", "13-Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -H", "/var/log/dnsmasq.log:Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -H, of standard error", "dns-1.log:dnsmasq[14]: %s", ""},
	{"grep -Hn", "dnsmasq.log.1:120:Jan  8 21:51:56 host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -HA", "dnsmasq.log-Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -HnA", "dnsmasq-2026-01.log-121-Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"grep -H of RFC 3339", "logs/dns.log:2026-01-08T21:51:56Z host1 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"cat -n", "    12\tJan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"an indented paste", "\t  Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"a quoted mail", "> Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"a mail quoted twice", ">> > Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"Markdown", "`Jan  8 21:51:56 dnsmasq[14]: %s`", "2026-01-08T21:51:56Z"},
	{"quotes", "  \"Jan  8 21:51:56 dnsmasq[14]: %s\",", "2026-01-08T21:51:56Z"},
	{"colours", "\x1b[32mJan  8 21:51:56\x1b[0m dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"blanks behind", "Jan  8 21:51:56 dnsmasq[14]: %s \t ", "2026-01-08T21:51:56Z"},
	{"carriage returns behind", "Jan  8 21:51:56 dnsmasq[14]: %s\r\r", "2026-01-08T21:51:56Z"},
	{"a hole before", "\x00\x00\x00Jan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
	{"a hole behind", "Jan  8 21:51:56 dnsmasq[14]: %s\x00\x00", "2026-01-08T21:51:56Z"},
	{"a mark of UTF-8", "\uFEFFJan  8 21:51:56 dnsmasq[14]: %s", "2026-01-08T21:51:56Z"},
}

// glued is the known messages that are put into each wrapper, and what each
// says.
var glued = []struct{ message, want string }{
	{"query[A] n1.example.com from 192.0.2.5", "query A n1.example.com 192.0.2.5"},
	{"12 192.0.2.5/53312 query[AAAA] n2.example.com from 192.0.2.5", "12 query AAAA n2.example.com 192.0.2.5"},
	{"query[A] n3.example.com from fd42::5", "query A n3.example.com fd42::5"},
	{"forwarded n1.example.com to 192.0.2.1", "forward forwarded n1.example.com 192.0.2.1"},
	{"reply n1.example.com is 192.0.2.7", "answer reply n1.example.com 192.0.2.7"},
	{"cached n1.example.com is NXDOMAIN", "answer cached n1.example.com NXDOMAIN"},
	{"12 192.0.2.5/53312 config n2.example.com is NXDOMAIN", "12 answer config n2.example.com NXDOMAIN 192.0.2.5"},
	{"gravity blocked n1.example.com is 0.0.0.0", "answer gravity blocked n1.example.com 0.0.0.0"},
	{"query[A] x from 1.2.3.4 from 192.0.2.5", "query A x from 1.2.3.4 192.0.2.5"},
	{"query[A] n3.example.com from 192.0.2.", "garbled"},
}

func TestWrappers(t *testing.T) {
	for _, w := range wrappers {
		var r Record
		for range 2 { // the second time with the form in mind
			for _, g := range glued {
				line := fmt.Sprintf(w.form, g.message)
				if r.Parse([]byte(line)); brief(&r) != g.want {
					t.Errorf("%s: %q\n got %q\nwant %q", w.name, line, brief(&r), g.want)
				}
				got := ""
				if at, ok := r.Time(reference2026); ok {
					got = at.Format(time.RFC3339Nano)
				}
				if want := strings.Replace(w.time, "2026-11-23T21:16:00Z", "2026-11-23T21:51:56Z", 1); got != want && r.Kind != Garbled {
					t.Errorf("%s: the time of %q is %q, want %q", w.name, line, got, want)
				}
			}
		}
	}
}
