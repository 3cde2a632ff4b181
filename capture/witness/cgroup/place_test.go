package cgroup

import "testing"

func TestPlace(t *testing.T) {
	const hybrid = "30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n31 30 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n"
	for mountinfo, want := range map[string]string{
		hybrid: "",
		hybrid + "39 30 0:35 / /sys/fs/cgroup/unified rw,nosuid shared:10 master:1 - cgroup2 cgroup2 rw\n": "/sys/fs/cgroup/unified",
		"25 20 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n":                                             "/sys/fs/cgroup",
		"25 20 0:22 /../.. /a rw - cgroup2 x rw\n26 20 0:22 / /b\\040c rw - cgroup2 x rw\n":                "/b c",
		"25 20 0:22 / /cgroup2 rw - ext4 cgroup2 rw\nbroken\n":                                             "",
	} {
		if got := mountOf(mountinfo); got != want {
			t.Errorf("%q is %q, want %q", mountinfo, got, want)
		}
	}
	for cgroups, want := range map[string]string{
		"0::/lxc.payload.web\n": "lxc.payload.web",
		"4:cpu:/lxc.payload.web\n0::/lxc.payload.web-1/init.scope\n": "lxc.payload.web-1",
		"0::/lxc.payload.project_web/lxc.payload.evil\n":             "lxc.payload.project_web",
		"0::/lxc.payload/web/system.slice\n":                         "lxc.payload/web",
		"0::/system.slice/lxc.payload.web/x\n":                       "system.slice/lxc.payload.web",
		"0::/../lxc.payload.web\n":                                   "",
		"0::/\n":                                                     "",
		"0::/lxc.monitor.web\n":                                      "",
		"4:cpu:/lxc.payload.web\n":                                   "",
		"0::/lxc.payload\n":                                          "",
	} {
		if got := groupOf(cgroups); got != want {
			t.Errorf("%q is %q, want %q", cgroups, got, want)
		}
	}
	for status, want := range map[string]int{"Name:\tinit\nNSpid:\t4711\t1\n": 1, "NSpid:\t9\t3\t1\n": 2, "NSpid:\t9\n": 0, "NSpid:\t\n": 0, "": 0} {
		if got := depthOf(status); got != want {
			t.Errorf("%q is %d deep, want %d", status, got, want)
		}
	}
}
