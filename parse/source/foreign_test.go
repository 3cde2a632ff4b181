package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const names = "n1.example.com\nn2.example.com\n"

// foreigners are beginnings of files that people take for dnsmasq's logs, and
// the names that the command gives.
var foreigners = []struct{ what, text, names string }{
	{"Squid's access log", "1693561234.123    456 192.0.2.5 TCP_MISS/200 1234 GET http://n1.example.com/a - HIER_DIRECT/192.0.2.7 text/html\n1693561235.123     45 192.0.2.5 TCP_TUNNEL/200 39 CONNECT n2.example.com:443 - HIER_DIRECT/192.0.2.7 -\n", names},
	{"a log of Unbound's", "[1693561234] unbound[123:0] info: 192.0.2.5 n1.example.com. A IN\n[1693561235] unbound[123:0] info: 192.0.2.5 n2.example.com. AAAA IN\n", names},
	{"a log of Unbound's", "Jan  8 21:51:56 host1 unbound[123]: [123:0] info: 192.0.2.5 n1.example.com. A IN\nJan  8 21:51:56 host1 unbound[123]: [123:0] info: 192.0.2.5 n2.example.com. A IN NOERROR 0.01 0 60\n", names},
	{"BIND's query log", "08-Jan-2026 21:51:56.123 queries: info: client @0x7f8a 192.0.2.5#53312 (n1.example.com): query: n1.example.com IN A +E(0)K (192.0.2.1)\n08-Jan-2026 21:51:57.123 client 192.0.2.5#53312 (n2.example.com): view v: query: n2.example.com IN AAAA + (192.0.2.1)\n", names},
	{"a log of CoreDNS's", ".:53\nCoreDNS-1.11.1\n[INFO] 192.0.2.5:53312 - 12 \"A IN n1.example.com. udp 45 false 512\" NOERROR qr,rd,ra 78 0.012s\n[INFO] [fd42::5]:53312 - 13 \"AAAA IN n2.example.com. udp 45 false 512\" NXDOMAIN qr,rd,ra 78 0.012s\n", names},
	{"AdGuard Home's query log", `{"T":"2026-01-08T21:51:56Z","QH":"n1.example.com","QT":"A","QC":"IN","CP":"","Answer":"","Result":{},"Elapsed":1,"Upstream":"8.8.8.8:53","IP":"192.0.2.5"}` + "\n", ""},
	{"a log of systemd-resolved's", "Jan  8 21:51:56 host1 systemd-resolved[123]: Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 192.0.2.1.\n", ""},
	{"what resolvectl monitor printed", "→ Q: n1.example.com IN A\n← S: success\n← A: n1.example.com IN A 192.0.2.7\n→ Q: n2.example.com IN AAAA\n← S: success\n", names},
	{"what tcpdump printed", "21:51:56.123456 IP 192.0.2.5.53312 > 192.0.2.1.53: 1234+ A? n1.example.com. (32)\n21:51:56.123456 IP 192.0.2.1.53 > 192.0.2.5.53312: 1234 1/0/0 A 192.0.2.7 (48)\n21:51:57.123456 lxdbr0 In  IP6 fd42::5.53312 > fd42::1.53: 1234+ [1au] AAAA? n2.example.com. (43)\n", names},
	{"the log of pihole-FTL itself", "[2026-01-08 21:51:56.123 812M] Using log file /var/log/pihole-FTL.log\n", ""},
	{"the log of pihole-FTL itself", "2026-01-08 21:51:56.123 CET [812/T814] INFO: Compiled 0 allow and 0 deny regex\n", ""},
	{"a web server's access log", "192.0.2.5 - - [08/Jan/2026:21:51:56 +0000] \"GET / HTTP/1.1\" 200 612 \"-\" \"curl/8.0\"\n", ""},
	{"a log of dnsmasq's without queries", "Jan  8 21:51:56 dnsmasq[1]: started, version 2.90 cachesize 150\nJan  8 21:51:56 dnsmasq-dhcp[1]: DHCP, IP range 10.0.0.2 -- 10.0.0.254\nJan  8 21:51:57 dnsmasq[1]: using nameserver 192.0.2.1#53\n", ""},
	{"a log of dnsmasq's without queries", "dnsmasq: started, version 2.90 cachesize 150\n", ""},
	{"the log of dnsmasq's DHCP server alone", "Jan  8 21:51:56 dnsmasq-dhcp[1]: DHCPACK(lxdbr0) 10.0.0.2 00:16:3e:00:00:01 web\n", ""},
	{"an SQLite database, such as Pi-hole's", "SQLite format 3\x00\x10\x00", ""},
	{"a capture of packets", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00", ""},
	{"a capture of packets", "\xa1\xb2\xc3\xd4\x00\x02\x00\x04", ""},
	{"a capture of packets", "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", ""},
	{"a file of systemd's journal", "LPKSHHRH\x00", ""},
	{"a ZIP archive", "PK\x03\x04\x14\x00", ""},
	{"a tar archive", strings.Repeat("\x00", 257) + "ustar\x0000", ""},
	{"", "", ""},
	{"", "hello\nworld\n", ""},
	{"", "Jan  8 21:51:56 host1 sshd[12]: Invalid user a from 203.0.113.9\n", ""},
	{"", "\x00\x01\x02\x03", ""},
	{"", "n1.example.com\n", ""},
}

func TestRecognize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "the log")
	for _, test := range foreigners {
		f, ok := Recognize([]byte(test.text), []byte(test.text), path)
		if f.What != test.what || ok != (test.what != "") || ok && (f.Do == "" || strings.Contains(f.Do, "%")) {
			t.Errorf("%.80q is %q, %t, want %q: %s", test.text, f.What, ok, test.what, f.Do)
		}
		if test.names == "" {
			continue
		}
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		command := strings.Split(f.Do, "`")[1]
		if got, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil || string(got) != test.names {
			t.Errorf("%s: %s\n got %q, %v\nwant %q", test.what, command, got, err, test.names)
		}
	}
}

func TestForeignString(t *testing.T) {
	f, _ := Recognize([]byte("PK\x03\x04"), nil, "a'b.zip")
	if got, want := f.String(), `it is a ZIP archive: unpack it by `+"`"+`unzip -p 'a'\''b.zip'`+"`"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
