package live

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/logfile"
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

// Others that go on asking don't keep a capture from ending, which is said.
func TestBusyBridge(t *testing.T) {
	c := begun(t, lxdfake.New(network()))
	close(c.probed)
	ever := time.Now().Add(time.Hour)
	c.heard.Store(&ever)
	c.AwaitSilence(t.Context(), time.Millisecond)
	if len(c.notices) != 1 || !strings.HasPrefix(<-c.notices, "bridge br isn't silent for 1ms") {
		t.Error("it isn't said")
	}
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

// While LXD is away a canary decides whether queries are logged, and what was
// missed is said in the end.
func TestAway(t *testing.T) {
	fake := lxdfake.New(network())
	c := begun(t, fake)
	c.logging.Store(&Logging{Since: time.Now()})
	fake.Fault = func(string) lxdfake.Fault { return lxdfake.Unheard }
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // nobody answers at the fake's address
	defer cancel()
	c.look(ctx, "", time.Now())
	if problem := c.Logging().Problem; problem != "" {
		t.Errorf("before a canary was lost it says %q", problem)
	}
	c.look(t.Context(), "", time.Now())
	if problem := c.Logging().Problem; !strings.Contains(problem, "dnsmasq on bridge br") || strings.Contains(problem, "LXD doesn't answer") {
		t.Errorf("it says %q, which is not what the canary tells", problem)
	}
	now := time.Now()
	c.away = absence{since: now.Add(-12 * time.Second)}
	for _, test := range []struct {
		problem, log, want string
	}{
		{"", "", "LXD answers again, after 12s: 0 queries were missed"},
		{"", "dnsmasq[1]: overflow: 7 log entries lost\n", "LXD answers again, after 12s: 7 lines of dnsmasq's log are missing"},
		{"it is dead", "", "LXD answers again, after 12s: queries are not logged: it is dead"},
	} {
		c.logging.Store(&Logging{Since: now, Problem: test.problem})
		c.Ledger.Feed([]byte(test.log), now, false)
		if got := c.back(now); got != test.want {
			t.Errorf("it says %q, want %q", got, test.want)
		}
	}
	fake.Fault = nil
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// saidOf ends a capture and returns what it said.
func saidOf(t *testing.T, c *Capture) (all []string) {
	t.Helper()
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	for n := range c.Notices() {
		all = append(all, n)
	}
	return all
}

// An instance that isn't there any more is said so, one that is isn't; a bridge
// that is gone is the problem, and there is nothing to give back.
func TestGone(t *testing.T) {
	fake := lxdfake.New(network())
	c := begun(t, fake)
	c.logging.Store(&Logging{Since: time.Now()})
	fake.All = []api.InstanceFull{guest()}
	c.lookForInstance(t.Context())
	fake.All = nil
	fake.Delete("br")
	c.take(t.Context(), lxd.Event{Kind: lxd.Heard}) // before anybody listened
	if problem := c.Logging().Problem; !strings.HasPrefix(problem, "bridge br was deleted: ") {
		t.Errorf("the problem is %q", problem)
	}
	if said := saidOf(t, c); len(said) != 2 || !strings.HasPrefix(said[0], "instance c1 was deleted or renamed: ") {
		t.Errorf("it said %q", said)
	}
}

// A dnsmasq that has ended is found out by a knock, long before silence would
// show it.
func TestNobodyListens(t *testing.T) {
	n := network()
	n.Config["ipv4.address"] = "127.83.7.1/24" // where nobody answers
	c := begun(t, lxdfake.New(n))
	now := time.Now()
	c.logging.Store(&Logging{Since: now})
	later := now.Add(time.Hour) // nothing is silent
	c.heard.Store(&later)
	ctx, cancel := context.WithCancel(t.Context())
	c.wg.Go(func() { c.watch(ctx) })
	for late := time.After(time.Minute); ; {
		select {
		case said := <-c.Notices():
			if !strings.HasPrefix(said, "queries are not logged: ") {
				continue
			}
			if !strings.HasPrefix(said, "queries are not logged: the dnsmasq of bridge br has ended") {
				t.Errorf("it says %q", said)
			}
		case <-late:
			t.Error("nothing is said of it")
		}
		break
	}
	cancel()
	saidOf(t, c)
}

// Owners are asked for again when LXD is back, though nobody unknown asked.
func TestOwnersAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := lxdfake.New(network())
		c := begun(t, fake)
		ctx, cancel := context.WithCancel(t.Context())
		c.wg.Go(func() { c.nameClients(ctx) })
		c.Ledger.Feed([]byte("query[A] a.example from 198.18.0.9\n"), time.Now(), false)
		time.Sleep(2 * ownerRetry) // the bubble's clock
		synctest.Wait()
		fake.All = []api.InstanceFull{guest()}
		fake.Leases = map[string][]api.NetworkLease{"br": {{Hostname: "c1", Hwaddr: "00:16:3e:00:00:01", Address: "198.18.0.9"}}}
		c.askOwners()
		synctest.Wait()
		c.Ledger.Read(func(r capture.Reader) {
			if got := r.Owners(r.Domain(0)); !slices.Equal(got, []string{"c1"}) {
				t.Errorf("asked by %q, want c1", got)
			}
		})
		cancel()
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// When the log was last heard of is told by the monotonic clock, or a clock that
// is set back would have a capture take a silence for none, and wait for one
// that long.
func TestSilenceOutlastsAClockThatIsSet(t *testing.T) {
	c := begun(t, lxdfake.New(network()))
	c.read("log", logfile.Event{Kind: logfile.Data, Data: []byte("query[A] a.example from 198.18.0.9\n")})
	if heard := c.lastHeard(); heard == heard.Round(0) { // which strips the reading of that clock
		t.Errorf("it was heard at %v, by a clock that may be set", heard)
	}
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
