package lxd_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// bridge is a network with everything that a lease must not lose.
func bridge() api.Network {
	return api.Network{
		Name: "br", Type: "bridge", Managed: true, Description: " odd  description ",
		Config: map[string]string{
			"ipv4.address":   "198.18.0.1/24",
			"ipv6.address":   "none",
			"raw.dnsmasq":    "# comment  \nlog-facility = /var/log/theirs\n\n no-resolv\n",
			"user.of-others": "x",
			"user.lxd-allow": "not ours",
		},
	}
}

func without(n api.Network, key string) api.Network {
	delete(n.Config, key)
	return n
}

// unchanged fails unless the network is as before and what others changed
// meanwhile is still there.
func unchanged(t *testing.T, before api.Network, f *lxdfake.LXD) {
	t.Helper()
	before.Config = maps.Clone(before.Config)
	before.Config["user.of-others"] += strings.Repeat("+", f.Marks)
	if after := f.Network("br"); !reflect.DeepEqual(before, after) {
		t.Errorf("the network was\n%#v\nand is\n%#v", before, after)
	}
	if raw := f.Running("br"); raw != before.Config["raw.dnsmasq"] {
		t.Errorf("dnsmasq runs with %q, want %q", raw, before.Config["raw.dnsmasq"])
	}
}

// session takes a lease and releases it.
func session(ctx context.Context, s *lxd.Server) error {
	l, err := s.Lease(ctx, "br")
	if err != nil {
		return err
	}
	return l.Release(ctx)
}

// TestFaultAtEveryCall holds the lease to its promise: whatever goes wrong
// with any one call, and wherever the program is killed, the network is in the
// end what it was, or has a leftover that Restore mends.
func TestFaultAtEveryCall(t *testing.T) {
	faults := map[string][]lxdfake.Fault{
		"none": {lxdfake.None}, "refuse": {lxdfake.Refuse}, "conflict": {lxdfake.Conflict},
		"unheard": {lxdfake.Unheard}, "dead": {lxdfake.Dead}, "torn": {lxdfake.Torn}, "half": {lxdfake.Half},
		"torn and dead": {lxdfake.Torn, lxdfake.Dead}, "half and dead": {lxdfake.Half, lxdfake.Dead},
	}
	const calls = 14 // more than a session makes, which the test checks
	for what, before := range map[string]api.Network{"raw": bridge(), "no raw": without(bridge(), "raw.dnsmasq")} {
		for kind, session := range map[string]func(context.Context, *lxd.Server) error{"logs": session, "denies": denial} {
			for name, fault := range faults {
				for at := range calls {
					t.Run(fmt.Sprintf("%s/%s/%s at %d", what, kind, name, at), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { survive(t, before, session, fault, at, calls) })
					})
				}
			}
		}
	}
}

// survive has a session of either kind meet faults, from the call at that number on.
func survive(t *testing.T, before api.Network, session func(context.Context, *lxd.Server) error, faults []lxdfake.Fault, at, calls int) {
	f := lxdfake.New(before)
	call := 0
	f.Fault = func(string) lxdfake.Fault {
		call++
		if n := call - 1 - at; n >= 0 && n < len(faults) {
			return faults[n]
		}
		return lxdfake.None
	}
	fault := faults[len(faults)-1]
	err := session(t.Context(), lxd.New(f))
	if fault == lxdfake.None && (err != nil || call >= calls) {
		t.Errorf("without a fault: %v after %d calls", err, call)
	}
	if fault != lxdfake.Dead {
		// The program lived, so nothing may be left at all.
		unchanged(t, before, f)
		return
	}
	f.Revive()
	// The holder is this process, which lives: only force may mend it here.
	if _, err := lxd.New(f).Restore(t.Context(), "", true); err != nil {
		t.Error(err)
	}
	unchanged(t, before, f)
}

// leased returns a bridge, and a lease of it.
func leased(t *testing.T) (*lxdfake.LXD, *lxd.Lease) {
	t.Helper()
	f := lxdfake.New(bridge())
	l, err := lxd.New(f).Lease(t.Context(), "br")
	if err != nil {
		t.Fatal(err)
	}
	return f, l
}

// TestReleaseOutlastsARestart has LXD be away for a while at the release.
func TestReleaseOutlastsARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := leased(t)
		away := 10
		f.Fault = func(string) lxdfake.Fault {
			if away--; away >= 0 {
				return lxdfake.Unheard
			}
			return lxdfake.None
		}
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
		unchanged(t, bridge(), f)
	})
}

func TestReleaseGivesUpAndKeepsTheOriginal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := leased(t)
		f.Fault = func(string) lxdfake.Fault { return lxdfake.Dead }
		if err := l.Release(t.Context()); err == nil || !strings.Contains(err.Error(), "lxd-allowlist restore br") {
			t.Errorf("the release said %v", err)
		}
		f.Revive()
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
		unchanged(t, bridge(), f)
	})
}

func TestKeysThatVanishDontMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := leased(t)
		for key := range maps.Keys(f.Network("br").Config) {
			if strings.HasPrefix(key, "user.lxd-allowlist.") {
				f.Set("br", key, "")
			}
		}
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
		unchanged(t, bridge(), f)
	})
}

func TestCancelledLeaseLeavesNothing(t *testing.T) {
	const calls = 6 // of taking a lease
	for at := range calls {
		synctest.Test(t, func(t *testing.T) {
			f := lxdfake.New(bridge())
			ctx, cancel := context.WithCancel(t.Context())
			call := 0
			f.Fault = func(string) lxdfake.Fault {
				if call++; call-1 == at {
					cancel()
				}
				return lxdfake.None
			}
			if _, err := lxd.New(f).Lease(ctx, "br"); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled in call %d it said %v", at, err)
			}
			unchanged(t, bridge(), f)
		})
	}
}

func TestUnfitNetworks(t *testing.T) {
	hidden := bridge()
	hidden.Config = nil
	unmanaged := bridge()
	unmanaged.Managed = false
	macvlan := bridge()
	macvlan.Type = "macvlan"
	addressless := bridge()
	addressless.Config["ipv4.address"] = "none"
	deaf := bridge()
	deaf.Config["raw.dnsmasq"] = "port = 0 # no DNS\n"
	for _, test := range []struct {
		what string
		n    api.Network
		is   error
		says string
	}{
		{"hidden", hidden, lxd.ErrHidden, "hides"},
		{"unmanaged", unmanaged, nil, "not managed"},
		{"macvlan", macvlan, nil, "macvlan"},
		{"no address", addressless, nil, "no address"},
		{"no DNS", deaf, nil, "port=0"},
		{"absent", api.Network{Name: "other"}, nil, "not found"},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := lxdfake.New(test.n)
			f.Fault = func(call string) lxdfake.Fault {
				if call == "PUT" {
					t.Error("it was written to")
				}
				return lxdfake.None
			}
			_, err := lxd.New(f).Lease(t.Context(), "br")
			if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("it said %v", err)
			}
		})
	}
}

// A holder who ends by itself is waited for, of a network and of an instance; one
// who stays is told of, soon.
func TestHolderWhoEnds(t *testing.T) {
	for _, after := range []time.Duration{500 * time.Millisecond, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var i api.InstanceFull
			i.Name = "web"
			f := lxdfake.New(bridge())
			f.All = []api.InstanceFull{i}
			s := lxd.New(f)
			first, err := s.Lease(t.Context(), "br")
			if err != nil {
				t.Fatal(err)
			}
			forget, err := s.Enforce(t.Context(), "web", lxd.Plug{})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			var ended sync.WaitGroup
			ended.Go(func() {
				time.Sleep(after) // the bubble's clock
				if err := errors.Join(forget(ctx), first.Release(ctx)); err != nil {
					t.Error(err)
				}
			})
			began := time.Now()
			taken := make(chan error)
			go func() {
				_, err := s.Lease(ctx, "br")
				taken <- err
			}()
			_, enforced := s.Enforce(ctx, "web", lxd.Plug{})
			for _, err := range []error{<-taken, enforced} {
				if err != nil != (after == time.Hour) || err != nil && (!errors.As(err, new(*lxd.HeldError)) || !strings.Contains(err.Error(), "quit that one first")) {
					t.Errorf("holders who end after %v: %v", after, err)
				}
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			ended.Wait()
		})
	}
}

// TestLostRace has a rival overwrite the lock before each read that should
// find ours: the rival keeps the network, and is named.
func TestLostRace(t *testing.T) {
	for _, read := range []int{3, 4, 6} {
		synctest.Test(t, func(t *testing.T) {
			f := lxdfake.New(bridge())
			reads := 0
			rival := bridge()
			rival.Config["user.lxd-allowlist.lock"] = "another"
			rival.Config["user.lxd-allowlist.host"] = "far-away"
			f.Fault = func(call string) lxdfake.Fault {
				if reads++; call == "GET" && reads == read {
					f.Replace(rival)
				}
				return lxdfake.None
			}
			_, err := lxd.New(f).Lease(t.Context(), "br")
			var held *lxd.HeldError
			if !errors.As(err, &held) || !strings.Contains(held.By, "far-away") {
				t.Errorf("it said %v", err)
			}
			if now := f.Network("br"); !reflect.DeepEqual(now, rival) {
				t.Errorf("the rival's network became %#v", now)
			}
		})
	}
}

func TestRestoreOfWhatIsHidden(t *testing.T) {
	n := bridge()
	n.Config = nil
	if restored, err := lxd.New(lxdfake.New(n)).Restore(t.Context(), "br", true); !errors.Is(err, lxd.ErrHidden) || len(restored) != 0 {
		t.Errorf("restored %v, %v", restored, err)
	}
	if restored, err := lxd.New(lxdfake.New(bridge())).Restore(t.Context(), "br", false); err != nil || len(restored) != 0 {
		t.Errorf("restored %v, %v", restored, err)
	}
}
