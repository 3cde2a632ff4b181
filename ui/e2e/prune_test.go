package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// opened is the screen on a log of a few domains, without any LXD.
func opened(t *testing.T, args ...string) *screen {
	t.Helper()
	t.Setenv("LXD_DIR", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	path := filepath.Join(t.TempDir(), "dns.log")
	var log strings.Builder
	for _, name := range []string{"a.example.com", "b.example.com", "www.github.io", "x.tracker.net", "y.tracker.net"} {
		log.WriteString("Nov 24 10:00:00 dnsmasq[1]: query[A] " + name + " from 10.0.0.5\n")
	}
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, 120, 36, append([]string{"open", path}, args...)...)
	s.row("new", "y.tracker.net")
	return s
}

// A group is decided about at once; a suffix, a reason and what was written
// before come through to the file.
func TestGroupsReasonsAndMerge(t *testing.T) {
	s := opened(t, "--format", "squid", "--output", "list")
	old := "# by hand\nold.example.org\n"
	if err := os.WriteFile(filepath.Join(s.dir, "list"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	s.keys("t", "g")
	s.row("▌", "example.com", "2 new")
	s.keys("w", "Enter")
	s.row("example.com", "✓ keep *.example.com")
	s.selects("tracker.net")
	s.keys("d")
	s.row("tracker.net", "✗ drop all")
	s.row("✗ drop", " x ")
	s.selects("www.github.io")
	s.row("▌", "new", "www.github.io")
	s.keys("n")
	s.sees("why www.github.io is on the list")
	s.types("the manual, ticket 4711")
	s.keys("q")
	s.sees("2 rules", "# the manual, ticket 4711")
	s.keys("Enter")
	s.sees("it exists:", "+ .example.com", "+ www.github.io", "- old.example.org")
	s.keys("m")
	s.exits(0)
	got := s.file("list")
	for _, want := range []string{"\n.example.com\n", "\nold.example.org\n", "# the manual, ticket 4711\nwww.github.io\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the file lacks %q:\n%s", want, got)
		}
	}
}

// A rule of the user's own holds at once, and in the next session.
func TestRuleForAlways(t *testing.T) {
	s := opened(t)
	s.keys("/")
	s.types("tracker")
	s.sees("2 of 5")
	s.keys("p")
	s.sees("A rule for always", "keep y.tracker.net")
	s.keys("C-u")
	s.types("drop .tracker.net # nobody needs it")
	s.row("✗ drop", "x.tracker.net", "nobody needs it")
	s.keys("Escape") // the filter goes
	s.sees("Domains 5")
	s.keys("q")
	s.sees("3 rules", "quit, no file")
	s.keys("n")
	s.exits(0)
	rules, err := os.ReadFile(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "lxd-allowlist", "rules"))
	if err != nil || string(rules) != "drop .tracker.net # nobody needs it\n" {
		t.Errorf("the rules file has %q, %v", rules, err)
	}
}

// What was decided in a session is there when it is opened again, and can be
// undone.
func TestResume(t *testing.T) {
	s := opened(t)
	s.sees("Domains 5")
	s.keys("j", "g")
	s.row("▌", "y.tracker.net")
	s.keys("v", "j", "d")
	s.row("✗ drop", "x.tracker.net")
	s.row("✗ drop", "y.tracker.net")
	s.quits()
	sessions, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "lxd-allowlist", "sessions", "*.jsonl"))
	if err != nil || len(sessions) != 1 {
		t.Fatalf("sessions: %v, %v", sessions, err)
	}
	s.start(100, 30, "open", strings.TrimSuffix(filepath.Base(sessions[0]), ".jsonl"))
	s.row("✗ drop", "y.tracker.net")
	s.keys("u")
	s.sees("undid: drop 2 domains")
	s.row("new", "y.tracker.net")
}

// A dropped name that a suffix rule allows is warned of, at once and at the
// end.
func TestDropBelowASuffix(t *testing.T) {
	s := opened(t)
	s.selects("y.tracker.net")
	s.keys("w", "Enter")
	s.row("✓ keep", "x.tracker.net")
	s.keys("d")
	s.sees("a suffix rule allows y.tracker.net all the same")
	s.keys("q")
	s.sees("dropped, but a wider rule allows y.tracker.net", ".tracker.net")
	s.keys("n")
	s.exits(0)
}
