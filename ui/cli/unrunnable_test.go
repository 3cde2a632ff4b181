package cli

import (
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// A command that the instance doesn't have, or can't run, is told from one that
// ends with the same code by itself.
func TestUnrunnable(t *testing.T) {
	instance := lxdtest.Instance(t, lxdtest.Bridge(t))
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"record", instance, "--settle", "0s", "--", "apt-get", "update"}, 127, "there is no apt-get in " + instance + "; nothing was written\n"},
		{[]string{"record", instance, "--settle", "0s", "--", "/etc/passwd"}, 126, "/etc/passwd in " + instance + " is no file that can be run; nothing was written\n"},
		{[]string{"record", instance, "--settle", "0s", "--", "sh", "-c", "nslookup a.example.test >/dev/null; apt-get update"}, 127, ""},
		{[]string{"verify", instance, list(t, "a.example.test"), "--", "apt-get", "update"}, 1, "The command ended with 127: there is no apt-get in " + instance + ".\n"},
	} {
		stdout, stderr, code := run(t, start(t, test.args...))
		if said := stdout + stderr; code != test.code || !strings.Contains(said, test.says) || test.says == "" && strings.Contains(said, "there is no") {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q, want %d and %q", test.args, code, stdout, stderr, test.code, test.says)
		}
	}
}
