package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// confined reports a thread of a process, or of one that it started, that may
// do more than is needed, or could get to do so.
func confined(t *testing.T, pid int) (processes int) {
	t.Helper()
	most := uint64(0)
	for _, v := range needed {
		most |= 1 << v
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("process %d has threads %v, %v", pid, files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // a thread that ended
		}
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			value = strings.TrimSpace(value)
			switch key {
			case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
				seen++
				var has uint64
				if _, err := fmt.Sscanf(value, "%x", &has); err != nil {
					t.Fatal(err)
				}
				if key == "CapBnd" && os.Geteuid() != 0 {
					continue // it takes root to make it less; no new privileges makes it void
				}
				if has&^most != 0 {
					t.Errorf("%s: %s has %x beyond what is needed", file, key, has&^most)
				}
				if (key == "CapInh" || key == "CapAmb") && has != 0 {
					t.Errorf("%s: %s is %s", file, key, value)
				}
			case "NoNewPrivs":
				if seen++; value != "1" {
					t.Errorf("%s: new privileges can be had", file)
				}
			}
		}
		if seen != 6 {
			t.Errorf("%s has %d of 6 lines", file, seen)
		}
	}
	var children []byte // of each thread
	for _, file := range files {
		of, err := os.ReadFile(strings.Replace(file, "status", "children", 1))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		children = append(children, of...)
	}
	for _, child := range strings.Fields(string(children)) {
		var n int
		if _, err := fmt.Sscan(child, &n); err != nil {
			t.Fatal(err)
		}
		processes += confined(t, n)
	}
	return processes + 1
}

// A program that reads a log has given up what it doesn't need before it reads
// the first byte.
func TestPrivilegesOfAReader(t *testing.T) {
	c := start(t, "export", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds is written once some of it was read.
	if _, err := io.WriteString(in, strings.Repeat("query[A] a.example from 10.0.0.2\n", 1<<16)); err != nil {
		t.Fatal(err)
	}
	confined(t, c.Process.Pid)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// running runs the program with a command in the instance that waits for its
// input's end, calls look once it runs, ends it and returns all
// that it said.
func running(t *testing.T, c *exec.Cmd, look func()) (said string) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	both, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	c.Stdout, c.Stderr = write, write
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	looked := false
	for lines := bufio.NewScanner(both); lines.Scan(); {
		if said += lines.Text() + "\n"; lines.Text() == "running" && !looked {
			looked = true
			look()
			_ = in.Close()
		}
	}
	if err := c.Wait(); err != nil || !looked {
		t.Errorf("%v; it said\n%s", err, said)
	}
	return said
}

// While they work, record and verify have no more rights than they need, nor
// has the guard of verify's packet filter.
func TestPrivileges(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	const command = "nslookup a.example.test >/dev/null; echo running; cat"
	c := start(t, "record", "--seen", instance, "--", "sh", "-c", command)
	running(t, c, func() { confined(t, c.Process.Pid) })
	lxdtest.Unchanged(t, bridge, before)

	list := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(list, []byte("a.example.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := start(t, "verify", "--strict", instance, list, "--", "sh", "-c", command)
	running(t, v, func() {
		if n := confined(t, v.Process.Pid); n != 2 {
			t.Errorf("there are %d processes, not the program and its guard", n)
		}
	})
	lxdtest.Unchanged(t, bridge, before)
}
