package lxd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canonical/lxd/shared/api"
)

const (
	// settle is how long a lock must stand before it counts. LXD doesn't lock
	// a network while it updates it, so that a rival who read it before our
	// write may still overwrite that.
	settle = 100 * time.Millisecond
	// conflictTries is how often a network that others keep changing is read
	// afresh.
	conflictTries = 10
	// retryPause is the wait before the second try; later ones wait longer.
	retryPause = 50 * time.Millisecond
)

// Lease is the right to have a bridge's dnsmasq log queries. Until it is
// released the network carries its own original beside what was changed.
type Lease struct {
	server   *Server
	network  string
	domain   string
	addrs    []netip.Addr
	replaced replaced
	wrote    bool // LXD was asked to write our lock
	kept     bool
	doubtful bool   // see [wayBack]
	only     string // the one instance that may use the network, "" for any: see [Server.Deny]
}

// Lease takes the lease of a managed bridge and has its dnsmasq log queries.
// It fails with a [*HeldError], a [*LeftoverError] or [ErrHidden] where the
// caller can do something about it; the network is as it was then.
func (s *Server) Lease(ctx context.Context, network string) (*Lease, error) {
	if !s.Local() {
		return nil, fmt.Errorf("watch network %s of %s: its dnsmasq's log can't be read from here: run %s on that server", network, s.name, programName)
	}
	l := s.newLease(network)
	if err := l.readable(); err != nil {
		return nil, err
	}
	err := l.lock(ctx)
	if err == nil {
		err = l.apply(ctx, stderrFacility)
	}
	if err = l.orRelease(ctx, err); err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Server) newLease(network string) *Lease {
	return &Lease{server: s, network: network, replaced: replaced{token: rand.Text()}}
}

// orRelease gives back what was taken, if there was an error.
func (l *Lease) orRelease(ctx context.Context, err error) error {
	if err != nil && l.wrote {
		// Even if it was the context's end that failed it.
		err = errors.Join(err, l.Release(context.WithoutCancel(ctx)))
	}
	return err
}

// Network returns the bridge's name.
func (l *Lease) Network() string { return l.network }

// Domain returns the domain that dnsmasq gives the bridge's instances.
func (l *Lease) Domain() string { return l.domain }

// Addresses returns those that dnsmasq listens on.
func (l *Lease) Addresses() []netip.Addr { return l.addrs }

// Release puts raw.dnsmasq back byte for byte and takes our keys away. What
// others changed in the network meanwhile stays; where they changed
// raw.dnsmasq itself, that stays without our options, see [Lease.Kept]. It may
// be called again.
func (l *Lease) Release(ctx context.Context) error {
	w := wayBack{server: l.server, network: l.network, was: l.replaced, doubtful: l.doubtful}
	err := w.putBack(ctx)
	l.kept, l.doubtful = l.kept || w.kept, w.doubtful
	if err != nil {
		return err
	}
	return removeLog(l.replaced.file)
}

// Kept reports whether others changed raw.dnsmasq during the lease, so that
// Release kept their change.
func (l *Lease) Kept() bool { return l.kept }

// Check returns nil while the network is as the lease has set it. Its error is
// a [*ChangedError] where others changed raw.dnsmasq; a lease that somebody
// took or gave back is another.
func (l *Lease) Check(ctx context.Context) error {
	n, _, err := getNetwork(ctx, l.server.networks(), l.network)
	if err != nil {
		return networkError("read", l.network, err)
	}
	return l.stands(n)
}

// stands is Check of a network that was read.
func (l *Lease) stands(n *api.Network) error {
	switch {
	case n.Config[lockKey] != l.replaced.token:
		return l.lost(n)
	case !l.replaced.isApplied(n.Config):
		return &ChangedError{l.network}
	}
	return nil
}

// Renew has dnsmasq log again where others changed raw.dnsmasq: what they set
// is what Release puts back from now on, and has our options beside it. Where
// nobody has, dnsmasq is started anew all the same. A lease that somebody gave
// back, as restore --force does, is taken anew if nobody else has it.
func (l *Lease) Renew(ctx context.Context) error {
	for {
		renewed, set, merged, taken := l.replaced, "", "", false
		err := l.update(ctx, func(n *api.Network) error {
			switch taken = n.Config[lockKey] == ""; {
			case taken:
				maps.Copy(n.Config, holderKeys())
				n.Config[lockKey] = l.replaced.token
				if l.replaced.file != "" {
					n.Config[fileKey] = l.replaced.file
				}
			case n.Config[lockKey] != l.replaced.token:
				return l.lost(n)
			}
			renewed = l.replaced
			if !l.replaced.isApplied(n.Config) {
				renewed.raw, renewed.wasSet = l.replaced.theirs(n.Config[rawKey]), hasKey(n.Config, rawKey)
			}
			merged = withLogging(renewed.raw, cmp.Or(l.replaced.file, stderrFacility))
			if set = merged; n.Config[rawKey] == merged {
				set = stirred(merged) // LXD takes what its database says for done
			}
			renewed.applied = append(slices.Clone(l.replaced.applied), digest(set))
			n.Config[originalKey] = renewed.raw
			n.Config[wasSetKey] = strconv.FormatBool(renewed.wasSet)
			n.Config[rawKey], n.Config[appliedKey] = set, digest(set)
			return nil
		})
		if err != nil {
			return explainRefusal(err)
		}
		l.replaced = renewed
		if taken { // see lock
			if err := pause(ctx, settle); err != nil {
				return err
			}
		}
		if err := l.check(ctx, "have dnsmasq log the queries of", set); err != nil || set == merged {
			return err
		}
	}
}

// lock saves the original and takes the lock in one write, and proves that it
// is still ours a while later.
func (l *Lease) lock(ctx context.Context) error {
	if err := takeFrom(ctx, func() error { return l.update(ctx, l.lockIn) }); err != nil {
		return err
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	return l.check(ctx, "lock", l.replaced.raw)
}

// lockIn writes the lock into a network's configuration.
func (l *Lease) lockIn(n *api.Network) error {
	if err := cmp.Or(unwatchable(n), holderError(l.network, n.Config)); err != nil {
		return err
	}
	if l.only != "" {
		if err := l.deniable(n); err != nil {
			return err
		}
	}
	l.domain, l.addrs = domainOf(n), bridgeAddresses(n)
	l.replaced.raw, l.replaced.wasSet = n.Config[rawKey], hasKey(n.Config, rawKey)
	maps.Copy(n.Config, holderKeys())
	n.Config[lockKey] = l.replaced.token
	n.Config[originalKey] = l.replaced.raw
	n.Config[wasSetKey] = strconv.FormatBool(l.replaced.wasSet)
	l.wrote = true
	return nil
}

// apply has dnsmasq log to facility and reads back that it is so.
func (l *Lease) apply(ctx context.Context, facility string) error {
	file := facility
	if facility == stderrFacility {
		file = ""
	}
	return explainRefusal(l.set(ctx, withLogging(l.replaced.raw, facility), file, "have dnsmasq log the queries of"))
}

// set sets raw.dnsmasq, notes the log file of our own that it names, if any, and
// reads back that it is so. doing says what for.
func (l *Lease) set(ctx context.Context, merged, file, doing string) error {
	err := l.update(ctx, func(n *api.Network) error {
		if n.Config[lockKey] != l.replaced.token {
			return l.lost(n)
		}
		if !l.replaced.describes(n.Config) {
			return &ChangedError{l.network}
		}
		l.replaced.applied = append(l.replaced.applied, digest(merged))
		n.Config[rawKey] = merged
		n.Config[appliedKey] = digest(merged)
		delete(n.Config, fileKey)
		if l.replaced.file = file; file != "" {
			n.Config[fileKey] = file
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.check(ctx, doing, merged)
}

// check reads back that the lock is ours and raw.dnsmasq is what it should be.
func (l *Lease) check(ctx context.Context, doing, raw string) error {
	n, _, err := l.server.networks().GetNetwork(l.network)
	if err != nil {
		return networkError(doing, l.network, err)
	}
	if n.Config[lockKey] != l.replaced.token || n.Config[rawKey] != raw {
		return l.lost(n)
	}
	return ctx.Err()
}

// lost says who has the network that should have been ours.
func (l *Lease) lost(n *api.Network) error {
	if n.Config[lockKey] != l.replaced.token {
		if err := holderError(l.network, n.Config); err != nil {
			return err
		}
	}
	if n.Config[lockKey] == "" {
		return fmt.Errorf("the lease of network %s: somebody else gave it back, as restore --force does: take it anew", l.network)
	}
	return fmt.Errorf("the lease of network %s: somebody else changed it at the same time: try again", l.network)
}

// update changes a network by change, as often as others change it between
// our reading and our writing. A write that has begun is waited for, whatever
// the context says: it would go on in LXD unseen.
func (l *Lease) update(ctx context.Context, change func(*api.Network) error) error {
	networks := l.server.networks()
	for try := 1; ; try++ {
		n, etag, err := networks.GetNetwork(l.network)
		if err != nil {
			return networkError("read", l.network, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n.Config = maps.Clone(n.Config)
		before := n.Config[rawKey]
		if err := change(n); err != nil {
			return err
		}
		err = networks.UpdateNetwork(l.network, n.Writable(), etag)
		if err == nil {
			return nil
		}
		again := conflict(err)
		l.doubtful = l.doubtful || !again && n.Config[rawKey] != before
		mended, failed := l.server.endLost(ctx, l.network, err)
		if failed != nil {
			err = fmt.Errorf("%w; %w", err, failed)
		}
		again = (again || mended) && failed == nil
		if !again || try == conflictTries {
			return networkError("change", l.network, err)
		}
		if err := pause(ctx, time.Duration(try)*retryPause); err != nil {
			return err
		}
	}
}

// explainRefusal says what to do about the refusals of dnsmasq that a user
// can't guess.
func explainRefusal(err error) error {
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "illegal repeated keyword"):
		return fmt.Errorf("%w: a file that raw.dnsmasq includes sets log-facility as well: take it out there", err)
	case strings.Contains(err.Error(), "bad option"):
		return fmt.Errorf("%w: raw.dnsmasq was broken before, or this dnsmasq is too old for log-queries=extra", err)
	}
	return err
}

// conflict reports whether somebody changed the network since it was read.
func conflict(err error) bool {
	return api.StatusErrorCheck(err, http.StatusPreconditionFailed)
}

func hasKey(config map[string]string, key string) bool {
	_, ok := config[key]
	return ok
}

// pause waits, but not beyond the context's end.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
