package lxd_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd/lxdtest"
)

func TestLaunchAndRemove(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	var steps []string
	name, err := s.Launch(bounded(t), lxdtest.Image, bridge, func(text string, done float64) { steps = append(steps, text) })
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || !strings.Contains(steps[0], name) {
		t.Errorf("the steps were %q", steps)
	}
	i, err := s.Instance(t.Context(), name)
	if err != nil || !i.Running() || !i.Ephemeral || len(i.NICs) != 1 || i.NICs[0].Network != bridge {
		t.Errorf("launched %+v, %v", i, err)
	}

	for range 2 {
		if err := s.Remove(bounded(t), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Instance(t.Context(), name); !api.StatusErrorCheck(err, http.StatusNotFound) {
		t.Errorf("the removed instance: %v", err)
	}
}

func TestLaunchThatFailsLeavesNothing(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	cancelled, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		what, image, network string
		progress             func(string, float64)
		err                  string
	}{
		{"unknown image", "not-there", bridge, func(string, float64) {}, "find image not-there"},
		{"unknown remote", "nowhere:image", bridge, func(string, float64) {}, "find image nowhere:image"},
		{"unknown network", lxdtest.Image, "not-there", func(string, float64) {}, "launch"},
		{"no network", lxdtest.Image, "", func(string, float64) {}, "name the network"},
		{"cancelled", lxdtest.Image, bridge, func(string, float64) { cancel() }, context.Canceled.Error()},
	} {
		t.Run(test.what, func(t *testing.T) {
			name, err := s.Launch(cancelled, test.image, test.network, test.progress)
			if name != "" || err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("launched %q, %v", name, err)
			}
		})
	}
	all, err := s.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if strings.HasPrefix(i.Name, "allowlist-") {
			t.Errorf("%s is left", i.Name)
		}
	}
}

func TestStart(t *testing.T) {
	s, bridge, c := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Client(t)
	name := lxdtest.Instance(t, bridge)
	for _, action := range []string{"", "freeze", "stop"} {
		if action != "" {
			op, err := c.UpdateInstanceState(name, api.InstanceStatePut{Action: action, Timeout: -1, Force: true}, "")
			if err == nil {
				err = op.Wait()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Start(bounded(t), name); err != nil {
			t.Errorf("start after %q: %v", action, err)
		}
		if i, err := s.Instance(t.Context(), name); err != nil || !i.Running() {
			t.Errorf("after %q it is %+v, %v", action, i, err)
		}
	}
	if err := s.Start(bounded(t), "not-there"); !api.StatusErrorCheck(err, http.StatusNotFound) {
		t.Errorf("start of what is not there: %v", err)
	}
}
