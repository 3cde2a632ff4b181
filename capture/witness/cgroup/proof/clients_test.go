//go:build clients

package proof

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// What goes through a distribution's resolver is told of who asked it, where
// that asks by DNS. Run by .ci/clients, which builds the image.
func TestDistribution(t *testing.T) {
	dir := os.Getenv("LXD_ALLOWLIST_CLIENTS")
	if dir == "" {
		t.Fatal("no image: run .ci/clients")
	}
	const image = "lxd-allowlist-debian-who"
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
	address := netip.MustParsePrefix(lxdtest.Network(t, bridge).Config["ipv4.address"]).Addr()
	mine := address
	for range 4 {
		mine = mine.Next()
	}
	instance := lxdtest.InstanceOf(t, image, bridge)
	// In a container without udev networkd waits for good, so that the address
	// is given by hand.
	run(t, instance, fmt.Sprintf(`set -e
		i=0; until systemctl is-system-running 2>/dev/null | grep -Eq 'running|degraded'; do i=$((i+1)); [ $i -lt 300 ]; sleep 0.1; done
		ip link set eth0 up; ip addr replace %s/28 dev eth0; ip route replace default via %s
		mkdir -p /etc/systemd/resolved.conf.d
		printf '[Resolve]\nDNS=%[2]s\nDomains=~.\nLLMNR=no\nMulticastDNS=no\n' >/etc/systemd/resolved.conf.d/test.conf
		systemctl stop nscd.socket nscd 2>/dev/null || systemctl stop nscd
		systemctl restart systemd-resolved
		rm -f /etc/resolv.conf; printf 'nameserver 127.0.0.53\n' >/etc/resolv.conf
		echo 'deb [trusted=yes] http://deb.example.test:9/debian stable main' >/etc/apt/sources.list
		i=0; until getent hosts warm.example.test; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done`, mine, address))
	h := watch(t, instance)
	told := func(name string) {
		t.Helper()
		if !h.until(func() bool { return len(h.queries[name]) > 0 }) {
			t.Fatalf("%s wasn't told", name)
		}
	}
	run(t, instance, "getent ahosts socket.example.test >/dev/null")
	told("socket.example.test")
	const askers = 100
	run(t, instance, fmt.Sprintf(`sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
		for i in $(seq %d); do getent ahosts n$((i %% 10))-$i.example.test >/dev/null & [ $((i %% 10)) -gt 0 ] || wait; done
		wait
		getent ahosts n1-1.example.test >/dev/null # known by now
		apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=1 update >/dev/null
		getent ahosts last.example.test >/dev/null`, askers))
	told("last.example.test")
	h.mu.Lock()
	defer h.mu.Unlock()
	var queries tally
	for i := 1; i <= askers; i++ {
		name := fmt.Sprintf("n%d-%d.example.test", i%10, i)
		if len(h.queries[name]) < 2 {
			queries.missing++
		}
		for _, q := range h.queries[name] {
			queries.count(t, name, q.Process, q.Process != nil && q.Process.Comm == "getent" && q.Process.Args[2] == name)
		}
	}
	onward, known := 0, 0
	for _, q := range h.queries["n1-1.example.test"] {
		if q.Server.Addr() == address {
			onward++
		} else if q.Server.Addr().IsLoopback() {
			known++
		}
	}
	if onward != 2 || known != 2 {
		t.Errorf("what was asked twice was asked on %d times and known %d times, want A and AAAA each: %+v", onward, known, h.queries["n1-1.example.test"])
	}
	for _, q := range h.queries["deb.example.test"] {
		queries.count(t, "apt-get", q.Process, q.Process != nil && q.Process.Comm == "http" && q.Process.Exe == "/usr/lib/apt/methods/http" && q.Process.User == "_apt" && strings.HasPrefix(q.Process.Command, "apt-get "))
	}
	for _, q := range h.queries["socket.example.test"] {
		queries.count(t, "nss-resolve", q.Process, q.Process != nil && q.Process.Comm == "systemd-resolve" && q.Process.User == "systemd-resolve")
	}
	connected := false
	for _, all := range h.connections {
		for _, c := range all {
			connected = connected || c.To.Port() == 9 && c.Process != nil && c.Process.Comm == "http"
		}
	}
	t.Logf("%+v, %d lost; apt connected: %v", queries, h.lost, connected)
	all := queries.right + queries.unknown + queries.wrong + queries.missing
	if queries.right*1000 < all*995 || h.lost > 0 || !connected {
		t.Errorf("%d of %d are right, %d lost", queries.right, all, h.lost)
	}
}
