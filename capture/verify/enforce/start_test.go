package enforce

import (
	"context"
	"errors"
	"net/netip"
	"strings"
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

// Where the strict level can't be held, nothing is begun.
func TestStrictlyOrNotAtAll(t *testing.T) {
	bridge := []netip.Prefix{netip.MustParsePrefix("10.7.0.1/24")}
	for what, plug := range map[string]lxd.Plug{
		"other ways out":  {Network: "br0", Bridge: bridge, Host: "veth0", Others: []string{"eth1 on br1"}},
		"doesn't tell":    {Network: "br0", Bridge: bridge},
		"has no address,": {Network: "br0", Host: "veth0"},
	} {
		_, err := Start(t.Context(), host{plug: plug}, Config{Instance: "web", Strict: true})
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
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

// LXD may be away when a list is taken out of force. Its note is then taken
// away the next time, and nothing else is done twice.
func TestTheNoteIsTakenAwayLater(t *testing.T) {
	e := enforcement()
	away, released := errors.New("LXD is away"), 0
	e.release = func(context.Context) error {
		if away != nil {
			return away
		}
		released++
		return nil
	}
	if err := e.Stop(t.Context()); !errors.Is(err, away) {
		t.Errorf("%v, want that LXD is away", err)
	}
	<-e.Done()
	away = nil
	for range 2 {
		if err := e.Stop(t.Context()); err != nil || released != 1 {
			t.Errorf("released %d times, %v", released, err)
		}
	}
}
