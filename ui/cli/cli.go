// Package cli is the command line: verbs, flags, wiring and exit codes.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/ui/look"
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

// callError is a call that was wrong, and of which command.
type callError struct {
	error
	command string
}

func (e *callError) Error() string { return e.error.Error() + "; see " + e.command + " --help" }

func (e *callError) Unwrap() error { return e.error }

// wrong is a call that was wrong.
func wrong(err error) error {
	return exit{exitUsage, &callError{err, "lxd-allowlist"}}
}

// called says which command was called wrongly, if that is the error.
func called(c *cobra.Command, err error) error {
	var e *callError
	if errors.As(err, &e) {
		e.command = c.CommandPath()
	}
	return err
}

// nameCalls has the errors of a command and of those below it name the command
// that was called wrongly.
func nameCalls(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			faultCode.Store(int32(codeOfFault(c)))
			return called(c, run(c, args))
		}
	}
	for _, below := range c.Commands() {
		nameCalls(below)
	}
}

// knownShells has cobra's command for completions say so where it doesn't know
// the shell.
func knownShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	c, _, err := root.Find([]string{"completion"})
	if err != nil {
		return
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, a []string) error {
		if err := count(c, a, 0, 0); err != nil {
			return wrong(err)
		}
		return c.Help()
	}
}

// knownCommands has cobra's help say so where there is no such command.
func knownCommands(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	c, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	c.Use, c.Short, c.Long = "help [COMMAND]", "Show the help of a command", ""
	c.Run, c.RunE = nil, func(_ *cobra.Command, a []string) error {
		of, left, err := root.Find(a)
		if err == nil && len(left) > 0 {
			err = errors.New(cmp.Or(mistyped(of, left[0]), fmt.Sprintf("there is no command %q", strings.Join(a, " "))))
		}
		if err != nil {
			return wrong(err)
		}
		return of.Help()
	}
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
	ctx, cancel := context.WithCancelCause(ctx)
	faultCode.Store(exitFailed)
	crash.Ends(endBy(cancel))
	var err error
	crash.Guarded("the command", func() {
		root := command()
		knownShells(root)
		nameCalls(root)
		knownCommands(root) // whose errors name the program
		if err = root.ExecuteContext(ctx); err != nil {
			report(os.Stderr, err)
		}
	})()
	if p := crash.Err(); p != nil {
		say(p.Error() + kept())
		return int(faultCode.Load())
	}
	var e exit
	if err != nil && !errors.As(err, &e) {
		e.code = exitFailed
	}
	return e.code
}

// report says what went wrong, a line each where it is several things. A code
// is said by itself, as what follows from a panic is.
func report(w io.Writer, err error) {
	if p := crash.Err(); p != nil && (errors.Is(err, p) || errors.Is(err, context.Canceled) || errors.Is(err, crash.ErrUnknown)) {
		if _, several := err.(interface{ Unwrap() []error }); !several {
			return
		}
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			report(w, one)
		}
		return
	}
	if e, ok := err.(exit); !ok || e.error != errQuiet {
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			lines[i] = look.Clean(line)
		}
		fmt.Fprintf(w, "lxd-allowlist: %s\n", strings.Join(lines, "\n"))
	}
}

// say writes a sentence for the user, beside the data. As in what [report]
// writes, the name of a file may be in it that somebody else has chosen.
func say(text string) {
	plain := ""
	if coloured.Load() {
		plain = ansi.ResetStyle
	}
	fmt.Fprintln(os.Stderr, plain+"lxd-allowlist: "+look.Clean(text))
}

// latePatience is how long LXD may take with what takes it a moment before that
// is said.
const latePatience = 10 * time.Second

// sayLate says that LXD is waited for, and what for, unless what is waited for is
// over soon, which the function that it returns tells.
func sayLate(what string) (over func()) {
	late := time.AfterFunc(latePatience, func() { say(what + ": waiting for LXD, which is away, hangs or is busy") })
	return func() { late.Stop() }
}
