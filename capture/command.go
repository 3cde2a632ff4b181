package capture

import (
	"slices"
	"sort"
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

// CommandsSince returns how many of commands were entered after a time.
func CommandsSince(all []Command, at time.Time) int {
	return len(all) - sort.Search(len(all), func(i int) bool { return all[i].At.After(at) })
}

// CommandAt returns the last of commands, which are in their order, that was
// entered by a time; false for none.
func CommandAt(all []Command, at time.Time) (Command, bool) {
	i := len(all) - CommandsSince(all, at)
	if i == 0 {
		return Command{}, false
	}
	return all[i-1], true
}
