package cli

import (
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// The program says who asked, what was connected to and what went round, and a
// list names the port that was seen.
func TestRecordSeen(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	script := "nslookup b.example.test; nc -w 1 a.example.test 8081 </dev/null; nc -w 1 192.0.2.77 82 </dev/null; true"
	stdout, stderr, code := run(t, start(t, "record", "--seen", "--format", "harden-runner", instance, "--", "sh", "-c", script))
	for _, want := range []string{
		// All names have one address there, and nc says none of them.
		"lxd-allowlist: a.example.test: 8081/tcp perhaps ×1 by /bin/busybox\n",
		"lxd-allowlist: b.example.test: 8081/tcp perhaps ×1 by /bin/busybox\n",
		"lxd-allowlist: went round the bridge's DNS: bare address 192.0.2.77:82/tcp ×1 by /bin/busybox\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it doesn't say %q", want)
		}
	}
	if !strings.Contains(stdout, "a.example.test:8081\n") || strings.Contains(stdout, "a.example.test:443") || code != 0 || t.Failed() {
		t.Errorf("exit code %d, the list is\n%s\nit said\n%s", code, stdout, stderr)
	}
}
