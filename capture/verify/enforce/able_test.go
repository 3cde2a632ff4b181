package enforce

import (
	"strings"
	"testing"
)

// Who can't enforce a list is told why, and what to do.
func TestAble(t *testing.T) {
	for _, c := range []struct {
		strict, local, root bool
		why, do             string // both "" where it can be done
	}{
		{local: true, root: true},
		{strict: true, local: true, root: true},
		{local: true, why: "lxd-allowlist verify web LIST -- COMMAND", do: "run the program with sudo"},
		{strict: true, local: true, why: "packets are refused by the host's packet filter", do: "run the program with sudo"},
		{root: true, why: "on another host", do: "run the program there, with sudo"},
		{why: "on another host", do: "run the program there, with sudo"},
		{strict: true, root: true, why: "on another host", do: "run the program there, with sudo"},
	} {
		err := able("web", c.strict, c.local, c.root)
		switch {
		case c.why == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.why != "" && (err == nil || !strings.HasPrefix(err.Error(), "enforce a list on instance web: ") || !strings.Contains(err.Error(), c.why) || !strings.HasSuffix(err.Error(), c.do)):
			t.Errorf("%+v: %v", c, err)
		}
	}
}
