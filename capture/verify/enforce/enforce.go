// Package enforce puts a list in force on one instance: the
// instance reaches only what the list allows, whatever its own resolver is,
// nobody else on the bridge notices, and nothing of it outlives the process.
//
//	instance --DNS--> fence (nft) --> forward --list?--> the bridge's dnsmasq
//	                                     |
//	                              policy: which rule was used, what was refused
//	                                     |
//	                                  Report, proven by a canary
package enforce

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/fence"
	"lxd-allowlist/capture/verify/forward"
	"lxd-allowlist/export/rule"
)

// Config says what is enforced on whom.
type Config struct {
	Instance string
	Network  string      // the bridge; "" for the instance's first
	Rules    []rule.Rule // see [rule.Compiled.Enforced]
	// Strict has packets refused, too, that go to an address which no allowed
	// name has, and is none of the rules' own.
	Strict bool
	// Learn refuses nothing but canaries and notes what would have been.
	Learn bool
	// Seeds are the addresses that names are known to have: what the instance's
	// own resolver still remembers of allowed ones goes on working under Strict,
	// and a packet to one that only dropped names have is an expected block.
	Seeds map[string][]netip.Addr
	// Notes are told in the report.
	Notes []string
	// Refused is told of each query that was refused, at once, and of each
	// that would be under Learn; first says that its name never was before. It
	// may be called by several at a time, and not for names that the policy has
	// no room for.
	Refused func(q verify.Query, first bool)
	// Canary is told of a name before it is asked for to see it refused: should
	// the query reach dnsmasq, it is not the instance's.
	Canary func(name string)
	// CanaryTo is told so of an address under Strict.
	CanaryTo func(netip.Addr)
	// Granted is told of a refused name that is let through for a time.
	Granted func(name string)
	// RefusedPacket is told of the first packet to a place that was refused.
	RefusedPacket func(verify.PacketState)
	// Called is [verify.Packets.Called].
	Called func(to netip.AddrPort, protocol string, first, last time.Time) []string
}

// Host is what is wanted of LXD; [lxd.Server] has it.
type Host interface {
	Plug(ctx context.Context, instance, network string) (lxd.Plug, error)
	Run(ctx context.Context, instance string, c lxd.Command) (int, error)
	Enforce(ctx context.Context, instance string, plug lxd.Plug) (release func(context.Context) error, err error)
}

// Enforcement is a list that is in force.
type Enforcement struct {
	// Policy and Packets are what is let through, and what came of it.
	Policy  *verify.Policy
	Packets verify.Packets

	config  Config
	host    Host
	plug    lxd.Plug
	begun   time.Time
	fence   atomic.Pointer[fence.Fence]
	raised  chan struct{} // closed once it is, or can't be
	forward *forward.Forwarder
	// addresses are who has which, nil unless packets are refused.
	addresses *verify.Addresses
	// bridgewide says that the bridge's dnsmasq refuses names, and no fence does.
	bridgewide bool
	release    func(context.Context) error
	cancel     context.CancelFunc
	digest     string // of the rules at the start
	notes      []string
	// remembers are the scripts that empty caches of refusals.
	remembers []string

	wake, ending chan struct{} // ending: it is known when a grant ends
	done         chan struct{}
	// fallen is closed when somebody took the fence away.
	fallen chan struct{}
	wg     sync.WaitGroup

	mu       sync.Mutex
	canaries map[string]canary // by name
	proofs   []verify.Proof
	ended    time.Time // zero while it lasts

	stopping sync.Mutex
	err      error // why the host isn't as it was; of stopping
}

// Sources are the addresses that the bridge's dnsmasq is asked from for an
// instance under enforcement, of IPv4 and of IPv6, so that its log tells those
// queries from the host's own.
var Sources = [...]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 53, 53}), netip.IPv6Loopback()}

const dnsPort = 53

// seedsLast is for how long what was answered before counts.
const seedsLast = time.Hour

// Start puts a list in force. Where it fails everything is as it was.
func Start(ctx context.Context, host Host, c Config) (_ *Enforcement, err error) {
	e := newEnforcement(host, c)
	if e.plug, err = host.Plug(ctx, c.Instance, c.Network); err != nil {
		return nil, err
	}
	if len(e.plug.Bridge) == 0 {
		return nil, fmt.Errorf("enforce a list on instance %s: bridge %s has no address, so that its dnsmasq can't be asked", c.Instance, e.plug.Network)
	}
	if len(e.plug.Others) > 0 {
		others := strings.Join(e.plug.Others, ", ")
		if c.Strict {
			return nil, fmt.Errorf("enforce a list on instance %s strictly: it has other ways out (%s): detach them, or leave out --strict", c.Instance, others)
		}
		e.remark("Not watched: " + others + ".")
	}
	if e.plug.Host == "" {
		if c.Strict {
			return nil, fmt.Errorf("enforce a list on instance %s strictly: LXD doesn't tell its end on the host, so that it could send by another address: start it anew, or leave out --strict", c.Instance)
		}
		e.remark("The instance's end on the host isn't known: what it sends by another hardware address is not held.")
	}
	e.Policy = verify.New(c.Rules, e.local())
	e.Policy.Learning = c.Learn
	e.Policy.Granting, e.Policy.Ending = e.granted, func() { wake(e.ending) }
	if c.Strict && !c.Learn {
		e.addresses = verify.NewAddresses(e.Policy, gate{e})
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.lower(context.WithoutCancel(ctx)))
		}
	}()
	if e.release, err = host.Enforce(ctx, c.Instance, e.plug); err != nil {
		return nil, err
	}
	if err = e.raise(); err != nil {
		return nil, err
	}
	if e.addresses != nil { // before anything takes time: what is on the list is not to be refused
		if err = errors.Join(e.addresses.Seed(c.Seeds, seedsLast, time.Now()), e.keep(c.Rules)); err != nil {
			return nil, err
		}
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	e.wg.Go(crash.Guarded("the instance's plug", func() { e.stayPlugged(run) }))
	e.wg.Go(crash.Guarded("the watch over the fence", func() { e.keepWatch(run) }))
	e.begun = time.Now()
	e.flushCaches(ctx)
	e.wg.Go(crash.Guarded("the end of grants", func() { e.endGrants(run) }))
	return e, ctx.Err()
}

// raise starts the forwarder and leads the instance's queries to it.
func (e *Enforcement) raise() (err error) {
	defer close(e.raised)
	upstream := e.plug.Bridge[0].Addr()
	source := Sources[0]
	if upstream.Is6() {
		source = Sources[1]
	}
	level := fence.Names
	if e.config.Strict && !e.config.Learn {
		level = fence.Strict
	}
	e.forward, err = forward.Listen(forward.Config{
		Interface: e.plug.Network, Upstream: netip.AddrPortFrom(upstream, dnsPort), Source: source,
		Allow: e.allow,
		Admit: e.admit,
		Asked: e.asked,
	})
	if err != nil {
		return fmt.Errorf("listen for the queries of instance %s: %w", e.config.Instance, err)
	}
	f, err := fence.Raise(port(e.plug), level, e.forward.Port())
	if err != nil {
		return fmt.Errorf("lead the queries of instance %s to this program: %w", e.config.Instance, err)
	}
	e.fence.Store(f)
	e.wg.Go(crash.Guarded("refused packets", func() {
		for p := range f.Refused() {
			e.refusedPacket(p)
		}
	}))
	e.wg.Go(crash.Guarded("server names", func() {
		for h := range f.Hellos() {
			e.hello(h)
		}
	}))
	return nil
}

// refusedPacket is told by the fence. What is of a connection that was open
// before, or a late part of one that is allowed, is no attempt of its own.
func (e *Enforcement) refusedPacket(p fence.Packet) {
	if p.Why != fence.OpenBefore && p.Why != fence.Stray {
		s, first := e.Packets.Add(p.To, p.Protocol, p.At)
		if p.Server != "" {
			s = e.Packets.Named(p.To, p.Protocol, p.Server)
		}
		if first && e.config.RefusedPacket != nil {
			e.config.RefusedPacket(s)
		}
		e.Tell()
	}
}

func port(p lxd.Plug) fence.Port {
	return fence.Port{Bridge: p.Network, MAC: p.MAC, Host: p.Host, Addresses: p.Addresses}
}

// allow is asked by the forwarder. Under Learn nothing is refused but the
// canaries, which show that queries come here.
func (e *Enforcement) allow(name string, _ uint16) bool {
	return e.config.Learn && !e.isCanary(name) || e.Policy.Allows(name, time.Now())
}

// asked is told by the forwarder.
func (e *Enforcement) asked(f forward.Query) {
	q := verify.Query{At: f.At, Name: f.Name, Type: f.Type, From: f.From, Refused: !f.Allowed}
	if f.Allowed {
		q.Failed = f.Why != "" || f.Outcome == "" || f.Outcome == "SERVFAIL"
	} else {
		q.Why = f.Why
	}
	if e.ownCanary(q) {
		return
	}
	if e.config.Learn && f.Allowed {
		q.WouldRefuse = !e.Policy.Allows(q.Name, q.At)
	}
	first := e.Policy.Asked(q)
	if e.config.Refused != nil && (q.Refused || q.WouldRefuse) && q.Name != "" {
		if _, counted := e.Policy.Name(q.Name); counted {
			e.config.Refused(q, first)
		}
	}
	e.Tell()
}

// Tell has [Enforcement.Wake] tell of what came to be known besides.
func (e *Enforcement) Tell() { wake(e.wake) }

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Wake tells, by one value however many, that something happened.
func (e *Enforcement) Wake() <-chan struct{} { return e.wake }

// Done is closed when the list is out of force.
func (e *Enforcement) Done() <-chan struct{} { return e.done }

// Network returns the bridge.
func (e *Enforcement) Network() string { return e.plug.Network }

// Strict reports whether packets are refused, too.
func (e *Enforcement) Strict() bool { return e.config.Strict }

// Report returns what came of it so far.
func (e *Enforcement) Report(about verify.About) verify.Report {
	e.countKept()
	e.mu.Lock()
	defer e.mu.Unlock()
	over := verify.Over{
		Policy: e.Policy, Packets: &e.Packets, Addresses: e.addresses, Instance: e.config.Instance, Network: e.plug.Network,
		Strict: e.config.Strict, Learn: e.config.Learn, Bridge: e.bridgewide, Begun: e.begun, Ended: e.ended,
		Digest: e.digest, Proofs: e.proofs, Notes: e.notes, Lost: e.forward.Lost(),
	}
	if f := e.fence.Load(); f != nil {
		over.Untold, over.Unread = f.Lost(), f.Unfinished()
	}
	return verify.NewReport(over, about)
}

// Stop takes the list out of force, once. The note on the instance, which LXD
// has, goes last: where that failed, a later call tries it again.
func (e *Enforcement) Stop(ctx context.Context) error {
	e.stopping.Lock()
	defer e.stopping.Unlock()
	select {
	case <-e.done:
		if e.err != nil {
			return e.err
		}
		return e.forget(ctx)
	default:
	}
	e.mu.Lock() // and not for longer: who tells of queries wants it, too
	e.ended = time.Now()
	e.mu.Unlock()
	defer close(e.done)
	return e.lower(ctx)
}

// lower takes away what raise put on the host, and then the note.
func (e *Enforcement) lower(ctx context.Context) error {
	if e.cancel != nil {
		e.cancel()
	}
	var left error
	if e.bridgewide { // first, while there is somebody whom dnsmasq can ask
		left = e.forget(ctx)
	}
	if f := e.fence.Load(); f != nil {
		e.err = f.Lower()
	}
	e.wg.Wait()
	if e.forward != nil {
		e.err = errors.Join(e.err, e.forward.Close())
	}
	if e.err != nil || left != nil {
		return errors.Join(e.err, left)
	}
	return e.forget(ctx)
}

// forget takes the note on the instance away, or the lines in the bridge's
// raw.dnsmasq, unless that is done.
func (e *Enforcement) forget(ctx context.Context) error {
	if e.release == nil {
		return nil
	}
	if err := e.release(ctx); err != nil {
		return err
	}
	e.release = nil
	return nil
}

// Restore takes away what killed runs left on this host: a table of theirs is
// gone with the process, their redirected connections are not. It returns the
// instances.
func Restore(ctx context.Context, server *lxd.Server, force bool) (done []string, err error) {
	left, failed := server.LeftEnforced(ctx, force)
	for _, l := range left {
		if !server.Local() { // by force alone: what is there isn't known from here
			failed = errors.Join(failed, fmt.Errorf("take off what is enforced on instance %s: that is done on the host of its LXD alone: run lxd-allowlist restore --force there", l.Instance))
			continue
		}
		err := fence.Sweep(port(l.Plug))
		if err == nil {
			err = server.ForgetEnforced(ctx, l.Instance)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("take off what was enforced on instance %s: %w", l.Instance, err))
			continue
		}
		done = append(done, l.Instance)
	}
	return done, failed
}
