// Package fence holds one instance, and no other on its bridge, to what it is
// let through: by nftables in the kernel, in tables that vanish with this process,
// however it ends. It knows no DNS and no LXD.
//
// What comes from the instance is told by its MAC address and its bridge. All
// of it is sent through the host's IP stack, also what is for a neighbour on
// the bridge, since the bridge itself can neither redirect nor refuse.
package fence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/crash"
)

// Port is where an instance is plugged into a bridge. A restart plugs it in
// anew: its host's end has another name then, see [Fence.Replug].
type Port struct {
	Bridge string           // the bridge's interface on the host
	MAC    net.HardwareAddr // the instance's
	Host   string           // the host's end of it (veth, tap); "" if it isn't known: another MAC than its own isn't noticed then

	// Addresses that the instance is known to have. Those that the kernel has in
	// the bridge's neighbour table are found besides. They serve to have its
	// queries under way begin anew at once; nothing gets out for one that is missing.
	Addresses []netip.Addr
}

// Level is how much a fence holds.
type Level uint8

const (
	// Names: DNS queries, to whatever server, go to the forwarder. All else passes.
	Names Level = iota
	// Strict: besides, nothing passes but what goes to admitted addresses, and
	// to places that are kept.
	Strict
)

func (l Level) String() string {
	switch l {
	case Names:
		return "names"
	case Strict:
		return "strict"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// Fence is one instance's, from [Raise] to [Fence.Lower]. Its methods may be
// called from any goroutine.
type Fence struct {
	port   Port
	level  Level
	dns    uint16
	watch  *watch
	guard  *guard
	labels labels
	tidy   sync.WaitGroup

	links       chan netlink.LinkUpdate // of followPorts
	unsubscribe context.CancelFunc      // from those
	following   sync.WaitGroup
	unfollow    context.CancelFunc
	moves       chan Move

	mu       sync.Mutex // guards what is below, and the order on the connection
	conn     *nftables.Conn
	tables   tables
	admitted map[netip.Addr]time.Time // when the kernel lets go of each
	swept    time.Time                // when what it has let go of was last removed
	gone     map[netip.Addr]bool      // that were dismissed
	places   []Place                  // that are kept
	counted  map[string]uint64        // connections to them, by their names, that the kernel counts no more
	stays    []expr.Any               // what a rule does that lets a connection to a place begin
	host     end                      // the instance's, the zero one while it isn't known
	inner    int                      // the index of the end that goes into a container, as the host saw it last
	lowered  bool
}

// Raise puts a fence around the instance at a port, all of it or nothing. dns
// is the port of the forwarder that its queries go to, UDP and TCP, on the
// bridge's own addresses; nobody but the instance reaches that from then on,
// and nobody but by port 53.
//
// TCP connections that the instance had open are reset when it next sends on
// them. Those that others opened to it live on if the kernel knows so: if it
// tracked connections before, as it does for NAT or a stateful firewall. What
// passed over the bridge alone it never does: at level [Strict] those with
// neighbours are reset. UDP that the kernel didn't track before counts as
// opened by who sends first.
//
// Whatever is refused is answered with a TCP reset or an ICMP error, of which
// the kernel sends a limited number a second, and told by [Fence.Refused].
//
// It needs root, fails if the port is fenced already, by whatever process, and
// leaves nothing behind when it fails.
func Raise(p Port, level Level, dns uint16) (*Fence, error) {
	f := &Fence{port: p, level: level, dns: dns, admitted: map[netip.Addr]time.Time{}, gone: map[netip.Addr]bool{}, counted: map[string]uint64{}, unfollow: func() {}, moves: make(chan Move, movesKept)}
	if err := f.raise(); err != nil {
		if f.conn == nil {
			_ = f.close()
		} else {
			_ = f.Lower()
		}
		return nil, fmt.Errorf("fence %s on %s: %w", p.MAC, p.Bridge, err)
	}
	return f, nil
}

func (f *Fence) raise() error {
	at, err := plugged(f.port)
	if err != nil {
		return err
	}
	f.host = end{f.port.Host, at.host}
	if f.watch, err = newWatch(); err != nil {
		return err
	}
	if f.guard, err = newGuard(f.port); err != nil {
		return err
	}
	name := tableName(f.port)
	if err := removeTables(name); err != nil { // of a process that was killed with its guard
		return fmt.Errorf("look for tables that a killed process left: it takes root on this host: %w", err)
	}
	if f.conn, err = nftables.New(nftables.AsLasting()); err != nil {
		return err
	}
	l, each := newLabels(labelBits, labelBits, labelBits, minorBits, minorBits, minorBits, minorBits)
	f.labels = l
	b := build{
		port: f.port, level: f.level, dns: f.dns, group: f.watch.group,
		labels: l, passed: each[0], amid: each[1], kept: each[2], greeting: [4]label(each[3:]), up: at.bridge,
	}
	f.tables, f.stays = b.fill(f.conn, name), append(b.begun(), b.kept.put()...)
	if err := f.conn.Flush(); err != nil {
		return fmt.Errorf("put the rules into the kernel: %w", err)
	}
	if err := f.followPorts(); err != nil {
		return err
	}
	known, err := addresses(f.port)
	if err != nil {
		return err
	}
	f.tidy.Go(crash.Guarded("the end of old connections", f.forgetLate))
	return forget(asking(known))
}

// forgetLate has queries lead to the forwarder that are refused else: an answer
// that was under way when the fence was raised made the kernel take the server
// for who began, and a client that keeps its port would be refused for ever.
func (f *Fence) forgetLate() {
	for a := range f.watch.late {
		ours, right := asking(map[netip.Addr]bool{a: true}), redirected(f.dns)
		// What fails is tried again at the next query.
		_ = forget(func(c *netlink.ConntrackFlow) bool { return ours(c) && !right(c) })
	}
}

// bridged is a port as the host has it.
type bridged struct {
	bridge net.HardwareAddr // the bridge's own MAC address
	host   int              // the index of the host's end, 0 for none
}

// plugged returns how a port is plugged in, and fails unless it is one.
func plugged(p Port) (at bridged, err error) {
	if len(p.MAC) != 6 || p.MAC[0]&1 != 0 {
		return at, fmt.Errorf("%q is no instance's MAC address", p.MAC)
	}
	bridge, err := netlink.LinkByName(p.Bridge)
	if err != nil {
		return at, fmt.Errorf("look up the bridge: %w", err)
	}
	if bridge.Type() != "bridge" {
		return at, fmt.Errorf("%s is no bridge but a %s", p.Bridge, bridge.Type())
	}
	at.bridge = bridge.Attrs().HardwareAddr
	if p.Host == "" {
		return at, nil
	}
	host, err := netlink.LinkByName(p.Host)
	if err != nil {
		return at, fmt.Errorf("look up the host's end %s: %w", p.Host, err)
	}
	if host.Attrs().MasterIndex != bridge.Attrs().Index {
		return at, fmt.Errorf("the host's end %s is not in bridge %s", p.Host, p.Bridge)
	}
	at.host = host.Attrs().Index
	return at, nil
}

// addresses returns those of the instance that are known.
func addresses(p Port) (map[netip.Addr]bool, error) {
	known := map[netip.Addr]bool{}
	for _, a := range p.Addresses {
		known[bare(a)] = true
	}
	bridge, err := netlink.LinkByName(p.Bridge)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return known, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the bridge: %w", err)
	}
	neighbours, err := netlink.NeighList(bridge.Attrs().Index, unix.AF_UNSPEC)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("read the neighbour table of %s: %w", p.Bridge, err)
	}
	for _, n := range neighbours {
		if a, ok := netip.AddrFromSlice(n.IP); ok && n.HardwareAddr.String() == p.MAC.String() {
			known[bare(a)] = true
		}
	}
	return known, nil
}

// bare returns an address in the one form that the kernel has it in.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Stands reports whether the kernel still has the fence: others may take it
// away, as "nft flush ruleset" does.
func (f *Fence) Stands() (bool, error) {
	tables, err := new(nftables.Conn).ListTables()
	if err != nil {
		return false, fmt.Errorf("list the packet filter's tables: %w", err)
	}
	found := 0
	for _, t := range tables {
		if t.Name == tableName(f.port) {
			found++
		}
	}
	return found == 2, nil // of the families inet and bridge
}

// Lower takes the fence down: everything is as before. DNS connections that
// led to the forwarder are forgotten, so that the next query goes where it is
// sent; all others go on, without its labels. What failed can be tried again;
// after it went well it does nothing.
func (f *Fence) Lower() error {
	f.unfollow()
	f.following.Wait() // it takes the lock, too
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lowered && f.conn == nil {
		return nil
	}
	if !f.lowered {
		f.countLast()
	}
	f.lowered = true
	// Somebody may have taken the tables away, which say their labels.
	if err := errors.Join(f.close(), forget(redirected(f.dns)), f.labels.off()); err != nil {
		return fmt.Errorf("take down the fence of %s on %s: %w", f.port.MAC, f.port.Bridge, err)
	}
	f.conn = nil
	return nil
}

// close ends what the kernel has of the fence.
func (f *Fence) close() error {
	var err error
	if f.conn != nil {
		err = f.conn.CloseLasting()
	}
	if f.guard != nil {
		f.guard.stop()
		left := removeTables(tableName(f.port)) // if it was killed
		if err = errors.Join(err, left); left == nil {
			f.guard = nil
		}
	}
	if f.watch != nil {
		f.watch.close()
	}
	f.tidy.Wait()
	return err
}
