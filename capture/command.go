package capture

import (
	"slices"
	"time"
)

// Command is a line that was entered in the instance's shell.
type Command struct {
	At   time.Time `json:"at"`
	Line string    `json:"line"`
}

// Entered notes a command. Names that come up from now on, until the next one,
// are taken to be its.
func (l *Ledger) Entered(c Command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.At = c.At.Round(0)
	l.commands = append(l.commands, c)
	if l.sink != nil {
		l.sink.Entered(c)
		l.sink.Told()
	}
}

// Commands returns the commands that were entered, in their order.
func (r Reader) Commands() []Command { return slices.Clip(r.l.commands) }

// CommandAt returns the last of commands that was entered by a time; false for
// none.
func CommandAt(all []Command, at time.Time) (Command, bool) {
	for _, c := range slices.Backward(all) {
		if !c.At.After(at) {
			return c, true
		}
	}
	return Command{}, false
}
