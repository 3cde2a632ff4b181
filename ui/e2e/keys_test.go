package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// builder is the screen on the log of a machine that builds software: 135 names
// that somebody has to decide about, and 24 that rules decide.
func builder(t *testing.T) *screen {
	t.Helper()
	t.Setenv("LXD_DIR", t.TempDir())
	names, err := os.ReadFile(filepath.Join("..", "testdata", "names"))
	if err != nil {
		t.Fatal(err)
	}
	replies := map[string]string{"resolved": "reply %s is 192.0.2.1", "blocked": "gravity blocked %s is 0.0.0.0", "SERVFAIL": "reply error is SERVFAIL%.0s"}
	var log strings.Builder
	at := 0
	for line := range strings.Lines(string(names)) {
		f := strings.Fields(line)
		reply, ok := replies[f[1]]
		if !ok {
			reply = "reply %s is " + f[1]
		}
		stamp := fmt.Sprintf("Nov 24 10:%02d:%02d dnsmasq[1]: ", at/60, at%60)
		fmt.Fprintf(&log, stamp+"query[A] %s from 10.0.0.5\n"+stamp+reply+"\n", f[0], f[0])
		at++
	}
	path := filepath.Join(t.TempDir(), "builder.log")
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, 80, 24, "open", path)
}

var leftInHeader = regexp.MustCompile(` (\d+)· \d+✓ `)

// left waits for the header to say how many names are undecided that isn't was.
func (s *screen) left(was int) (n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("another count than %d of what is undecided", was), func(text string) bool {
		m := leftInHeader.FindStringSubmatch(text)
		if m == nil {
			return false
		}
		n, _ = strconv.Atoi(m[1])
		return n != was
	})
	return n
}

// Goals for the keys that 135 undecided names take, from the first to the last
// decision.
const (
	keysSingly  = 135
	keysByGroup = 60
)

// Who decides never has to go to the next name: a key a name, and by group fewer.
func TestKeysToDecide(t *testing.T) {
	for _, test := range []struct {
		how   string
		begin []string
		most  int
	}{{"singly", nil, keysSingly}, {"by group", []string{"t", "T"}, keysByGroup}} {
		s := builder(t)
		s.sees("builder.log", "decided 0/135 ░░░░░░")
		keys := len(test.begin)
		if keys > 0 {
			s.keys(test.begin...)
			s.row("▸", "ubuntu.com", "9 new")
		}
		all := s.left(-1)
		left := all
		for left > 0 && keys < test.most {
			s.keys([]string{"a", "d"}[keys%2])
			keys++
			left = s.left(left)
		}
		t.Logf("%d names take %d keys %s, of %d", all, keys, test.how, test.most)
		if left > 0 || all != 135 {
			t.Errorf("%s, %d keys leave %d of %d names", test.how, keys, left, all)
		}
		s.sees("nothing left to decide", "nothing is left to decide: e exports the list")
		s.quits()
	}
}
