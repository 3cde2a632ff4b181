package lxd_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// settings returns what of an instance's configuration is not LXD's own.
func settings(t *testing.T, name string) map[string]string {
	t.Helper()
	i, _, err := lxdtest.Client(t).GetInstance(name)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(i.Config, func(key, _ string) bool {
		return strings.HasPrefix(key, "volatile.") && !strings.HasSuffix(key, ".hwaddr")
	})
	return i.Config
}

func snapshots(t *testing.T, name string) []string {
	t.Helper()
	all, err := lxdtest.Client(t).GetInstanceSnapshotNames(name)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func running(t *testing.T, s *lxd.Server, name string) bool {
	t.Helper()
	i, err := s.Instance(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return i.Running()
}

// left returns what is left of an instance's snapshots; others' tests may have
// some of their own.
func left(t *testing.T, s *lxd.Server, name string, force bool) []*lxd.Snapshot {
	t.Helper()
	all, err := s.LeftSnapshots(bounded(t), force)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p *lxd.Snapshot) bool { return p.Instance != name })
}

// An instance is put back as often as one likes, whatever happened to it, and
// at the end nothing tells of it.
func TestSnapshotPutsBack(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	lxdtest.Run(t, name, "touch", "/root/before")
	before := settings(t, name)
	p, err := s.Snapshot(bounded(t), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(bounded(t), name); err == nil || !strings.Contains(err.Error(), "wait for it to end") {
		t.Errorf("a second one: %v", err)
	}
	if living := left(t, s, name, false); len(living) > 0 {
		t.Errorf("of the living are left %v", living)
	}
	for _, spoil := range []func(){
		func() { lxdtest.Run(t, name, "sh", "-c", "rm /root/before; touch /root/after") },
		func() { lxdtest.Stop(t, name) },
		func() { lxc(t, "config", "set", name, "user.other=1") },
	} {
		spoil()
		if err := p.Restore(bounded(t)); err != nil {
			t.Fatal(err)
		}
		if lxdtest.Run(t, name, "test", "-e", "/root/before") != 0 || lxdtest.Run(t, name, "test", "-e", "/root/after") == 0 {
			t.Error("the disk is not as it was")
		}
	}
	lxdtest.Stop(t, name)
	if err := p.PutBack(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if now := settings(t, name); !maps.Equal(now, before) || len(snapshots(t, name)) > 0 || !running(t, s, name) {
		t.Errorf("the instance has %v, snapshots %v; it had %v", now, snapshots(t, name), before)
	}
	if err := p.PutBack(bounded(t)); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// What was stopped is stopped again.
func TestSnapshotOfAStoppedInstance(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	lxdtest.Stop(t, name)
	p, err := s.Snapshot(bounded(t), name)
	if err == nil {
		err = s.Start(bounded(t), name)
	}
	if err == nil {
		err = p.PutBack(bounded(t))
	}
	if err != nil || running(t, s, name) || len(snapshots(t, name)) > 0 {
		t.Errorf("it runs: %v, snapshots %v, %v", running(t, s, name), snapshots(t, name), err)
	}
}

// A note is no reason to touch a snapshot that isn't ours.
func TestSnapshotOfOthersStays(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	lxc(t, "snapshot", name, "mine")
	lxdtest.Run(t, name, "touch", "/root/after")
	lxc(t, "config", "set", name, `user.lxd-allowlist.snapshot={"snapshot":"mine","running":true}`)
	noted := left(t, s, name, true)
	if len(noted) != 1 {
		t.Fatalf("left are %v", noted)
	}
	if err := noted[0].PutBack(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if lxdtest.Run(t, name, "test", "-e", "/root/after") != 0 || !reflect.DeepEqual(snapshots(t, name), []string{"mine"}) {
		t.Errorf("it was put back to somebody else's snapshot; there are %v", snapshots(t, name))
	}
	if noted := left(t, s, name, true); len(noted) > 0 {
		t.Errorf("the note is still there: %v", noted)
	}
}

// inProject is LXD's client as a [lxd.Client].
type inProject struct{ client.InstanceServer }

func (c inProject) InProject(name string) lxd.Client { return inProject{c.UseProject(name)} }

// Where LXD makes no snapshot it says why, and no note is left; nor is one made
// of what LXD would delete.
func TestSnapshotIsRefused(t *testing.T) {
	c := lxdtest.Client(t)
	const project = "lat-no-snapshots"
	err := c.CreateProject(api.ProjectsPost{Name: project, ProjectPut: api.ProjectPut{Config: map[string]string{
		"features.images": "false", "restricted": "true",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.DeleteProject(project, false); err != nil {
			t.Error(err)
		}
	})
	in := c.UseProject(project)
	s := lxd.New(inProject{in})
	for name, want := range map[string]string{"lat-refused": "snapshot", "lat-ephemeral": "it is ephemeral"} {
		op, err := in.CreateInstance(api.InstancesPost{
			Name: name, Type: api.InstanceTypeContainer,
			Source: api.InstanceSource{Type: api.SourceTypeImage, Alias: lxdtest.Image},
			InstancePut: api.InstancePut{Ephemeral: name == "lat-ephemeral", Devices: map[string]map[string]string{
				"root": {"type": "disk", "path": "/", "pool": "default"},
			}},
		})
		if err == nil {
			err = op.Wait()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Remove(context.Background(), name) })
		_, err = s.Snapshot(bounded(t), name)
		if err == nil || !strings.HasPrefix(err.Error(), "snapshot instance "+name+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		i, _, err := in.GetInstance(name)
		if err != nil {
			t.Fatal(err)
		}
		for key := range i.Config {
			if strings.HasPrefix(key, "user.") {
				t.Errorf("%s still has %s", name, key)
			}
		}
	}
}
