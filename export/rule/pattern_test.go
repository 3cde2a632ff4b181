package rule

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		names string // of which the first is asked about
		text  string // of the pattern, "" for none
		warns string
		no    string // words of why not
		also  string // what it matches beside
		never string // and what not
	}{
		{names: "sa0.blob.core.windows.net sa7.blob.core.windows.net sa19.blob.core.windows.net", text: "sa<0-99>.blob.core.windows.net", warns: "anyone can have a name below blob.core.windows.net",
			also: "sa3.blob.core.windows.net sa42.blob.core.windows.net", never: "sa100.blob.core.windows.net sa.blob.core.windows.net xsa1.blob.core.windows.net sa1.blob.core.windows.net.evil.example sa1xblob.core.windows.net"},
		{names: "pkg-00.mirrors.example.org pkg-01.mirrors.example.org pkg-39.mirrors.example.org other.mirrors.example.org", text: "pkg-<00-99>.mirrors.example.org", also: "pkg-77.mirrors.example.org", never: "pkg-7.mirrors.example.org other.mirrors.example.org"},
		{names: "api.eu-west-1.example.com api.us-east-2.example.com api.ap-southeast-1.example.com", text: "api.<region>.example.com", also: "api.eu-central-1.example.com", never: "api.evil.example.com api.eu-west-1.evil.com"},
		{names: "asia-northeast1-a.example.com europe-west4.example.com us-gov-east-1.example.com", text: "<region>.example.com", never: "x.example.com"},
		{names: "n1-2.example.com n3-4.example.com n5-16.example.com", text: "n<0-99>-<0-99>.example.com", also: "n9-9.example.com"},
		{names: "sa0.example.com sa1.example.com"}, // two are none
		{names: "a8f3.example.com c01d.example.com 77be.example.com", no: "by no number and no region"},
		{names: "a1.example.com a2.example.com www.example.com", no: "by no number and no region"},
		{names: "mail.example.com www.example.com ftp.example.com", no: "by no number and no region"},
		{names: "u120034456.example.com u998877665.example.com u100000001.example.com", no: "an id and no series"},
		{names: "cdn1.com cdn2.com cdn3.com"}, // anyone can register the next one
		{names: "a1.co.uk a2.co.uk a3.co.uk"}, // the same
		{names: "a1.example.com a2.example.net a3.example.org"},
		{names: "com net org"},
		{names: ""},
	} {
		names := strings.Split(c.names, " ")
		all, no := Patterns(names[0], names[1:])
		if (len(all) == 1) != (c.text != "") || c.no == "" != (no == "") || !strings.Contains(no, c.no) {
			t.Errorf("%s: %+v, no %q", c.names, all, no)
			continue
		}
		if len(all) == 0 {
			continue
		}
		p := all[0]
		if p.Text != c.text || !strings.Contains(p.Warning, c.warns) || c.warns == "" && p.Warning != "" {
			t.Errorf("%s: %q, which warns %q", c.names, p.Text, p.Warning)
		}
		re := regexp.MustCompile(p.Regexp)
		for _, name := range slices.Concat(p.Names, strings.Fields(c.also)) {
			if !re.MatchString(name) {
				t.Errorf("%s doesn't match %s", p.Regexp, name)
			}
		}
		for _, name := range strings.Fields(c.never) {
			if re.MatchString(name) {
				t.Errorf("%s matches %s", p.Regexp, name)
			}
		}
	}
}

// Whoever let a name out has registered it with a registry, whatever stands in the
// list of public suffixes between.
func TestRegistered(t *testing.T) {
	for name, want := range map[string]string{
		"a.blob.core.windows.net":                     "windows.net",
		"images.s3.dualstack.us-east-1.amazonaws.com": "amazonaws.com",
		"dualstack.us-east-1.amazonaws.com":           "amazonaws.com",
		"www.example.co.uk":                           "example.co.uk",
		"me.github.io":                                "github.io",
	} {
		if got, ok := Registered(name); !ok || got != want {
			t.Errorf("Registered(%s) = %s, %t, want %s", name, got, ok, want)
		}
	}
}
