package rule

import (
	"slices"
	"strings"
	"testing"
)

func numbered() Rule { return Rule{Name: "sa<0-99>.blob.core.windows.net"} }

// What is proposed, what the rules file has and what a list holds is the same
// pattern, in both ways of writing an expression.
func TestPatternsAreReadBack(t *testing.T) {
	for _, names := range []string{
		"sa0.blob.core.windows.net sa7.blob.core.windows.net sa19.blob.core.windows.net",
		"pkg-00.mirrors.example.org pkg-01.mirrors.example.org pkg-39.mirrors.example.org",
		"api.eu-west-1.example.com api.us-east-2.example.com api.ap-southeast-1.example.com",
		"n1-2.example.com n3-4.example.com n5-16.example.com",
	} {
		all := strings.Split(names, " ")
		proposed, _ := Patterns(all[0], all[1:])
		if len(proposed) != 1 {
			t.Fatalf("%s: %v", names, proposed)
		}
		want := proposed[0]
		typed, _ := FromRegexp(want.Regexp)
		extended, _ := FromExtended(typed.Extended())
		r := Rule{Name: want.Text}
		if typed.Text != want.Text || typed.Regexp != want.Regexp || extended.Text != want.Text || r.Kind() != "pattern" || r.Problem() != "" || r.Warning() != want.Warning {
			t.Errorf("%+v: read %+v, %+v; %s, %q, %q", want, typed, extended, r.Kind(), r.Problem(), r.Warning())
		}
		if strings.Contains(typed.Extended(), "?:") {
			t.Errorf("POSIX doesn't know %s", typed.Extended())
		}
	}
}

func TestWhatIsNoPattern(t *testing.T) {
	for _, text := range []string{
		"", "<", "sa<0-9", "sa<0-9>", "sa<1-9>.example.com", "sa<00-9>.example.com", "sa<0-99999>.example.com", "sa<0-9>.b<0-9>.example.com",
		"sa<0-9>.exam ple.com", "SA<0-9>.example.com", "x<region>.example.com", "<region><region>.example.com", "sa<0-9>..example.com", "sa<0-9>.example.com.",
		".sa<0-9>.example.com", "sa<0-9>.example.com\n", "*<0-9>.example.com", "<0-9>.com", "a.b<0-9>.co.uk", strings.Repeat("a", 62) + "<0-99>.example.com",
	} {
		if r := (Rule{Name: text}); r.Problem() == "" {
			t.Errorf("%q passes, as %s", text, r.Kind())
		}
		if r := (Rule{Name: text, Suffix: true}); strings.Contains(text, "<") && r.Problem() == "" {
			t.Errorf("%q passes as a suffix", text)
		}
	}
	for _, expr := range []string{"", "^$", "^.*$", "sa[0-9]{1,2}\\.example\\.com", "^sa[0-9]+\\.example\\.com$", "^sa[0-9]{1,2}.example\\.com$", "^sa[0-9]{1,2}\\.example\\.com|x$", "^www\\.example\\.com$"} {
		if p, ok := FromRegexp(expr); ok {
			t.Errorf("%q is read as %s", expr, p.Text)
		}
	}
}

func TestPatternsCover(t *testing.T) {
	r := numbered()
	for name, want := range map[string]bool{
		"sa0.blob.core.windows.net": true, "sa42.blob.core.windows.net": true, "sa100.blob.core.windows.net": false, "x.sa4.blob.core.windows.net": false,
		"sa4.blob.core.windows.net.evil.example": false, "sa4xblob.core.windows.net": false, r.Name: false,
	} {
		if r.Covers(name) != want {
			t.Errorf("covers %s: %v", name, !want)
		}
	}
	seen := Rule{Name: "sa1.blob.core.windows.net"}
	if out := Uncovered([]Rule{seen, {Name: "sa100.blob.core.windows.net"}, {Name: seen.Name, Suffix: true}}, []Rule{r}); len(out) != 2 {
		t.Errorf("outside are %v", out)
	}
	if out := Uncovered([]Rule{r}, []Rule{r}); len(out) != 0 {
		t.Errorf("outside itself are %v", out)
	}
	if c, _ := Compile(List{Rules: []Rule{r, seen, {Name: "windows.net", Suffix: true}}}); c.Len() != 1 {
		t.Errorf("a suffix leaves %v", c.Rules())
	}
	if c, _ := Compile(List{Rules: []Rule{r, seen, r}}); c.Len() != 2 {
		t.Errorf("what was seen has to stand beside the pattern, for targets without any: %v", c.Rules())
	}
}

func TestPatternsOverlap(t *testing.T) {
	p, _ := ParsePattern("api.<region>.example.com")
	var all []string
	for _, dotted := range []string{"api.eu-west-1.example.com", ".api.eu-west-1.example.com", ".eu-west-1.example.com", ".example.com", "eu-west-1.example.com", ".evil.example.com", ".x.api.eu-west-1.example.com", "api.x.example.com"} {
		if p.Overlaps(FromDotted(dotted)) {
			all = append(all, dotted)
		}
	}
	if want := []string{"api.eu-west-1.example.com", ".api.eu-west-1.example.com", ".eu-west-1.example.com", ".example.com"}; !slices.Equal(all, want) {
		t.Errorf("overlaps %v", all)
	}
}
