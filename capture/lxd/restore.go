package lxd

import (
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
// lease, so that it was left as it is. The original is still in the network's
// configuration.
type ChangedError struct{ Network string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("network %s: somebody else changed raw.dnsmasq meanwhile, so it was left as it is: compare it with %s in lxc network show %s, or force a restore of that", e.Network, originalKey, e.Network)
}

// saved is what a lease replaced.
type saved struct {
	token   string
	raw     string
	wasSet  bool
	applied []string // digests of what was set instead, each try's
}

func savedIn(config map[string]string) saved {
	return saved{
		token:   config[lockKey],
		raw:     config[originalKey],
		wasSet:  config[wasSetKey] == "true",
		applied: []string{config[appliedKey]},
	}
}

// describes reports whether raw.dnsmasq is as the lease found or made it.
func (s saved) describes(config map[string]string) bool {
	return s.isOriginal(config) || s.isApplied(config)
}

func (s saved) isOriginal(config map[string]string) bool {
	return config[rawKey] == s.raw && hasKey(config, rawKey) == s.wasSet
}

func (s saved) isApplied(config map[string]string) bool {
	return slices.Contains(s.applied, digest(config[rawKey]))
}

// isIn reports whether a network still has anything of the lease. Its options
// may be there without its keys where somebody removed those.
func (s saved) isIn(config map[string]string) bool {
	return config[lockKey] == s.token || config[lockKey] == "" && s.isApplied(config) && !s.isOriginal(config)
}

// putBackIn changes a network's configuration to what it was.
func (s saved) putBackIn(config map[string]string) {
	maps.DeleteFunc(config, func(key, _ string) bool { return strings.HasPrefix(key, ourKeys) })
	delete(config, rawKey)
	if s.wasSet {
		config[rawKey] = s.raw
	}
}

// putBack makes a network what it was before a lease and reads back that it
// is so. It goes on through others' changes and a restart of LXD.
func putBack(ctx context.Context, networks Networks, network string, s saved, force bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("LXD took too long"))
	defer cancel()
	refused := 0
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		done, err := tryPutBack(ctx, networks, network, s, force)
		if done {
			return err
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
		return fmt.Errorf("put back raw.dnsmasq: %w: its original is kept in the network: run %s restore %s", err, programName, network)
	}
}

// tryPutBack is one attempt; it is done when another can't change the result.
func tryPutBack(ctx context.Context, networks Networks, network string, s saved, force bool) (done bool, err error) {
	n, etag, err := getNetwork(ctx, networks, network)
	switch {
	case api.StatusErrorCheck(err, http.StatusNotFound):
		return true, nil // there is no bridge to give back
	case err != nil:
		return false, networkError("read", network, err)
	case !s.isIn(n.Config):
		return true, nil
	case !force && !s.describes(n.Config):
		return true, &ChangedError{network}
	}
	n.Config = maps.Clone(n.Config)
	s.putBackIn(n.Config)
	_, err = await(ctx, func() (struct{}, error) {
		return struct{}{}, networks.UpdateNetwork(network, n.Writable(), etag)
	})
	if err != nil {
		return false, networkError("change", network, err)
	}
	now, _, err := getNetwork(ctx, networks, network)
	if err != nil {
		return false, networkError("read back", network, err)
	}
	if s.isIn(now.Config) {
		return false, networkError("change", network, errors.New("somebody else changed it at the same time"))
	}
	return true, nil
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

// Restore makes a network what it was before a killed run, or every network
// that has something left where network is "". A lease that is held, and a
// raw.dnsmasq that was changed since, are refused unless force is given. It
// returns the networks that are mended.
func (s *Server) Restore(ctx context.Context, network string, force bool) (restored []string, err error) {
	networks := []string{network}
	if network == "" {
		if networks, err = s.marked(ctx, force); err != nil {
			return nil, err
		}
	}
	var failed error
	for _, name := range networks {
		mended, err := s.restore(ctx, name, force)
		failed = errors.Join(failed, err)
		if mended {
			restored = append(restored, name)
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

func (s *Server) restore(ctx context.Context, network string, force bool) (mended bool, err error) {
	n, _, err := getNetwork(ctx, s.networks(), network)
	if err != nil {
		return false, networkError("restore", network, err)
	}
	if hidden(n) {
		return false, networkError("restore", network, ErrHidden)
	}
	var held *HeldError
	switch holder := holderError(network, n.Config); {
	case holder == nil:
		return false, nil
	case errors.As(holder, &held) && !force:
		return false, holder
	}
	if err := putBack(ctx, s.networks(), network, savedIn(n.Config), force); err != nil {
		return false, err
	}
	if !s.Local() {
		return true, nil
	}
	return true, removeLog(n.Config[fileKey])
}
