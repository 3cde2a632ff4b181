package e2e

import (
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// Learn, enforce, run it again, allow what was refused, by its name, a suffix and a
// pattern, and have the verdict in the file; learn beside the list; then the bridge
// is as it was.
func TestVerify(t *testing.T) {
	bridge, instance, before := fixture(t)
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("nslookup a.example.test >/dev/null")
	s.row("new", "a.example.test")
	s.keys("C-]", "V")
	s.sees("Enforce the list", "is put in force for ", "▸ names", "names and packets")
	s.keys("Enter")
	s.sees("▣ enforcing 1 rule · 0 blocked")
	s.row("a.example.test", "unused")

	s.keys("Tab")
	s.types("nslookup a.example.test >/dev/null; nslookup b.example.test; nslookup c.example.test >/dev/null; echo do''ne")
	s.sees("· 2 blocked", "▣ blocked: ", "done")
	s.row("▣ out", "b.example.test", "blocked")
	s.row("▣ out", "c.example.test", "blocked")
	s.row("a.example.test", "used")
	s.keys("C-]")
	s.row("▌▣ out", "c.example.test")
	s.keys("d")
	s.row("c.example.test", "expected")
	s.row("▌▣ out", "b.example.test")
	s.keys("a")
	s.row("✓ keep", "b.example.test", "allowed late")
	s.sees("▣ enforcing 2 rules · 0 blocked")
	s.keys("Tab")
	s.types("clear; nslookup b.example.test 2>&1 | grep -c 192.0.2.7")
	s.until("an answer", func(screen string) bool { return strings.Contains(screen, "1 ") || strings.Contains(screen, "1\n") })

	s.types("clear; for n in r1.pool r2.pool r3.pool d.sub e.sub; do nslookup $n.example.test; done >/dev/null 2>&1")
	s.sees("· 5 blocked")
	s.keys("C-]")
	s.row("▌▣", "e.sub.example.test", "blocked")
	s.keys("w")
	s.sees("▸ .sub.example.test")
	s.keys("Enter")
	s.row("✓", "d.sub.example.test", "allowed late")
	s.sees("▣ enforcing 3 rules · 3 blocked")
	s.selects("r3.pool.example.test")
	s.keys("w")
	s.sees("▸ .pool.example.test")
	s.keys("Down", "Down")
	s.sees("▸ r<")
	s.keys("Enter")
	s.row("✓", "r1.pool.example.test", "allowed late")
	s.sees("· 0 blocked")
	// What comes later of both is answered, and nothing else.
	s.keys("Tab")
	s.types("clear; for n in f.sub r7.pool x7.pool; do nslookup -type=a $n.example.test 2>&1 | grep -c 192.0.2.7; done | tr '\\n' ,")
	s.sees("1,1,0,")
	s.row("x7.pool.example.test", "blocked")

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
	s.sees("▣ enforcing 8 rules · 0 blocked")
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

	// Beside the list everything is let through, and what it would block is marked.
	s.keys("V", "Down", "Down", "Enter")
	s.sees("▣ learning against")
	s.keys("Tab")
	s.types("clear; nslookup -type=a later.example.test 2>&1 | grep -c 192.0.2.7; nslookup b.example.test >/dev/null")
	s.sees("▣ would be blocked: ")
	s.row("▣", "later.example.test", "would block")
	s.row("b.example.test", "covered")
	s.until("an answer", func(screen string) bool { return strings.Contains(screen, "1 ") || strings.Contains(screen, "1\n") })
	s.keys("C-]")
	s.row("▌▣", "later.example.test")
	s.keys("d")
	s.row("later.example.test", "expected")
	s.keys("V")
	s.sees("✓ the list covers what was asked for", "nothing was refused")
	s.keys("q")
	s.until("the report to close", func(screen string) bool { return !strings.Contains(screen, "─ Report ─") })

	// Quitting ends what is in force.
	s.keys("V", "Down", "Enter")
	s.sees("▣ enforcing ")
	s.keys("q")
	s.sees("verified not yet: the list is in force")
	s.keys("n")
	s.exits(0)
	lxdtest.Unchanged(t, bridge, before)
}
