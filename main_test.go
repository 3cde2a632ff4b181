package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/session"
)

// asProgram makes the test's binary be the program.
const asProgram = "LXD_ALLOWLIST_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// start returns the program, ready to be run in a directory of its own.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), asProgram+"=1", "XDG_STATE_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	return c
}

// run runs the program to its end.
func run(t *testing.T, c *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func TestRecord(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	// The last query comes when the command is over.
	script := "echo to-stdout; nslookup b.example.test >/dev/null; nslookup a.example.test >/dev/null; (sleep 0.3; nslookup late.example.test) >/dev/null 2>&1 & exit 3"
	stdout, stderr, code := run(t, start(t, "record", instance, "--", "sh", "-c", script))
	if want := "a.example.test\nb.example.test\nlate.example.test\n"; stdout != want {
		t.Errorf("standard output has %q, want %q", stdout, want)
	}
	if code != 3 {
		t.Errorf("exit code %d, want the command's 3", code)
	}
	if !strings.Contains(stderr, "to-stdout\n") {
		t.Errorf("the command's output is not on standard error: %q", stderr)
	}
	lxdtest.Unchanged(t, bridge, before)

	c := start(t, "record", instance, "--format", "squid", "--output", "allow.txt", "--", "sh", "-c", "echo hello; nslookup a.example.test >/dev/null")
	stdout, stderr, code = run(t, c)
	if stdout != "hello\n" || code != 0 {
		t.Errorf("with --output: standard output has %q, exit code %d; standard error %s", stdout, code, stderr)
	}
	file, err := os.ReadFile(filepath.Join(c.Dir, "allow.txt"))
	if err != nil || !strings.Contains(string(file), "\na.example.test\n") {
		t.Errorf("the file has %q, %v", file, err)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// A capture that ends by itself leaves a list that is incomplete: that is said
// at once and in the exit code, though the command went well.
func TestRecordOfACaptureThatEnds(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c := start(t, "record", instance, "--", "sh", "-c", "nslookup a.example.test >/dev/null; echo running; cat")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(os.Getenv("LXD_DIR"), "logs", "dnsmasq."+bridge+".log")
	said := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		switch {
		case lines.Text() == "running":
			if err := errors.Join(os.Rename(log, log+".away"), os.Mkdir(log, 0o755)); err != nil {
				t.Fatal(err)
			}
		case strings.Contains(lines.Text(), "the list is incomplete"):
			if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			stdin.Close()
		}
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %v and said:\n%s", err, said)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// Nothing heard is an error with its likely cause, and writes nothing.
func TestRecordHearsNothing(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "record", instance, "--overwrite", "--output", "allow.txt", "--", "sh", "-c", "echo nameserver 192.0.2.53 > /etc/resolv.conf")
	path := filepath.Join(c.Dir, "allow.txt")
	if err := os.WriteFile(path, []byte("a.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, c)
	if data, err := os.ReadFile(path); err != nil || string(data) != "a.example\n" || code != 1 || stdout != "" || !strings.Contains(stderr, "names 192.0.2.53, which is not the dnsmasq") {
		t.Errorf("exit code %d, standard error %q, the list has %q, %v", code, stderr, data, err)
	}
}

// recording starts a record that doesn't end by itself and returns when its
// command runs.
func recording(t *testing.T, instance string) *exec.Cmd {
	t.Helper()
	c := start(t, "record", instance, "--settle", "0s", "--", "sh", "-c", "echo running; exec sleep 3600")
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if lines.Text() == "running" {
			go io.Copy(io.Discard, stderr)
			return c
		}
	}
	t.Fatalf("record ended before its command ran: %v", c.Wait())
	return nil
}

func TestSignals(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		c := recording(t, instance)
		if reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
			t.Errorf("%v: the bridge was not changed, so there is nothing to see", sig)
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err == nil {
			t.Errorf("%v: exit code 0", sig)
		}
		lxdtest.Unchanged(t, bridge, before)
	}
}

func TestRestoreAfterKill(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c := recording(t, instance)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if reflect.DeepEqual(lxdtest.Network(t, bridge), before) {
		t.Fatal("nothing was left behind, so there is nothing to restore")
	}
	_, stderr, code := run(t, start(t, "record", instance, "--", "true"))
	if code != 1 || !strings.Contains(stderr, "lxd-allowlist restore "+bridge) {
		t.Errorf("record on it: exit code %d, %q, want a word on restore", code, stderr)
	}
	_, stderr, code = run(t, start(t, "restore", bridge))
	if code != 0 || !strings.Contains(stderr, "as it was before") {
		t.Errorf("restore: exit code %d, %q", code, stderr)
	}
	lxdtest.Unchanged(t, bridge, before)
	if _, stderr, code = run(t, start(t, "restore", bridge)); code != 0 || !strings.Contains(stderr, "nothing to put back") {
		t.Errorf("restore again: exit code %d, %q", code, stderr)
	}
}

func TestExportAll(t *testing.T) {
	names, err := os.ReadFile("parse/testdata/session.names")
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"session.log", "session-extra.log", "session-journald.log"} {
		path, err := filepath.Abs(filepath.Join("parse/testdata", log))
		if err != nil {
			t.Fatal(err)
		}
		if stdout, stderr, code := run(t, start(t, "export", "--all", path)); stdout != string(names) || code != 0 {
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
	log, err := filepath.Abs("parse/testdata/session.log")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, "export", log, "--format", "squid,json", "--output", "allow.txt")
	if stdout, stderr, code := run(t, c); stdout != "" || code != 0 || strings.Count(stderr, "wrote 65 rules to allow.") != 2 {
		t.Fatalf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	path := filepath.Join(c.Dir, "allow.domains")
	const leftOut = "lxd-allowlist: left out: 11 with NXDOMAIN only, 13 that dnsmasq answered by itself, 4 reverse lookups, 1 with a single label, 1 unfit for a list\n"
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
		tag + "overflow: 12 log entries lost":                                "12 lost: 12 by dnsmasq's queue",
		tag + "overflow: 1 log entries lost":                                 "1 lost: 1 by dnsmasq's queue",
		tag + "nameserver 192.0.2.1 refused to do a recursive query":         "1 lost: 1 refused",
		"??? 21:51:57 ??? dnsmasq[1]: query[A] n2.ubuntu.com from 192.0.2.5": "1 lost: 1 not understood",
		tag + "forwarded unasked.ubuntu.com to 192.0.2.1":                    "1 lost: 1 forwarded that nobody asked for",
		tag + "query[A] <name unprintable> from 192.0.2.5":                   "1 lost: 1 with a name that dnsmasq doesn't print",
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
	list := put("names.txt", "# names\n*.b.ubuntu.com\na.ubuntu.com\n192.0.2.1\n0.0.0.0 c.ubuntu.com\n")
	squid, _, _ := run(t, start(t, "export", list, "--format", "squid"))
	for name, c := range map[string]struct {
		source, stdout, says string
		code                 int
	}{
		"packed":           {put("dns.log.gz", whole), "a.ubuntu.com\n", "", 0},
		"a log and packed": {put("two.gz", whole+whole), "a.ubuntu.com\n", "", 0},
		"packed and cut":   {put("cut.gz", whole[:len(whole)-9]), "a.ubuntu.com\n", "1 by a file that ends too early", 0},
		"names":            {list, ".b.ubuntu.com\na.ubuntu.com\nc.ubuntu.com\n", "no name in 1 line, the first is line 4", 0},
		"our own file":     {put("squid.domains", squid), ".b.ubuntu.com\na.ubuntu.com\nc.ubuntu.com\n", "", 0},
		"another's log":    {put("unbound.log", "Nov 23 10:00:00 h unbound[1:0]: info: 10.0.0.1 a.ubuntu.com. A IN\n"), "", "it is a log of Unbound's", 1},
		"nothing":          {put("empty", ""), "", "it is empty", 1},
		"prose":            {put("prose", "to whom it may concern\n"), "", "no query in its 1 lines", 1},
	} {
		stdout, stderr, code := run(t, start(t, "export", c.source))
		if stdout != c.stdout || code != c.code || !strings.Contains(stderr, c.says) || c.says == "" && stderr != "" {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q, want %d, %q and %q", name, code, stdout, stderr, c.code, c.stdout, c.says)
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
	log, err := filepath.Abs("parse/testdata/session.log")
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
		{"drop ads.mirrors.example\nkeep .mirrors.example\n", "", 0, "xn--bcher-kva.example\nexample.com\n.mirrors.example\n", "ads.mirrors.example was dropped, and a suffix rule allows it all the same"},
		{"keep .co.uk\n", "", 1, "", "line 1: \".co.uk\" is a public suffix"},
		{"drop .mirrors.example", "--suffix .mirrors.example --suffix Bücher.example", 0, "example.com\n.xn--bcher-kva.example\n.mirrors.example\n", ".mirrors.example was dropped, and a suffix rule allows it all the same"},
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

func TestFormats(t *testing.T) {
	table, stderr, code := run(t, start(t, "formats"))
	if code != 0 || stderr != "" || !strings.Contains(table, "\nsquid ") || !strings.Contains(table, "\ntemplate=FILE ") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, table)
	}
	one, stderr, code := run(t, start(t, "formats", "unbound"))
	if code != 0 || stderr != "" || !strings.HasPrefix(one, "unbound ") || !strings.Contains(one, "\n  widens ") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, one)
	}
}

func TestWrongCalls(t *testing.T) {
	log, err := filepath.Abs("parse/testdata/session.log")
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
		{[]string{"a", "b"}, 2, "at most 1 arg"},
		{[]string{"dnstest"}, 2, "needs a terminal"},
		{[]string{"open", log}, 2, "needs a terminal"},
		{[]string{"record", "dnstest"}, 2, "an instance, -- and a command"},
		{[]string{"record", "dnstest", "--format", "word", "--", "true"}, 2, `no format "word"`},
		{[]string{"record", "dnstest", "--resume", "none", "--", "true"}, 2, `no session "none"`},
		{[]string{"record", "dnstest", "--", "true"}, 1, "LXD"},
		{[]string{"restore"}, 1, "LXD"},
		{[]string{"export"}, 2, "1 arg"},
		{[]string{"export", "/no/such/log"}, 1, "no such log and no such session"},
		{[]string{"export", "/"}, 1, "is a directory"},
		{[]string{"export", log, "--output", "/no/such/dir/f"}, 1, "/no/such/dir"},
		{[]string{"export", log, "--output", existing}, 1, "65 more and 1 less: + "},
		{[]string{"export", log, "--format", "plain,json"}, 2, "name a file or a directory"},
		{[]string{"export", log, "--format", "template=/no/such/template"}, 2, "/no/such/template"},
		{[]string{"export", log, "--format", "cilium", "--ports", "https"}, 2, "--ports"},
		{[]string{"export", log, "--ports", "443"}, 2, "plain has no place for ports"},
		{[]string{"export", log, "--diff", "/no/such/list"}, 2, "/no/such/list"},
		{[]string{"record", "dnstest", "--diff", existing, "--", "true"}, 2, "LXD"},
		{[]string{"open", "--follow", journal}, 2, "doesn't grow"},
		{[]string{"open", log, "--format", "plain,json", "--output", "allow"}, 2, "one format at a time"},
		{[]string{"formats", "word"}, 2, `no format "word"`},
		{[]string{"explain"}, 2, "at least 1 arg"},
		{[]string{"explain", "dns.google", "a b"}, 2, `"a b" is not a name`},
		{[]string{"explain", "192.0.2.1"}, 2, "is an address, not a name"},
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
	c := start(t, "explain", "DNS.Google.", "www.example.test")
	c.Env = append(c.Env, "XDG_CONFIG_HOME="+config)
	stdout, stderr, code := run(t, c)
	if code != 0 || !strings.HasPrefix(stdout, "dns.google\n  entry   dns.google, DNS resolver\n") || !strings.Contains(stdout, "\n  list    ads:1: dns.google\nwww.example.test\n") {
		t.Errorf("exit code %d, standard output %q", code, stdout)
	}
	if want := "lxd-allowlist: list ads:2: \"b_/d\" is not a name; the rest of it is used\nlxd-allowlist: list ads:3: \"b_/e\" is not a name; the rest of it is used\n"; stderr != want {
		t.Errorf("standard error %q, want %q", stderr, want)
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

// The program is Apache-2.0, and of LXD's module, which is AGPL-3.0, two
// directories are so, too: nothing else of it may be linked in.
func TestLinkedLicence(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/canonical/lxd/"
	found := false
	for line := range strings.Lines(string(out)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), module)
		if !ok {
			continue
		}
		found = true
		if top, _, _ := strings.Cut(path, "/"); top != "client" && top != "shared" {
			t.Errorf("%s%s is linked in, which is not Apache-2.0", module, path)
		}
	}
	if !found {
		t.Error("LXD's client is not linked in: the test looks for something else")
	}
}

// rooms is who may import whom within the module.
var rooms = map[string][]string{
	"parse":               {},
	"parse/source":        {},
	"export/rule":         {"export/rule/known", "parse"},
	"export/rule/known":   {"parse"},
	"export/explain":      {"export/rule", "export/rule/known", "parse"},
	"export":              {"export/rule", "parse"},
	"export/output":       {"export", "export/rule", "parse", "parse/source"},
	"capture":             {"export/rule", "parse"},
	"capture/session":     {"capture", "export"},
	"capture/logfile":     {"capture", "capture/session", "parse/source"},
	"capture/lxd":         {},
	"capture/lxd/lxdfake": {"capture/lxd"},
	"capture/lxd/lxdtest": {"capture/lxd"},
	"capture/live":        {"capture", "capture/logfile", "capture/lxd", "capture/session"},
	"ui":                  {"capture", "capture/session", "export", "export/rule", "export/rule/known", "ui/dialog", "ui/keys", "ui/look", "ui/table", "ui/term"},
	"ui/dialog":           {"capture", "export", "export/rule", "export/rule/known", "parse", "ui/keys", "ui/look", "ui/table"},
	"ui/keys":             {"ui/look"},
	"ui/look":             {},
	"ui/table":            {"capture", "export/rule", "ui/look"},
	"ui/term":             {},
	"ui/backend":          {"capture/live", "capture/lxd", "capture/session", "ui", "ui/look"},
	"":                    {"capture", "capture/live", "capture/logfile", "capture/lxd", "capture/session", "export/explain", "export/output", "export/rule/known", "ui", "ui/backend", "ui/look"},
}

// pure are rooms that know neither a file nor a network.
var pure = []string{"parse", "export/rule", "export/rule/known", "capture"}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	within := func(path string) (room string, ok bool) {
		if path == "lxd-allowlist" {
			return "", true
		}
		return strings.CutPrefix(path, "lxd-allowlist/")
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		room, _ := within(fields[0])
		allowed, known := rooms[room]
		if !known {
			continue // a room of tests alone
		}
		seen++
		for _, path := range fields[1:] {
			if slices.Contains(pure, room) && (path == "os" || path == "net" || path == "syscall") {
				t.Errorf("%q imports %q", room, path)
			}
			if other, ours := within(path); ours && !slices.Contains(allowed, other) {
				t.Errorf("%q imports %q", room, other)
			}
		}
	}
	if seen != len(rooms) {
		t.Errorf("found %d of %d rooms", seen, len(rooms))
	}
}
