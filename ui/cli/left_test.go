package cli

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness/witnesstest"
)

// kill kills the program where it stands and has what the kernel kept for it
// gone. It returns that, nothing where the program was over.
func kill(t *testing.T, c *exec.Cmd) (h witnesstest.Held) {
	t.Helper()
	pid := c.Process.Pid
	if err := c.Process.Signal(unix.SIGSTOP); errors.Is(err, os.ErrProcessDone) {
		return h
	} else if err != nil {
		t.Fatal(err)
	}
	// Reading a stopped process, nothing that it makes is missed.
	err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED, nil)
	if errors.Is(err, unix.ECHILD) {
		return h
	}
	if err != nil {
		t.Fatal(err)
	}
	h = witnesstest.HeldBy(t, pid)
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	h.AwaitGone(t)
	return h
}
