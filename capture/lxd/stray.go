package lxd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// endStrays ends every dnsmasq of a network and returns how many there were.
// LXD that was killed between starting one and noting its process ID knows
// nothing of it, and it holds port 53 against LXD's next. It is called when LXD
// has said that the port is taken, so that none of LXD's own runs.
func (s *Server) endStrays(ctx context.Context, network string) (ended int, err error) {
	if !s.Local() {
		return 0, fmt.Errorf("a dnsmasq that LXD doesn't know of holds port 53 of %s's bridge %s: end it there", s.name, network)
	}
	dir := s.networkDir(network)
	for _, pid := range strays(dir) {
		if err := end(ctx, pid, func() bool { return servesNetwork(pid, dir) }); err != nil {
			return ended, fmt.Errorf("end the dnsmasq that holds port 53 of bridge %s: %w: sudo kill %d", network, err, pid)
		}
		ended++
	}
	return ended, nil
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
