package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/canonical/lxd/shared/api"
)

// ErrHidden is returned for a network that LXD shows without its
// configuration, which it does for restricted certificates. Writing back what
// was read would wipe it.
var ErrHidden = errors.New("LXD hides the network's configuration from this client")

// unwatchable returns why queries on the network can't be watched, nil if they can.
func unwatchable(n *api.Network) error {
	switch {
	case !n.Managed:
		return fmt.Errorf("network %s is not managed by LXD, so LXD runs no dnsmasq on it", n.Name)
	case n.Type != "bridge":
		return fmt.Errorf("network %s is a %s network, and only bridges have a dnsmasq", n.Name, n.Type)
	case hidden(n):
		return fmt.Errorf("network %s: %w: connect with a certificate that may edit it", n.Name, ErrHidden)
	case len(bridgeAddresses(n)) == 0:
		return fmt.Errorf("network %s has no address, so LXD runs no dnsmasq on it: set ipv4.address or ipv6.address", n.Name)
	case disablesDNS(n.Config[rawKey]):
		return fmt.Errorf("network %s turns DNS off with port=0 in raw.dnsmasq", n.Name)
	}
	return nil
}

// Bridges returns the networks that can be watched, by name.
func (s *Server) Bridges(ctx context.Context) (names []string, err error) {
	facts, err := s.networkFacts(ctx)
	for name, fact := range facts {
		if fact.problem == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// LookUpNetwork returns nil where there is a network of that name; [IsGone] tells the
// error where there is none.
func (s *Server) LookUpNetwork(ctx context.Context, name string) error {
	_, _, err := getNetwork(ctx, s.networks(), name)
	return networkError("look up", name, err)
}

// hidden reports whether LXD shows the network without its configuration: a
// managed one is never without any.
func hidden(n *api.Network) bool { return n.Managed && len(n.Config) == 0 }

// bridgeAddresses returns the addresses that dnsmasq listens on, IPv4 first.
func bridgeAddresses(n *api.Network) []netip.Addr {
	var addresses []netip.Addr
	for _, key := range []string{"ipv4.address", "ipv6.address"} {
		if prefix, err := netip.ParsePrefix(n.Config[key]); err == nil { // "none", "auto"
			addresses = append(addresses, prefix.Addr())
		}
	}
	return addresses
}

// domainOf returns the domain that dnsmasq gives a bridge's instances.
func domainOf(n *api.Network) string { return cmp.Or(n.Config["dns.domain"], "lxd") }

// networkError says of which network LXD said it; nil stays nil.
func networkError(doing, network string, err error) error {
	switch err = plain(err); {
	case err == nil:
		return nil
	case IsGone(err):
		return fmt.Errorf("%s network %s: %w: see lxc network list", doing, network, err)
	default:
		return fmt.Errorf("%s network %s: %w", doing, network, err)
	}
}
