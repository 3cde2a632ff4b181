package lxd_test

import (
	"strings"
	"testing"

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
