package lxd_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// launched is an instance on a network that a process launched; start tells
// whether that is this one.
func launched(name, network, start string) (i api.InstanceFull) {
	host, _ := os.Hostname()
	i.Name, i.Project, i.Ephemeral, i.StatusCode = name, "default", true, api.Running
	i.ExpandedDevices = map[string]map[string]string{"eth0": {"type": "nic", "network": network}}
	i.Config = map[string]string{
		"user.lxd-allowlist.launched": "true", "user.lxd-allowlist.host": host,
		"user.lxd-allowlist.pid": fmt.Sprint(os.Getpid()), "user.lxd-allowlist.start": start,
	}
	return i
}

// Restore removes what killed runs launched and nothing else, and says so.
func TestRestoreOfLaunchedInstances(t *testing.T) {
	theirs := launched("theirs", "br", "1")
	delete(theirs.Config, "user.lxd-allowlist.launched")
	for _, test := range []struct {
		network string
		force   bool
		want    []string
	}{
		{"", false, []string{"left", "elsewhere"}},
		{"br", false, []string{"left"}},
		{"br", true, []string{"left", "living"}},
	} {
		f := lxdfake.New(bridge())
		f.All = []api.InstanceFull{theirs, launched("left", "br", "1"), launched("living", "br", ""), launched("elsewhere", "br2", "1")}
		restored, err := lxd.New(f).Restore(t.Context(), test.network, test.force)
		var removed []string
		for _, r := range restored {
			if removed = append(removed, r.Instance); !strings.Contains(r.String(), r.Instance+", which a killed run had launched, is removed") {
				t.Errorf("it is said as %q", r)
			}
		}
		if err != nil || !slices.Equal(removed, test.want) || len(f.All) != 4-len(test.want) {
			t.Errorf("restore %q, force %v: removed %v, %v, want %v", test.network, test.force, removed, err, test.want)
		}
	}
}

// An instance that LXD is still making is waited for, though not for good.
func TestRestoreAwaitsALaunch(t *testing.T) {
	making := func(name string, status api.StatusCode) []api.Operation {
		return []api.Operation{
			{Class: "websocket", StatusCode: api.Running, Resources: map[string][]string{"instances": {"/1.0/instances/allowlist-shell"}}},
			{Class: "task", StatusCode: status, Resources: map[string][]string{"instances": {"/1.0/instances/" + name + "?project=p"}}},
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := lxdfake.New(bridge())
		asked := 0
		f.Operations = func() []api.Operation {
			if asked++; asked < 5 {
				return making("allowlist-x", api.Running)
			}
			f.All = []api.InstanceFull{launched("allowlist-x", "br", "1")}
			return making("allowlist-x", api.Success)
		}
		restored, err := lxd.New(f).Restore(t.Context(), "", false)
		if err != nil || len(restored) != 1 || restored[0].Instance != "allowlist-x" {
			t.Errorf("restored %v, %v", restored, err)
		}
		f.Operations = func() []api.Operation { return making("allowlist-y", api.Running) }
		if _, err := lxd.New(f).Restore(t.Context(), "", false); err == nil || !strings.Contains(err.Error(), "still making instance allowlist-y") {
			t.Errorf("of one that is never there it said %v", err)
		}
		f.Operations = func() []api.Operation { return making("others", api.Running) }
		if _, err := lxd.New(f).Restore(t.Context(), "", false); err != nil {
			t.Errorf("of others' it said %v", err)
		}
	})
}

// An instance that is chosen belongs to who chose it, if its launcher is dead.
func TestAdopt(t *testing.T) {
	f := lxdfake.New(bridge())
	f.All = []api.InstanceFull{launched("left", "br", "1"), launched("living", "br", "")}
	s := lxd.New(f)
	for _, test := range []struct {
		name string
		want bool
	}{{"living", false}, {"left", true}, {"left", false}} {
		if adopted, err := s.Adopt(t.Context(), test.name); err != nil || adopted != test.want {
			t.Errorf("%s: %v, %v, want %v", test.name, adopted, err, test.want)
		}
	}
	if removed, err := s.RemoveLeft(t.Context()); err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
}

// A lease whose dnsmasq runs without our options, though LXD's database has
// them, logs again.
func TestRenewOfWhatLXDTakesForDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := leased(t)
		applied := f.Network("br")
		f.Set("br", "raw.dnsmasq", "")
		f.Fault = func(string) lxdfake.Fault { return lxdfake.Torn }
		if err := f.UpdateNetwork("br", applied.Writable(), ""); err == nil {
			t.Fatal("it was not torn")
		}
		f.Fault = nil
		if f.Running("br") != "" || l.Check(t.Context()) != nil {
			t.Fatalf("dnsmasq runs with %q, the check says %v", f.Running("br"), l.Check(t.Context()))
		}
		if err := l.Renew(t.Context()); err != nil || !strings.Contains(f.Running("br"), "log-queries=extra") {
			t.Errorf("renewed: %v, dnsmasq runs with %q", err, f.Running("br"))
		}
		if err := l.Release(t.Context()); err != nil || l.Kept() {
			t.Errorf("released: %v, kept %v", err, l.Kept())
		}
		unchanged(t, bridge(), f)
	})
}

// A lease that somebody gave back logs again, whatever is in raw.dnsmasq then,
// and gives that back; one that another has taken meanwhile doesn't.
func TestRenewOfWhatWasGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := leased(t)
		for range 2 {
			if _, err := lxd.New(f).Restore(t.Context(), "br", true); err != nil {
				t.Fatal(err)
			}
			unchanged(t, bridge(), f)
			if err := l.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "gave it back, as restore --force does") {
				t.Errorf("given back, the check says %v", err)
			}
			if err := l.Renew(t.Context()); err != nil || l.Check(t.Context()) != nil || !strings.Contains(f.Running("br"), "log-queries=extra") {
				t.Errorf("renewed: %v, %v, dnsmasq runs with %q", err, l.Check(t.Context()), f.Running("br"))
			}
			var held *lxd.HeldError
			if _, err := lxd.New(f).Lease(t.Context(), "br"); !errors.As(err, &held) {
				t.Errorf("renewed, another lease: %v", err)
			}
		}
		if err := l.Release(t.Context()); err != nil || l.Kept() {
			t.Errorf("released: %v, kept %v", err, l.Kept())
		}
		unchanged(t, bridge(), f)

		f, l = leased(t)
		if _, err := lxd.New(f).Restore(t.Context(), "br", true); err != nil {
			t.Fatal(err)
		}
		other, err := lxd.New(f).Lease(t.Context(), "br")
		if err != nil {
			t.Fatal(err)
		}
		var held *lxd.HeldError
		if err := l.Renew(t.Context()); !errors.As(err, &held) {
			t.Errorf("another has it, renewed: %v", err)
		}
		if err := errors.Join(l.Release(t.Context()), other.Check(t.Context()), other.Release(t.Context())); err != nil {
			t.Error(err)
		}
		unchanged(t, bridge(), f)
	})
}

// What LXD refuses for good is said in a line, with what the bridge is like
// and what is to be done.
func TestBridgeThatCantBePutBack(t *testing.T) {
	for fault, want := range map[lxdfake.Fault]string{
		lxdfake.Refuse: "; the original of raw.dnsmasq is kept in the network: run lxd-allowlist restore br",
		lxdfake.Half:   ": start the cluster's member that is down, or remove it, see lxc cluster list; then run lxd-allowlist restore br",
		lxdfake.Dead:   ": start LXD, then run lxd-allowlist restore br",
	} {
		synctest.Test(t, func(t *testing.T) {
			f, l := leased(t)
			f.Fault = func(call string) lxdfake.Fault {
				if call == "GET" && fault != lxdfake.Dead {
					return lxdfake.None
				}
				return fault
			}
			err := l.Release(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "bridge br is not as it was: ") || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "\n") || errors.Is(err, io.ErrUnexpectedEOF) && strings.Contains(err.Error(), "EOF") {
				t.Errorf("it said %v", err)
			}
			f.Revive()
			if err := l.Release(t.Context()); err != nil {
				t.Error(err)
			}
			unchanged(t, bridge(), f)
		})
	}
}
