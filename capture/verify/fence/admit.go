package fence

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// lifetime is what an address lives for at least: clients keep addresses for
// longer than their TTL says.
const lifetime = 5 * time.Minute

// Admit lets the instance reach addresses for as long as ttl says, but five
// minutes at least, and returns when the kernel does so. Connections that were
// begun meanwhile go on after that. It does nothing at level [Names].
func (f *Fence) Admit(addrs []netip.Addr, ttl time.Duration) error {
	if f.level != Strict {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lowered {
		return errors.New("the fence was lowered: nothing more is admitted")
	}
	now := time.Now()
	ttl = max(ttl, lifetime)
	var added, renewed []netip.Addr
	seen := make(map[netip.Addr]bool, len(addrs)) // the kernel takes nothing back twice
	for _, a := range addrs {
		a = bare(a)
		until, known := f.admitted[a]
		switch {
		case !a.IsValid() || seen[a] || until.After(now.Add(ttl)) && !f.gone[a]:
		case known:
			renewed = append(renewed, a)
		default:
			added = append(added, a)
		}
		seen[a] = true
	}
	// What is asked for over and over goes to the kernel once in a lifetime.
	ttl += lifetime
	if err := f.admit(added, false, now, ttl); err != nil {
		return err
	}
	return f.admit(renewed, true, now, ttl)
}

func (f *Fence) admit(addrs []netip.Addr, renewed bool, now time.Time, lives time.Duration) error {
	for some := range slices.Chunk(addrs, atOnce) {
		if err := f.tables.admit(f.conn, some, f.dismissed(some), renewed, lives); errors.Is(err, unix.ENFILE) {
			return fmt.Errorf("admit %s and %d more: the fence has %d addresses of a family already, which is the most; they leave it as their time is over", some[0], len(some)-1, admittedMost)
		} else if err != nil {
			return fmt.Errorf("admit %s and %d more: %w", some[0], len(some)-1, err)
		}
		for _, a := range some {
			f.admitted[a] = now.Add(lives)
			delete(f.gone, a)
		}
	}
	f.forgetExpired(now)
	return nil
}

// dismissed returns those of addresses that are.
func (f *Fence) dismissed(addrs []netip.Addr) (gone []netip.Addr) {
	for _, a := range addrs {
		if f.gone[a] {
			gone = append(gone, a)
		}
	}
	return gone
}

// Dismiss has the instance reach addresses no more, until they are admitted
// again: the next packet to one is refused, and so are those of connections
// that are open, but for what was begun to a place that is kept. Connections that
// others opened live on. It does nothing at level [Names].
func (f *Fence) Dismiss(addrs []netip.Addr) error {
	return f.takeBack(addrs, "reach %s and %d more no longer", tables.dismiss,
		func(a netip.Addr) bool { return a.IsValid() && !f.gone[a] },
		func(a netip.Addr) { f.gone[a] = true })
}

// Retire has the instance begin no more connections to addresses, until they
// are admitted again. Those that are open go on until they end, or the address is
// dismissed. It does nothing at level [Names].
func (f *Fence) Retire(addrs []netip.Addr) error {
	return f.takeBack(addrs, "begin nothing more to %s and %d more", tables.retire,
		func(a netip.Addr) bool { return !f.admitted[a].IsZero() },
		func(a netip.Addr) { delete(f.admitted, a) })
}

// takeBack has the kernel take those of addresses back that are open, and notes
// that of each. what says it, with an address and a number in it.
func (f *Fence) takeBack(addrs []netip.Addr, what string, take func(tables, *nftables.Conn, []netip.Addr) error, open func(netip.Addr) bool, note func(netip.Addr)) error {
	if f.level != Strict {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lowered {
		return errors.New("the fence was lowered: nothing is admitted")
	}
	var fresh []netip.Addr
	for _, a := range addrs {
		if a = bare(a); open(a) {
			fresh = append(fresh, a)
		}
	}
	slices.SortFunc(fresh, netip.Addr.Compare)
	fresh = slices.Compact(fresh) // the kernel takes nothing twice
	for some := range slices.Chunk(fresh, atOnce) {
		if err := take(f.tables, f.conn, some); err != nil {
			return fmt.Errorf("have the instance "+what+": %w", some[0], len(some)-1, err)
		}
		for _, a := range some {
			note(a)
		}
	}
	return nil
}

// forgetExpired keeps the map about as small as the kernel's sets are, which
// began to count a little later.
func (f *Fence) forgetExpired(now time.Time) {
	if len(f.admitted) < admittedMost || now.Before(f.swept.Add(lifetime)) {
		return
	}
	f.swept = now
	for a, until := range f.admitted {
		if until.Add(lifetime).Before(now) {
			delete(f.admitted, a)
		}
	}
}
