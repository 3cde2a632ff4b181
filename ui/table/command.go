package table

import (
	"strings"

	"lxd-allowlist/capture"
)

// commandTerm returns the term of cmd:VALUE: names that came up after a command
// whose line has the value in it, and before the next one. A + stands for a
// blank, too.
func commandTerm(value string) condition {
	spaced := strings.ReplaceAll(value, "+", " ")
	return func(c candidate) bool {
		command, ok := capture.CommandAt(c.r.Commands(), c.d.First())
		line := strings.ToLower(command.Line)
		return ok && (strings.Contains(line, value) || strings.Contains(line, spaced))
	}
}
