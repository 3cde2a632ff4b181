//go:build clients

package live_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// What resolvers remember from before is refused all the same, and what they
// remember of a refusal doesn't outlive it. Run by .ci/clients, which builds
// the image.
func TestCachingResolvers(t *testing.T) {
	dir := os.Getenv("LXD_ALLOWLIST_CLIENTS")
	if dir == "" {
		t.Fatal("no image: run .ci/clients")
	}
	const image = "lxd-allowlist-debian"
	out, err := exec.Command("lxc", "image", "import", filepath.Join(dir, "metadata.tar"), filepath.Join(dir, "rootfs.tar"), "--alias", image).CombinedOutput()
	if err != nil {
		t.Fatalf("import the image: %v: %s", err, out)
	}
	t.Cleanup(func() { // another test imports it, too
		if out, err := exec.Command("lxc", "image", "delete", image).CombinedOutput(); err != nil {
			t.Errorf("delete the image: %v: %s", err, out)
		}
	})
	bridge := lxdtest.Bridge(t)
	address, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	instance := lxdtest.InstanceOf(t, image, bridge)
	inside := func(script string) (code int) { return lxdtest.Run(t, instance, "sh", "-c", script) }
	// In a container without udev networkd waits for good, so that the address
	// is given by hand.
	mine := address[:strings.LastIndexByte(address, '.')+1]
	last := 0
	fmt.Sscan(address[len(mine):], &last)
	set := fmt.Sprintf(`set -e
		i=0; until systemctl is-system-running 2>/dev/null | grep -Eq 'running|degraded'; do i=$((i+1)); [ $i -lt 300 ]; sleep 0.1; done
		ip link set eth0 up; ip addr replace %s%d/28 dev eth0; ip route replace default via %s
		mkdir -p /etc/systemd/resolved.conf.d
		printf '[Resolve]\nDNS=%[3]s\nDomains=~.\n' >/etc/systemd/resolved.conf.d/test.conf
		systemctl restart systemd-resolved nscd
		i=0; until getent hosts warm.example.test; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done`, mine, last+5, address)
	if code := inside(set); code != 0 {
		t.Fatalf("setting up the instance ended with %d", code)
	}
	s := start(t, live.Config{Instance: instance, Program: "test"})
	for _, client := range []struct{ what, lookUp string }{
		{"nscd before systemd-resolved", "getent ahosts "},
		{"systemd-resolved", "resolvectl query "},
	} {
		kept, dropped, fresh := "kept-"+client.lookUp[:3]+".example.test", "dropped-"+client.lookUp[:3]+".example.test", "fresh-"+client.lookUp[:3]+".example.test"
		try := func(name string, want bool) {
			t.Helper()
			if passed := inside(client.lookUp+name) == 0; passed != want {
				t.Errorf("%s: %s was let through: %v, want %v", client.what, name, passed, want)
			}
		}
		try(kept, true)
		try(dropped, true)
		look(t, s, "both", func(r capture.Reader) bool { return domain(r, kept).Queries > 0 && domain(r, dropped).Queries > 0 })
		if _, err := s.Ledger.Decide(capture.Drop, id(s, dropped)); err != nil {
			t.Fatal(err)
		}
		e, err := s.Enforce(t.Context(), verify.Names)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Prove(t.Context()) {
			t.Errorf("%s: not proven: %+v", client.what, s.Report(e).Proofs)
		}
		try(kept, true)
		try(dropped, false)
		try(fresh, false)
		look(t, s, "the refused name", func(r capture.Reader) bool { return domain(r, fresh).Denied > 0 })
		if _, err := s.Ledger.Decide(capture.Keep, id(s, fresh)); err != nil {
			t.Fatal(err)
		}
		passes := func(name, why string) {
			t.Helper()
			for tries := 1; inside(client.lookUp+name) != 0; tries++ {
				if tries == 5 { // nscd alone would remember the refusal for 20 s
					t.Fatalf("%s: %s was %s, and is refused still", client.what, name, why)
				}
			}
		}
		passes(fresh, "kept")
		granted := "granted-" + client.lookUp[:3] + ".example.test"
		try(granted, false)
		look(t, s, "the other refused name", func(r capture.Reader) bool { return domain(r, granted).Denied > 0 })
		e.Policy.Grant(granted, time.Minute, time.Now())
		passes(granted, "granted")
		if err := s.Relax(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
