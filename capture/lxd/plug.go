package lxd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Plug is where an instance is plugged into a managed bridge.
type Plug struct {
	Network string
	Domain  string           // that dnsmasq gives the bridge's instances and asks nobody of; "" with dns.mode none
	MAC     net.HardwareAddr // the instance's
	Host    string           // the host's end of it (veth, tap), "" where LXD doesn't tell
	Bridge  []netip.Prefix   // the bridge's own addresses with their subnets, IPv4 first
	// Addresses are the instance's own there.
	Addresses []netip.Addr
	// Others are its devices on other networks, and proxies by which the host
	// connects for it, which nothing on this bridge can watch: "eth1 on lxdbr1",
	// "mail to tcp:10.0.0.1:25".
	Others []string
	// Instances are the names that dnsmasq knows on the bridge.
	Instances []string
}

// Plug returns where a running instance is plugged into a network.
func (s *Server) Plug(ctx context.Context, instance, network string) (Plug, error) {
	i, err := s.Instance(ctx, instance)
	if err != nil {
		return Plug{}, err
	}
	nic, err := i.Watchable(network)
	if err != nil {
		return Plug{}, err
	}
	n, _, err := getNetwork(ctx, s.networks(), nic.Network)
	if err != nil {
		return Plug{}, networkError("read", nic.Network, err)
	}
	if strings.Contains(n.Config[rawKey], denyHeader) { // by a run that is killed, or isn't over
		if err := holderError(n.Name, n.Config); err != nil {
			return Plug{}, err
		}
	}
	p := Plug{Network: nic.Network}
	if n.Config["dns.mode"] != "none" {
		p.Domain = domainOf(n)
	}
	if p.MAC, err = net.ParseMAC(nic.Hwaddr); err != nil {
		return Plug{}, fmt.Errorf("device %s of instance %s has no hardware address yet: start the instance first", nic.Device, instance)
	}
	for _, other := range i.NICs {
		if other.Device != nic.Device {
			p.Others = append(p.Others, other.Device+" on "+other.Network)
		}
	}
	p.Others = append(p.Others, i.Proxies...)
	for _, key := range []string{"ipv4.address", "ipv6.address"} {
		if prefix, err := netip.ParsePrefix(n.Config[key]); err == nil { // else "none"
			p.Bridge = append(p.Bridge, prefix)
		}
	}
	p.Host, err = s.hostEnd(ctx, instance, p.MAC)
	if err != nil {
		return Plug{}, err
	}
	owners, err := s.Owners(ctx, p.Network)
	if err != nil {
		return Plug{}, err
	}
	for address, owner := range owners {
		if owner == instance {
			p.Addresses = append(p.Addresses, address)
		}
		if _, name, other := strings.Cut(owner, "/"); other {
			owner = name
		}
		p.Instances = append(p.Instances, owner)
	}
	slices.SortFunc(p.Addresses, netip.Addr.Compare)
	slices.Sort(p.Instances)
	p.Instances = slices.Compact(p.Instances)
	return p, nil
}

// hostEnd returns the host's interface that a running instance's card is
// joined to.
func (s *Server) hostEnd(ctx context.Context, instance string, mac net.HardwareAddr) (string, error) {
	state, err := s.state(ctx, instance)
	if err != nil {
		return "", err
	}
	for _, link := range state.Network {
		if strings.EqualFold(link.Hwaddr, mac.String()) && link.HostName != "" {
			return link.HostName, nil
		}
	}
	return "", nil
}
