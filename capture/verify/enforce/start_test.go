package enforce

import (
	"context"
	"testing"

	"lxd-allowlist/capture/lxd"
)

// host is an instance's LXD.
type host struct {
	plug lxd.Plug
	run  func(ctx context.Context) (int, error)
}

func (h host) Plug(context.Context, string, string) (lxd.Plug, error) { return h.plug, nil }

func (h host) Run(ctx context.Context, _ string, _ lxd.Command) (int, error) { return h.run(ctx) }

func (h host) Enforce(context.Context, string, lxd.Plug) (func(context.Context) error, error) {
	panic("something is changed")
}

// What is run in the instance may last as long as that likes.
func TestWhatRunsInTheInstanceIsBounded(t *testing.T) {
	e := enforcement()
	runs := 0
	e.host = host{run: func(ctx context.Context) (int, error) {
		runs++
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("it isn't bounded")
		}
		return 1, nil
	}}
	e.flushCaches(t.Context())
	e.Prove(t.Context())
	if runs != len(caches)+1 {
		t.Errorf("%d runs", runs)
	}
}
