package lxd_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// The note of who enforces a list comes, keeps others away and goes, also with
// an instance that is deleted meanwhile.
func TestEnforcedIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i api.InstanceFull
		i.Name, i.Project, i.StatusCode = "web", "default", api.Running
		f := lxdfake.New(bridge())
		f.All = []api.InstanceFull{i}
		server := lxd.New(f)
		release, err := server.Enforce(t.Context(), "web", lxd.Plug{Network: "br"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Enforce(t.Context(), "web", lxd.Plug{}); err == nil {
			t.Error("two enforce a list on one instance")
		}
		left, err := server.LeftEnforced(t.Context(), true)
		if err != nil || len(left) != 1 || left[0].Instance != "web" || left[0].Plug.Network != "br" {
			t.Errorf("%+v, %v", left, err)
		}
		if err := release(t.Context()); err != nil || len(f.All[0].Config) != 0 {
			t.Errorf("released: %v, %v", err, f.All[0].Config)
		}
		if release, err = server.Enforce(t.Context(), "web", lxd.Plug{}); err != nil {
			t.Fatal(err)
		}
		f.All = nil
		if err := release(t.Context()); err != nil {
			t.Errorf("with the instance gone: %v", err)
		}
		if err := server.ForgetEnforced(t.Context(), "web"); err != nil {
			t.Errorf("forget it with the instance gone: %v", err)
		}
		if _, err := server.Enforce(t.Context(), "web", lxd.Plug{}); err == nil {
			t.Error("a list is enforced on no instance")
		}
	})
}

// slow is an LXD that takes its time over an instance, and whose caller gives up
// meanwhile.
type slow struct {
	*lxdfake.LXD
	giveUp func()
}

func (s slow) UpdateInstance(name string, put api.InstancePut, tag string) (client.Operation, error) {
	s.giveUp()
	time.Sleep(time.Second) // the bubble's clock
	return s.LXD.UpdateInstance(name, put, tag)
}

// Who gives up while LXD makes the note has it, and can take it away.
func TestEnforcedByWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i api.InstanceFull
		i.Name = "web"
		f := lxdfake.New(bridge())
		f.All = []api.InstanceFull{i}
		ctx, cancel := context.WithCancel(t.Context())
		release, err := lxd.New(slow{f, cancel}).Enforce(ctx, "web", lxd.Plug{})
		if err == nil {
			err = release(t.Context())
		}
		if time.Sleep(time.Minute); len(f.All[0].Config) != 0 {
			t.Errorf("%v, and the instance has %v", err, f.All[0].Config)
		}
	})
}

// goesAway is an LXD that doesn't answer so many calls from the next change of an
// instance on, which it has made or hasn't.
type goesAway struct {
	restarting
	next *int
	made bool
}

func (g goesAway) InProject(string) lxd.Client { return g }

func (g goesAway) UpdateInstance(name string, put api.InstancePut, tag string) (client.Operation, error) {
	*g.calls, *g.next = *g.next, 0
	if *g.calls == 0 {
		return g.LXD.UpdateInstance(name, put, tag)
	}
	if g.made {
		_, _ = g.LXD.UpdateInstance(name, put, tag)
	}
	return nil, lxdfake.ErrLost
}

// The note is taken away though LXD goes away over that; one that stays away is
// waited for, though not for good.
func TestNoteWhileLXDGoesAway(t *testing.T) {
	const ever = 1 << 30
	for _, made := range []bool{false, true} {
		for _, calls := range []int{5, ever} {
			synctest.Test(t, func(t *testing.T) {
				var i api.InstanceFull
				i.Name = "web"
				f := lxdfake.New(bridge())
				f.All = []api.InstanceFull{i}
				g := goesAway{restarting{f, new(int)}, new(int), made}
				release, err := lxd.New(g).Enforce(t.Context(), "web", lxd.Plug{})
				if err != nil {
					t.Fatal(err)
				}
				*g.next = calls
				begin := time.Now()
				err = release(t.Context())
				if waited := time.Since(begin); lxd.IsAway(err) != (calls == ever) || waited > time.Minute || calls == ever && waited < 30*time.Second {
					t.Errorf("made %v, away for %d calls: %v, after %v", made, calls, err, waited)
				}
				*g.calls = 0
				if calls == ever {
					err = release(t.Context())
				}
				if err != nil || len(f.All[0].Config) != 0 {
					t.Errorf("made %v, away for %d calls: %v, and the instance has %v", made, calls, err, f.All[0].Config)
				}
			})
		}
	}
}

// A note that a killed run told LXD to make, and that isn't there yet, is waited
// for, though not for good; what LXD does else is not.
func TestLeftNotesAreAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i api.InstanceFull
		i.Name = "web"
		noted := map[string]string{
			"user.lxd-allowlist.enforced": `{"holder":{}}`,
			"user.lxd-allowlist.snapshot": `{"holder":{},"snapshot":"x"}`,
		}
		f := lxdfake.New(bridge())
		server := lxd.New(f)
		left := map[string]func() (int, error){
			"enforced":  func() (int, error) { all, err := server.LeftEnforced(t.Context(), true); return len(all), err },
			"snapshots": func() (int, error) { all, err := server.LeftSnapshots(t.Context(), true); return len(all), err },
		}
		doing := func(what string, status api.StatusCode) []api.Operation {
			return []api.Operation{{Class: "task", Description: what, StatusCode: status, Resources: map[string][]string{"instances": {"/1.0/instances/web"}}}}
		}
		for kind, look := range left {
			f.All = []api.InstanceFull{i}
			asked := 0
			f.Operations = func() []api.Operation {
				if asked++; asked < 5 {
					return doing("Updating instance", api.Running)
				}
				f.All[0].Config = noted
				return doing("Updating instance", api.Success)
			}
			if n, err := look(); n != 1 || err != nil {
				t.Errorf("%s that come late: %d, %v", kind, n, err)
			}
			f.Operations = func() []api.Operation { return doing("Updating instance", api.Running) }
			if n, err := look(); n != 1 || err == nil || !strings.Contains(err.Error(), "still changing instance web") {
				t.Errorf("%s under a change without end: %d, %v", kind, n, err)
			}
			f.Operations = func() []api.Operation { return doing("Backing up instance", api.Running) }
			begin := time.Now()
			if n, err := look(); n != 1 || err != nil || time.Since(begin) != 0 {
				t.Errorf("%s beside a backup: %d, %v, after %v", kind, n, err, time.Since(begin))
			}
		}
	})
}

// dnsmasq keeps a bridge's domain to itself but where it doesn't know it.
func TestDomainOfAPlug(t *testing.T) {
	for mode, want := range map[string]string{"": "corp.example", "managed": "corp.example", "none": ""} {
		n := bridge()
		n.Config["dns.domain"] = "corp.example"
		if mode != "" {
			n.Config["dns.mode"] = mode
		}
		var i api.InstanceFull
		i.Name, i.Project, i.StatusCode = "web", "default", api.Running
		i.Config = map[string]string{"volatile.eth0.hwaddr": "00:16:3e:00:00:01"}
		i.ExpandedDevices = map[string]map[string]string{"eth0": {"type": "nic", "network": "br"}}
		f := lxdfake.New(n)
		f.All = []api.InstanceFull{i}
		if p, err := lxd.New(f).Plug(t.Context(), "web", ""); err != nil || p.Domain != want {
			t.Errorf("dns.mode %q: %q, %v", mode, p.Domain, err)
		}
	}
}

// What leads out of an instance past its bridge is told.
func TestOtherWaysOut(t *testing.T) {
	var i api.InstanceFull
	i.Name, i.Project, i.StatusCode = "web", "default", api.Running
	i.Config = map[string]string{"volatile.eth0.hwaddr": "00:16:3e:00:00:01"}
	i.ExpandedDevices = map[string]map[string]string{
		"eth0": {"type": "nic", "network": "br"}, "eth1": {"type": "nic", "network": "br2"}, "root": {"type": "disk", "path": "/"},
		"www":  {"type": "proxy", "listen": "tcp:0.0.0.0:80", "connect": "tcp:127.0.0.1:80"},
		"ssh":  {"type": "proxy", "bind": "host", "listen": "tcp:0.0.0.0:22", "connect": "tcp:127.0.0.1:22"},
		"mail": {"type": "proxy", "bind": "instance", "listen": "tcp:127.0.0.1:25", "connect": "tcp:10.0.0.1:25"},
		"sock": {"type": "proxy", "bind": "container", "listen": "unix:/s", "connect": "unix:/run/s"},
	}
	f := lxdfake.New(bridge())
	f.All = []api.InstanceFull{i}
	p, err := lxd.New(f).Plug(t.Context(), "web", "br")
	want := []string{"eth1 on br2", "mail to tcp:10.0.0.1:25", "sock to unix:/run/s"}
	if err != nil || !slices.Equal(p.Others, want) {
		t.Errorf("%q, %v, want %q", p.Others, err, want)
	}
}
