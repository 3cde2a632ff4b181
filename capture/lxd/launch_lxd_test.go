package lxd_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
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
	for _, test := range []struct {
		what, image, network string
		cancelled            string // what is being done when it is cancelled
		err                  string
		tried                bool
	}{
		{"unknown image", "not-there", bridge, "", "find image not-there", false},
		{"unknown remote", "nowhere:image", bridge, "", "find image nowhere:image", false},
		{"unknown network", lxdtest.Image, "not-there", "", "launch", true},
		{"no network", lxdtest.Image, "", "", "name the network", false},
		{"cancelled before it is made", lxdtest.Image, bridge, "creating", context.Canceled.Error(), true},
		{"cancelled when it is made", lxdtest.Image, bridge, "starting", context.Canceled.Error(), true},
	} {
		t.Run(test.what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(bounded(t))
			defer cancel()
			tried := ""
			name, err := s.Launch(ctx, test.image, test.network, func(text string, _ float64) {
				doing, rest, _ := strings.Cut(text, " ")
				if doing == "creating" {
					tried, _, _ = strings.Cut(rest, " ")
				}
				if doing == test.cancelled {
					cancel()
				}
			})
			if name != "" || err == nil || !strings.Contains(err.Error(), test.err) || (tried != "") != test.tried {
				t.Errorf("launched %q, tried %q, %v", name, tried, err)
			}
			if tried == "" {
				return
			}
			if _, err := s.Instance(t.Context(), tried); !api.StatusErrorCheck(err, http.StatusNotFound) {
				t.Errorf("%s is left: %v", tried, err)
			}
		})
	}
}

// Where the image's server is out of the host's reach that is said, and what can
// be launched all the same.
func TestLaunchOutOfReach(t *testing.T) {
	bridge, conf := lxdtest.Bridge(t), t.TempDir()
	t.Setenv("LXD_CONF", conf)
	const remotes = "default-remote: local\nremotes:\n  local: {addr: unix://, public: false}\n  closed: {addr: https://127.0.0.1:1, protocol: simplestreams, public: true}\n"
	if err := os.WriteFile(filepath.Join(conf, "config.yml"), []byte(remotes), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := lxd.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	name, err := s.Launch(bounded(t), "closed:24.04", bridge, func(string, float64) {})
	if want := "launch closed:24.04: LXD's host has no answer from https://127.0.0.1:1 ("; name != "" || err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "; images that it has already can be launched: lxc image list local:") || strings.Count(err.Error(), "127.0.0.1:1") != 1 {
		t.Errorf("launched %q, %v", name, err)
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
