package enforce

import (
	"net/netip"
	"slices"
	"strings"
)

// local returns what tells the names that the bridge's dnsmasq answers itself:
// its domain's, its instances', and the reverse ones of its addresses. These
// work whatever a list says.
func (e *Enforcement) local() func(name string) bool {
	domain := e.plug.Domain
	single := map[string]bool{"localhost": true}
	for _, name := range e.plug.Instances {
		single[strings.ToLower(name)] = true
	}
	return func(name string) bool {
		if domain != "" && (name == domain || strings.HasSuffix(name, "."+domain)) || single[name] {
			return true
		}
		address := reverseOf(name)
		return address.IsLoopback() || slices.ContainsFunc(e.plug.Bridge, func(p netip.Prefix) bool { return p.Contains(address) })
	}
}

// reverseOf returns the address that a name below in-addr.arpa or ip6.arpa is
// of, the zero Addr where it is of none.
func reverseOf(name string) netip.Addr {
	var text string
	if labels, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(labels, ".")
		slices.Reverse(parts)
		text = strings.Join(parts, ".")
	} else if labels, ok := strings.CutSuffix(name, ".ip6.arpa"); ok && len(labels) == 63 && strings.Count(labels, ".") == 31 {
		digits := []byte(strings.ReplaceAll(labels, ".", ""))
		slices.Reverse(digits)
		for group := range slices.Chunk(digits, 4) {
			text += ":" + string(group)
		}
		text = text[1:]
	}
	address, _ := netip.ParseAddr(text)
	return address
}
