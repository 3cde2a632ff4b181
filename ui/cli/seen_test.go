package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/witness/witnesstest"
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

// Where the kernel doesn't let processes be told, that is said once, and packets
// tell the rest.
func TestRecordSeenOfPackets(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	script := "nc -w 1 a.example.test 8081 </dev/null; nc -w 1 192.0.2.77 82 </dev/null; true"
	c := start(t, "record", "--seen", instance, "--", "sh", "-c", script)
	// Nowhere does the kernel describe its types.
	hide := `for d in /sys/kernel/btf /boot /lib/modules /usr/lib/debug; do [ ! -d $d ] || mount -t tmpfs none $d; done; exec "$@"`
	hidden := exec.Command("unshare", append([]string{"-m", "sh", "-ec", hide, "-"}, c.Args...)...)
	hidden.Env = c.Env
	stdout, stderr, code := run(t, hidden)
	for _, want := range []string{
		"watched in part: processes can't be told: this kernel doesn't describe its types (CONFIG_DEBUG_INFO_BTF)",
		"lxd-allowlist: a.example.test: 8081/tcp ×1\n",
		"lxd-allowlist: went round the bridge's DNS: bare address 192.0.2.77:82/tcp ×1\n",
	} {
		if strings.Count(stderr, want) != 1 {
			t.Errorf("it doesn't say %q once", want)
		}
	}
	if !strings.Contains(stdout, "a.example.test\n") || code != 0 || t.Failed() {
		t.Errorf("exit code %d, the list is\n%s\nit said\n%s", code, stdout, stderr)
	}
}

// Who wants nothing watched has nothing watched, by the flag or the config file,
// and is told so.
func TestNoWitness(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	const command = "nslookup a.example.test >/dev/null; echo running; cat"
	for _, off := range []string{"flag", "config"} {
		c := start(t, "record", "--seen", instance, "--", "sh", "-c", command)
		if off == "flag" {
			c = start(t, "record", "--no-witness", instance, "--", "sh", "-c", command)
		} else {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "lxd-allowlist"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "lxd-allowlist", "config.yaml"), []byte("witness: off\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.Env = append(c.Env, "XDG_CONFIG_HOME="+dir)
		}
		said := running(t, c, func() {
			if h := witnesstest.HeldBy(t, c.Process.Pid); len(h.Links)+len(h.Programs)+len(h.Maps)+len(h.Packets) != 0 {
				t.Errorf("%s: it has %+v", off, h)
			}
		})
		if !strings.Contains(said, "not watched: which process asks, and what it connects to: it is off\n") || !strings.Contains(said, "a.example.test\n") {
			t.Errorf("%s: it said\n%s", off, said)
		}
	}
}
