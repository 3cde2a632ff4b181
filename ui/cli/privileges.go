package cli

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// needed are the capabilities that the program keeps where it has them.
var needed = []cap.Value{
	cap.CHOWN, cap.DAC_OVERRIDE, cap.FOWNER, // files of the user that called sudo, the directory of logs
	cap.DAC_READ_SEARCH, cap.SYS_PTRACE, // /proc of the instance's processes
	cap.KILL,             // a dnsmasq that LXD has lost
	cap.NET_ADMIN,        // the packet filter, conntrack, programs at a cgroup
	cap.NET_RAW,          // the ring of packets
	cap.BPF, cap.PERFMON, // programs at a cgroup, since Linux 5.8
	cap.SYS_RESOURCE, // memory for them, up to Linux 5.10
}

// dropPrivileges has all threads, and what they start, never again have more
// than what is needed. It keeps NET_ADMIN and the like for good: an instance
// that restarts is watched anew, and what a killed run left is taken away by
// the same calls that made it.
func dropPrivileges() error {
	if err := keepCapabilities(); err != nil {
		return fmt.Errorf("give up the rights of root that aren't needed: %w; nothing was done", err)
	}
	return nil
}

func keepCapabilities() error {
	keep := needed
	if cap.MaxBits() <= cap.BPF { // older kernels want it instead
		keep = append(keep, cap.SYS_ADMIN)
	}
	has, wanted := cap.GetProc(), make(map[cap.Value]bool)
	left := cap.NewSet()
	for _, v := range keep {
		wanted[v] = true
		if able, err := has.GetFlag(cap.Permitted, v); err == nil && able { // an error: the kernel doesn't know it
			if err := errors.Join(left.SetFlag(cap.Permitted, true, v), left.SetFlag(cap.Effective, true, v)); err != nil {
				return err
			}
		}
	}
	if able, err := has.GetFlag(cap.Effective, cap.SETPCAP); err == nil && able {
		for v := range cap.MaxBits() {
			if wanted[v] {
				continue
			}
			if err := cap.DropBound(v); err != nil {
				return err
			}
		}
	}
	// Ambient ones go with those that may be inherited.
	if err := left.SetProc(); err != nil {
		return err
	}
	_, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	return err
}
