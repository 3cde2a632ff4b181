package fence

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const dnsPort = 53

// connections are some of those that the kernel tracks.
type connections func(*netlink.ConntrackFlow) bool

// MatchConntrackFlow is what the library asks.
func (c connections) MatchConntrackFlow(f *netlink.ConntrackFlow) bool { return c(f) }

func isDNS(protocol uint8, port uint16) bool {
	return (protocol == unix.IPPROTO_UDP || protocol == unix.IPPROTO_TCP) && port == dnsPort
}

// asking are DNS connections of addresses, also those that the kernel has the
// wrong way round, since it saw an answer first.
func asking(addresses map[netip.Addr]bool) connections {
	return func(f *netlink.ConntrackFlow) bool {
		from, _ := netip.AddrFromSlice(f.Forward.SrcIP)
		to, _ := netip.AddrFromSlice(f.Forward.DstIP)
		return isDNS(f.Forward.Protocol, f.Forward.DstPort) && addresses[bare(from)] ||
			isDNS(f.Forward.Protocol, f.Forward.SrcPort) && addresses[bare(to)]
	}
}

// redirected are DNS connections that lead to a port of the host's.
func redirected(port uint16) connections {
	return func(f *netlink.ConntrackFlow) bool {
		return isDNS(f.Forward.Protocol, f.Forward.DstPort) && f.Reverse.SrcPort == port
	}
}

// astray are DNS connections of addresses that lead to another port.
func astray(addresses map[netip.Addr]bool) connections {
	ours := asking(addresses)
	return func(f *netlink.ConntrackFlow) bool { return f.Reverse.SrcPort != dnsPort && ours(f) }
}

// interruptions is how often a list may have changed while it was read.
const interruptions = 10

// forget removes connections: their next packet counts as the first of a new one.
func forget(c connections) error {
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		var err error = netlink.ErrDumpInterrupted
		for try := 0; try < interruptions && errors.Is(err, netlink.ErrDumpInterrupted); try++ {
			_, err = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, c)
		}
		if err != nil {
			return fmt.Errorf("forget connections in the kernel's table: %w", err)
		}
	}
	return nil
}
