package rule

import (
	"regexp"
	"strings"
	"testing"

	"lxd-allowlist/parse"
)

// FuzzRule holds what is read of a rule's text to be written as it was meant: an
// address, a pattern that matches clean names alone, a name.
func FuzzRule(f *testing.F) {
	for _, seed := range [][2]string{
		{"sa<0-99>.blob.example.com", "sa7.blob.example.com"}, {"n<00-99>x<0-9>.example.net", "n07x1.example.net"}, {"api.<region>.example.org", "api.eu-west-1.example.org"},
		{"[2001:db8::/48]:443/udp", "a"}, {"192.0.2.0/24:443", "192.0.2.7:443/tcp"}, {"0.0.0.0/0:1/tcp", "::1"}, {".example.com", "example.com"}, {"<0-9>", "1"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if r := FromDotted(text); r.Dotted() != text {
			t.Errorf("%q is %+v, which is %q", text, r, r.Dotted())
		}
		if e, err := ParseEndpoint(text); err == nil {
			again, err := ParseEndpoint(e.String())
			if err != nil || again != e {
				t.Errorf("%q is %v, which is %v, %v", text, e, again, err)
			}
			if o, err := ParseEndpoint(name); err == nil && o.Within(e) && (o.Port != e.Port || !e.Prefix.Contains(o.Prefix.Addr())) {
				t.Errorf("%v is within %v", o, e)
			}
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has more than one line: %q", err)
		}
		p, ok := ParsePattern(text)
		if !ok {
			return
		}
		if !parse.Clean([]byte(name)) && p.Matcher()(name) {
			t.Errorf("%q matches %q", text, name)
		}
		for _, read := range []struct {
			of, before, after string
			from              func(string) (Pattern, bool)
		}{{p.Regexp, "", "", FromRegexp}, {p.Extended(), "^", "$", FromExtended}} {
			if again, ok := read.from(read.of); !ok || again.Text != p.Text {
				t.Errorf("%q is %q, which is %q, %v", text, read.of, again.Text, ok)
			}
			if regexp.MustCompile(read.before+read.of+read.after).MatchString(name) != p.Matcher()(name) {
				t.Errorf("%q and %q don't agree about %q", text, read.of, name)
			}
		}
	})
}
