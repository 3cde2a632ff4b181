package lxd_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// What has no process on this host says why.
func TestInitPID(t *testing.T) {
	f := lxdfake.New(bridge())
	add := func(name string, kind api.InstanceType, pid int64) {
		var i api.InstanceFull
		i.Name, i.Project, i.Type, i.State = name, "default", string(kind), &api.InstanceState{Pid: pid}
		f.All = append(f.All, i)
	}
	add("web", api.InstanceTypeContainer, 4711)
	add("off", api.InstanceTypeContainer, 0)
	add("vm", api.InstanceTypeVM, 4712)
	server := lxd.New(f)
	if pid, err := server.InitPID(t.Context(), "web"); pid != 4711 || err != nil {
		t.Errorf("%d, %v", pid, err)
	}
	for name, why := range map[string]string{"off": "isn't running", "vm": "virtual machine", "none": "none"} {
		if pid, err := server.InitPID(t.Context(), name); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d, %v", name, pid, err)
		}
	}
}

// lateNetwork is an LXD that has not brought a network up yet.
type lateNetwork struct {
	lxd.Client
	refusals int
	words    string
}

func (l *lateNetwork) UpdateInstanceState(name string, put api.InstanceStatePut, tag string) (client.Operation, error) {
	if l.refusals--; l.refusals >= 0 {
		return nil, errors.New(l.words)
	}
	return l.Client.UpdateInstanceState(name, put, tag)
}

// LXD that was started anew tries networks that it could not bring up each
// minute: a start waits as long, and says what it is if that didn't help.
func TestStartWaitsForItsNetwork(t *testing.T) {
	const network, pool = `Failed pre-start check for device "eth0": Network "br" unavailable on this server`, `Storage pool "default" unavailable on this server`
	for _, test := range []struct {
		refusals int
		words    string
		want     string
	}{{60, network, ""}, {70, network, "lxc network list"}, {1, pool, "start instance web: " + pool}} {
		synctest.Test(t, func(t *testing.T) {
			var i api.InstanceFull
			i.Name, i.StatusCode = "web", api.Stopped
			f := lxdfake.New(bridge())
			f.All = []api.InstanceFull{i}
			err := lxd.New(&lateNetwork{f, test.refusals, test.words}).Start(t.Context(), "web")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("of a network that is refused %d times: %v", test.refusals, err)
			}
		})
	}
}
