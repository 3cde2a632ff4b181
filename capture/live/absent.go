package live

import (
	"context"
	"time"

	"github.com/vishvananda/netlink"
)

// How soon after a link came or changed it is looked for an instance that was
// stopped, and how seldom while none does: one that is deleted never comes.
const (
	lookSoon   = 250 * time.Millisecond
	lookSeldom = 30 * time.Second
)

// whileAbsent calls try until it is true or ctx ends: soon after a link of the
// host's came or changed, as the one to an instance that starts does, and ever
// more seldom otherwise.
func whileAbsent(ctx context.Context, try func() bool) {
	links, done := make(chan netlink.LinkUpdate), make(chan struct{})
	if netlink.LinkSubscribe(links, done) != nil {
		links = nil // it is looked for all the same
	}
	defer func() {
		close(done)
		for links != nil {
			if _, more := <-links; !more {
				return
			}
		}
	}()
	lookAgain(ctx, links, try)
}

// lookAgain is whileAbsent with events, or whatever stands for them, until those are
// closed.
func lookAgain[E any](ctx context.Context, events <-chan E, try func() bool) {
	wait := lookSoon
	next := time.NewTimer(wait)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, more := <-events:
			if !more {
				events = nil
			}
			if wait > lookSoon { // else it is soon: events that come all the time don't put it off
				wait = lookSoon
				next.Reset(wait)
			}
		case <-next.C:
			if try() {
				return
			}
			wait = min(2*wait, lookSeldom)
			next.Reset(wait)
		}
	}
}
