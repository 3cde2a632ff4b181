package live

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// begun is a capture on a fake LXD, without a log to follow.
func begun(t *testing.T, fake *lxdfake.LXD) *Capture {
	t.Helper()
	server := lxd.New(fake)
	lease, err := server.Lease(t.Context(), "br")
	if err != nil {
		t.Fatal(err)
	}
	c := &Capture{
		Ledger: capture.NewLedger(capture.Info{Instance: "c1"}), Instance: "c1", Network: "br",
		server: server, lease: lease, notices: make(chan string, 16), stale: make(chan struct{}, 1), ended: make(chan struct{}), probed: make(chan struct{}), cancel: func() {},
	}
	return c
}

func network() api.Network {
	return api.Network{Name: "br", Type: "bridge", Managed: true, Config: map[string]string{"ipv4.address": "198.18.0.1/24", "ipv6.address": "none"}}
}

func guest() api.InstanceFull {
	i := api.InstanceFull{}
	i.Name, i.Project = "c1", "default"
	i.ExpandedDevices = map[string]map[string]string{"eth0": {"type": "nic", "network": "br", "hwaddr": "00:16:3e:00:00:01"}}
	return i
}

// A look-up of owners that fails is said once and done again until it works.
func TestOwnersAreLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := lxdfake.New(network())
		fake.All, fake.Failures = []api.InstanceFull{guest()}, 3
		fake.Leases = map[string][]api.NetworkLease{"br": {{Hostname: "c1", Hwaddr: "00:16:3e:00:00:01", Address: "198.18.0.9"}}}
		c := begun(t, fake)
		ctx, cancel := context.WithCancel(t.Context())
		c.wg.Go(func() { c.nameClients(ctx) })
		c.Ledger.Feed([]byte("query[A] a.example from 198.18.0.9\n"), time.Now(), false)
		for range 10 {
			time.Sleep(ownerRetry) // the bubble's clock
		}
		c.Ledger.Read(func(r capture.Reader) {
			if got := r.Owners(r.Domain(0)); !slices.Equal(got, []string{"c1"}) {
				t.Errorf("asked by %q, want c1", got)
			}
		})
		cancel()
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		var said []string
		for n := range c.Notices() {
			said = append(said, n)
		}
		if len(said) != 1 {
			t.Errorf("it said %q, want it once", said)
		}
	})
}
