package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/owner"
)

// crashPatience bounds how long the program may take to end in order after a
// panic: whoever had it may have held what the end waits for. To give a bridge
// back takes LXD a second or two, and longer where LXD itself is away.
const crashPatience = time.Minute

// endBy returns what ends the program by its context, and otherwise, where that
// fails, at once: then the terminal alone is put back.
func endBy(cancel context.CancelCauseFunc) func(*crash.Panic) {
	before, err := term.GetState(int(os.Stdin.Fd()))
	return func(p *crash.Panic) {
		keep(p)
		cancel(p)
		time.AfterFunc(crashPatience, func() {
			if err == nil {
				fmt.Print(ansi.ResetModeAltScreenSaveCursor + ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseExtSgr + ansi.ResetModeBracketedPaste + ansi.SetModeTextCursorEnable + ansi.ResetStyle)
				_ = term.Restore(int(os.Stdin.Fd()), before)
			}
			say(p.Error() + kept() + "; it could not end in order: run lxd-allowlist restore")
			os.Exit(int(faultCode.Load()))
		})
	}
}

// faultCode is what a panic ends the command with that runs.
var faultCode atomic.Int32

// codeOfFault returns what a panic ends a command with: not with 1 where that
// says something of a list.
func codeOfFault(c *cobra.Command) int {
	f := c.Flags()
	if c.Name() == "verify" || c.Name() == "minimize" || f.Changed("diff") || f.Changed("covered-by") {
		return exitTrouble
	}
	return exitFailed
}

// tracePath is where the trace of the last panic is, "" where it could not be
// written.
var tracePath string

// keep writes a panic's trace beside the sessions. It has the program's own
// places only, and what the panic said.
func keep(p *crash.Panic) {
	dir, err := session.Dir()
	if err != nil {
		return
	}
	dir = filepath.Dir(dir)
	if owner.MkdirAll(dir) != nil {
		return
	}
	f, err := os.CreateTemp(dir, "crash-*.txt")
	if err != nil {
		return
	}
	defer f.Close()
	_ = owner.Give(f) // root's is better than none
	if _, err := fmt.Fprintf(f, "%s, %s\n%v\n\n%s", program(), time.Now().Format(time.RFC3339), p, p.Trace); err == nil {
		tracePath = f.Name()
	}
}

// kept says where the trace of a panic is.
func kept() string {
	if tracePath == "" {
		return ""
	}
	return "; please report it with " + tracePath
}
