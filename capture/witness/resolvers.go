package witness

import (
	"net/netip"

	"lxd-allowlist/export/rule/known"
)

// resolverAddresses are those at which public resolvers answer over HTTPS,
// from what their operators publish: Cloudflare, Google, Quad9, OpenDNS,
// AdGuard, CleanBrowsing, Control D, NextDNS, Mullvad, DNS.SB, AliDNS, DNSPod,
// Yandex, dns0.eu, SWITCH. The names are in [known].
var resolverAddresses = addresses(
	"1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3",
	"2606:4700:4700::1111", "2606:4700:4700::1001", "2606:4700:4700::1112", "2606:4700:4700::1002", "2606:4700:4700::1113", "2606:4700:4700::1003",
	"8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844",
	"9.9.9.9", "9.9.9.10", "9.9.9.11", "149.112.112.112", "149.112.112.10", "149.112.112.11",
	"2620:fe::fe", "2620:fe::9", "2620:fe::10", "2620:fe::11", "2620:fe::fe:10", "2620:fe::fe:11",
	"208.67.222.222", "208.67.220.220", "208.67.222.123", "208.67.220.123", "146.112.41.2", "2620:119:35::35", "2620:119:53::53",
	"94.140.14.14", "94.140.15.15", "94.140.14.15", "94.140.15.16", "94.140.14.140", "94.140.14.141",
	"2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff", "2a10:50c0::bad1:ff", "2a10:50c0::bad2:ff", "2a10:50c0::1:ff", "2a10:50c0::2:ff",
	"185.228.168.9", "185.228.169.9", "185.228.168.168", "185.228.169.168", "185.228.168.10", "185.228.169.11",
	"76.76.2.0", "76.76.10.0", "76.76.2.11", "76.76.10.11", "45.90.28.0", "45.90.30.0",
	"194.242.2.2", "194.242.2.3", "194.242.2.4", "194.242.2.5", "194.242.2.6", "194.242.2.9",
	"185.222.222.222", "45.11.45.11", "223.5.5.5", "223.6.6.6", "2400:3200::1", "2400:3200:baba::1",
	"1.12.12.12", "120.53.53.53", "77.88.8.8", "77.88.8.1", "77.88.8.88", "77.88.8.2", "77.88.8.7", "77.88.8.3",
	"193.110.81.0", "185.253.5.0", "2a0f:fc80::", "2a0f:fc81::", "130.59.31.248", "130.59.31.251",
)

func addresses(all ...string) map[netip.Addr]bool {
	set := make(map[netip.Addr]bool, len(all))
	for _, a := range all {
		set[netip.MustParseAddr(a)] = true
	}
	return set
}

// isResolver reports whether a normalised name is that of a public resolver.
func isResolver(name string) bool {
	facts := known.Of(name)
	return len(facts) > 0 && facts[0].Kind == known.Resolver
}
