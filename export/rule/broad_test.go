package rule

import "testing"

// Nobody registers a name of a network's own, whether its bridge's domain is known
// or not, nor one of special use.
func TestRegistrable(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.co.uk": "example.co.uk", "example.com": "example.com", "me.github.io": "me.github.io", "_http._tcp.archive.ubuntu.com": "ubuntu.com",
		"registry.npmjs.org.lxd": "", "web.lxd": "", "web": "", "com": "", "co.uk": "", "github.io": "", "db.corp": "", "printer.local": "", "db.example.internal": "",
		"nas.home.arpa": "", "1.0.0.10.in-addr.arpa": "", "a.b.onion": "", "cdn.telemetry.example": "telemetry.example", "x.y.test": "", "_srv._tcp.web.lxd": "",
	} {
		if got := Registrable(name); got != want {
			t.Errorf("%s is registered as %q, want %q", name, got, want)
		}
	}
}
