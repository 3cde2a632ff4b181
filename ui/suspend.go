package ui

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// suspends stops the program until the user's shell has it go on. Nothing is
// lost meanwhile: dnsmasq goes on logging, and what it logged is read then.
func suspends[T any](T) tea.Cmd { return tea.Suspend }

// needsJobs says why the program can't be suspended: nobody is there who would
// have it go on.
func needsJobs[T any](T) string {
	if belowShell() {
		return ""
	}
	return "there is no shell below to come back from"
}

// belowShell reports whether the kernel would stop the program: it ignores that one
// is to stop in an orphaned process group (POSIX), and it would wait for good. What
// is drawn in tests doesn't depend on who runs them.
var belowShell = func() bool {
	group, err := unix.Getpgid(0)
	for pid := os.Getppid(); err == nil && pid > 1; pid, err = parentOf(pid) {
		its, err := unix.Getpgid(pid)
		if err != nil {
			return false
		}
		if its == group {
			continue
		}
		ours, _ := unix.Getsid(0)
		theirs, err := unix.Getsid(pid)
		return err == nil && theirs == ours
	}
	return false
}

func parentOf(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nPPid:")
	line, _, _ := strings.Cut(rest, "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// needsNoList has nobody suspend what answers an instance's queries.
func needsNoList(m *monitor) string {
	if m.enforcing.stage != stageOff {
		return m.enforcing.words().inForce + ": suspended, the program would answer no query of the instance; " + m.keys.Show(rowVerify) + " ends that first"
	}
	return needsJobs(m)
}
