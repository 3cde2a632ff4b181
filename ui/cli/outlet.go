package cli

import (
	"io"
	"os"
	"sync/atomic"

	xterm "golang.org/x/term"

	"lxd-allowlist/ui/term"
)

// coloured is set once a command's output may have coloured the terminal, so
// that what is said meanwhile isn't hidden in its colours.
var coloured atomic.Bool

// outlet returns where one stream of a command's output goes: a terminal is shown
// what [term.Filter] lets through, a file or pipe gets the bytes as they came.
// end is called when the command has ended.
func outlet(to *os.File) (w io.Writer, end func()) {
	if !xterm.IsTerminal(int(to.Fd())) {
		return to, func() {}
	}
	coloured.Store(true)
	f := term.NewFilter(to)
	return f, func() { _ = f.Close() } // a terminal that is gone takes no more
}
