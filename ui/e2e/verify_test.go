package e2e

import (
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// Learn, enforce, run it again, allow what was refused, and have the verdict in
// the file; then the bridge is as it was.
func TestVerify(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("nslookup a.example.test >/dev/null")
	s.row("new", "a.example.test")
	s.keys("C-]", "V")
	s.sees("Enforce the list", instance+", and nobody else on the bridge", "▸ names", "names and packets")
	s.keys("Enter")
	s.sees("▣ enforcing 1 rule · 0 blocked")
	s.row("a.example.test", "unused")

	s.keys("Tab")
	s.types("nslookup a.example.test >/dev/null; nslookup b.example.test; nslookup c.example.test >/dev/null; echo do''ne")
	s.sees("· 2 blocked", "▣ blocked: ", "done")
	s.row("▣ new", "b.example.test", "blocked")
	s.row("▣ new", "c.example.test", "blocked")
	s.row("a.example.test", "used")
	s.keys("C-]")
	s.row("▌▣ new", "c.example.test")
	s.keys("d")
	s.row("c.example.test", "expected")
	s.row("▌▣ new", "b.example.test")
	s.keys("a")
	s.row("✓ keep", "b.example.test", "allowed late")
	s.sees("▣ enforcing 2 rules · 0 blocked")
	s.keys("Tab")
	s.types("clear; nslookup b.example.test 2>&1 | grep -c 192.0.2.7")
	s.until("an answer", func(screen string) bool { return strings.Contains(screen, "1 ") || strings.Contains(screen, "1\n") })

	s.keys("C-]", "V")
	s.sees("✗ something was blocked", "▣ b.example.test", "– c.example.test", "expected: dropped", "was refused")
	s.keys("Enter")
	s.sees("wrote the report to " + instance + "-verified.md")
	if got := s.file(instance + "-verified.md"); !strings.Contains(got, "something was blocked") {
		t.Errorf("the report is\n%s", got)
	}

	// The list as it is now.
	s.keys("V")
	s.sees("the last report")
	s.keys("Enter")
	s.sees("▣ enforcing 2 rules · 0 blocked")
	s.keys("Tab")
	s.types("nslookup b.example.test >/dev/null")
	s.row("b.example.test", "used")
	s.keys("C-]", "V")
	s.sees("✓ works with this list", "queries ")
	s.keys("q")
	s.until("the report to close", func(screen string) bool { return !strings.Contains(screen, "─ Report ─") })
	s.keys("q")
	s.sees("verified works with this list, tried at ")
	s.keys("Escape")
	s.until("the dialog to close", func(screen string) bool { return !strings.Contains(screen, "─ Quit ─") })

	// Quitting ends what is in force.
	s.keys("V", "Down", "Enter")
	s.sees("▣ enforcing 2 rules")
	s.keys("q")
	s.sees("verified not yet: the list is in force")
	s.keys("n")
	s.exits(0)
	lxdtest.Unchanged(t, bridge, before)
}
