package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// held is what the kernel keeps for a process.
type held struct {
	links, programs, maps []uint32 // by their numbers, which the kernel gives once only
	packets               []string // inodes of packet sockets
}

var bpfNumber = regexp.MustCompile(`(?m)^(link|prog|map)_id:\s+(\d+)$`)

// heldBy returns what a process that stands still has.
func heldBy(t *testing.T, pid int) (h held) {
	t.Helper()
	numbers := make(map[string][]uint32)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range bpfNumber.FindAllSubmatch(text, -1) {
			n, err := strconv.ParseUint(string(m[2]), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			numbers[string(m[1])] = append(numbers[string(m[1])], uint32(n))
		}
		at, err := os.Readlink(strings.Replace(file, "fdinfo", "fd", 1))
		if err != nil {
			t.Fatal(err)
		}
		if inode, ok := strings.CutPrefix(at, "socket:["); ok && slices.Contains(packetSockets(t), strings.TrimSuffix(inode, "]")) {
			h.packets = append(h.packets, strings.TrimSuffix(inode, "]"))
		}
	}
	h.links, h.programs, h.maps = numbers["link"], numbers["prog"], numbers["map"]
	return h
}

// packetSockets returns the inodes of all packet sockets here.
func packetSockets(t *testing.T) (inodes []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/packet")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		inodes = append(inodes, string(fields[len(fields)-1]))
	}
	return inodes
}

// left returns what of it is still there.
func (h held) left(t *testing.T) (what []string) {
	t.Helper()
	still := func(kind string, n uint32, err error) {
		if err == nil {
			what = append(what, fmt.Sprintf("%s %d", kind, n))
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s %d: %v", kind, n, err)
		}
	}
	for _, n := range h.links {
		l, err := link.NewFromID(link.ID(n))
		if still("link", n, err); err == nil {
			_ = l.Close()
		}
	}
	for _, n := range h.programs {
		p, err := ebpf.NewProgramFromID(ebpf.ProgramID(n))
		if still("program", n, err); err == nil {
			_ = p.Close()
		}
	}
	for _, n := range h.maps {
		m, err := ebpf.NewMapFromID(ebpf.MapID(n))
		if still("map", n, err); err == nil {
			_ = m.Close()
		}
	}
	for _, inode := range packetSockets(t) {
		if slices.Contains(h.packets, inode) {
			what = append(what, "packet socket "+inode)
		}
	}
	return what
}

// leftPatience bounds how long the kernel may take to free what nobody has any
// more, which it tells nobody of.
const leftPatience = 10 * time.Second

// kill kills the program where it stands and has what the kernel kept for it
// gone. It returns that, nothing where the program was over.
func kill(t *testing.T, c *exec.Cmd) (h held) {
	t.Helper()
	pid := c.Process.Pid
	if err := c.Process.Signal(unix.SIGSTOP); errors.Is(err, os.ErrProcessDone) {
		return h
	} else if err != nil {
		t.Fatal(err)
	}
	// Reading a stopped process, nothing that it makes is missed.
	err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED, nil)
	if errors.Is(err, unix.ECHILD) {
		return h
	}
	if err != nil {
		t.Fatal(err)
	}
	h = heldBy(t, pid)
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(leftPatience); ; time.Sleep(leftPatience / 1000) {
		left := h.left(t)
		if len(left) == 0 {
			return h
		}
		if time.Now().After(deadline) {
			t.Errorf("the kernel still has of a killed program: %s", strings.Join(left, ", "))
			return h
		}
	}
}
