package source

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Foreign is a file that is no log of dnsmasq's queries.
type Foreign struct {
	What string // "Squid's access log"
	Do   string // what to do to get one that can be read, or a list of the names
}

func (f Foreign) String() string { return fmt.Sprintf("it is %s: %s", f.What, f.Do) }

// Recognize tells what a file is that has no query of dnsmasq's in it. head is
// its beginning as it is stored, text the same as [Reader] hands it on; name
// is what the file is called, for the commands.
func Recognize(head, text []byte, name string) (f Foreign, ok bool) {
	for _, m := range magics {
		if m.at+len(m.magic) <= len(head) && string(head[m.at:m.at+len(m.magic)]) == m.magic {
			return Foreign{m.what, named(m.do, name)}, true
		}
	}
	if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
		text = text[:end+1]
	}
	lines := 0
	var matches [len(forms) + 1]int
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		lines++
		for i, f := range forms {
			if f.line.Match(line) {
				matches[i]++
				break
			}
		}
	}
	best := len(forms)
	for i, n := range matches {
		if n > matches[best] {
			best = i
		}
	}
	if best < len(forms) && matches[best]*3 >= lines { // other lines may stand between
		return Foreign{forms[best].what, named(forms[best].do, name)}, true
	}
	return dnsmasqsOther(text)
}

// dnsmasqsOther tells a log of dnsmasq's that has other things in it.
func dnsmasqsOther(text []byte) (f Foreign, ok bool) {
	const enable = "set log-queries=extra in dnsmasq's configuration and let the application run again, or have both done by `lxd-allowlist record INSTANCE -- COMMAND`"
	switch {
	case ownLine.Match(text):
		return Foreign{"a log of dnsmasq's without queries", enable}, true
	case dhcpLine.Match(text):
		return Foreign{"the log of dnsmasq's DHCP server alone", enable}, true
	}
	return Foreign{}, false
}

var (
	ownLine  = regexp.MustCompile(`\bdnsmasq(?:\[\d+\])?: `)
	dhcpLine = regexp.MustCompile(`\bdnsmasq-(?:dhcp|tftp|script)(?:\[\d+\])?: `)
)

// named puts a file's name into a command, so that a shell takes it for one
// word.
func named(do, name string) string {
	if !shellWord.MatchString(name) {
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return strings.Replace(do, "%s", name, 1)
}

var shellWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// magics are what files of other kinds start with, or have at a fixed place.
var magics = []struct {
	at              int
	magic, what, do string
}{
	{0, "SQLite format 3\x00", "an SQLite database, such as Pi-hole's", "get its names by `sqlite3 %s 'SELECT DISTINCT domain FROM queries'`, or read /var/log/pihole/pihole.log"},
	{0, "\xd4\xc3\xb2\xa1", packets, tshark},
	{0, "\xa1\xb2\xc3\xd4", packets, tshark},
	{0, "\x4d\x3c\xb2\xa1", packets, tshark},
	{0, "\xa1\xb2\x3c\x4d", packets, tshark},
	{0, "\x0a\x0d\x0d\x0a", packets, tshark},
	{0, "LPKSHHRH", "a file of systemd's journal", "get its lines by `journalctl --file %s -t dnsmasq`"},
	{0, "PK\x03\x04", "a ZIP archive", "unpack it by `unzip -p %s`"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it by `7z x -so %s`"},
	{0, "\x04\x22\x4d\x18", "packed by lz4", "unpack it by `lz4 -dc %s`"},
	{0, "\x1f\x9d", "packed by compress", "unpack it by `zcat %s`"},
	{257, "ustar", "a tar archive", "unpack it by `tar -xOf %s`"},
}

const (
	packets = "a capture of packets"
	tshark  = "get its names by `tshark -r %s -Y dns -T fields -e dns.qry.name`"
)

// forms are the lines of other programs' logs, as their documentation and
// their sources have them.
var forms = [...]struct {
	what string
	line *regexp.Regexp
	do   string
}{
	{"AdGuard Home's query log", regexp.MustCompile(`^\{.*"QH":"[^"]*","QT":`), "get its names by `jq -r .QH %s`"},
	{"a log of Unbound's", regexp.MustCompile(`\bunbound(?:\[\d+(?::\d+)?\])?:? .*(?:info|notice|debug|error|warning): `), "get its names, if it has log-queries, by `sed -nE 's/.* info: [^ ]+ ([^ ]+)\\. [A-Z0-9]+ IN.*/\\1/p' %s`"},
	{"BIND's query log", regexp.MustCompile(`\bclient (?:@0x[0-9a-f]+ )?[0-9a-fA-F.:%]+#\d+ .*: query: `), "get its names by `sed -nE 's/.*: query: ([^ ]+) .*/\\1/p' %s`"},
	{"a log of CoreDNS's", regexp.MustCompile(`\[INFO\] (?:[^ ]+ )*[0-9a-fA-F.:\[\]%]+:\d+ - \d+ "[A-Z0-9]+ [A-Z]+ `), "get its names by `sed -nE 's/.*\"[A-Z0-9]+ IN ([^ ]+)\\. .*/\\1/p' %s`"},
	{"Squid's access log", regexp.MustCompile(`^\d{9,10}\.\d{3} +\d+ [^ ]+ [A-Z_]+/\d{3} \d+ [A-Z]+ `), "get its hosts by `awk '{print $7}' %s | sed -E 's#^[a-z]+://##; s#[:/].*##'`"},
	{"what tcpdump printed", regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d+ (?:[^ ]+ +(?:In|Out|P|B|M) +)?(?:IP6?|ARP)\b`), "get its names by `sed -nE 's/.* [A-Z0-9]+\\? ([^ ]+)\\. \\(.*/\\1/p' %s`"},
	{"what resolvectl monitor printed", regexp.MustCompile(`^[→←] [A-Z]: `), "get its names by `sed -nE 's/.*→ Q: ([^ ]+) IN .*/\\1/p' %s`"},
	{"a log of systemd-resolved's", regexp.MustCompile(`\bsystemd-resolved\[\d+\]: `), "it doesn't log queries; run `resolvectl monitor` meanwhile"},
	{"the log of pihole-FTL itself", regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (?:[^ ]+ \[)?\d+[^ ]*\] `), "the queries are in /var/log/pihole/pihole.log"},
	{"a web server's access log", regexp.MustCompile(`^[^ ]+ [^ ]+ [^ ]+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[^\]]*\] "`), "it tells what others asked of this machine, not what it asked for"},
}
