package proof

import (
	"strings"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// askPatterns asks for names that patterns match, seen or not, and for those
// beside them: other numbers, other dots, more labels at either end.
func askPatterns(t *testing.T, f export.Format, launch func(t *testing.T, path string) target) {
	t.Helper()
	const region = "api.<region>.example.org"
	held, refused := f.Hold(compiled(t, []rule.Rule{
		{Name: "www.example.com"}, // which proxies are asked for at the end
		{Name: "sa1.blob.example.com"},
		{Name: "sa<0-99>.blob.example.com", Reason: "# \" ' ; { } $x `x` \\"},
		{Name: "pkg-<00-99>.example.net"},
		{Name: region},
	}))
	for _, r := range refused {
		if r.Rule.Name != region {
			t.Errorf("it holds no pattern %s: %s", r.Rule.Name, r.Why())
		}
	}
	to := launch(t, fileOf(t, f, held))
	denied, wanted := make(map[string]bool), make(map[string]bool)
	names := map[string]bool{
		"sa1.blob.example.com": true, "sa0.blob.example.com": true, "sa42.blob.example.com": true, "SA42.Blob.Example.COM": true,
		"sa100.blob.example.com": false, "sa.blob.example.com": false, "sax.blob.example.com": false, "xsa1.blob.example.com": false,
		"x.sa1.blob.example.com": false, "x.sa42.blob.example.com": false, "sa42.blob.example.com.evil.org": false, "sa42xblob.example.com": false, "sa42.blobxexample.com": false,
		"sa42.blob.example.comx": false, "blob.example.com": false, "example.com": false, "com": false,
		"pkg-77.example.net": true, "pkg-7.example.net": false, "pkg-777.example.net": false, "pkg-77xexample.net": false, "example.net": false,
		"api.eu-west-1.example.org": true, "api.asia-northeast1-b.example.org": true, "api.us-gov-east-1.example.org": true, "api.evil.example.org": false,
		"api.eu-west-1.x.example.org": false, "x.api.eu-west-1.example.org": false, "apixeu-west-1.example.org": false, "api.eu-west-1xexample.org": false, "eu-west-1.example.org": false,
		"api.xeu-west-1.example.org": false, "api.eu-west-1x.example.org": false, "api.eu-west-1-.example.org": false,
	}
	if f.Hosts {
		names["sa42.blob.example.com."], names["sa100.blob.example.com."], names["x.sa42.blob.example.com."] = true, false, false
	}
	for name, want := range names {
		want = want && (len(refused) == 0 || !strings.HasSuffix(name, region[len("api.<region>"):]))
		denied[strings.ToLower(name)], wanted[name] = !want, want
		if got := to.ask(t, name); got != want {
			observed(t).difference(t, name, "", got)
		}
	}
	if to.done != nil {
		to.done(t, denied)
	}
	probe(t, f, to, wanted)
}
