// Package owner has what the program makes belong to who called it: with
// sudo(8), which tells who that was by SUDO_UID and SUDO_GID, to that user.
package owner

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// caller returns who called sudo; ok is false where nobody did.
func caller() (uid, gid int, ok bool) {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil || uid <= 0 || os.Geteuid() != 0 {
		return 0, 0, false
	}
	gid, err = strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, err == nil
}

// Home returns the home directory of who called: not root's, which sudo sets
// HOME to. A HOME of one's own, as in `sudo HOME=/srv/lists …`, is left.
func Home() (string, error) {
	home, err := os.UserHomeDir()
	uid, _, sudo := caller()
	if !sudo {
		return home, err
	}
	if root, unknown := user.LookupId("0"); err == nil && (unknown != nil || home != root.HomeDir) {
		return home, nil
	}
	u, unknown := user.LookupId(strconv.Itoa(uid))
	if unknown != nil || !filepath.IsAbs(u.HomeDir) {
		return home, err
	}
	return u.HomeDir, nil
}

// Give has a file that was made belong to who called, if its directory is
// theirs to write in: a list in /etc stays root's.
func Give(f *os.File) error {
	uid, gid, ok := receiver(f.Name())
	if !ok {
		return nil
	}
	return given(f.Chown(uid, gid))
}

// MkdirAll makes a directory for its user alone (0700), and those above it
// that aren't there. They belong to who called, as [Give] has it.
func MkdirAll(dir string) error {
	var made []string
	for above := dir; ; above = filepath.Dir(above) {
		if _, err := os.Lstat(above); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append([]string{above}, made...)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, one := range made {
		if uid, gid, ok := receiver(one); ok {
			if err := given(os.Lchown(one, uid, gid)); err != nil {
				return err
			}
		}
	}
	return nil
}

// receiver returns whose a new file at path is to be, if not of who makes it.
func receiver(path string) (uid, gid int, ok bool) {
	if uid, gid, ok = caller(); !ok {
		return 0, 0, false
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return 0, 0, false
	}
	theirs := int(dir.Sys().(*syscall.Stat_t).Uid) == uid
	const others = 0o002 // may write
	return uid, gid, theirs || dir.Mode()&others != 0
}

// Planted reports whether a path is a link that may be anybody's, as the kernel's
// protected_symlinks has it: in a directory in which all can make files, each
// their own, and neither the caller's nor the directory's owner's.
func Planted(path string) (bool, error) {
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return false, err
	}
	dir, _ := filepath.Split(path) // not cleaned: ".." in a link is the kernel's to resolve
	in, err := os.Stat(cmp.Or(dir, "."))
	if err != nil || in.Mode()&fs.ModeSticky == 0 || in.Mode().Perm()&0o002 == 0 {
		return false, err
	}
	of := link.Sys().(*syscall.Stat_t).Uid
	return int(of) != os.Geteuid() && of != in.Sys().(*syscall.Stat_t).Uid, nil
}

// given takes no offence at a file system that has no owners, such as FAT.
func given(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return nil
	}
	return err
}
