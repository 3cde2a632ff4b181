package table

import (
	"strings"

	"lxd-allowlist/capture"
)

// commandTerm returns the term of cmd:VALUE: names that came up after a command
// whose line has the value in it, and before the next one.
func commandTerm(value string) condition {
	return func(c candidate) bool {
		command, ok := capture.CommandAt(c.r.Commands(), c.First())
		return ok && entered(strings.ToLower(command.Line), value)
	}
}

// entered reports whether a command's line has a value in it. A + stands for a
// blank, too.
func entered(line, value string) bool {
	return strings.Contains(line, value) || strings.Contains(line, strings.ReplaceAll(value, "+", " "))
}

// enteredLines is where a census has the lines of all commands, whether names
// came up after them or not.
const enteredLines = "entered lines"

// enter takes up commands that were entered: their lines, and how they begin.
func (c census) enter(all []capture.Command) {
	if c[enteredLines] == nil {
		c[enteredLines] = make(map[string]int)
	}
	for _, command := range all {
		first, _, _ := strings.Cut(command.Line, " ")
		c[enteredLines][strings.ToLower(command.Line)] = 1
		c["cmd"][dashed(first)] += 0
	}
}
