package lxd

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/canonical/lxd/shared/api"
)

// Owners returns which instance has which address on a network. One of
// another project than the remote's is called "PROJECT/NAME". What the guests
// say of themselves counts last: leases come from dnsmasq, hardware addresses
// from LXD.
func (s *Server) Owners(ctx context.Context, network string) (map[netip.Addr]string, error) {
	all, err := await(ctx, func() ([]api.InstanceFull, error) {
		return s.client.GetInstancesFullAllProjects(api.InstanceTypeAny)
	})
	if err != nil {
		return nil, fmt.Errorf("list LXD's instances: %w", err)
	}
	slices.SortFunc(all, func(a, b api.InstanceFull) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name))
	})
	cards := s.cards(all, network)
	owners := map[netip.Addr]string{}
	if err := s.addLeases(ctx, network, cards, owners); err != nil {
		return nil, err
	}
	if err := s.addEUI64(ctx, network, cards, owners); err != nil {
		return nil, err
	}
	for i := range all {
		addStates(&all[i], s.ownerName(&all[i].Instance), cards, owners)
	}
	return owners, nil
}

// card is an instance's NIC on the network.
type card struct{ owner, project string }

// cards returns the NICs on a network by hardware address.
func (s *Server) cards(all []api.InstanceFull, network string) map[string]card {
	cards := map[string]card{}
	for i := range all {
		project, owner := cmp.Or(all[i].Project, defaultProject), s.ownerName(&all[i].Instance)
		for device := range all[i].ExpandedDevices {
			nic, ok := describeNIC(&all[i].Instance, device)
			if ok && nic.Network == network && nic.Hwaddr != "" {
				cards[strings.ToLower(nic.Hwaddr)] = card{owner, project}
			}
		}
	}
	return cards
}

func (s *Server) ownerName(i *api.Instance) string {
	if project := cmp.Or(i.Project, defaultProject); project != s.project {
		return project + "/" + i.Name
	}
	return i.Name
}

// addLeases adds what dnsmasq leased. LXD shows a project's own leases only.
func (s *Server) addLeases(ctx context.Context, network string, cards map[string]card, owners map[netip.Addr]string) error {
	projects := []string{defaultProject}
	for _, c := range cards {
		if !slices.Contains(projects, c.project) {
			projects = append(projects, c.project)
		}
	}
	for _, project := range projects {
		leases, err := await(ctx, func() ([]api.NetworkLease, error) {
			return s.client.InProject(project).GetNetworkLeases(network)
		})
		if err != nil {
			return networkError("list the leases of", network, err)
		}
		for _, lease := range leases {
			c, known := cards[strings.ToLower(lease.Hwaddr)]
			if address, err := netip.ParseAddr(lease.Address); err == nil && known {
				owners[address.Unmap()] = c.owner
			}
		}
	}
	return nil
}

// addEUI64 adds the IPv6 addresses that follow from the hardware addresses.
func (s *Server) addEUI64(ctx context.Context, network string, cards map[string]card, owners map[netip.Addr]string) error {
	n, _, err := getNetwork(ctx, s.networks(), network)
	if err != nil {
		return networkError("read", network, err)
	}
	prefixes := []netip.Prefix{netip.MustParsePrefix("fe80::/64")}
	if prefix, err := netip.ParsePrefix(n.Config["ipv6.address"]); err == nil { // "none"
		prefixes = append(prefixes, prefix.Masked())
	}
	for hwaddr, c := range cards {
		for _, prefix := range prefixes {
			if address, ok := eui64(prefix, hwaddr); ok {
				claim(owners, address, c.owner)
			}
		}
	}
	return nil
}

// eui64 returns the address that a card gives itself in a /64 (RFC 4291,
// appendix A).
func eui64(prefix netip.Prefix, hwaddr string) (netip.Addr, bool) {
	mac, err := net.ParseMAC(hwaddr)
	if err != nil || len(mac) != 6 || prefix.Bits() > 64 {
		return netip.Addr{}, false
	}
	a := prefix.Addr().As16()
	copy(a[8:], []byte{mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]})
	return netip.AddrFrom16(a), true
}

// HasAddress reports whether an instance has an address on a network: one of
// IPv4 where the bridge has any, else one of IPv6 that it made itself.
func (s *Server) HasAddress(ctx context.Context, instance, network string) (bool, error) {
	n, _, err := getNetwork(ctx, s.networks(), network)
	if err != nil {
		return false, networkError("read", network, err)
	}
	all, err := await(ctx, func() ([]api.InstanceFull, error) {
		return s.client.GetInstancesFullAllProjects(api.InstanceTypeAny)
	})
	if err != nil {
		return false, fmt.Errorf("list LXD's instances: %w", err)
	}
	family := "inet6"
	if addresses := bridgeAddresses(n); len(addresses) > 0 && addresses[0].Is4() {
		family = "inet"
	}
	cards := s.cards(all, network)
	for i := range all {
		if s.ownerName(&all[i].Instance) != instance || all[i].State == nil {
			continue
		}
		for _, link := range all[i].State.Network {
			_, ours := cards[strings.ToLower(link.Hwaddr)]
			if ours && slices.ContainsFunc(link.Addresses, func(a api.InstanceStateNetworkAddress) bool { return a.Family == family && a.Scope == "global" }) {
				return true, nil
			}
		}
	}
	return false, nil
}

// addStates adds the addresses that an instance has on its cards: static ones
// and those of IPv6's privacy extensions.
//
// Within the guest the hardware address is the guest's to change, so another
// instance's doesn't count.
func addStates(i *api.InstanceFull, owner string, cards map[string]card, owners map[netip.Addr]string) {
	if i.State == nil {
		return
	}
	for _, link := range i.State.Network {
		if cards[strings.ToLower(link.Hwaddr)].owner != owner {
			continue
		}
		for _, a := range link.Addresses {
			if address, err := netip.ParseAddr(a.Address); err == nil {
				claim(owners, address.Unmap(), owner)
			}
		}
	}
}

// claim gives an address to an owner unless it has a better one.
func claim(owners map[netip.Addr]string, address netip.Addr, owner string) {
	if _, taken := owners[address]; !taken {
		owners[address] = owner
	}
}
