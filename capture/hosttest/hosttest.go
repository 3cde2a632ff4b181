// Package hosttest gives the tests of a package a host of their own, and threads
// that may be changed.
package hosttest

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is in the environment of tests that are there.
const inside = "LXD_ALLOWLIST_TEST_HOST"

// Enter has the process go on in a network namespace of its own, which is the
// host of its tests: nothing of the machine's is touched, and nothing is left
// when the process has ended, however it did. It is called by TestMain, and does
// nothing without root.
func Enter() {
	if os.Geteuid() != 0 || Inside() {
		return
	}
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), inside+"=1"))
	}
	fmt.Fprintln(os.Stderr, "enter a network namespace for the tests:", err)
	os.Exit(1)
}

// Inside reports whether the process is there.
func Inside() bool { return os.Getenv(inside) != "" }

// OnThread calls f on a thread that ends with it, whatever f made of it.
func OnThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and no unlock
		f()
	}()
	<-done
}
