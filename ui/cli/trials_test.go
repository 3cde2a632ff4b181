//go:build trials

package cli

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// Of 40 names the seven that a command needs, and one of two more, are found in
// at most 60 trials, of which each begins with the instance as it was.
func TestMinimizeForty(t *testing.T) {
	const names, most = 40, 60
	needed := []int{1, 8, 13, 14, 22, 30, 39}
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lookUp(t, instance)
	var all []string
	asks := ""
	want := map[string]string{}
	for n := range names {
		all = append(all, fmt.Sprintf("n%d.example.test", n))
		want[all[n]] = "optional"
	}
	for _, n := range needed {
		asks += fmt.Sprintf(" && ask n%d", n)
		want[all[n]] = "needed"
	}
	want[all[5]], want[all[27]] = "either-or with "+all[27], "either-or with "+all[5]
	command := `ask() { nslookup -type=a "$1.example.test" >/dev/null 2>&1; }
test ! -e /root/ran && touch /root/ran && { ask n5 || ask n27; }` + asks
	stdout, stderr, code := run(t, start(t, "minimize", instance, list(t, all...), "--", "sh", "-c", command))
	found := make(map[string]string)
	for line := range strings.Lines(stdout) {
		if name, is, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasSuffix(name, ".example.test") {
			found[name] = strings.TrimSpace(is)
		}
	}
	trials := strings.Count(stderr, "lxd-allowlist: trial ")
	if code != 0 || !maps.Equal(found, want) || trials == 0 || trials > most {
		t.Errorf("exit code %d, after %d trials found\n%swant %v; it said\n%s", code, trials, stdout, want, stderr)
	}
	t.Logf("%d trials", trials)
	asBefore(t, before)
}
