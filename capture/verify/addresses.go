package verify

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Gate is what lets an instance reach addresses.
type Gate interface {
	// Admit lets it reach addresses for a time at least, Dismiss no more at once;
	// Retire lets no more connections begin, and those that are open go on.
	Admit(addresses []netip.Addr, lasts time.Duration) error
	Dismiss(addresses []netip.Addr) error
	Retire(addresses []netip.Addr) error
}

// Addresses are those that names had, with the names that had each: which may
// be reached, and which are a dropped name's alone. It is safe for concurrent use.
type Addresses struct {
	passes, goesOn func(name string, now time.Time) bool
	gate           Gate

	mu     sync.Mutex // held while the gate is changed, so that none is let in for a name that is dropped meanwhile
	of     map[netip.Addr]*address
	names  int // of all addresses
	swept  time.Time
	unsure int // addresses that were dismissed though not all of their names were known
}

type address struct {
	names    []holder
	admitted bool
	retired  bool // and before that admitted
	more     bool // there were more names than there is room for
}

// holder is a name that has an address, and until when it is remembered at
// least: connections to it may be open for longer.
type holder struct {
	name  string
	until time.Time
}

// Bounds of what an instance can make us remember, who may ask for any number
// of names below one: the names beside an address, of which the oldest goes, and
// those of all addresses.
const (
	maxHolders = 16
	maxHeld    = 1 << 18
)

// holdsAfter is how much longer than the time that was answered with it an
// address is remembered: the gate lets the instance reach it for as long.
const holdsAfter = 10 * time.Minute

// NewAddresses returns none, of a gate and of what says whether a name passes.
func NewAddresses(p *Policy, gate Gate) *Addresses {
	return &Addresses{passes: p.Passes, goesOn: p.GoesOn, gate: gate, of: make(map[netip.Addr]*address)}
}

// Admit has the instance reach the addresses that a name was answered with,
// which may be remembered for a time.
func (a *Addresses) Admit(name string, addresses []netip.Addr, ttl time.Duration, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.passes(name, now) {
		return fmt.Errorf("%s was taken off the list meanwhile", name)
	}
	for _, at := range addresses {
		if err := a.hold(at, name, now.Add(ttl+holdsAfter), now); err != nil {
			return err
		}
	}
	return a.admit(addresses, ttl)
}

// Seed has the instance reach what the names that pass had before, and knows
// what the others had.
func (a *Addresses) Seed(names map[string][]netip.Addr, lasts time.Duration, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var admitted []netip.Addr
	for _, passing := range []bool{true, false} { // the others last: there may be no room for all
		for name, addresses := range names {
			if a.passes(name, now) != passing {
				continue
			}
			for _, at := range addresses {
				if !passing && a.names >= maxHeld/2 { // the rest is for what will be answered
					break
				}
				if err := a.hold(at, name, now.Add(lasts+holdsAfter), now); err != nil && passing {
					return err
				}
			}
			if passing {
				admitted = append(admitted, addresses...)
			}
		}
	}
	return a.admit(admitted, lasts)
}

func (a *Addresses) admit(addresses []netip.Addr, lasts time.Duration) error {
	for _, at := range addresses { // some may be even where it fails
		known := a.of[at.Unmap()]
		known.admitted, known.retired = true, false
	}
	return a.gate.Admit(addresses, lasts)
}

// hold notes that a name has an address.
func (a *Addresses) hold(at netip.Addr, name string, until, now time.Time) error {
	at = at.Unmap()
	if a.names >= maxHeld {
		a.sweep(now)
	}
	known := a.of[at]
	if known == nil {
		known = &address{}
	}
	for i := range known.names {
		if h := &known.names[i]; h.name == name {
			if h.until.Before(until) {
				h.until = until
			}
			return nil
		}
	}
	switch {
	case len(known.names) == maxHolders:
		oldest := slices.MinFunc(known.names, func(x, y holder) int { return x.until.Compare(y.until) })
		known.names[slices.Index(known.names, oldest)] = holder{name, until}
		known.more = true
	case a.names >= maxHeld:
		return fmt.Errorf("%d names are known by their addresses already, which is the most; they leave as their time is over", maxHeld)
	default:
		known.names = append(known.names, holder{name, until})
		a.names++
		a.of[at] = known
	}
	return nil
}

// sweep forgets what is over, at most once in the time that anything lasts.
func (a *Addresses) sweep(now time.Time) {
	if now.Before(a.swept.Add(holdsAfter)) {
		return
	}
	a.swept = now
	for at, known := range a.of {
		before := len(known.names)
		known.names = slices.DeleteFunc(known.names, func(h holder) bool { return h.until.Before(now) })
		a.names -= before - len(known.names)
		if len(known.names) == 0 {
			delete(a.of, at)
		}
	}
}

// Follow dismisses the addresses that no name has any more which passes. Where
// all that had one were let through for a try, what that opened goes on.
func (a *Addresses) Follow(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var gone, retired []netip.Addr
	for at, known := range a.of {
		switch {
		case !known.admitted && !known.retired || slices.ContainsFunc(known.names, func(h holder) bool { return a.passes(h.name, now) }):
		case known.more || slices.ContainsFunc(known.names, func(h holder) bool { return !a.goesOn(h.name, now) }):
			gone = append(gone, at)
		case known.admitted:
			retired = append(retired, at)
		}
	}
	if len(retired) > 0 {
		if err := a.gate.Retire(retired); err != nil {
			gone, retired = append(gone, retired...), nil // rather than leave them open
		}
		for _, at := range retired {
			known := a.of[at]
			known.admitted, known.retired = false, true
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := a.gate.Dismiss(gone); err != nil {
		return err
	}
	for _, at := range gone {
		known := a.of[at]
		known.admitted, known.retired = false, false
		if known.more {
			a.unsure++
		}
	}
	return nil
}

// goingOn returns the names, in order, that don't pass and whose connections
// were not ended.
func (a *Addresses) goingOn() []string {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	names := make(map[string]bool)
	for _, known := range a.of {
		for _, h := range known.names {
			names[h.name] = names[h.name] || known.retired
		}
	}
	maps.DeleteFunc(names, func(_ string, on bool) bool { return !on })
	return slices.Sorted(maps.Keys(names))
}

// expected returns the names that had an address, in order, if all of them are
// to be refused, and why the first one is; none where not all are known.
func (a *Addresses) expected(at netip.Addr, toBe func(name string) (reason string, expected bool)) (names []string, reason string) {
	if a == nil {
		return nil, ""
	}
	a.mu.Lock()
	if known := a.of[at.Unmap()]; known != nil && !known.more {
		for _, h := range known.names {
			names = append(names, h.name)
		}
	}
	a.mu.Unlock()
	slices.Sort(names)
	for i := len(names) - 1; i >= 0; i-- {
		var is bool
		if reason, is = toBe(names[i]); !is {
			return nil, ""
		}
	}
	return names, reason
}

// shared is an address that may be reached for one name, and is another's, too.
type shared struct {
	at               netip.Addr
	refused, allowed string
}

// shared returns the addresses that may be reached and that a name which
// doesn't pass had, too, in order, and how many were dismissed though not all of
// their names were known.
func (a *Addresses) shared(now time.Time) (all []shared, unsure int) {
	if a == nil {
		return nil, 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range slices.SortedFunc(maps.Keys(a.of), netip.Addr.Compare) {
		s := shared{at: at}
		for _, h := range a.of[at].names {
			if !a.passes(h.name, now) {
				s.refused = cmp.Or(s.refused, h.name)
			} else {
				s.allowed = cmp.Or(s.allowed, h.name)
			}
		}
		if a.of[at].admitted && s.refused != "" && s.allowed != "" {
			all = append(all, s)
		}
	}
	return all, a.unsure
}
