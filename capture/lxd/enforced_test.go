package lxd_test

import (
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// The note of who enforces a list comes, keeps others away and goes, also with
// an instance that is deleted meanwhile.
func TestEnforcedIsNoted(t *testing.T) {
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
}
