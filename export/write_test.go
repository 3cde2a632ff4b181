package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// alone fails if anything but the named files is left in dir.
func alone(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("left in the directory: %q, want %q", got, want)
	}
}

func TestWriteFileNew(t *testing.T) {
	dir := t.TempDir()
	for overwrite, letter := range map[bool]string{false: "a", true: "b"} {
		name := filepath.Join(dir, strings.Repeat(letter, 255)) // a temporary name can't be longer
		if err := WriteFile(name, []byte("new\n"), overwrite); err != nil {
			t.Fatal(err)
		}
		if got := read(t, name); got != "new\n" {
			t.Errorf("wrote %q", got)
		}
		if info, _ := os.Stat(name); info.Mode().Perm()&0o600 != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	}
	alone(t, dir, strings.Repeat("a", 255), strings.Repeat("b", 255))
}

func TestWriteFileNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "list")
	err := WriteFile(path, nil, true)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make that first") || strings.Contains(err.Error(), ".lxd-allowlist-") {
		t.Errorf("error %v", err)
	}
}

func TestWriteFileKeepsModeAndOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	put(t, path, "old", 0o666) // more than the umask leaves a new file
	uid := os.Getuid()
	if uid == 0 {
		uid = 12345 // only root can give a file away
		if err := os.Chown(path, uid, 54321); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(path, []byte("new"), true); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o666 || int(info.Sys().(*syscall.Stat_t).Uid) != uid {
		t.Errorf("mode %v, owner %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}
	if got := read(t, path); got != "new" {
		t.Errorf("wrote %q", got)
	}
}

func TestWriteFileExists(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "list")
	put(t, path, "old", 0o600)
	if err := WriteFile(path, []byte("new"), false); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "allow it to be replaced") {
		t.Errorf("error %v", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("the old file holds %q", got)
	}
	alone(t, dir, "list")
}

// A file that appears between the look and the write isn't replaced.
func TestMoveExists(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "temp"), "new", 0o600)
	put(t, filepath.Join(dir, "list"), "old", 0o600)
	if err := move(filepath.Join(dir, "temp"), filepath.Join(dir, "list"), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if got := read(t, filepath.Join(dir, "list")); got != "old" {
		t.Errorf("the old file holds %q", got)
	}
}

func TestWriteFileSymlink(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"links", "files", "files/sub"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../files/sub", "links/sub")
	link("../beside", "files/sub/up") // from links/sub/up this is files/beside
	link("sub/up", "links/first")
	for i, path := range []string{"links/first", "links/sub/up"} { // the first makes the file
		text := strings.Repeat("x", i+1)
		if err := WriteFile(filepath.Join(dir, path), []byte(text), true); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(dir, "files/beside")); got != text {
			t.Errorf("through %s: %q", path, got)
		}
	}
	if info, err := os.Lstat(filepath.Join(dir, "files/sub/up")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	link("loop", "loop")
	if err := WriteFile(filepath.Join(dir, "loop"), nil, true); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("error %v", err)
	}
}

func TestWriteFileNotRegular(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, what := range map[string]string{dir: "a directory", fifo: "a pipe", os.DevNull: "a device"} {
		if err := WriteFile(path, []byte("new"), true); err == nil || !strings.Contains(err.Error(), "it is "+what+" and no regular file; name another") {
			t.Errorf("%s: error %v", path, err)
		}
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the fifo became %v %v", info, err)
	}
}

// A limit on the size of files stands in for the full disk: the write stops
// in the middle.
// What a process has open is not replaced where it once stood.
func TestWriteFileOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	put(t, path, "old", 0o600)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(fmt.Sprintf("/dev/fd/%d", f.Fd()), link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{link, fmt.Sprintf("/dev/fd/%d", f.Fd()), fmt.Sprintf("/proc/self/fd/%d", f.Fd()), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())} {
		if err := WriteFile(name, []byte("new"), true); err == nil || !strings.Contains(err.Error(), "has open") || read(t, path) != "old" {
			t.Errorf("%s: %v, the file has %q", name, err, read(t, path))
		}
	}
}

func TestWriteFileFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "list")
	put(t, path, "old", 0o600)
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, make([]byte, 10000), true)
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("the old file holds %d bytes", len(got))
	}
	alone(t, dir, "list")
}

// A power cut finds the old file or the new one: the data is on disk before
// the file has its name, and the name before the caller hears of it.
func TestWriteFileIsOnDisk(t *testing.T) {
	defer func(was func(*os.File) error) { sync = was }(sync)
	for _, overwrite := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "list")
		if overwrite {
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var synced []string
		sync = func(f *os.File) error {
			named, _ := os.ReadFile(path)
			held, _ := os.ReadFile(f.Name())
			if filepath.Clean(f.Name()) == dir {
				held = []byte("directory")
			}
			synced = append(synced, fmt.Sprintf("%s while the file has %q", held, named))
			return f.Sync()
		}
		if err := WriteFile(path, []byte("new"), overwrite); err != nil {
			t.Fatal(err)
		}
		old := ""
		if overwrite {
			old = "old"
		}
		if want := []string{fmt.Sprintf("new while the file has %q", old), `directory while the file has "new"`}; !slices.Equal(synced, want) {
			t.Errorf("overwrite %v: synced %q, want %q", overwrite, synced, want)
		}
	}
}

// A link that somebody else has put where everybody can make files leads nowhere,
// whether anything is at its end or not; the caller's own does.
func TestWriteFilePlantedLink(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode: it needs root, to make another's link")
	}
	dir := t.TempDir()
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "there")
	put(t, there, "old", 0o600)
	for to, uid := range map[string]int{there: 65534, filepath.Join(dir, "none"): 65534, filepath.Join(dir, "own"): 0} {
		link := filepath.Join(shared, "list")
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(link, uid, uid); err != nil {
			t.Fatal(err)
		}
		err := WriteFile(link, []byte("new"), true)
		if (err == nil) != (uid == 0) || err != nil && !strings.Contains(err.Error(), "somebody else made") {
			t.Errorf("a link of user %d to %s: %v", uid, to, err)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, there); got != "old" {
		t.Errorf("it has %q now", got)
	}
	alone(t, dir, "own", "shared", "there")
}

// What is the user's alone is so whatever the umask, and has no more rights than
// it had.
func TestWritePrivate(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		path := filepath.Join(t.TempDir(), "rules")
		before := syscall.Umask(umask)
		err := WritePrivate(path, []byte("new"))
		syscall.Umask(before)
		if st, statErr := os.Stat(path); err != nil || statErr != nil || st.Mode() != 0o600 {
			t.Errorf("umask %03o: mode %v, %v", umask, st.Mode(), err)
		}
	}
}
