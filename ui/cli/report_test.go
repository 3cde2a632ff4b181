package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"lxd-allowlist/capture/verify"
)

// A report that can't be written where it should be isn't lost.
func TestReportThatCantBeWritten(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	stdout := os.Stdout
	os.Stdout = out
	err = writeReport(verify.Report{Instance: "web"}, filepath.Join(t.TempDir(), "not-there", "report.json"))
	os.Stdout = stdout
	if err == nil {
		t.Error("no error")
	}
	if text, err := os.ReadFile(out.Name()); err != nil || !strings.Contains(string(text), `"instance": "web"`) {
		t.Errorf("%v: on standard output: %q", err, text)
	}
}

// A file's name, which others may have chosen, says nothing to the terminal, by
// whatever verb it comes.
func TestErrorsArePrintable(t *testing.T) {
	const name = "a\x1b]0;x\x07\u202eb\xff.log"
	for _, args := range [][]string{{"export", name}, {"open", name}, {"sessions", "show", name}, {"explain", name}, {"verify", name, name}, {name, name}} {
		_, stderr, _ := run(t, start(t, args...))
		if stderr == "" || strings.ContainsAny(stderr, "\x1b\x07\u202e") || !utf8.ValidString(stderr) {
			t.Errorf("%q: it said %q", args, stderr)
		}
	}
}

// Of several logs one of which has no query, that is one line, whatever its name.
func TestDoubtsArePrintable(t *testing.T) {
	c := start(t, "export", "a.log", "b\nc\x1b[2J.log")
	for name, text := range map[string]string{"a.log": "dnsmasq[1]: query[A] a.example.com from 10.0.0.5\n", "b\nc\x1b[2J.log": "hello\n"} {
		if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := run(t, c)
	if want := "lxd-allowlist: beware: b c [2J.log: no query is in it\n"; code != 0 || stdout != "a.example.com\n" || stderr != want {
		t.Errorf("exit code %d, %q, and it said %q, want %q", code, stdout, stderr, want)
	}
}
