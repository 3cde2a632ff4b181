package explain

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/export/rule/known"
)

var url = regexp.MustCompile(`https://\S+`)

func TestLines(t *testing.T) {
	lists, err := known.LoadLists(fstest.MapFS{
		"ads":   {Data: []byte("dns.google @doh\n")},
		"other": {Data: []byte("include:ads\nkeyword:git\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, want string }{
		{"dns.google", `dns.google
  entry   dns.google, DNS resolver
  whose   Google
  for     Public DNS over HTTPS and TLS
  source  URL
  domain  dns.google, below the public suffix google
  rule    dns.google: dns.google is a DNS resolver of Google and answers any DNS query, past the log and the list
  rule    .dns.google: dns.google is a DNS resolver of Google and answers any DNS query, past the log and the list
  list    ads:1: dns.google @doh
  list    other, by ads:1: dns.google @doh`},
		{"me.github.io", `me.github.io
  entry   .github.io, shared hosting domain
  whose   GitHub
  for     anyone's Pages
  source  URL
  domain  me.github.io, below the public suffix github.io: anyone can have a name there
  rule    me.github.io: allows this name alone
  rule    .me.github.io: allows the names below, too; none is known that leads elsewhere
  list    other:2: keyword:git`},
		{"s3.me-central-1.amazonaws.com", `s3.me-central-1.amazonaws.com
  entry   s3.*.amazonaws.com, shared host
  whose   Amazon
  for     every S3 bucket, by its path
  source  URL
  entry   .amazonaws.com, shared hosting domain
  whose   Amazon
  for     AWS services and customers' own endpoints
  source  URL
  domain  none: s3.me-central-1.amazonaws.com is a public suffix, and anyone can have a name below it
  rule    s3.me-central-1.amazonaws.com: s3.me-central-1.amazonaws.com is a shared host of Amazon and serves what anyone puts there, all under one name
  rule    .s3.me-central-1.amazonaws.com: anyone can have a name below s3.me-central-1.amazonaws.com, and this rule allows it`},
		{"www.example.co.uk", `www.example.co.uk
  entry   none: the table of known names lacks it
  domain  example.co.uk, below the public suffix co.uk
  rule    www.example.co.uk: allows this name alone
  rule    .www.example.co.uk: allows the names below, too; none is known that leads elsewhere
  rule    .example.co.uk: allows the names below, too; none is known that leads elsewhere`},
		{"co.uk", `co.uk
  entry   none: the table of known names lacks it
  domain  none: co.uk is a public suffix, and anyone can have a name below it
  rule    co.uk: allows this name alone
  rule    .co.uk: refused, since it is a public suffix: as a suffix it allows everybody's domains below it`},
		{"db.internal", `db.internal
  entry   .internal, special-use name
  whose   ICANN
  for     names of private networks
  source  URL
  domain  none: nobody can register a name below internal
  rule    db.internal: allows this name alone
  rule    .db.internal: allows the names below, too; none is known that leads elsewhere`},
		{"intranet", `intranet
  entry   none: the table of known names lacks it
  domain  none: intranet is a single label
  rule    intranet: allows this name alone
  rule    .intranet: refused, since it is a top-level domain or a single label: as a suffix it allows everything below it`},
	} {
		if got := url.ReplaceAllString(strings.Join(Lines(c.name, lists, nil), "\n"), "URL"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if got := Lines("www.example.com", nil, nil); len(got) == 0 {
		t.Error("nothing is said without lists")
	}
}

// A name that a pattern keeps is said to be kept by it, and what the pattern opens.
func TestKeptByAPattern(t *testing.T) {
	got := strings.Join(Lines("sa42.blob.core.windows.net", nil, &rule.Rule{Name: "sa<0-99>.blob.core.windows.net", Reason: "ticket 7"}), "\n")
	for _, want := range []string{
		"\n  rule    sa<0-99>.blob.core.windows.net: anyone can have a name below blob.core.windows.net, one that this pattern allows, too\n",
		"\n  kept    by a pattern of the rules file: sa<0-99>.blob.core.windows.net (ticket 7)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(strings.Join(Lines("sa42.blob.core.windows.net", nil, nil), "\n"), "pattern") {
		t.Error("a pattern is named where none keeps the name")
	}
}

func TestPattern(t *testing.T) {
	for text, want := range map[string]string{
		"api.<region>.example.com":        "allows what it matches",
		"cdn<0-9>.com":                    "refused, since it is a pattern of domains",
		"sa<00-99>.blob.core.windows.net": "anyone can have a name below blob.core.windows.net",
	} {
		p, ok := rule.ParsePattern(text)
		lines := Pattern(p)
		if !ok || len(lines) != 3 || lines[0] != text || lines[1] != "  matches "+p.Regexp || !strings.HasPrefix(lines[2], "  rule    "+text+": "+want) {
			t.Errorf("%s: %q", text, lines)
		}
	}
}

// What people read in a name is said beside what DNS has.
func TestReads(t *testing.T) {
	name, err := Name("Bücher.example")
	if err != nil {
		t.Fatal(err)
	}
	if lines := Lines(name, nil, nil); lines[0] != "xn--bcher-kva.example" || lines[1] != "  reads   bücher.example" {
		t.Errorf("%q", lines)
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct{ text, want, wrong string }{
		{"DNS.Google.", "dns.google", ""},
		{".github.io", "github.io", ""},
		{"bücher.example", "xn--bcher-kva.example", ""},
		{"_http._tcp.deb.debian.org", "_http._tcp.deb.debian.org", ""},
		{"192.0.2.1", "", "is an address"},
		{"2001:db8::1", "", "is an address"},
		{"192.0.2.0/24", "", "network"},
		{"https://example.com/x", "", "is a URL"},
		{"example.com:443", "", "is not a name"},
		{"a b", "", "is not a name"},
		{"a..b", "", "is not a name"},
		{"..a", "", "is not a name"},
		{"*.example.com", "", "is not a name"},
		{"", "", `"" is not a name`},
		{".", "", "is not a name"},
		{"1.2.3", "", "is not a name"},
		{"a\x1b[31m.example", "", `\x1b`},
		{strings.Repeat("a", 64) + ".example", "", "is not a name"},
	} {
		got, err := Name(c.text)
		if got != c.want || (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %q, %v, want %q, %s", c.text, got, err, c.want, c.wrong)
		}
	}
}
