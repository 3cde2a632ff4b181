package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// nobody is a user without rights of its own (nobody of Debian).
const nobody = 65534

// asMember has the program run, in a directory that is returned, as a user that
// may use LXD by its group and is not root. An LXD must be there.
func asMember(t *testing.T) (dir string, member func(args ...string) *exec.Cmd) {
	t.Helper()
	socket, err := os.Stat(filepath.Join(os.Getenv("LXD_DIR"), "unix.socket"))
	if err != nil {
		t.Fatal(err)
	}
	// Unlike the test's own directory, and the binary's, anyone can get there.
	if dir, err = os.MkdirTemp("", "member"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, self, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, program} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	group := socket.Sys().(*syscall.Stat_t).Gid
	return dir, func(args ...string) *exec.Cmd {
		c := start(t, args...)
		c.Path, c.Dir = program, dir
		c.Env = append(c.Env, "HOME="+dir, "LXD_CONF="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{group}}}
		return c
	}
}

// A member of LXD's group that isn't root may do with LXD what it likes, but
// neither have the packet filter hold a list nor read a bridge's log: that is
// refused with the reason before anything is touched.
func TestMembersOfLXDsGroup(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	dir, member := asMember(t)
	allow := filepath.Join(dir, "allow.txt")
	if err := os.WriteFile(allow, []byte("a.example.test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := run(t, member("restore", bridge)); code != 0 { // LXD lets it in
		t.Errorf("restore ended with %d: %s", code, stderr)
	}
	command := []string{"--", "nslookup", "b.example.test"}
	const byBridge = "lxd-allowlist verify "
	for _, c := range []struct {
		args []string
		why  string
	}{
		{[]string{"verify", "--learn", instance, allow}, byBridge + instance},
		{[]string{"verify", "--strict", instance, allow}, "packets are refused by the host's packet filter"},
		{[]string{"minimize", instance, allow}, byBridge + instance},
		{[]string{"minimize", "--strict", instance, allow}, "packets are refused by the host's packet filter"},
		{[]string{"record", instance}, "bridge " + bridge + " was not touched"},
	} {
		_, stderr, code := run(t, member(append(slices.Clone(c.args), command...)...))
		if code == 0 || !strings.Contains(stderr, c.why) || !strings.Contains(stderr, "sudo") {
			t.Errorf("%q: exit code %d, want %q: %s", c.args, code, c.why, stderr)
		}
	}
	lxdtest.Unchanged(t, bridge, before)
	nothingLeft(t, instance)
}
