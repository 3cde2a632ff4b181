package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/canonical/lxd/shared/api"
)

const (
	// patience bounds the attempts to give a bridge back: an LXD that
	// restarts is back within it.
	patience = 30 * time.Second
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

// putBackIn changes a network's configuration to what it was. Where others
// changed raw.dnsmasq meanwhile their change stays and ours alone goes, unless
// force is given. It reports whether that is so.
func (s replaced) putBackIn(config map[string]string, force bool) (kept bool) {
	maps.DeleteFunc(config, func(key, _ string) bool { return strings.HasPrefix(key, ourKeys) })
	if kept = !force && !s.describes(config); kept {
		if raw := s.theirs(config[rawKey]); raw != "" {
			config[rawKey] = raw
			return kept
		}
	}
	delete(config, rawKey)
	if s.wasSet && !kept {
		config[rawKey] = s.raw
	}
	return kept
}

// theirs returns a raw.dnsmasq that others changed, without what is ours.
func (s replaced) theirs(raw string) string {
	return withoutLogging(raw, s.raw, cmp.Or(s.file, stderrFacility))
}

// putBack makes a network what it was before a lease and reads back that it
// is so. It goes on through others' changes and a restart of LXD, and reports
// whether others' change of raw.dnsmasq was kept.
func putBack(ctx context.Context, networks Networks, network string, s replaced, force bool) (kept bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("LXD took too long"))
	defer cancel()
	refused := 0
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		done, theirs, err := tryPutBack(ctx, networks, network, s, force)
		kept = kept || theirs
		if done {
			return kept, err
		}
		var status api.StatusError
		if errors.As(err, &status) && !conflict(err) {
			refused++
		}
		if refused < refusals {
			if ctx.Err() == nil && pause(ctx, wait) == nil {
				continue
			}
			err = errors.Join(context.Cause(ctx), err)
		}
		return kept, fmt.Errorf("put back raw.dnsmasq: %w: its original is kept in the network: run %s restore %s", err, programName, network)
	}
}

// tryPutBack is one attempt; it is done when another can't change the result.
func tryPutBack(ctx context.Context, networks Networks, network string, s replaced, force bool) (done, kept bool, err error) {
	n, etag, err := getNetwork(ctx, networks, network)
	switch {
	case api.StatusErrorCheck(err, http.StatusNotFound):
		return true, false, nil // there is no bridge to give back
	case err != nil:
		return false, false, networkError("read", network, err)
	case !s.isIn(n.Config):
		return true, false, nil
	}
	n.Config = maps.Clone(n.Config)
	kept = s.putBackIn(n.Config, force)
	_, err = await(ctx, func() (struct{}, error) {
		return struct{}{}, networks.UpdateNetwork(network, n.Writable(), etag)
	})
	if err != nil {
		return false, kept, networkError("change", network, err)
	}
	now, _, err := getNetwork(ctx, networks, network)
	if err != nil {
		return false, kept, networkError("read back", network, err)
	}
	if s.isIn(now.Config) {
		return false, kept, networkError("change", network, errors.New("somebody else changed it at the same time"))
	}
	return true, kept, nil
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

// Restored is a network that is mended.
type Restored struct {
	Network string
	// Kept says that others changed raw.dnsmasq since, and that this stays.
	Kept bool
}

// Restore makes a network what it was before a killed run, or every network
// that has something left where network is "". A lease that is held is refused
// unless force is given; a raw.dnsmasq that was changed since keeps that change
// unless it is. It returns the networks that are mended.
func (s *Server) Restore(ctx context.Context, network string, force bool) (restored []Restored, err error) {
	networks := []string{network}
	if network == "" {
		if networks, err = s.marked(ctx, force); err != nil {
			return nil, err
		}
	}
	var failed error
	for _, name := range networks {
		mended, kept, err := s.restore(ctx, name, force)
		failed = errors.Join(failed, err)
		if mended {
			restored = append(restored, Restored{name, kept})
		}
	}
	return restored, failed
}

// marked returns the networks with something left, with force those of the
// living too.
func (s *Server) marked(ctx context.Context, force bool) ([]string, error) {
	all, err := await(ctx, s.networks().GetNetworks)
	if err != nil {
		return nil, fmt.Errorf("list LXD's networks: %w", err)
	}
	var names []string
	for _, n := range all {
		var leftover *LeftoverError
		holder := holderError(n.Name, n.Config)
		if errors.As(holder, &leftover) || force && holder != nil {
			names = append(names, n.Name)
		}
	}
	return names, nil
}

func (s *Server) restore(ctx context.Context, network string, force bool) (mended, kept bool, err error) {
	n, _, err := getNetwork(ctx, s.networks(), network)
	if err != nil {
		return false, false, networkError("restore", network, err)
	}
	if hidden(n) {
		return false, false, networkError("restore", network, ErrHidden)
	}
	var held *HeldError
	switch holder := holderError(network, n.Config); {
	case holder == nil:
		return false, false, nil
	case errors.As(holder, &held) && !force:
		return false, false, holder
	}
	kept, err = putBack(ctx, s.networks(), network, replacedIn(n.Config), force)
	if err != nil || !s.Local() {
		return err == nil, kept, err
	}
	return true, kept, removeLog(n.Config[fileKey])
}
