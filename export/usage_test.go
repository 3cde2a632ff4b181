package export

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The command that a format's words have makes the configuration of the file's
// comments.
func TestConfigurationInComments(t *testing.T) {
	command := regexp.MustCompile(`configuration: sed -n '([^']+)'`)
	tried := 0
	for _, f := range Formats() {
		m := command.FindStringSubmatch(f.Load)
		if m == nil {
			continue
		}
		tried++
		out, err := exec.Command("sed", "-n", m[1], filepath.Join("testdata", f.Name+"."+f.Extension)).CombinedOutput()
		var want []string
		for _, line := range f.usage {
			if rest, ok := strings.CutPrefix(line, "  "); ok { // what else is said has no blanks before it
				want = append(want, rest+"\n")
			}
		}
		if got := string(out); err != nil || got != strings.Join(want, "") || len(want) == 0 {
			t.Errorf("%s: %v\n%s, want\n%s", f.Name, err, got, strings.Join(want, ""))
		}
	}
	if tried != 2 {
		t.Errorf("%d formats, want haproxy and nginx", tried)
	}
}
