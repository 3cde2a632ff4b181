package lxd_test

import (
	"context"
	"errors"
	"testing"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// It is told that LXD is heard. A change of the watched network is told with who
// made it, one of another network isn't, and the watch ends with its context.
func TestWatchNetwork(t *testing.T) {
	s, bridge, other := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Bridge(t)
	ctx, cancel := context.WithCancel(bounded(t))
	heard, changes := make(chan bool, 16), make(chan string, 16)
	watched := make(chan error, 1)
	go func() {
		watched <- s.WatchNetwork(ctx, bridge, "", func(e lxd.Event) {
			if e.Kind == lxd.Heard {
				heard <- len(changes) == 0
			} else {
				changes <- e.By
			}
		})
	}()
	select {
	case first := <-heard:
		if !first {
			t.Error("a change was told of before")
		}
	case <-ctx.Done():
		t.Fatal("it isn't told that LXD is heard")
	}
	// LXD has its listener a moment after it says so: change until one is told of.
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
