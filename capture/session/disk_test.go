package session_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

func fault(l *capture.Ledger) (err error) {
	l.Read(func(r capture.Reader) { err = r.Fault() })
	return err
}

// nowhere returns a session that has no journal, and so no name.
func nowhere(t *testing.T) *session.Session {
	t.Helper()
	s, name := create(t)
	if name != "" {
		t.Errorf("a session that is nowhere is called %q", name)
	}
	return s
}

// goesOn checks that a session whose journal can't be written goes on in
// memory, and says so once, by an error with these words.
func goesOn(t *testing.T, s *session.Session, words string) {
	t.Helper()
	feed(s.Ledger, "query[A] a.example from 10.0.0.5")
	s.Ledger.Decide(capture.Keep, 0)
	for late := time.After(time.Minute); fault(s.Ledger) == nil; {
		select {
		case <-s.Ledger.Wake():
		case <-late:
			t.Fatal("nothing is said of it")
		}
	}
	first := fault(s.Ledger)
	feed(s.Ledger, "query[A] b.example from 10.0.0.5")
	s.Ledger.Decide(capture.Drop, 1)
	if list := s.Ledger.List(false); len(list.Rules) == 0 {
		t.Error("the list is empty")
	}
	err := s.Close()
	if err == nil || err.Error() != first.Error() || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "in memory only") {
		t.Errorf("said is %v, and at the end %v; want %q, once", first, err, words)
	}
	if again := s.Close(); again != nil {
		t.Errorf("said twice: %v", again)
	}
}

// small returns a state directory on a disk of its own, with flags.
func small(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	if err := syscall.Mount("tmpfs", home, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(home, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("XDG_STATE_HOME", home)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	return home
}

// fill leaves no byte on the disk that dir is on.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A state directory that can't be written ends no capture: it is said once, and
// all is kept in memory.
func TestStateDirectoryFails(t *testing.T) {
	t.Run("full later", func(t *testing.T) {
		onOwnDisk(t)
		home := small(t)
		s, name := create(t)
		if name == "" {
			t.Fatal("no journal was made")
		}
		fill(t, home)
		for i := range 100 { // more than the journal's last page has room for
			feed(s.Ledger, fmt.Sprintf("query[A] n%d.%sexample from 10.0.0.5", i, strings.Repeat("long.", 40)))
		}
		goesOn(t, s, "no space left on device")
	})
	t.Run("full", func(t *testing.T) {
		onOwnDisk(t)
		home := small(t)
		dir := filepath.Join(home, "lxd-allowlist", "sessions")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		fill(t, home)
		s, name := create(t)
		goesOn(t, s, "no space left on device")
		if left, err := os.ReadDir(dir); name != "" || len(left) > 0 || err != nil {
			t.Errorf("the session is called %q, and %v is left, %v", name, left, err)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		onOwnDisk(t)
		home := small(t)
		if err := syscall.Mount("", home, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		s, _ := create(t)
		goesOn(t, s, "read-only file system")
	})
	t.Run("another's", func(t *testing.T) {
		dir := stateHome(t)
		t.Setenv("XDG_CONFIG_HOME", "/nonexistent")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o755)
		if root := os.Geteuid(); root == 0 { // who writes where it likes, but for a thread that is nobody's
			runtime.LockOSThread() // and ends with this test
			for above := dir; above != os.TempDir(); above = filepath.Dir(above) {
				if err := os.Chmod(above, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := syscall.Setfsuid(65534); err != nil {
				t.Fatal(err)
			}
			defer syscall.Setfsuid(root)
		}
		goesOn(t, nowhere(t), "permission denied")
	})
	t.Run("a file in its place", func(t *testing.T) {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		home := t.TempDir()
		t.Setenv("XDG_STATE_HOME", home)
		if err := os.WriteFile(filepath.Join(home, "lxd-allowlist"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		goesOn(t, nowhere(t), "not a directory")
	})
	t.Run("a link to nowhere", func(t *testing.T) {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		home := t.TempDir()
		t.Setenv("XDG_STATE_HOME", home)
		if err := os.Symlink("/nonexistent/there", filepath.Join(home, "lxd-allowlist")); err != nil {
			t.Fatal(err)
		}
		s, _ := create(t)
		goesOn(t, s, "lxd-allowlist")
	})
	t.Run("a link of another", func(t *testing.T) {
		if os.Geteuid() != 0 {
			return // root alone can make another's link
		}
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		for _, name := range []string{"lxd-allowlist", "lxd-allowlist/sessions"} {
			home, there := t.TempDir(), t.TempDir()
			t.Setenv("XDG_STATE_HOME", home)
			link := filepath.Join(home, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Chmod(filepath.Dir(link), 0o777|fs.ModeSticky), os.Symlink(there, link), os.Lchown(link, 65534, 65534)); err != nil {
				t.Fatal(err)
			}
			goesOn(t, nowhere(t), link+" is a link that somebody else made")
			if left, err := filepath.Glob(filepath.Join(there, "*.jsonl")); err != nil || len(left) > 0 {
				t.Errorf("in the link's directory there is %v, %v", left, err)
			}
		}
	})
	t.Run("removed meanwhile", func(t *testing.T) {
		dir := stateHome(t)
		s, _ := create(t)
		if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
			t.Fatal(err)
		}
		goesOn(t, s, "was removed")
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the directory is there again: %v", err)
		}
	})
}

// Who has the state directory be a link of their own has journals where it leads,
// theirs alone as ever.
func TestStateDirectoryElsewhere(t *testing.T) {
	dir := stateHome(t)
	there := t.TempDir()
	if err := os.Chmod(there, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(there, filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	s, name := create(t)
	feed(s.Ledger, "query[A] a.example from 10.0.0.5")
	s.Ledger.Decide(capture.Keep, 0)
	end(t, s)
	st, err := os.Lstat(filepath.Join(there, "sessions", name+".jsonl"))
	if err != nil || st.Mode() != 0o600 {
		t.Errorf("the journal is %v, %v", st, err)
	}
	again := resume(t, name)
	if got, want := state(t, again.Ledger), state(t, s.Ledger); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	end(t, again)
}

// A link that stands where a journal is to be is not followed: the session gets
// another name, and what the link names stays as it is.
func TestJournalFollowsNoLink(t *testing.T) {
	dir := stateHome(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, name := create(t)
	end(t, s)
	if err := errors.Join(os.Remove(filepath.Join(dir, name+".jsonl")), os.Symlink(victim, filepath.Join(dir, name+".jsonl"))); err != nil {
		t.Fatal(err)
	}
	s, other := create(t)
	end(t, s)
	if got, err := os.ReadFile(victim); other == name || string(got) != "precious\n" || err != nil {
		t.Errorf("session %q again as %q: the link's file has %q, %v", name, other, got, err)
	}
}

// onOwnDisk leaves a test that mounts one out of a short run.
func onOwnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("it mounts a disk of its own, as root")
	}
}
