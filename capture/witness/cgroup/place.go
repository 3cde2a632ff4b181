package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// suits says why nothing can be seen from here, whatever the instance.
func suits() error {
	if os.Geteuid() != 0 {
		return errors.New("processes can't be told: it takes root")
	}
	// In the initial namespace of processes, which alone programs count by, it
	// has this number: PROC_PID_INIT_INO of the kernel's linux/proc_ns.h.
	if of, err := os.Readlink("/proc/self/ns/pid"); err != nil || of != "pid:[4026531836]" {
		return errors.New("processes can't be told: this program is in a container itself, and the kernel counts processes as the host does; run it on the host")
	}
	return nil
}

// payload begins the name of the cgroup that LXC gives a container, whatever
// its project and however often the name was taken before.
const payload = "lxc.payload"

// place returns the directory of the cgroup of the container with that first
// process, and how deep its namespace of processes lies below the host's.
func place(pid int) (dir string, depth int, err error) {
	refuse := func(why string, args ...any) (string, int, error) {
		return "", 0, fmt.Errorf("processes can't be told: "+why, args...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return refuse("find cgroup v2: %w", err)
	}
	mount := mountOf(string(mounts))
	if mount == "" {
		return refuse("cgroup v2 isn't mounted here: boot with systemd.unified_cgroup_hierarchy=1")
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return refuse("find the instance's cgroup: %w", err)
	}
	group := groupOf(string(groups))
	if group == "" {
		return refuse("the instance has no cgroup v2 of its own (%s...): it is no container, or LXD was started without cgroup v2", payload)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return refuse("find the instance's first process: %w", err)
	}
	if depth = depthOf(string(status)); depth == 0 {
		return refuse("the instance's processes are the host's: process %d is in no namespace of its own", pid)
	}
	return filepath.Join(mount, group), depth, nil
}

// mountOf returns where the whole of cgroup v2 is mounted, of the lines of
// /proc/PID/mountinfo: "ID PARENT DEVICE ROOT TARGET OPTIONS... - TYPE ...".
func mountOf(mountinfo string) string {
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		const root, target = 3, 4
		if strings.HasPrefix(after, "cgroup2 ") && len(fields) > target && fields[root] == "/" {
			return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[target])
		}
	}
	return ""
}

// groupOf returns the cgroup that LXC made for a container, of the lines of its
// first process's /proc/PID/cgroup: "0::/lxc.payload.NAME/init.scope". The
// outermost one, for whatever is below it the instance may name as it likes.
func groupOf(cgroups string) string {
	for line := range strings.Lines(cgroups) {
		path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::/")
		if !ok {
			continue
		}
		parts := strings.Split(path, "/")
		for i, part := range parts {
			switch {
			case part == "..":
				return ""
			case part == payload && i+1 < len(parts): // LXC 4.0: lxc.payload/NAME
				return strings.Join(parts[:i+2], "/")
			case strings.HasPrefix(part, payload+"."):
				return strings.Join(parts[:i+1], "/")
			}
		}
	}
	return ""
}

// depthOf returns how deep a process's namespace lies below the host's, of
// the lines of /proc/PID/status: "NSpid: HOST ... INSIDE".
func depthOf(status string) int {
	for line := range strings.Lines(status) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			return max(len(strings.Fields(numbers))-1, 0)
		}
	}
	return 0
}
