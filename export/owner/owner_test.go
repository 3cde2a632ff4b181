package owner_test

import (
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"

	"lxd-allowlist/export/owner"
)

// sudo has the test seem called by a user of the system that isn't root.
func sudo(t *testing.T) *user.User {
	t.Helper()
	if testing.Short() {
		t.Skip("files are given away by root alone")
	}
	u, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUDO_UID", u.Uid)
	t.Setenv("SUDO_GID", u.Gid)
	return u
}

func whose(t *testing.T, path string) [2]uint32 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	of := info.Sys().(*syscall.Stat_t)
	return [2]uint32{of.Uid, of.Gid}
}

var daemon, root = [2]uint32{1, 1}, [2]uint32{0, 0}

// What is made in a directory of who called sudo is theirs, what stands in
// another's stays root's, and so does all where nobody called sudo.
func TestMadeUnderSudo(t *testing.T) {
	sudo(t)
	theirs, roots, all := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Chown(theirs, 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(all, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string][2]uint32{theirs: daemon, roots: root, all: daemon} {
		if err := owner.MkdirAll(filepath.Join(dir, "a", "b")); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, "a", "b", "list"))
		if err != nil {
			t.Fatal(err)
		}
		if err := owner.Give(f); err != nil {
			t.Error(err)
		}
		f.Close()
		for _, name := range []string{"a", "a/b", "a/b/list"} {
			if got := whose(t, filepath.Join(dir, name)); got != want {
				t.Errorf("%s in a directory of %v is of %v, want %v", name, whose(t, dir), got, want)
			}
		}
	}
	before := whose(t, roots)
	if err := owner.MkdirAll(roots); err != nil || whose(t, roots) != before {
		t.Errorf("a directory that was there is of %v now, %v", whose(t, roots), err)
	}
	t.Setenv("SUDO_UID", "0") // root called it
	if err := owner.MkdirAll(filepath.Join(theirs, "c")); err != nil || whose(t, filepath.Join(theirs, "c")) != root {
		t.Errorf("without sudo: %v, of %v", err, whose(t, filepath.Join(theirs, "c")))
	}
}

func TestHome(t *testing.T) {
	u := sudo(t)
	for _, c := range []struct{ home, uid, want string }{
		{"/root", u.Uid, u.HomeDir},
		{"/srv/lists", u.Uid, "/srv/lists"},
		{"/root", "", "/root"},
		{"/root", "4000000001", "/root"}, // of nobody
	} {
		t.Setenv("HOME", c.home)
		t.Setenv("SUDO_UID", c.uid)
		if home, err := owner.Home(); home != c.want || err != nil {
			t.Errorf("HOME %s, SUDO_UID %s: %s, %v, want %s", c.home, c.uid, home, err, c.want)
		}
	}
}
