package lxd_test

import (
	"testing"
	"testing/synctest"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// restarting is an LXD that doesn't answer so many calls.
type restarting struct {
	*lxdfake.LXD
	calls *int
}

func (r restarting) away() error {
	if *r.calls--; *r.calls >= 0 {
		return lxdfake.ErrLost
	}
	return nil
}

func (r restarting) InProject(string) lxd.Client { return r }

func (r restarting) GetNetworks() ([]api.Network, error) {
	if err := r.away(); err != nil {
		return nil, err
	}
	return r.LXD.GetNetworks()
}

func (r restarting) GetInstance(name string) (*api.Instance, string, error) {
	if err := r.away(); err != nil {
		return nil, "", err
	}
	return r.LXD.GetInstance(name)
}

// An instance is removed though LXD is restarting.
func TestRemoveWhileLXDRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i api.InstanceFull
		i.Name, i.StatusCode = "web", api.Stopped
		f := lxdfake.New(bridge())
		f.All = []api.InstanceFull{i}
		calls := 5
		if err := lxd.New(restarting{f, &calls}).Remove(t.Context(), "web"); err != nil || len(f.All) != 0 {
			t.Errorf("%v, and there is %v", err, f.All)
		}
	})
}
