package export

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"lxd-allowlist/export/owner"
)

// maxLinks bounds a chain of symbolic links, as the kernel does.
const maxLinks = 40

// sync asks the kernel to have on disk what a file or a directory holds; a
// variable, for nothing but a power cut shows that it was left out.
var sync = (*os.File).Sync

// WriteFile puts data into the file at once: whoever reads it finds the old
// content or the new, and what goes wrong leaves the old file whole. A symbolic
// link is followed, but for one that others made in /tmp and its like; an
// existing file keeps its mode and owner, and without overwrite it is an error
// that wraps [fs.ErrExist].
func WriteFile(path string, data []byte, overwrite bool) error {
	const everybody = 0o666 // less the umask: a proxy is to read a list
	return writeNamed(path, data, everybody, overwrite)
}

// WritePrivate is [WriteFile] for what is the user's alone: a file that is new
// has mode 0600, whatever the umask.
func WritePrivate(path string, data []byte) error {
	return writeNamed(path, data, 0o600, true)
}

func writeNamed(path string, data []byte, perm fs.FileMode, overwrite bool) error {
	if err := writeFile(path, data, perm, overwrite); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func writeFile(path string, data []byte, perm fs.FileMode, overwrite bool) error {
	path, old, err := target(path)
	if err != nil {
		return err
	}
	if old != nil && !overwrite {
		return fmt.Errorf("%w; name another file or allow it to be replaced", fs.ErrExist)
	}
	dir, _ := filepath.Split(path)
	temp, err := fill(dir+".lxd-allowlist-"+rand.Text(), data, perm, old)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // after a rename there is nothing left to remove
	if err := move(temp, path, overwrite); err != nil {
		return err
	}
	return syncDir(dir)
}

// target follows symbolic links to the file that is meant, which need not
// exist: old is nil then.
func target(path string) (_ string, old fs.FileInfo, err error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode().IsRegular():
			return path, info, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return "", nil, fmt.Errorf("it is %s and no regular file; name another", kindOf(info.Mode()))
		}
		dir, _ := filepath.Split(path)
		if open, err := inProc(dir); open || err != nil {
			return "", nil, cmp.Or(err, errOpenFile)
		}
		if planted, err := owner.Planted(path); planted || err != nil {
			return "", nil, cmp.Or(err, errPlanted)
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", nil, err
		}
		if !filepath.IsAbs(link) {
			link = dir + link // not cleaned: ".." in a link is the kernel's to resolve
		}
		path = link
	}
	return "", nil, syscall.ELOOP
}

// errOpenFile is told of /dev/fd/3 and its like. What such a link says is where
// the open file once stood: replaced there, it would not get the list, and
// whoever opened it would not see it.
var errOpenFile = errors.New("it is a file that a process has open; name the file itself, or - for standard output")

// errPlanted is told of a link in /tmp and its like that isn't the caller's: who
// made it chose the file that would be written.
var errPlanted = errors.New("it is a link that somebody else made where everybody can; name the file itself")

// procMagic is what proc(5)'s file system calls itself in statfs(2).
const procMagic = 0x9fa0

// inProc reports whether a directory is one of proc's, such as /dev/fd.
func inProc(dir string) (bool, error) {
	var system syscall.Statfs_t
	err := syscall.Statfs(cmp.Or(dir, "."), &system)
	return system.Type == procMagic, err
}

// fill makes the file temp with data, and with old's owner and mode, or perm
// where there is none, safely on disk.
func fill(temp string, data []byte, perm fs.FileMode, old fs.FileInfo) (_ string, err error) {
	if old != nil {
		perm = old.Mode().Perm()
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no directory for it (%w): make that first", fs.ErrNotExist)
	}
	if err != nil {
		return "", fmt.Errorf("make a file beside it: %w", errors.Unwrap(err)) // without the name, which nobody knows
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(temp)
		}
	}()
	if old != nil {
		if err := adopt(f, old); err != nil {
			return "", err
		}
	} else if err := owner.Give(f); err != nil {
		return "", err
	}
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	return temp, sync(f)
}

// adopt gives f the owner and mode of old.
func adopt(f *os.File, old fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	was, is := old.Sys().(*syscall.Stat_t), info.Sys().(*syscall.Stat_t)
	if was.Uid != is.Uid || was.Gid != is.Gid {
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("keep its owner %d:%d: %w; name another file", was.Uid, was.Gid, err)
		}
	}
	return f.Chmod(old.Mode().Perm())
}

// move puts temp in path's place, or where there was nothing.
func move(temp, path string, overwrite bool) error {
	if overwrite {
		return os.Rename(temp, path)
	}
	err := os.Link(temp, path) // unlike a rename it never replaces
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) {
		return os.Rename(temp, path) // a file system without links, such as FAT
	}
	return err
}

func syncDir(dir string) error {
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return sync(d)
}

// kindOf says what a file is that is no regular one.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
