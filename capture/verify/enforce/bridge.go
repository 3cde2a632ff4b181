package enforce

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/forward"
	"lxd-allowlist/export/rule"
)

// DenyingHost is what is wanted of LXD to hold names back by a bridge's dnsmasq;
// [lxd.Server] has it.
type DenyingHost interface {
	Host
	AtWork(ctx context.Context, instance string) error
	Deny(ctx context.Context, instance, network string, lines []string) (*lxd.Lease, error)
}

// StartBridge puts a list in force by the bridge's dnsmasq, on a bridge that the
// instance has for itself. It takes no root. dnsmasq asks this program for what
// the list doesn't allow, so that it can tell of that as the packet filter's way
// does:
//
//	instance --DNS--> the bridge's dnsmasq --allowed--> its servers, as ever
//	                                     \--all else--> forward: NXDOMAIN, policy
//
// What is allowed is not seen, and whoever asks another resolver is not held.
// lines returns what dnsmasq is to be told for that, by where this program
// listens ("127.0.0.1#5353"). Where it fails everything is as it was.
func StartBridge(ctx context.Context, host DenyingHost, c Config, lines func(denier string) []string) (_ *Enforcement, err error) {
	if c.Strict || c.Learn {
		return nil, errors.New("a bridge's dnsmasq refuses names alone, and refuses them")
	}
	e := newEnforcement(host, c)
	e.bridgewide = true
	if e.plug, err = host.Plug(ctx, c.Instance, c.Network); err != nil {
		return nil, err
	}
	if len(e.plug.Bridge) == 0 {
		return nil, fmt.Errorf("enforce a list on instance %s: bridge %s has no address, so that its dnsmasq can't be asked", c.Instance, e.plug.Network)
	}
	e.remark("Enforced by the bridge's dnsmasq: a client that asks another resolver is not held, nor is DNS over HTTPS or TLS; which rules were used is not known.")
	e.remark("That the bridge is the instance's alone is what LXD shows to this user: what it hides from them (other projects) is not known. What this host itself asks of that dnsmasq counts as the instance's.")
	e.remark("Names in the hosts file of the bridge's dnsmasq (/etc/hosts of its host) are answered, whatever the list says. dnsmasq was started anew at the beginning and the end.")
	if len(e.plug.Others) > 0 {
		e.remark("Not watched: " + strings.Join(e.plug.Others, ", ") + ".")
	}
	local := e.local()
	e.Policy = verify.New(c.Rules, local)
	defer func() {
		if err != nil {
			err = errors.Join(err, e.lower(context.WithoutCancel(ctx)))
		}
	}()
	e.forward, err = forward.Listen(forward.Config{
		Interface: "lo", Upstream: netip.AddrPortFrom(e.plug.Bridge[0].Addr(), dnsPort), // which is never asked
		Allow: func(string, uint16) bool { return false },
		Asked: func(f forward.Query) { e.asked(e.denied(f, local)) },
	})
	if err != nil {
		return nil, fmt.Errorf("listen for what dnsmasq asks of instance %s: %w", c.Instance, err)
	}
	if err = host.AtWork(ctx, c.Instance); err != nil {
		return nil, err
	}
	lease, err := host.Deny(ctx, c.Instance, e.plug.Network, lines(fmt.Sprintf("127.0.0.1#%d", e.forward.Port())))
	if err != nil {
		return nil, err
	}
	e.release = func(ctx context.Context) error {
		err := lease.Release(ctx)
		if err == nil && lease.Kept() {
			e.remark("Somebody else changed raw.dnsmasq of the bridge meanwhile, and that stays.")
			e.note(verify.Proof{
				At: time.Now(), Tried: "whether the bridge's dnsmasq was as it was set until the end",
				Why: "somebody else changed raw.dnsmasq meanwhile: the list may not have been in force",
			})
		}
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	e.begun = time.Now()
	e.wg.Go(crash.Guarded("the watch over the bridge's list", func() { e.keepLease(run, lease) }))
	e.flushCaches(ctx)
	return e, ctx.Err()
}

// denied returns what dnsmasq asked as the instance's query, which is what the
// bridge being its own makes of it. A local name that dnsmasq itself knows nothing
// of is not one that the list refuses.
func (e *Enforcement) denied(f forward.Query, local func(name string) bool) forward.Query {
	if len(e.plug.Addresses) > 0 {
		f.From = e.plug.Addresses[0]
	}
	f.Allowed = f.Why == "" && local(f.Name)
	return f
}

// keepLease notices that somebody changed the bridge, so that the list may not be
// in force any more, and who comes onto it.
func (e *Enforcement) keepLease(ctx context.Context, lease *lxd.Lease) {
	again := time.NewTicker(standsEvery)
	defer again.Stop()
	var told []string
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
		others, err := lease.Sharing(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, other := range others {
			if !slices.Contains(told, other) {
				told = append(told, other)
				e.remark(fmt.Sprintf("At %s %s came onto the bridge: it was held, too, and what it asked for is among what was blocked.", time.Now().Format(time.TimeOnly), other))
			}
		}
		if err == nil || lxd.IsAway(err) { // dnsmasq goes on without LXD
			continue
		}
		e.note(verify.Proof{
			At: time.Now(), Tried: "whether the bridge's dnsmasq is as it was set",
			Why: err.Error() + ": the list may not be in force any more; end this and begin anew",
		})
		close(e.fallen)
		e.Tell()
		return
	}
}

func newEnforcement(host Host, c Config) *Enforcement {
	return &Enforcement{
		Packets: verify.Packets{Called: c.Called}, config: c, host: host, digest: rule.Digest(c.Rules), notes: slices.Clone(c.Notes), canaries: make(map[string]canary),
		wake: make(chan struct{}, 1), ending: make(chan struct{}, 1),
		raised: make(chan struct{}), done: make(chan struct{}), fallen: make(chan struct{}),
	}
}
