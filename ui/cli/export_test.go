package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

func TestExportAll(t *testing.T) {
	names, err := os.ReadFile("../../parse/testdata/session.names")
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"session.log", "session-extra.log", "session-journald.log"} {
		path, err := filepath.Abs(filepath.Join("../../parse/testdata", log))
		if err != nil {
			t.Fatal(err)
		}
		if stdout, stderr, code := run(t, start(t, "export", "--all", path)); stdout != string(names) || code != 0 || !strings.HasPrefix(stderr, "lxd-allowlist: left out: 1 unfit for a list\n") {
			t.Errorf("%s: exit code %d, %d bytes, want the %d of session.names; %s", log, code, len(stdout), len(names), stderr)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := start(t, "export", "--all", "-")
		c.Stdin = bytes.NewReader(data)
		if stdout, _, code := run(t, c); stdout != string(names) || code != 0 {
			t.Errorf("%s as standard input: exit code %d, %d bytes", log, code, len(stdout))
		}
	}
}

// What CI sees: 0 the same, 1 changed, 2 nobody knows.
func TestExportDiff(t *testing.T) {
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, "export", log, "--format", "squid,json", "--output", "./")
	if stdout, stderr, code := run(t, c); stdout != "" || code != 0 || strings.Count(stderr, "wrote 65 rules to ") != 2 {
		t.Fatalf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	path := filepath.Join(c.Dir, "squid.domains")
	const leftOut = "lxd-allowlist: left out: 11 with NXDOMAIN only, 13 that dnsmasq answered by itself, 4 for reverse lookups, 1 with a single label, 1 unfit for a list\n"
	if stdout, stderr, code := run(t, start(t, "export", log, "--format", "squid", "--diff", path)); stdout != "" || stderr != leftOut || code != 0 {
		t.Errorf("the same: exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	file, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, bytes.Replace(file, []byte("\nauth.docker.io\n"), []byte("\nold.example\n"), 1), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := run(t, start(t, "export", log, "--format", "squid", "--diff", path)); stdout != "+ auth.docker.io\n- old.example\n" || stderr != leftOut || code != 1 {
		t.Errorf("changed: exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	for _, source := range []string{"/no/such/log", "/"} {
		if stdout, stderr, code := run(t, start(t, "export", source, "--format", "squid", "--diff", path)); stdout != "" || code != 2 || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "--help") {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", source, code, stdout, stderr)
		}
	}
	stdout, stderr, code := run(t, start(t, "export", log, "--format", "squid", "--merge", "--output", path))
	if want := leftOut + "+ auth.docker.io\nlxd-allowlist: wrote 66 rules to " + path + "\n"; stdout != "" || !strings.HasPrefix(stderr, want+"lxd-allowlist: warning: 5 names open more than themselves: ") || code != 0 {
		t.Errorf("merge: exit code %d, standard output %q, standard error %q, want %q", code, stdout, stderr, want)
	}
}

// What may be missing is said in the same words to the user and in the file,
// and --strict makes an error of it. A log without a query is one by itself,
// and empties no list.
func TestDoubts(t *testing.T) {
	log := func(lines ...string) string {
		path := filepath.Join(t.TempDir(), "dnsmasq.log")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const tag, query = "Jan  8 21:51:56 dnsmasq[1]: ", "Jan  8 21:51:56 dnsmasq[1]: query[A] a.ubuntu.com from 192.0.2.5"
	for line, says := range map[string]string{
		tag + "overflow: 12 log entries lost":                                                                                       "12 lost: 12 by dnsmasq's queue",
		tag + "overflow: 1 log entries lost":                                                                                        "1 lost: 1 by dnsmasq's queue",
		tag + "nameserver 192.0.2.1 refused to do a recursive query":                                                                "1 lost: 1 refused",
		"??? 21:51:57 ??? dnsmasq[1]: query[A] n2.ubuntu.com from 192.0.2.5":                                                        "1 lost: 1 not understood",
		tag + "forwarded unasked.ubuntu.com to 192.0.2.1":                                                                           "1 lost: 1 forwarded that nobody asked for",
		tag + "query[A] <name unprintable> from 192.0.2.5":                                                                          "1 lost: 1 with a name that dnsmasq doesn't print",
		"Jan  8 21:51:56 host systemd-journald[1]: Suppressed 7 messages from dnsmasq.service":                                      "7 lost: 7 by the journal or syslog",
		"Jan  8 21:51:56 host rsyslogd: imuxsock lost 5 messages from pid 1 due to rate-limiting":                                   "5 lost: 5 by the journal or syslog",
		tag + "log failed: No space left on device":                                                                                 "1 lost: 1 by a log that could not be written",
		tag + "query[A] " + strings.Repeat("long.", 260) + "ubuntu.com from 192.0.2.5":                                              "1 lost: 1 cut",
		tag + "3 192.0.2.5/53 query[A] a.ubuntu.com from 192.0.2.5\n" + tag + "7 192.0.2.5/53 query[A] a.ubuntu.com from 192.0.2.5": "3 lost: 3 missing in the serials",
	} {
		stdout, stderr, code := run(t, start(t, "export", log(query, line), "--format", "squid"))
		if !strings.Contains(stderr, "lxd-allowlist: beware: "+says+"\n") || !strings.Contains(stdout, "# beware: "+says+"\n") || code != 0 {
			t.Errorf("%s: exit code %d, standard error %q, standard output\n%s", line, code, stderr, stdout)
		}
		if _, stderr, code := run(t, start(t, "export", log(query, line), "--strict")); code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("%s: with --strict exit code %d, standard error %q", line, code, stderr)
		}
	}
	if _, stderr, code := run(t, start(t, "export", log(query), "--strict")); code != 0 || stderr != "" {
		t.Errorf("without a doubt: exit code %d, standard error %q", code, stderr)
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("a.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{log(), log(""), log(tag + "started, version 2.90"), log(tag + "query[A] localhost from 192.0.2.5")} {
		_, stderr, code := run(t, start(t, "export", source, "--overwrite", "--output", list))
		if data, err := os.ReadFile(list); err != nil || string(data) != "a.example\n" || code != 1 || stderr == "" {
			t.Errorf("exit code %d, standard error %q, the list has %q, %v", code, stderr, data, err)
		}
	}
}

// An upstream that seems to filter is a doubt, until the user says whether it
// does.
func TestUpstreamFilters(t *testing.T) {
	text := "Jan  8 21:51:56 dnsmasq[1]: query[A] a.ubuntu.com from 192.0.2.5\nJan  8 21:51:56 dnsmasq[1]: reply a.ubuntu.com is 192.0.2.1\n"
	for n := range 30 {
		text += fmt.Sprintf("Jan  8 21:51:56 dnsmasq[1]: query[A] n%d.ubuntu.com from 192.0.2.5\nJan  8 21:51:56 dnsmasq[1]: reply n%[1]d.ubuntu.com is NXDOMAIN\n", n)
	}
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags       string
		code, rules int
		doubted     bool
	}{
		{"", 1, 31, true},
		{"--upstream-filters yes", 0, 31, false},
		{"--upstream-filters=no", 0, 1, false},
	} {
		stdout, stderr, code := run(t, start(t, append([]string{"export", log, "--strict"}, strings.Fields(test.flags)...)...))
		if code != test.code || strings.Count(stdout, "\n") != test.rules || strings.Contains(stderr, "seems to filter") != test.doubted {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q", test.flags, code, stdout, stderr)
		}
	}
}

// What people have in place of a plain log is read, too, or named.
func TestSources(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "Jan  8 21:51:56 dnsmasq[1]: query[A] a.ubuntu.com from 192.0.2.5\n")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := packed.String()
	list := put("names.txt", "# names\n.b.ubuntu.com\na.ubuntu.com\n192.0.2.1\n0.0.0.0 c.ubuntu.com\n")
	squid, _, _ := run(t, start(t, "export", list, "--format", "squid"))
	for name, c := range map[string]struct {
		source, stdout, says string
		code                 int
	}{
		"packed":           {put("dns.log.gz", whole), "a.ubuntu.com\n", "", 0},
		"a log and packed": {put("two.gz", whole+whole), "a.ubuntu.com\n", "", 0},
		"packed and cut":   {put("cut.gz", whole[:len(whole)-9]), "a.ubuntu.com\n", "1 by a file that ends too early", 0},
		"names":            {list, ".b.ubuntu.com\na.ubuntu.com\nc.ubuntu.com\n", "no name in 1 of 4 lines, the first is line 4: \"192.0.2.1\" is an address", 0},
		"below alone":      {put("below.txt", "*.b.ubuntu.com\n*.c.ubuntu.com\na.ubuntu.com\n"), ".b.ubuntu.com\n.c.ubuntu.com\na.ubuntu.com\n", "beware: *.b.ubuntu.com and 1 more were read: as suffix rules they allow the names themselves, too", 0},
		"our own file":     {put("squid.domains", squid), ".b.ubuntu.com\na.ubuntu.com\nc.ubuntu.com\n", "", 0},
		"another's log":    {put("unbound.log", "Nov 23 10:00:00 h unbound[1:0]: info: 10.0.0.1 a.ubuntu.com. A IN\n"), "", "it is a log of Unbound's", 1},
		"nothing":          {put("empty", ""), "", "it is empty", 1},
		"prose":            {put("prose", "to whom it may concern\n"), "", "no query in its 1 lines", 1},
		"addresses in hex": {put("hex", "0x7f00000a\n169.254.169.0xfe\n"), "", "no name in 2 of 2 lines, the first is line 1: \"0x7f00000a\" ends in a number", 1},
		"one of them":      {put("one", "a.ubuntu.com\nb.ubuntu.com\n010.0.0.0xfe\n"), "a.ubuntu.com\nb.ubuntu.com\n", "no name in 1 of 3 lines, the first is line 3: \"010.0.0.0xfe\" ends in a number", 0},
		"another alphabet": {put("idn", "a.ubuntu.com\nb.ubuntu.com\n.bücher.example\n"), "a.ubuntu.com\nb.ubuntu.com\n", "is xn--bcher-kva.example in DNS: write that", 0},
		"comments":         {put("comments", "# nothing yet\n"), "", "no list of names: it has comments or blank lines alone", 1},
		"prefixes":         {put("prefixes", "192.0.2.0/24\n"), "", "line 1: \"192.0.2.0/24\" is an address", 1},
	} {
		text, err := os.Open(c.source)
		if err != nil {
			t.Fatal(err)
		}
		defer text.Close()
		inFile := start(t, "export", "-")
		inFile.Stdin = text
		content, err := os.ReadFile(c.source)
		if err != nil {
			t.Fatal(err)
		}
		inPipe := start(t, "export", "-")
		inPipe.Stdin = bytes.NewReader(content)
		pipe := start(t, "export", "/dev/stdin")
		pipe.Stdin = bytes.NewReader(content)
		for way, call := range map[string]*exec.Cmd{"as a file": start(t, "export", c.source), "as standard input": inFile, "in a pipe": inPipe, "as a pipe's name": pipe} {
			stdout, stderr, code := run(t, call)
			if stdout != c.stdout || code != c.code || !strings.Contains(stderr, c.says) || c.says == "" && stderr != "" || strings.Count(stderr, "\n") > 1 {
				t.Errorf("%s, %s: exit code %d, standard output %q, standard error %q, want %d, %q and %q", name, way, code, stdout, stderr, c.code, c.stdout, c.says)
			}
		}
	}
}

// Standard input is one list, whatever it is for.
func TestListOnStandardInput(t *testing.T) {
	list := filepath.Join(t.TempDir(), "names.txt")
	if err := os.WriteFile(list, []byte("a.ubuntu.com\nb.ubuntu.com\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, stdin, stdout, says string
		code                      int
	}{
		{"export --covered-by - " + list, ".ubuntu.com\n", "", "", 0},
		{"export --covered-by - " + list, "a.ubuntu.com\n", "b.ubuntu.com\n", "1 of 2 rules outside stdin", 1},
		{"export --diff - " + list, "a.ubuntu.com\n", "+ b.ubuntu.com\n", "", 1},
		{"export --diff - -", "a.ubuntu.com\n", "", "standard input is read once", 2},
		{"export --covered-by - -", "a.ubuntu.com\n", "", "standard input is read once", 2},
		{"export --covered-by - " + list, "", "", "stdin: it is no list of names: it is empty", 2},
		{"export --covered-by - " + list, "dnsmasq[1]: query[A] a.ubuntu.com from 192.0.2.5\n", "", "is a query in a log: lxd-allowlist export makes a list of it", 2},
		{"verify none -", "0x7f00000a\n", "", "the first is line 1: \"0x7f00000a\" ends in a number", 2},
	} {
		call := start(t, strings.Fields(c.args)...)
		call.Stdin = strings.NewReader(c.stdin)
		stdout, stderr, code := run(t, call)
		if stdout != c.stdout || code != c.code || !strings.Contains(stderr, c.says) || c.says == "" && stderr != "" {
			t.Errorf("%s with %q: exit code %d, standard output %q, standard error %q, want %d, %q and %q", c.args, c.stdin, code, stdout, stderr, c.code, c.stdout, c.says)
		}
	}
	if _, stderr, code := run(t, start(t, "export", "--covered-by", "-", list)); code != 2 || !strings.Contains(stderr, "a terminal, or a device") {
		t.Errorf("without a list: exit code %d, standard error %q", code, stderr)
	}
}

// Of several files, one that nothing comes of is told, and a doubt.
func TestFileAmongOthers(t *testing.T) {
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "names.txt")
	if err := os.WriteFile(list, []byte("a.ubuntu.com\nb.ubuntu.com\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{log, list}, {list, log}} {
		_, stderr, code := run(t, start(t, append([]string{"export", "--strict"}, files...)...))
		if code != 1 || !strings.Contains(stderr, "beware: "+list+": it is a list of names: export it alone") {
			t.Errorf("%q: exit code %d, standard error %q", files, code, stderr)
		}
	}
}

// Several lists are one.
func TestSeveralLists(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ab := put("ab.txt", "a.ubuntu.com\nb.ubuntu.com\n")
	zone, _, _ := run(t, start(t, "export", "--format", "rpz", put("bc.txt", "b.ubuntu.com\nc.ubuntu.com\n")))
	stdout, stderr, code := run(t, start(t, "export", ab, put("bc.rpz", zone)))
	if want := "a.ubuntu.com\nb.ubuntu.com\nc.ubuntu.com\n"; stdout != want || stderr != "" || code != 0 {
		t.Errorf("exit code %d, standard output %q, standard error %q, want %q", code, stdout, stderr, want)
	}
}

// A list has neither queries nor rules to hold: what is asked for of those is
// refused, or said to change nothing; a suffix is added.
func TestWhatIsAskedOfAList(t *testing.T) {
	config := t.TempDir()
	rules := filepath.Join(config, "lxd-allowlist", "rules")
	if err := os.MkdirAll(filepath.Dir(rules), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rules, []byte("drop a.example.org\nkeep .example.net\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "names.txt")
	if err := os.WriteFile(list, []byte("a.example.org\nb.example.org\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const unruled = "names.txt is a list, and taken as it is: the rules file's 2 rules hold for logs and sessions"
	for flags, c := range map[string]struct {
		stdout, says string
		code         int
	}{
		"":                                {"a.example.org\nb.example.org\n", unruled, 0},
		"--suffix example.org":            {".example.org\n", unruled, 0},
		"--suffix example.com":            {".example.com\na.example.org\nb.example.org\n", "--suffix example.com: nothing of that is on ", 0},
		"--all":                           {"a.example.org\nb.example.org\n", "", 0},
		"--all --suffix example.org":      {"", "--all applies no rule", 2},
		"--from 192.0.2.5":                {"", "leave out --from", 2},
		"--since 2h":                      {"", "leave out --from", 2},
		"--upstream-filters no":           {"", "leave out --upstream-filters", 2},
		"--suffix example.org --until 1h": {"", "leave out --from", 2},
	} {
		call := start(t, append([]string{"export", list}, strings.Fields(flags)...)...)
		call.Env = append(call.Env, "XDG_CONFIG_HOME="+config)
		stdout, stderr, code := run(t, call)
		if stdout != c.stdout || code != c.code || !strings.Contains(stderr, c.says) || c.says == "" && stderr != "" {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q, want %d, %q and %q", flags, code, stdout, stderr, c.code, c.stdout, c.says)
		}
	}
}

// A limit that nothing is within is said as that.
func TestLimitThatLeavesNothing(t *testing.T) {
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--from", "10.99.99.99"}, 1, "queries was sent by 10.99.99.99\n"},
		{[]string{"--from", "10.99.99.99", "--since", "2001-01-01 10:00"}, 1, "queries was sent by 10.99.99.99 from 2001-01-01 10:00:00 on\n"},
		{[]string{"--until", "2001-01-01"}, 1, "queries was sent up to 2001-01-0"},
		{[]string{"--since", "2h", "--until", "3h"}, 2, "no time is between them"},
		{[]string{"--since", "soon"}, 2, "is no time"},
	} {
		stdout, stderr, code := run(t, start(t, append([]string{"export", log}, c.args...)...))
		if stdout != "" || code != c.code || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q", c.args, code, stdout, stderr)
		}
	}
}

// What a damaged session has lost is said, and the rest is exported.
func TestExportDamagedSession(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s, err := session.Create(capture.Info{Instance: "dnstest"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		s.Ledger.Feed([]byte("query[A] "+name+" from 10.0.0.5\n"), time.Now(), false)
	}
	name := sessionOf(s.Ledger)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".jsonl")
	journal, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, bytes.ReplaceAll(journal, []byte("b.example"), []byte("B.example")), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, start(t, "export", path))
	if stdout != "a.example\nc.example\n" || code != 0 || !strings.Contains(stderr, "beware: the session's journal is damaged: 1 of its lines") {
		t.Errorf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
}

// Two runs of the same write the same bytes: a log without times is no reason
// to tell when it was read.
func TestExportReproducible(t *testing.T) {
	log, err := filepath.Abs("../../parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	one, _, code := run(t, start(t, "export", log, "--format", "json", "--reproducible"))
	if code != 0 || strings.Contains(one, `"when"`) || strings.Contains(one, `"first"`) || !strings.Contains(one, `"queries"`) {
		t.Errorf("exit code %d\n%s", code, one)
	}
	if other, _, _ := run(t, start(t, "export", log, "--format", "json", "--reproducible")); other != one {
		t.Errorf("another run wrote\n%s\nafter\n%s", other, one)
	}
}
