package lxd_test

import (
	"crypto/rand"
	"net"
	"os/exec"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// lxc runs LXD's own client.
func lxc(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "lxc", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lxc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// A remote that lxc itself added, over TLS, is connected to by its name.
func TestRemoteThatLXCAdded(t *testing.T) {
	c := lxdtest.Client(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	lxc(t, "config", "set", "core.https_address", address)
	t.Cleanup(func() { exec.Command("lxc", "config", "unset", "core.https_address").Run() })
	client := "lat-" + strings.ToLower(rand.Text()[:8])
	words := strings.Fields(lxc(t, "config", "trust", "add", "--name", client))
	token := words[len(words)-1]
	t.Cleanup(func() {
		all, err := c.GetCertificates()
		for _, one := range all {
			if err == nil && one.Name == client {
				err = c.DeleteCertificate(one.Fingerprint)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)

	t.Setenv("LXD_CONF", t.TempDir())
	lxc(t, "remote", "add", "far", token)
	t.Setenv("LXD_DIR", t.TempDir()) // only the network leads there
	s, err := lxd.Connect(t.Context(), "far")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Local() || s.Name() != "far" {
		t.Errorf("the server is %q, local %v", s.Name(), s.Local())
	}
	i, err := s.Instance(t.Context(), instance)
	if err != nil || i.Name != instance {
		t.Errorf("its instance is %+v, %v", i, err)
	}
}
