package parse

import "testing"

func TestSpecialUse(t *testing.T) {
	for name, want := range map[string]Special{
		"localhost":                          Loopback,
		"a.localhost":                        Loopback,
		"printer.local":                      Multicast,
		"local":                              Multicast,
		"_ipp._tcp.local":                    Multicast,
		"router.home.arpa":                   HomeNet,
		"hidden.onion":                       Onion,
		"metadata.google.internal":           Internal,
		"x.alt":                              Internal,
		"a.test":                             Unresolvable,
		"a.invalid":                          Unresolvable,
		"_dns.resolver.arpa":                 Discovery,
		"resolver.arpa":                      Discovery,
		"ipv4only.arpa":                      Discovery,
		"default.service.arpa":               Discovery,
		"use-application-dns.net":            Canary,
		"lb._dns-sd._udp.lan":                Browsing,
		"b._dns-sd._udp.example.com":         Browsing,
		"b._dns-sd._udp.0.0.10.in-addr.arpa": Browsing,
		"_services._dns-sd._udp.local":       Browsing,
		"_services._dns-sd._udp":             Browsing,
		"version.bind":                       Chaos,
		"id.server":                          Chaos,
		"example":                            Documentation,
		"www.example.com":                    Documentation,
		"a.b.example":                        Documentation,
		"_http._tcp.deb.debian.org":          Service,
		"_http._tcp.deb.example":             Service,
		"s1._domainkey.debian.org":           Service,
		"_dmarc.debian.org":                  Service,
		"wpad":                               SingleLabel,
		"qzxkvbnml":                          SingleLabel,
		"deb.debian.org":                     NotSpecial,
		"my_host.debian.org":                 NotSpecial,
		"localhost.debian.org":               NotSpecial,
		"notlocal":                           SingleLabel,
		"a.notlocal":                         NotSpecial,
		"b._dns-sd._udpx.debian.org":         Service,
		"x._dns-sd._udp.debian.org":          Service,
		"arpa":                               SingleLabel,
		"a.mytest":                           NotSpecial,
		"":                                   NotSpecial,
	} {
		if got := SpecialUse([]byte(name)); got != want {
			t.Errorf("%q is %d (%v), want %d (%v)", name, got, got, want, want)
		}
	}
}
