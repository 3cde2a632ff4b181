package lxd_test

import (
	"context"
	"errors"
	"testing"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// A change of the watched network is told with who made it, one of another
// network isn't, and the watch ends with its context.
func TestWatchNetwork(t *testing.T) {
	s, bridge, other := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Bridge(t)
	ctx, cancel := context.WithCancel(bounded(t))
	changes := make(chan string, 16)
	watched := make(chan error, 1)
	go func() { watched <- s.WatchNetwork(ctx, bridge, "", func(e lxd.Event) { changes <- e.By }) }()
	// Events that came before LXD's listener was there are not told of: change
	// until one is.
	for n := 0; len(changes) == 0; n++ {
		lxc(t, "network", "set", other, "user.meanwhile", "x")
		lxc(t, "network", "set", bridge, "user.meanwhile", string(rune('a'+n%26)))
		if bounded(t).Err() != nil || n > 1000 {
			t.Fatal("no change was told of")
		}
	}
	if by := <-changes; by == "" {
		t.Error("who changed the network isn't told")
	}
	cancel()
	if err := <-watched; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
}
