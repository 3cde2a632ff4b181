package cgroup

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// users tells the instance's names of its users.
type users struct {
	root   string // the instance's, below /proc
	ranges []userRange
	names  map[uint32]string
	read   time.Time
}

// userRange is a line of uid_map.
type userRange struct{ inside, outside, count uint32 }

func newUsers(init int) users {
	u := users{root: fmt.Sprintf("/proc/%d/root", init)}
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", init)) // without it numbers are the host's
	for line := range bytes.Lines(b) {
		var r userRange
		if n, _ := fmt.Sscan(string(line), &r.inside, &r.outside, &r.count); n == 3 {
			u.ranges = append(u.ranges, r)
		}
	}
	return u
}

// nobody is what the kernel shows for a user that has no number there.
const nobody = 65534

func (u *users) inside(uid uint32) uint32 {
	for _, r := range u.ranges {
		if uid >= r.outside && uid-r.outside < r.count {
			return r.inside + uid - r.outside
		}
	}
	return nobody
}

// passwdAge is how long a user's name is believed, and how often one that has
// none is looked up.
const passwdAge = 10 * time.Second

// name returns what the instance calls a user of the host, its number there
// where it has no name.
func (u *users) name(uid uint32) string {
	uid = u.inside(uid)
	if time.Since(u.read) > passwdAge {
		u.read = time.Now()
		if names, err := readPasswd(u.root); err == nil {
			u.names = names
		}
	}
	if name, ok := u.names[uid]; ok {
		return name
	}
	return strconv.FormatUint(uint64(uid), 10)
}

// mostPasswd bounds how much of an instance's file is read.
const mostPasswd = 1 << 20

// readPasswd reads /etc/passwd below a root that somebody else rules: links
// don't lead out of it, and what is no file is left alone.
func readPasswd(root string) (map[uint32]string, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, "etc/passwd", &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "passwd")
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	return passwd(io.LimitReader(f, mostPasswd))
}

// passwd reads lines of passwd(5): the first name of each number.
func passwd(in io.Reader) (map[uint32]string, error) {
	names := make(map[uint32]string)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), ":", 4)
		if len(fields) < 4 {
			continue
		}
		uid, err := strconv.ParseUint(fields[2], 10, 32)
		if _, had := names[uint32(uid)]; err == nil && !had && fields[0] != "" {
			names[uint32(uid)] = fields[0]
		}
	}
	return names, lines.Err()
}
