package live

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/witness"
)

// Place is where an instance that is watched is found. Both are others once it
// was restarted.
type Place interface {
	// Interface returns the host's end of its network device, "" while it has
	// none.
	Interface(context.Context) (string, error)
	// InitPID returns the number of its first process on the host.
	InitPID(context.Context) (int, error)
}

// Watch begins to see what an instance does and returns once nothing is
// missed any more; the error says why nothing can be seen. It goes on until run
// ends, through restarts of the instance, and tells of each time in which
// nothing is seen: why, and "" when it is again. ended is closed when it told
// all that there was.
type Watch func(run context.Context, of Place, to witness.Sink, state func(why string)) (ended <-chan struct{}, err error)

// watcher is a witness at work.
type watcher struct {
	joiner *witness.Joiner
	stop   context.CancelFunc // of the joiner
	wg     sync.WaitGroup     // of the joiner
	ended  []<-chan struct{}

	mu  sync.Mutex
	on  capture.Sources
	why map[witness.Source]string // why a source that could see doesn't
	off string                    // why others never do
}

// beginWitness has what the instance does seen from now on, as far as that can
// be, and says once what can't.
func (s *Capture) beginWitness(ctx, run context.Context, watches map[witness.Source]Watch) {
	if len(watches) == 0 {
		s.Ledger.BeginWatch(0, time.Now(), "it is off", s.kept.Broken)
		return
	}
	w := &watcher{why: make(map[witness.Source]string)}
	w.joiner = witness.NewJoiner(asking{s.Ledger.Book(), s, new(time.Time), run}, s.isBridge())
	able, off := able(ctx, s.server, s.Instance, os.Geteuid())
	w.off = off
	for _, source := range []witness.Source{witness.Wire, witness.Who} {
		watch := watches[source]
		if !able.Has(1<<source) || watch == nil {
			continue
		}
		to := w.joiner.From(source)
		if source == witness.Who {
			to = noting{to, s}
		}
		ended, err := watch(run, place{s.server, s.Instance, s.Network}, to, func(why string) { w.turn(s.Ledger, source, why) })
		if err != nil {
			w.off = join(w.off, err.Error())
			continue
		}
		w.ended = append(w.ended, ended)
		w.joiner.On(source, true)
		w.mu.Lock()
		w.on |= 1 << source
		w.mu.Unlock()
	}
	w.mu.Lock()
	s.Ledger.BeginWatch(w.on, time.Now(), w.off, s.kept.Broken)
	w.mu.Unlock()
	if p, err := s.server.Plug(ctx, s.Instance, s.Network); err == nil && w.on != 0 && len(p.Others) > 0 {
		s.Ledger.WatchMisses(p.Others)
	}
	switch {
	case w.on == 0:
		s.notice("not watched: which process asks, and what it connects to: " + w.off)
	case w.off != "":
		s.notice("watched in part: " + w.off)
	}
	joining, stop := context.WithCancel(context.WithoutCancel(run))
	w.stop = stop
	w.wg.Go(crash.Guarded("the joiner of what was seen", func() { w.joiner.Run(joining) }))
	s.witness = w
}

// host is an LXD server as far as it tells what can be seen.
type host interface {
	Local() bool
	Instance(ctx context.Context, name string) (lxd.Instance, error)
}

// able returns what of an instance a user could see here, and why not all.
func able(ctx context.Context, server host, instance string, user int) (capture.Sources, string) {
	if !server.Local() {
		return 0, "LXD is on another machine, and it takes the host itself"
	}
	if user != 0 {
		return 0, "it takes root on LXD's host: start the program with sudo"
	}
	i, err := server.Instance(ctx, instance)
	switch {
	case err != nil:
		return 0, err.Error()
	case i.Kind != "container":
		return capture.Packets, "it is a virtual machine, whose processes can't be seen: packets alone are"
	}
	return capture.Packets | capture.Processes, ""
}

// turn takes up that a source sees no more, and why, or sees again.
func (w *watcher) turn(l *capture.Ledger, source witness.Source, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on |= 1 << source
	if delete(w.why, source); why != "" {
		w.on &^= 1 << source
		w.why[source] = why
	}
	w.joiner.On(source, why == "")
	l.Watching(w.on, time.Now(), join(w.off, join(w.why[witness.Wire], w.why[witness.Who])))
}

// join returns two reasons in one, each once.
func join(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// settleWitness has the ledger know what is held for a moment yet.
func (s *Capture) settleWitness() {
	if s.witness != nil {
		s.witness.joiner.Flush()
	}
}

// endWitness tells what was seen last. Whoever sees has ended by then.
func (s *Capture) endWitness() {
	w := s.witness
	if w == nil {
		return
	}
	for _, ended := range w.ended {
		<-ended
	}
	w.stop()
	w.wg.Wait()
	s.Ledger.EndWatch(time.Now())
}

// isBridge returns what tells the bridge's own resolver by its address.
func (s *Capture) isBridge() func(netip.Addr) bool {
	ours := make(map[netip.Addr]bool)
	for _, a := range s.lease.Addresses() {
		ours[a] = true
	}
	if link, err := netlink.LinkByName(s.Network); err == nil { // and what it has by itself
		addresses, _ := netlink.AddrList(link, netlink.FAMILY_ALL)
		for _, a := range addresses {
			if own, ok := netip.AddrFromSlice(a.IP); ok {
				ours[own.Unmap()] = true
			}
		}
	}
	return func(a netip.Addr) bool { return ours[a] }
}

// place is an instance on one of its networks.
type place struct {
	server            *lxd.Server
	instance, network string
}

func (p place) Interface(ctx context.Context) (string, error) {
	plug, err := p.server.Plug(ctx, p.instance, p.network)
	return plug.Host, err
}

func (p place) InitPID(ctx context.Context) (int, error) {
	return p.server.InitPID(ctx, p.instance)
}

// asking is a book that asks LXD for an address that nobody is known to have:
// those of IPv6's privacy extensions come and go.
type asking struct {
	capture.Book
	s    *Capture
	last *time.Time // of the joiner's goroutine alone
	run  context.Context
}

// Owns implements [witness.Book].
func (b asking) Owns(a netip.Addr) bool {
	if b.Book.Owns(a) {
		return true
	}
	if time.Since(*b.last) < ownerRetry || b.run.Err() != nil {
		return false
	}
	*b.last = time.Now()
	owners, err := b.s.server.Owners(b.run, b.s.Network)
	if err != nil {
		return true // it isn't known to be somebody else's
	}
	words := make(map[string]string, len(owners))
	for address, owner := range owners {
		words[address.String()] = owner
	}
	b.s.Ledger.SetOwners(words)
	return b.Book.Owns(a)
}
