package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// Rules of the user's file and of the command line widen every list, and one
// that can't be is refused with its line.
func TestRules(t *testing.T) {
	rules := func(text string) string {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "lxd-allowlist"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "lxd-allowlist", "rules"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	var log strings.Builder
	for _, name := range []string{"xn--bcher-kva.example", "example.com", "a.mirrors.example", "ads.mirrors.example"} {
		log.WriteString("Jan  8 21:51:56 dnsmasq[1]: query[A] " + name + " from 192.0.2.5\n")
	}
	for _, test := range []struct {
		rules, flags string
		code         int
		out, says    string
	}{
		{"drop .bücher.example # typed as people write it\n", "", 0, "ads.mirrors.example\na.mirrors.example\nexample.com\n", "left out: 1 by your rules"},
		{"drop .bücher.example\ndrop example.com:443\n", "", 1, "", "line 2: \"example.com:443\" has a port"},
		{"\ufeffkeep .mirrors.example\n", "", 0, "xn--bcher-kva.example\nexample.com\n.mirrors.example\n", ""},
		{"drop ads.mirrors.example\nkeep .mirrors.example\n", "", 0, "xn--bcher-kva.example\nexample.com\n.mirrors.example\n", "ads.mirrors.example was dropped, and a wider rule allows it all the same"},
		{"keep .co.uk\n", "", 1, "", "line 1: \".co.uk\" is a public suffix"},
		{"drop .mirrors.example", "--suffix .mirrors.example --suffix Bücher.example", 0, "example.com\n.xn--bcher-kva.example\n.mirrors.example\n", ".mirrors.example was dropped, and a wider rule allows it all the same"},
		{"", "--suffix ubuntu.com --suffix mirrors.example", 0, ".mirrors.example\n.ubuntu.com\nexample.com\nxn--bcher-kva.example\n", "lxd-allowlist: --suffix ubuntu.com: nothing of that was asked for; .ubuntu.com is on the list all the same\n"},
		{"", "--suffix co.uk", 2, "", "--suffix: \"co.uk\" is a public suffix"},
		{"", "--suffix a.example --all", 2, "", "--all applies no rule"},
	} {
		c := start(t, append([]string{"export", "-"}, strings.Fields(test.flags)...)...)
		c.Env = append(c.Env, "XDG_CONFIG_HOME="+rules(test.rules))
		c.Stdin = strings.NewReader(log.String())
		stdout, stderr, code := run(t, c)
		got, want := strings.SplitAfter(stdout, "\n"), strings.SplitAfter(test.out, "\n")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("%q %s: exit code %d, standard output %q, standard error %q, want %d, %q, %q", test.rules, test.flags, code, stdout, stderr, test.code, test.out, test.says)
		}
	}
}

// A session says where its list went, and goes by its name or by its age.
func TestSessions(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	here := func(args ...string) *exec.Cmd {
		c := start(t, args...)
		c.Env = append(os.Environ(), asProgram+"=1")
		return c
	}
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := run(t, here("sessions")); code != 0 || stdout != "" || stderr != "no session is kept in "+dir+": lxd-allowlist INSTANCE, or lxd-allowlist record INSTANCE -- COMMAND, begins one\n" {
		t.Errorf("of none: exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	var names []string
	for i, age := range []time.Duration{time.Hour, 29 * 24 * time.Hour, 40 * 24 * time.Hour, 400 * 24 * time.Hour, 500 * 24 * time.Hour} {
		s, err := session.Create(capture.Info{Instance: "dnstest", Network: "lxdbr0", Started: time.Now().Add(-age)})
		if err != nil {
			t.Fatal(err)
		}
		s.Ledger.Feed([]byte("query[A] a.example from 10.0.0.5\n"), time.Now(), false)
		s.Ledger.Decide(capture.Keep, 0)
		names = append(names, sessionOf(s.Ledger))
		if i == 3 {
			defer s.Close() // stays in use
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, names[i]+".jsonl")
		if i == 4 {
			err = os.WriteFile(path, []byte("no journal"), 0o600)
		}
		if err = errors.Join(err, os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	list := func(want ...string) {
		t.Helper()
		stdout, stderr, code := run(t, here("sessions"))
		for _, words := range want {
			found := false
			for line := range strings.Lines(stdout) {
				found = found || strings.Contains(strings.Join(strings.Fields(line), " "), words)
			}
			if !found {
				t.Errorf("no line says %q:\n%s", words, stdout)
			}
		}
		if code != 0 || stderr != "" || strings.Count(stdout, "\n") != len(want)+1 {
			t.Errorf("exit code %d, standard error %q, want %d sessions:\n%s", code, stderr, len(want), stdout)
		}
	}
	list(" 1h 1 1 dnstest on lxdbr0 unexported", " 29d 1 1 dnstest on lxdbr0 unexported", " 40d 1 1 ", " in use, unexported", " unreadable: ")
	c := here("export", names[0], "--output", "allow.txt")
	if _, stderr, code := run(t, c); code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if _, stderr, code := run(t, here("export", names[3])); code != 0 || !strings.Contains(stderr, "note the export") {
		t.Errorf("of one in use: exit code %d, %q", code, stderr)
	}
	real, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	list(" 1 1 dnstest on lxdbr0 exported "+time.Now().Format("2006-01-02"), " 29d ", " to "+real+"/allow.txt (plain)", " in use", " unreadable: ")

	stdout, _, code := run(t, here("sessions", "prune", "--older", "30d", "--dry-run"))
	if code != 0 || !strings.Contains(stdout, "would remove "+names[2]+": dnstest on lxdbr0, 1 domain of ") || !strings.Contains(stdout, "would remove 1 of 5 sessions\n") {
		t.Errorf("dry run: exit code %d\n%s", code, stdout)
	}
	stdout, _, code = run(t, here("sessions", "prune", "--older", "30d"))
	if code != 0 || !strings.Contains(stdout, "\nremoved 1 of 5 sessions\n") || !strings.Contains(stdout, "left "+names[4]+": unreadable") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if stdout, stderr, code := run(t, here("sessions", "rm", names[1], names[3], "none", names[4])); code != 1 ||
		stdout != "removed "+names[1]+"\nremoved "+names[4]+"\n" || strings.Count(stderr, "\n") != 2 || !strings.Contains(stderr, "another lxd-allowlist has it open") {
		t.Errorf("rm: exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	list(" exported ", " in use")
	for _, args := range [][]string{{"sessions", "prune"}, {"sessions", "prune", "--older", "30"}, {"sessions", "prune", "--older", "-1h"}, {"sessions", "rm"}, {"sessions", "none"}} {
		if stdout, stderr, code := run(t, here(args...)); code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q", args, code, stdout, stderr)
		}
	}
}
