package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

func TestFormats(t *testing.T) {
	table, stderr, code := run(t, start(t, "formats"))
	if code != 0 || stderr != "" || !strings.Contains(table, "\nsquid ") || !strings.Contains(table, "\ntemplate=FILE ") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, table)
	}
	one, stderr, code := run(t, start(t, "formats", "unbound"))
	if code != 0 || stderr != "" || !strings.HasPrefix(one, "unbound: ") || !strings.Contains(one, "\n  widens ") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, one)
	}
	if template, _, code := run(t, start(t, "formats", "Template")); code != 0 || !strings.Contains(template, ".Rules") || !strings.Contains(template, "regexp") {
		t.Errorf("exit code %d, %s", code, template)
	}
	if list, stderr, code := run(t, start(t, "export", "--format", "RPZ", "/no/such/log")); code == 0 || strings.Contains(stderr, "no format") {
		t.Errorf("exit code %d, %q, %q", code, list, stderr)
	}
}

func TestWrongCalls(t *testing.T) {
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	existing := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(existing, []byte("a.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(t.TempDir(), "session.jsonl")
	if err := os.WriteFile(journal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--no-such-flag"}, 2, "no-such-flag"},
		{[]string{"a", "b"}, 2, "lxd-allowlist: it takes [REMOTE:][INSTANCE]: leave out b"},
		{[]string{"recrod", "dnstest", "--", "true"}, 2, `lxd-allowlist: there is no command "recrod": did you mean record?`},
		{[]string{"verfy", "--learn", "dnstest", "list"}, 2, `there is no command "verfy": did you mean verify?`},
		{[]string{"dnstest", "--learn"}, 2, "unknown flag: --learn"},
		{[]string{"dnstest"}, 2, "needs a terminal"},
		{[]string{"open", log}, 2, "needs a terminal"},
		{[]string{"record", "dnstest"}, 2, "an instance, -- and a command"},
		{[]string{"record", "--seen", "--no-witness", "dnstest", "--", "true"}, 2, "leave out --no-witness"},
		{[]string{"record", "dnstest", "--format", "word", "--", "true"}, 2, `no format "word"`},
		{[]string{"record", "dnstest", "--resume", "none", "--", "true"}, 2, `no session "none"`},
		{[]string{"record", "dnstest", "--", "true"}, 1, "LXD"},
		{[]string{"restore"}, 1, "LXD"},
		{[]string{"export"}, 2, "lxd-allowlist: export wants LOG...|SESSION|-"},
		{[]string{"version", "x", "y"}, 2, "lxd-allowlist: version takes no argument: leave out x y"},
		{[]string{"sessions", "remove"}, 2, `lxd-allowlist: sessions has no "remove": there are prune, rm`},
		{[]string{"export", log, "--upstream-filters", "maybe"}, 2, "it is yes or no"},
		{[]string{"record", "dnstest", "--upstream-filters", "maybe", "--", "true"}, 2, "it is yes or no"},
		{[]string{"export", "/no/such/log"}, 1, "no such log and no such session"},
		{[]string{"export", "/"}, 1, "is a directory"},
		{[]string{"export", log, "--output", "/no/such/dir/f"}, 1, "/no/such/dir"},
		{[]string{"export", log, "--output", existing}, 1, "65 more and 1 less: + "},
		{[]string{"export", log, "--format", "plain,json"}, 2, "name a file or a directory"},
		{[]string{"export", log, "--format", "template=/no/such/template"}, 2, "/no/such/template"},
		{[]string{"export", log, "--format", "cilium", "--ports", "https"}, 2, `"--ports" flag: that is no whole number; see`},
		{[]string{"export", log, "--ports", "99999999999999999999"}, 2, "that number is too large"},
		{[]string{"export", "/proc/self/mem"}, 1, "lxd-allowlist: read /proc/self/mem: input"},
		{[]string{"help", "recrod"}, 2, `there is no command "recrod": did you mean record?`},
		{[]string{"help", "sessions", "remove"}, 2, `there is no command "sessions remove"; see lxd-allowlist --help`},
		{[]string{"completion", "ksh"}, 2, `completion has no "ksh": there are `},
		{[]string{"export", log, "--ports", "443"}, 2, "plain has no place for ports"},
		{[]string{"export", log, "--diff", "/no/such/list"}, 2, "/no/such/list"},
		{[]string{"record", "dnstest", "--diff", existing, "--", "true"}, 2, "LXD"},
		{[]string{"open", "--follow", journal}, 2, "doesn't grow"},
		{[]string{"open", log, "--format", "plain,json", "--output", "lists/"}, 2, "one format at a time"},
		{[]string{"open", "--replay", log}, 2, "--replay has one session happen again"},
		{[]string{"open", "--read-only", "--follow", log}, 2, "leave out --follow"},
		{[]string{"open", "--speed", "20", log}, 2, "ask for one by --replay"},
		{[]string{"open", "--replay", "--speed", "1001", journal}, 2, "1 to 1000 times"},
		{[]string{"demo", "--speed", "0"}, 2, "--speed 0"},
		{[]string{"demo"}, 2, "needs a terminal"},
		{[]string{"formats", "word"}, 2, `no format "word"`},
		{[]string{"explain"}, 2, "explain wants NAME..."},
		{[]string{"explain", "dns.google", "a b"}, 2, `"a b" is not a name`},
		{[]string{"explain", "192.0.2.1"}, 2, "is an address, not a name"},
		{[]string{"no", "such"}, 2, "see lxd-allowlist --help"},
		{[]string{"verify", "dnstest"}, 2, "see lxd-allowlist verify --help"},
		{[]string{"minimize", "--no-such-flag"}, 2, "see lxd-allowlist minimize --help"},
		{[]string{"sessions", "rm"}, 2, "see lxd-allowlist sessions rm --help"},
	}
	for _, test := range tests {
		c := start(t, test.args...)
		c.Env = append(c.Env, "LXD_DIR="+t.TempDir(), "LXD_SOCKET=")
		stdout, stderr, code := run(t, c)
		if code != test.code || !strings.Contains(stderr, test.says) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%q: exit code %d, standard error %q, standard output %q, want %d and one line with %q", test.args, code, stderr, stdout, test.code, test.says)
		}
	}
}

// What may stand at a place is offered there, and files where they may stand,
// too; an LXD that isn't there offers nothing, and no error.
func TestCompletion(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	s, err := session.Create(capture.Info{Server: "local", Instance: "dnstest", Network: "lxdbr0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := sessionOf(s.Ledger)
	const files, none = ":0\n", ":4\n"
	for _, test := range []struct {
		args []string
		want string // the words' beginning, and the directive
	}{
		{[]string{"open", ""}, name + "\tdnstest on lxdbr0, " + files},
		{[]string{"export", name[:8]}, name + files},
		{[]string{"sessions", "rm", ""}, name + none},
		{[]string{"--resume", ""}, name + none},
		{[]string{"formats", "squ"}, "squid\t" + none},
		{[]string{"formats", "squid", ""}, none},
		{[]string{"export", "--format", "squid,js"}, "squid,json\t" + none},
		{[]string{"record", ""}, none},
		{[]string{"record", "x", "--", ""}, files},
		{[]string{"verify", "x", name[:8]}, name + files},
		{[]string{"restore", ""}, none},
		{[]string{"record", "--launch", ""}, none},
		{[]string{"record", "--network", ""}, none},
	} {
		c := start(t, append([]string{"__complete"}, test.args...)...)
		c.Env = append(c.Env, "LXD_DIR="+t.TempDir(), "LXD_SOCKET=", "XDG_STATE_HOME="+state)
		stdout, _, code := run(t, c)
		first, directive, _ := strings.Cut(test.want, ":")
		if code != 0 || !strings.HasPrefix(stdout, first) || !strings.HasSuffix(stdout, ":"+directive) {
			t.Errorf("%q: exit code %d, %q, want %q", test.args, code, stdout, test.want)
		}
	}
}

// What a name is comes from the table and from the user's lists; what is wrong
// with these is said beside it and stops nothing.
func TestExplain(t *testing.T) {
	config := t.TempDir()
	lists := filepath.Join(config, "lxd-allowlist", "lists")
	if err := os.MkdirAll(lists, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(lists, "ads"), []byte("dns.google\nb_/d\nb_/e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "lxd-allowlist", "rules"), []byte("keep sa1.example.com\nkeep ~^sa[0-9]{1,2}\\.example\\.com$ # ticket 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, "explain", "sa1.example.com", "SA42.example.com", "sa<0-99>.example.com")
	c.Env = append(c.Env, "XDG_CONFIG_HOME="+config)
	if stdout, _, code := run(t, c); code != 0 || strings.Count(stdout, "kept ") != 1 || !strings.Contains(stdout, "\n  kept    by a pattern of the rules file: sa<0-99>.example.com (ticket 7)\nsa<0-99>.example.com\n  matches ^sa[0-9]{1,2}") {
		t.Errorf("exit code %d, standard output %q", code, stdout)
	}
	c = start(t, "explain", "DNS.Google.", "www.example.test")
	c.Env = append(c.Env, "XDG_CONFIG_HOME="+config)
	stdout, stderr, code := run(t, c)
	if code != 0 || !strings.HasPrefix(stdout, "dns.google\n  entry   dns.google, DNS resolver\n") || !strings.Contains(stdout, "\n  list    ads:1: dns.google\nwww.example.test\n") {
		t.Errorf("exit code %d, standard output %q", code, stdout)
	}
	if want := "lxd-allowlist: list ads:2: \"b_/d\" is not a name; the rest of it is used\nlxd-allowlist: list ads:3: \"b_/e\" is not a name; the rest of it is used\n"; stderr != want {
		t.Errorf("standard error %q, want %q", stderr, want)
	}
}

// What is wrong with the config file is said by verbs that take nothing from it,
// too, and stops none of them.
func TestWrongConfig(t *testing.T) {
	config := t.TempDir()
	if err := os.MkdirAll(filepath.Join(config, "lxd-allowlist"), 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"export", log}, {"sessions"}, {"sessions", "prune", "--older", "1d"}, {"formats"}, {"explain", "a.example"}} {
		for text, says := range map[string]string{"staay: true\n": "staay is no setting; there are filters", "theme: solarized\n": "there is no theme solarized", "format: squid\n": ""} {
			if err := os.WriteFile(filepath.Join(config, "lxd-allowlist", "config.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c := start(t, args...)
			c.Env = append(c.Env, "XDG_CONFIG_HOME="+config)
			_, stderr, code := run(t, c)
			if code != 0 || !strings.Contains(stderr, says) || strings.Contains(stderr, "goes on\n") != (says != "") {
				t.Errorf("%q with %q: exit code %d, standard error %q", args, text, code, stderr)
			}
		}
	}
	for _, c := range command().Commands() {
		if name := c.Name(); !slices.Contains(configless, name) && !slices.Contains([]string{"demo", "man", "open", "record", "verify", "version"}, name) {
			t.Errorf("%s neither reads the config file nor says what is wrong with it", name)
		}
	}
}

func TestEveryVerbShowsAnExample(t *testing.T) {
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		if !strings.Contains(c.Example, "lxd-allowlist") || c.Short == "" {
			t.Errorf("%s has no example or no description", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(command())
}

// An error is reported as text: the terminal is asked nothing for it, since
// somebody else may read the answer.
func TestAnErrorAsksTheTerminalNothing(t *testing.T) {
	c := start(t)
	c.Args = []string{"script", "-qec", c.Path + " export " + filepath.Join(t.TempDir(), "none"), "/dev/null"}
	var err error
	if c.Path, err = exec.LookPath("script"); err != nil {
		t.Fatal(err)
	}
	out, _, code := run(t, c)
	if code != exitFailed || strings.Contains(out, "\x1b") || !strings.Contains(out, "lxd-allowlist: ") {
		t.Errorf("exit code %d, the terminal has %q", code, out)
	}
}
