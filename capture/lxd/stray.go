package lxd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// strayPatience is how long a dnsmasq may take to end when it is asked to.
const strayPatience = 3 * time.Second

// networkDir returns where the daemon keeps what a network's dnsmasq works on.
func (s *Server) networkDir(network string) string {
	return filepath.Join(filepath.Dir(s.socket), "networks", network)
}

// endLost ends every dnsmasq of a network if LXD refused a change because it
// has lost its own: killed between starting one and noting its process ID it
// knows nothing of it, and it holds port 53 against LXD's next; killed in that
// note, it fails to end it. mended says that there was something to do, and that
// LXD may be asked again.
func (s *Server) endLost(ctx context.Context, network string, refused error) (mended bool, err error) {
	torn := noteTorn(refused)
	switch {
	case !torn && !portTaken(refused):
		return false, nil
	case !s.Local():
		return false, fmt.Errorf("a dnsmasq that LXD doesn't know of serves %s's bridge %s: end it there", s.name, network)
	}
	dir := s.networkDir(network)
	for _, pid := range strays(dir) {
		if err := end(ctx, pid, func() bool { return servesNetwork(pid, dir) }); err != nil {
			return false, fmt.Errorf("end the dnsmasq that LXD has lost, of bridge %s: %w: sudo kill %d", network, err, pid)
		}
		mended = true
	}
	if torn {
		gone, err := removeTorn(filepath.Join(dir, "dnsmasq.pid"))
		return mended || gone, err
	}
	return mended, nil
}

// whole is in LXD's note of a dnsmasq that tells its process.
var whole = regexp.MustCompile(`(?m)^pid: *[1-9]`)

// removeTorn removes LXD's note of a dnsmasq if it tells no process. Without one
// LXD starts another.
func removeTorn(note string) (removed bool, err error) {
	text, err := os.ReadFile(note)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read LXD's note of its dnsmasq: %w", err)
	case whole.Match(text):
		return false, nil
	}
	if err := os.Remove(note); err != nil {
		return false, fmt.Errorf("LXD's note of its dnsmasq tells no process: %w: sudo rm %s", err, note)
	}
	return true, nil
}

// strays returns the processes of dnsmasq that work on a network's directory.
func strays(dir string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed
	for _, path := range all {
		if pid, err := strconv.Atoi(filepath.Base(path)); err == nil && servesNetwork(pid, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// servesNetwork reports whether a process is a dnsmasq of this machine, and
// not of an instance, that works on files in dir.
func servesNetwork(pid int, dir string) bool {
	proc := fmt.Sprintf("/proc/%d", pid)
	line, err := os.ReadFile(proc + "/cmdline")
	if err != nil {
		return false
	}
	args := strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")
	works := slices.ContainsFunc(args[1:], func(arg string) bool { return strings.Contains(arg, "="+dir+"/") })
	return works && filepath.Base(args[0]) == "dnsmasq" && sameNetNS(proc)
}

// sameNetNS reports whether a process is in our network namespace. One that
// may not be looked at is taken for one: to end it will be refused.
func sameNetNS(proc string) bool {
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false
	}
	its, err := os.Readlink(proc + "/ns/net")
	return its == ours || errors.Is(err, fs.ErrPermission)
}

// end ends a process, by force if need be, as long as it is the one that is
// meant.
func end(ctx context.Context, pid int, meant func() bool) error {
	p, err := os.FindProcess(pid) // by a handle, so that the number can't come to mean another
	if err != nil {
		return err
	}
	defer p.Release()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !meant() {
			return nil
		}
		if err := p.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		for late := time.Now().Add(strayPatience); time.Now().Before(late); {
			if !meant() {
				return nil
			}
			if err := pause(ctx, retryPause); err != nil {
				return err
			}
		}
	}
	return errors.New("it doesn't end")
}
