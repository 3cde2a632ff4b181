package lxd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// launchedKey is what an instance has that was launched for a capture, beside
// the keys of its holder. It goes with that.
const launchedKey = ourKeys + "launched"

// launchedKeys returns what tells of an instance that this process launched it.
func launchedKeys() map[string]string {
	keys := holderKeys()
	keys[launchedKey] = "true"
	return keys
}

// RemoveLeft removes the instances that killed runs launched, and returns those
// that are removed, on an error too.
func (s *Server) RemoveLeft(ctx context.Context) ([]Restored, error) {
	return s.removeLaunched(ctx, "", false)
}

// Adopt makes an instance that a killed run launched this process's own, which
// has to remove it in the end. It reports whether the instance is such a one.
func (s *Server) Adopt(ctx context.Context, name string) (bool, error) {
	i, etag, err := s.tagged(ctx, name)
	if err != nil {
		return false, err
	}
	if !leftByLaunch(i) {
		return false, nil
	}
	i.Config = maps.Clone(i.Config)
	maps.Copy(i.Config, launchedKeys())
	err = s.operate(ctx, func() (client.Operation, error) { return s.client.UpdateInstance(name, i.Writable(), etag) })
	if err != nil {
		return false, instanceError("take over", name, err)
	}
	return true, nil
}

// leftByLaunch reports whether a run that has ended launched the instance.
func leftByLaunch(i *api.Instance) bool { return i.Config[launchedKey] != "" && holderDead(i.Config) }

// removeLaunched removes the instances that killed runs launched, with force
// those of the living too: those on a network, or all where network is "".
func (s *Server) removeLaunched(ctx context.Context, network string, force bool) (removed []Restored, err error) {
	all, err := await(ctx, func() ([]api.Instance, error) { return s.client.GetInstances(api.InstanceTypeAny) })
	if err != nil {
		return nil, fmt.Errorf("list LXD's instances: %w", err)
	}
	for _, i := range all {
		left := leftByLaunch(&i) || force && i.Config[launchedKey] != ""
		if !left || network != "" && !isOn(&i, network) {
			continue
		}
		if failed := s.Remove(ctx, i.Name); failed != nil {
			err = errors.Join(err, fmt.Errorf("instance %s, which a killed run launched, is still there: %w: run lxc delete --force %[1]s", i.Name, failed))
			continue
		}
		removed = append(removed, Restored{Instance: i.Name})
	}
	return removed, err
}

// removeLaunchedLate is removeLaunched once LXD has made what it is making: a
// launch goes on there when who asked for it was killed.
func (s *Server) removeLaunchedLate(ctx context.Context, network string, force bool) ([]Restored, error) {
	making, err := s.atRest(ctx, func(_ api.Operation, instance string) bool { return strings.HasPrefix(instance, launchPrefix) })
	if err != nil {
		return nil, err
	}
	var unfinished error
	if making != "" {
		unfinished = fmt.Errorf("LXD is still making instance %s: if a killed run launched it, run %s restore again once it is there", making, programName)
	}
	removed, err := s.removeLaunched(ctx, network, force)
	return removed, errors.Join(unfinished, err)
}

// atRest waits until LXD does nothing to an instance that is waited for, and
// returns one that it is still at after half a minute, "" for none. It goes on
// with what it does when who asked for that was killed.
func (s *Server) atRest(ctx context.Context, waited func(o api.Operation, instance string) bool) (still string, err error) {
	late, cancel := context.WithTimeout(ctx, cleanupPatience)
	defer cancel()
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		all, err := await(ctx, s.client.GetOperations)
		if err != nil {
			return "", fmt.Errorf("list LXD's operations: %w", err)
		}
		still = ""
		for _, o := range all {
			for _, instance := range worksOn(o) {
				if waited(o, instance) {
					still = instance
				}
			}
		}
		if still == "" || pause(late, wait) != nil {
			return still, nil
		}
	}
}

func isOn(i *api.Instance, network string) bool {
	for device := range i.ExpandedDevices {
		if nic, ok := describeNIC(i, device); ok && nic.Network == network {
			return true
		}
	}
	return false
}
