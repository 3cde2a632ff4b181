package live

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify/enforce"
)

// ownerRetry is how long an address may stay nobody's before LXD is asked
// about it once more: an instance that starts asks before LXD shows it.
const ownerRetry = 2 * time.Second

func (s *Capture) nameClients(run context.Context) {
	var retry <-chan time.Time
	told := false
	for {
		select {
		case <-run.Done():
			return
		case <-s.stale:
		case <-s.Ledger.UnknownClient():
			retry = time.After(ownerRetry)
		case <-retry:
			retry = nil
		}
		owners, err := s.server.Owners(run, s.lease.Network())
		if err != nil {
			if run.Err() == nil && !told && !lxd.IsGone(err) { // that there is no bridge is said
				s.notice(fmt.Sprintf("can't tell yet which instance asked: %v", err))
			}
			told = true
			retry = time.After(ownerRetry)
			continue
		}
		told = false
		words := s.hostOwners()
		for address, owner := range owners {
			words[address.String()] = owner
		}
		s.Ledger.SetOwners(words)
	}
}

func (s *Capture) hostOwners() map[string]string {
	owners := map[string]string{
		netip.AddrFrom4([4]byte{127, 0, 0, 1}).String(): capture.HostOwner,
		netip.IPv6Loopback().String():                   capture.HostOwner,
	}
	for _, a := range s.lease.Addresses() {
		owners[a.String()] = capture.HostOwner
	}
	if s.enforcing.Load() != nil { // what is allowed comes from the program then
		for _, source := range enforce.Sources {
			owners[source.String()] = s.Instance
		}
	}
	return owners
}

// askOwners has LXD asked again which instance has which address.
func (s *Capture) askOwners() {
	select {
	case s.stale <- struct{}{}:
	default: // it will be asked
	}
}
