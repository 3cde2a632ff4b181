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

// from are those that were opened from addresses.
func from(addresses map[netip.Addr]bool) connections {
	return func(f *netlink.ConntrackFlow) bool {
		a, ok := netip.AddrFromSlice(f.Forward.SrcIP)
		return ok && addresses[bare(a)]
	}
}

func isDNS(f *netlink.ConntrackFlow) bool {
	p := f.Forward.Protocol
	return (p == unix.IPPROTO_UDP || p == unix.IPPROTO_TCP) && f.Forward.DstPort == dnsPort
}

// redirected are DNS connections that lead to a port of the host's.
func redirected(port uint16) connections {
	return func(f *netlink.ConntrackFlow) bool { return isDNS(f) && f.Reverse.SrcPort == port }
}

// astray are DNS connections from addresses that lead to another port.
func astray(addresses map[netip.Addr]bool) connections {
	opened := from(addresses)
	return func(f *netlink.ConntrackFlow) bool {
		return isDNS(f) && f.Reverse.SrcPort != dnsPort && opened(f)
	}
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
