package lxd

import (
	"context"
	"errors"
	"fmt"
)

// Restored is a thing that a killed run left behind and that is undone now.
type Restored struct {
	Network string // the bridge that is as it was, or ""
	// Kept says that others changed the bridge's raw.dnsmasq since, and that
	// this stays.
	Kept     bool
	Instance string // the instance that was launched and is removed, or ""
}

// String says so in a sentence.
func (r Restored) String() string {
	switch {
	case r.Instance != "":
		return "instance " + r.Instance + ", which a killed run had launched, is removed"
	case r.Kept:
		return "bridge " + r.Network + " has nothing of ours any more; raw.dnsmasq was changed by somebody else meanwhile, and that stays"
	}
	return "bridge " + r.Network + " is as it was before"
}

// Restore undoes what killed runs left behind: on a network, or everywhere
// where network is "". What belongs to a run that may be alive is refused, or
// left alone where no network is named, unless force is given; a raw.dnsmasq
// that was changed since keeps that change unless it is. It returns what is
// undone, on an error too.
func (s *Server) Restore(ctx context.Context, network string, force bool) (restored []Restored, err error) {
	for _, undo := range []func(context.Context, string, bool) ([]Restored, error){s.restoreNetworks, s.removeLaunchedLate} {
		undone, failed := undo(ctx, network, force)
		restored, err = append(restored, undone...), errors.Join(err, failed)
	}
	return restored, err
}

// restoreNetworks gives bridges back.
func (s *Server) restoreNetworks(ctx context.Context, network string, force bool) (restored []Restored, err error) {
	networks := []string{network}
	if network == "" {
		if networks, err = s.marked(ctx, force); err != nil {
			return nil, err
		}
	}
	var failed error
	for _, name := range networks {
		mended, kept, err := s.restoreNetwork(ctx, name, force)
		failed = errors.Join(failed, err)
		if mended {
			restored = append(restored, Restored{Network: name, Kept: kept})
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

func (s *Server) restoreNetwork(ctx context.Context, network string, force bool) (mended, kept bool, err error) {
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
	// Whether its last change came to an end is not known.
	w := wayBack{server: s, network: network, was: replacedIn(n.Config), force: force, doubtful: true}
	if err = w.putBack(ctx); err != nil || !s.Local() {
		return err == nil, w.kept, err
	}
	return true, w.kept, removeLog(n.Config[fileKey])
}
