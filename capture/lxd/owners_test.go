package lxd_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// guest is an instance with one NIC.
func guest(project, name, hwaddr string, device map[string]string, links map[string][]string) api.InstanceFull {
	state := &api.InstanceState{Network: map[string]api.InstanceStateNetwork{}}
	for hwaddr, addresses := range links {
		link := api.InstanceStateNetwork{Hwaddr: hwaddr}
		for _, a := range addresses {
			link.Addresses = append(link.Addresses, api.InstanceStateNetworkAddress{Address: a})
		}
		state.Network[hwaddr] = link
	}
	return api.InstanceFull{
		Instance: api.Instance{
			Name: name, Project: project, Status: "Running", Type: "container",
			Config:          map[string]string{"volatile.eth0.hwaddr": hwaddr},
			ExpandedDevices: map[string]map[string]string{"eth0": device, "root": {"type": "disk"}},
		},
		State: state,
	}
}

var onBridge = map[string]string{"type": "nic", "network": "br"}

func TestOwnersTrustLXDBeforeTheGuests(t *testing.T) {
	n := bridge()
	n.Config["ipv6.address"] = "fd00:1::1/64"
	const a, b, c = "00:16:3e:00:00:0a", "00:16:3E:00:00:0B", "00:16:3e:00:00:0c"
	f := lxdfake.New(n)
	f.All = []api.InstanceFull{
		// "liar" says of itself what is its neighbour's, in both ways.
		guest("default", "liar", a, onBridge, map[string][]string{a: {"198.18.0.11", "198.18.0.77"}, strings.ToLower(b): {"198.18.0.99"}}),
		guest("default", "victim", b, map[string]string{"type": "nic", "nictype": "bridged", "parent": "br"}, nil),
		guest("other", "far", c, onBridge, nil),
		guest("default", "elsewhere", "00:16:3e:00:00:0d", map[string]string{"type": "nic", "network": "br2"}, nil),
	}
	f.Leases = map[string][]api.NetworkLease{"br": {
		{Hwaddr: a, Address: "198.18.0.10"}, {Hwaddr: b, Address: "198.18.0.11"}, {Hwaddr: c, Address: "198.18.0.12", Hostname: "victim"},
		{Hwaddr: "00:16:3e:00:00:ff", Address: "198.18.0.13"},
	}}
	got, err := lxd.New(f).Owners(t.Context(), "br")
	if err != nil {
		t.Fatal(err)
	}
	want := map[netip.Addr]string{}
	for address, owner := range map[string]string{
		"198.18.0.10": "liar", "198.18.0.77": "liar", "198.18.0.11": "victim", "198.18.0.12": "other/far",
		"fd00:1::216:3eff:fe00:a": "liar", "fd00:1::216:3eff:fe00:b": "victim", "fd00:1::216:3eff:fe00:c": "other/far",
		"fe80::216:3eff:fe00:a": "liar", "fe80::216:3eff:fe00:b": "victim", "fe80::216:3eff:fe00:c": "other/far",
	} {
		want[netip.MustParseAddr(address)] = owner
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the owners are\n%v, want\n%v", got, want)
	}
}

func TestWatchable(t *testing.T) {
	second := bridge()
	second.Name = "br2"
	dry := bridge()
	dry.Name, dry.Config["ipv4.address"] = "dry", "none"
	unmanaged := api.Network{Name: "virbr0", Type: "bridge"}
	f := lxdfake.New(bridge(), second, dry, unmanaged)
	for _, test := range []struct {
		what    string
		devices map[string]map[string]string
		network string
		device  string
		says    string
	}{
		{"the only", map[string]map[string]string{"eth0": onBridge}, "", "eth0", ""},
		{"the first", map[string]map[string]string{"b": onBridge, "a": {"type": "nic", "network": "br2"}}, "", "a", ""},
		{"the first that can", map[string]map[string]string{"a": {"type": "nic", "network": "dry"}, "b": onBridge}, "", "b", ""},
		{"the named", map[string]map[string]string{"a": onBridge, "b": {"type": "nic", "nictype": "bridged", "parent": "br2"}}, "br2", "b", ""},
		{"not on the named", map[string]map[string]string{"a": onBridge}, "br2", "", "not on network br2 but on br"},
		{"none", map[string]map[string]string{"root": {"type": "disk"}}, "", "", "no network device"},
		{"without an address", map[string]map[string]string{"a": {"type": "nic", "network": "dry"}}, "", "", "a: network dry has no address"},
		{"macvlan", map[string]map[string]string{"a": {"type": "nic", "nictype": "macvlan", "parent": "eth0"}}, "", "", "a macvlan device"},
		{"unmanaged", map[string]map[string]string{"a": {"type": "nic", "nictype": "bridged", "parent": "virbr0"}}, "", "", "not managed"},
		{"unknown", map[string]map[string]string{"a": {"type": "nic", "nictype": "bridged", "parent": "br9"}}, "", "", "none of LXD's"},
	} {
		t.Run(test.what, func(t *testing.T) {
			f.All = []api.InstanceFull{{Instance: api.Instance{Name: "c", ExpandedDevices: test.devices}}}
			all, err := lxd.New(f).Instances(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			nic, err := all[0].Watchable(test.network)
			if nic.Device != test.device || (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("it is %+v, %v", nic, err)
			}
		})
	}
}
