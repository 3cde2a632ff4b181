package fence

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Place is where the instance may go whatever names there are: an address, or a
// prefix of them, with a port. One for DNS is never reached: queries go to the
// forwarder before.
type Place struct {
	Prefix   netip.Prefix
	Port     uint16
	Protocol string // "tcp", "udp"
}

// String returns "192.0.2.0/24 443/tcp".
func (p Place) String() string { return fmt.Sprintf("%s %d/%s", p.Prefix, p.Port, p.Protocol) }

// holds reports whether a packet goes there.
func (p Place) holds(to netip.AddrPort, protocol string) bool {
	return p.Port == to.Port() && p.Protocol == protocol && p.Prefix.Contains(bare(to.Addr()))
}

// keptName is the chain of the places: one rule for each, which bears its name
// and counts.
const keptName = "kept"

// keptAtOnce is how many rules go into one message: each has some 600 bytes.
const keptAtOnce = 64

// Keep has the instance reach places, until they are no more among those of a
// later call. Connections to one that goes live on. It does nothing at level
// [Names].
func (f *Fence) Keep(places []Place) error {
	if f.level != Strict {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lowered {
		return errors.New("the fence was lowered: nothing more is kept")
	}
	if err := f.keep(places); err != nil {
		return fmt.Errorf("keep %d addresses reachable: %w", len(places), err)
	}
	return nil
}

func (f *Fence) keep(places []Place) error {
	if len(places)+len(f.places) == 0 {
		return nil
	}
	there, err := f.keptRules()
	if err != nil {
		return err
	}
	have := make(map[string]bool, len(there))
	for _, r := range there {
		name := string(r.UserData)
		if have[name] = slices.ContainsFunc(places, func(p Place) bool { return p.String() == name }); have[name] {
			continue
		}
		if err := f.conn.DelRule(r); err != nil {
			return err
		}
	}
	if err := f.conn.Flush(); err != nil {
		return err
	}
	for _, r := range there {
		if name := string(r.UserData); !have[name] {
			f.counted[name] += countOf(r)
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(places), func(p Place) bool { return have[p.String()] })
	slices.SortStableFunc(fresh, func(a, b Place) int { return b.Prefix.Bits() - a.Prefix.Bits() }) // the nearest counts
	f.places = slices.Clone(places)
	for some := range slices.Chunk(fresh, keptAtOnce) {
		for _, p := range some {
			f.conn.AddRule(&nftables.Rule{
				Table: f.tables.kept.Table, Chain: f.tables.kept, UserData: []byte(p.String()),
				Exprs: slices.Concat(p.matches(), []expr.Any{&expr.Counter{}}, f.stays, accept()),
			})
		}
		if err := f.conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Kept returns how many connections were begun to each place that is kept, or
// was when the fence was lowered.
func (f *Fence) Kept() (map[Place]uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[Place]uint64, len(f.places))
	for _, p := range f.places {
		all[p] = f.counted[p.String()]
	}
	if f.lowered || len(all) == 0 {
		return all, nil
	}
	there, err := f.keptRules()
	if err != nil {
		return all, err
	}
	counts := make(map[string]uint64, len(there))
	for _, r := range there {
		counts[string(r.UserData)] = countOf(r)
	}
	for p := range all {
		all[p] += counts[p.String()]
	}
	return all, nil
}

// Keeps reports whether a packet goes to a place that is kept.
func (f *Fence) Keeps(to netip.AddrPort, protocol string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.places, func(p Place) bool { return p.holds(to, protocol) })
}

func (f *Fence) keptRules() ([]*nftables.Rule, error) {
	all, err := f.conn.GetRules(f.tables.kept.Table, f.tables.kept)
	if err != nil {
		return nil, fmt.Errorf("read what the packet filter counted: %w", err)
	}
	return all, nil
}

// countLast has what was counted outlive the kernel's rules.
func (f *Fence) countLast() {
	if len(f.places) == 0 {
		return
	}
	there, _ := f.keptRules() // of what somebody took away nothing is left to be read
	for _, r := range there {
		f.counted[string(r.UserData)] += countOf(r)
	}
}

func countOf(r *nftables.Rule) uint64 {
	for _, e := range r.Exprs {
		if c, ok := e.(*expr.Counter); ok {
			return c.Packets
		}
	}
	return 0
}

// matches matches what goes to the place.
func (p Place) matches() []expr.Any {
	number := byte(unix.IPPROTO_TCP)
	if p.Protocol == "udp" {
		number = unix.IPPROTO_UDP
	}
	return slices.Concat(goesInto(p.Prefix), protocol(number), toPort(p.Port))
}
