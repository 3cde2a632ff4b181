package enforce

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/fence"
	"lxd-allowlist/export/rule"
)

// gate is the fence. It leads queries here before it is all there, which are
// answered once it is.
type gate struct{ e *Enforcement }

var errNotRaised = errors.New("the list could not be put in force")

// with does something with the fence once it is there.
func (g gate) with(do func(*fence.Fence) error) error {
	<-g.e.raised
	f := g.e.fence.Load()
	if f == nil {
		return errNotRaised
	}
	return do(f)
}

// Admit is [fence.Fence.Admit].
func (g gate) Admit(addresses []netip.Addr, lasts time.Duration) error {
	return g.with(func(f *fence.Fence) error { return f.Admit(addresses, lasts) })
}

// Dismiss is [fence.Fence.Dismiss].
func (g gate) Dismiss(addresses []netip.Addr) error {
	return g.with(func(f *fence.Fence) error { return f.Dismiss(addresses) })
}

// Retire is [fence.Fence.Retire].
func (g gate) Retire(addresses []netip.Addr) error {
	return g.with(func(f *fence.Fence) error { return f.Retire(addresses) })
}

// admit lets the instance reach the addresses of an answer.
func (e *Enforcement) admit(name string, addresses []netip.Addr, ttl time.Duration) error {
	if e.addresses == nil {
		return nil
	}
	return e.addresses.Admit(name, addresses, ttl, time.Now())
}

// Set puts another list in force, at once: the next query follows it, and under
// Strict the next packet.
func (e *Enforcement) Set(rules []rule.Rule) {
	e.countKept() // of what may be taken away
	if err := e.keep(rules); err != nil {
		e.remark("Addresses that came on the list late are refused: " + err.Error() + ".")
	}
	fresh, gone := e.Policy.Set(rules, time.Now())
	if fresh {
		e.forgetRefusals()
	}
	if gone {
		e.dismiss()
	}
	e.Tell()
}

// granted is told by the policy.
func (e *Enforcement) granted(name string) {
	e.forgetRefusals()
	if e.config.Granted != nil {
		e.config.Granted(name)
	}
}

// Revoke ends what a grant lets through, at once.
func (e *Enforcement) Revoke(name string) {
	if e.Policy.Revoke(name, time.Now()) {
		e.dismiss()
		e.Tell()
	}
}

// dismiss has the instance reach no more what only names had that were let
// through.
func (e *Enforcement) dismiss() {
	if e.addresses == nil {
		return
	}
	if err := e.addresses.Follow(time.Now()); err != nil {
		e.note(verify.Proof{
			At: time.Now(), Tried: "to close the addresses of what isn't allowed any more",
			Why: err.Error() + ": they may be within reach still; end this and begin anew",
		})
	}
}

// endGrants has the end of each grant count for packets, too.
func (e *Enforcement) endGrants(ctx context.Context) {
	for {
		ended, next := e.Policy.EndGrants(time.Now())
		if ended {
			e.dismiss()
			e.Tell()
		}
		var over <-chan time.Time
		if !next.IsZero() {
			over = time.After(time.Until(next))
		}
		select {
		case <-over:
		case <-e.ending:
		case <-ctx.Done():
			return
		}
	}
}
