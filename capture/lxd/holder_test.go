package lxd

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// held returns the configuration of a network that this process holds, with
// some keys changed.
func held(changes map[string]string) map[string]string {
	config := holderKeys()
	config[lockKey] = "token"
	maps.Copy(config, changes)
	return config
}

func TestHolderDead(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what    string
		changes map[string]string
		dead    bool
	}{
		{"alive", nil, false},
		{"ended", map[string]string{pidKey: strconv.Itoa(gone.Process.Pid), startKey: ""}, true},
		{"its number is another's now", map[string]string{startKey: "1"}, true},
		{"before the machine's restart", map[string]string{bootKey: "another"}, true},
		{"on another machine", map[string]string{hostKey: "another", pidKey: strconv.Itoa(gone.Process.Pid)}, false},
		{"meddled with", map[string]string{pidKey: "-1"}, false},
		{"of a kernel without boot IDs", map[string]string{bootKey: "", startKey: ""}, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			err := holderError("br", held(test.changes))
			var leftover *LeftoverError
			if errors.As(err, &leftover) != test.dead || err == nil {
				t.Errorf("it is %v", err)
			}
		})
	}
	if err := holderError("br", map[string]string{rawKey: "x"}); err != nil {
		t.Errorf("nobody holds it, but %v", err)
	}
}

// TestZombieHasEnded looks at a child that has ended and wasn't waited for.
func TestZombieHasEnded(t *testing.T) {
	c := exec.Command("cat")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	start := startTime(c.Process.Pid)
	if _, err := strconv.ParseUint(start, 10, 64); err != nil {
		t.Errorf("a living process began at %q", start)
	}
	_ = stdin.Close()
	if _, err := stdout.Read(make([]byte, 1)); err == nil {
		t.Fatal("cat printed something")
	}
	// Its output is closed a moment before it is a zombie.
	for startTime(c.Process.Pid) != "ended" {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(c.Process.Pid) + "/stat"); err != nil {
			t.Fatalf("the zombie is gone: %v, %s", err, stat)
		}
	}
	if !holderDead(held(map[string]string{pidKey: strconv.Itoa(c.Process.Pid), startKey: start})) {
		t.Error("a zombie holds the lease")
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestHolderIsNamed(t *testing.T) {
	err := holderError("br", held(map[string]string{userKey: "me", sinceKey: "2024-02-03T04:05:06Z"}))
	for _, part := range []string{"br", "lxd-allowlist", "me", strconv.Itoa(os.Getpid()), "2024-02-0"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't name %q", err, part)
		}
	}
}
