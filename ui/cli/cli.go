// Package cli is the command line: verbs, flags, wiring and exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"charm.land/fang/v2"
)

// version is that of the program, see [Main].
var version string

func program() string { return "lxd-allowlist " + version }

// Exit codes; record hands its command's code through. With --diff they are
// those of diff(1): 1 says that the list has changed, 2 that nobody knows.
const (
	exitFailed, exitChanged = 1, 1
	exitUsage, exitTrouble  = 2, 2
)

// exit is an error with the code that it ends the program with.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// errQuiet has nothing to say: the code is all.
var errQuiet = errors.New("the exit code is not 0")

// wrong is a call that was wrong.
func wrong(err error) error {
	return exit{exitUsage, fmt.Errorf("%w; see lxd-allowlist --help", err)}
}

// Main runs the program as its arguments say, and returns its exit code. of is
// its version.
func Main(of string) (code int) {
	version = of
	if err := dropPrivileges(); err != nil {
		fmt.Fprintf(os.Stderr, "lxd-allowlist: %v\n", err)
		return exitTrouble
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := fang.Execute(ctx, command(), fang.WithVersion(version), fang.WithErrorHandler(report))
	var e exit
	if err != nil && !errors.As(err, &e) {
		e.code = exitFailed
	}
	return e.code
}

// report says what went wrong, a line each where it is several things. A code
// is said by itself.
func report(w io.Writer, styles fang.Styles, err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			report(w, styles, one)
		}
		return
	}
	if e, ok := err.(exit); !ok || e.error != errQuiet {
		fmt.Fprintf(w, "lxd-allowlist: %v\n", err)
	}
}

// say writes a sentence for the user, beside the data.
func say(text string) { fmt.Fprintln(os.Stderr, "lxd-allowlist: "+text) }
