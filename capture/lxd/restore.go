package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/canonical/lxd/shared/api"
)

const (
	// patience bounds the attempts to give a bridge back: an LXD that
	// restarts is back within it.
	patience = 45 * time.Second
	// networkPatience bounds the wait for a network that LXD brings up late.
	networkPatience = 65 * time.Second
	// longestPause is between two attempts.
	longestPause = time.Second
	// refusals is how often LXD may fail to put the original back before it
	// is believed.
	refusals = 4
)

// ChangedError says that somebody else has changed raw.dnsmasq during a
// lease, so that its queries are not logged as they should be.
type ChangedError struct{ Network string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("network %s: somebody else changed raw.dnsmasq", e.Network)
}

// replaced is what a lease replaced.
type replaced struct {
	token   string
	raw     string
	wasSet  bool
	file    string   // our own log file, "" where LXD's is used
	applied []string // digests of what was set instead, each try's
}

func replacedIn(config map[string]string) replaced {
	return replaced{
		token:   config[lockKey],
		raw:     config[originalKey],
		wasSet:  config[wasSetKey] == "true",
		file:    config[fileKey],
		applied: []string{config[appliedKey]},
	}
}

// describes reports whether raw.dnsmasq is as the lease found or made it.
func (s replaced) describes(config map[string]string) bool {
	return s.isOriginal(config) || s.isApplied(config)
}

func (s replaced) isOriginal(config map[string]string) bool {
	return config[rawKey] == s.raw && hasKey(config, rawKey) == s.wasSet
}

func (s replaced) isApplied(config map[string]string) bool {
	return slices.Contains(s.applied, digest(config[rawKey]))
}

// isIn reports whether a network still has anything of the lease. Its options
// may be there without its keys where somebody removed those.
func (s replaced) isIn(config map[string]string) bool {
	return config[lockKey] == s.token || config[lockKey] == "" && s.isApplied(config) && !s.isOriginal(config)
}

// isStirred reports whether raw.dnsmasq is on its way back, see [wayBack].
func (s replaced) isStirred(config map[string]string) bool {
	return config[rawKey] == stirred(s.raw)
}

// original returns what raw.dnsmasq is to be again, and whether it is to be
// set. Where others changed it meanwhile their change is kept and ours alone
// goes, unless force is given.
func (s replaced) original(config map[string]string, force bool) (raw string, set, kept bool) {
	if force || s.describes(config) || s.isStirred(config) {
		return s.raw, s.wasSet, false
	}
	raw = s.theirs(config[rawKey])
	return raw, raw != "", true
}

// theirs returns a raw.dnsmasq that others changed, without what is ours.
func (s replaced) theirs(raw string) string {
	return withoutLogging(raw, s.raw, cmp.Or(s.file, stderrFacility))
}

// wayBack is the way of a network back to what it was before a lease. The
// original is set first and our keys go last, in a write that doesn't touch
// dnsmasq: whenever this ends, they tell that it isn't over.
type wayBack struct {
	server  *Server
	network string
	was     replaced
	force   bool
	kept    bool // others' change of raw.dnsmasq was
	// doubtful says that a dnsmasq may run with something else than LXD's
	// database says: LXD was killed in a change, or a member of a cluster was
	// down and another has kept it. LXD takes what its database says for done,
	// so that it takes two changes that differ to have it do so.
	doubtful bool
}

// errSlow is what an LXD that hangs, or is too busy, comes to.
var errSlow = errors.New("LXD took too long")

// putBack makes a network what it was before a lease and reads back that it
// is so. It goes on through others' changes, a restart of LXD and a dnsmasq
// that LXD has lost.
func (w *wayBack) putBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	defer cancel()
	refused := 0
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		done, err := w.step(ctx)
		if done {
			return nil
		}
		mended, failed := w.server.endLost(ctx, w.network, err)
		if failed != nil {
			err = fmt.Errorf("%w; %w", err, failed)
		} else if mended {
			continue
		}
		var status api.StatusError
		if errors.As(err, &status) && !conflict(err) && !IsAway(err) {
			refused++
		}
		if refused >= refusals || ctx.Err() != nil || pause(ctx, wait) != nil {
			return w.explain(err)
		}
	}
}

// explain says what a bridge that couldn't be put back is like, and what is to
// be done.
func (w *wayBack) explain(err error) error {
	first := ""
	switch {
	case IsAway(err):
		first = "start LXD, then "
	case errors.Is(err, errSlow):
		first = "restart LXD if it hangs, then "
	case portTaken(err):
		first = "end what holds port 53 of its addresses, see ss -lnp sport = 53; then "
	case memberDown(err):
		first = "start the cluster's member that is down, or remove it, see lxc cluster list; then "
	}
	return fmt.Errorf("bridge %s is not as it was: %w; the original of raw.dnsmasq is kept in the network: %srun %s restore %[1]s", w.network, err, first, programName)
}

// step is one attempt; it is done when another can't change the result.
func (w *wayBack) step(ctx context.Context) (done bool, err error) {
	n, _, err := getNetwork(ctx, w.server.networks(), w.network)
	switch {
	case IsGone(err):
		return true, nil // there is no bridge to give back
	case err != nil:
		return false, networkError("read", w.network, err)
	case !w.concerns(n.Config):
		return true, nil
	}
	raw, set, _ := w.was.original(n.Config, w.force)
	if w.doubtful && n.Config[rawKey] == raw && hasKey(n.Config, rawKey) == set {
		if err := w.put(ctx, func(config map[string]string, raw string, _ bool) { config[rawKey] = stirred(raw) }); err != nil {
			return false, err
		}
	}
	for _, change := range []func(map[string]string, string, bool){setRaw, dropKeys} {
		if err := w.put(ctx, change); err != nil {
			return false, err
		}
	}
	w.doubtful = false
	now, _, err := getNetwork(ctx, w.server.networks(), w.network)
	switch {
	case err != nil:
		return false, networkError("read back", w.network, err)
	case w.concerns(now.Config):
		return false, networkError("change", w.network, errors.New("somebody else changed it at the same time"))
	}
	return true, nil
}

// concerns reports whether there is anything to put back in a network.
func (w *wayBack) concerns(config map[string]string) bool {
	return w.was.isIn(config) || w.doubtful && config[lockKey] == ""
}

// setRaw sets what raw.dnsmasq is to be again, and dropKeys takes our keys
// away.
func setRaw(config map[string]string, raw string, set bool) {
	delete(config, rawKey)
	if set {
		config[rawKey] = raw
	}
}

func dropKeys(config map[string]string, _ string, _ bool) {
	maps.DeleteFunc(config, func(key, _ string) bool { return strings.HasPrefix(key, ourKeys) })
}

// put changes the network, if there is anything to change. change is told what
// raw.dnsmasq is to be again and whether it is to be set.
func (w *wayBack) put(ctx context.Context, change func(config map[string]string, raw string, set bool)) error {
	n, etag, err := getNetwork(ctx, w.server.networks(), w.network)
	if err != nil {
		return networkError("read", w.network, err)
	}
	if !w.concerns(n.Config) {
		return nil
	}
	before := n.Config
	raw, set, kept := w.was.original(before, w.force)
	n.Config = maps.Clone(before)
	change(n.Config, raw, set)
	if maps.Equal(n.Config, before) {
		return nil
	}
	w.kept = w.kept || kept
	_, err = await(ctx, func() (struct{}, error) {
		return struct{}{}, w.server.networks().UpdateNetwork(w.network, n.Writable(), etag)
	})
	if err != nil && !conflict(err) && n.Config[rawKey] != before[rawKey] {
		w.doubtful = true
	}
	return networkError("change", w.network, err)
}

func getNetwork(ctx context.Context, networks Networks, name string) (*api.Network, string, error) {
	var etag string
	n, err := await(ctx, func() (*api.Network, error) {
		n, tag, err := networks.GetNetwork(name)
		etag = tag
		return n, err
	})
	if err != nil {
		return nil, "", err
	}
	return n, etag, nil
}
