//go:build beyond

package proof

import "testing"

// The sandbox of Claude Code takes the list by its own schema, and its own
// matcher says for each name what its filter would.
func TestClaudeCode(t *testing.T) {
	f := format(t, "claude-code")
	prove(t, f, func(t *testing.T, path string) target {
		return verdicts(t, checker(t, f.Name, path))
	}, hostQuestions...)
}
