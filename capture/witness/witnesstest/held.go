// Package witnesstest tells what the kernel keeps for a process that watches.
package witnesstest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Held is what the kernel keeps for a process.
type Held struct {
	Links, Programs, Maps []uint32 // by their numbers, which the kernel gives once only
	Packets               []string // inodes of packet sockets
}

// patience bounds how long the kernel may take to free what nobody has any
// more, which it tells nobody of.
const patience = 10 * time.Second

var bpfNumber = regexp.MustCompile(`(?m)^(link|prog|map)_id:\s+(\d+)$`)

// HeldBy returns what a process has. Of one that stands still nothing is missed.
func HeldBy(t testing.TB, pid int) (h Held) {
	t.Helper()
	numbers := make(map[string][]uint32)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was closed meanwhile
		}
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
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if inode, ok := strings.CutPrefix(at, "socket:["); ok && slices.Contains(packetSockets(t), strings.TrimSuffix(inode, "]")) {
			h.Packets = append(h.Packets, strings.TrimSuffix(inode, "]"))
		}
	}
	for _, n := range numbers { // a link names its program, too
		slices.Sort(n)
	}
	h.Links, h.Programs, h.Maps = slices.Compact(numbers["link"]), slices.Compact(numbers["prog"]), slices.Compact(numbers["map"])
	return h
}

// packetSockets returns the inodes of all packet sockets here.
func packetSockets(t testing.TB) (inodes []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/packet") // the first thread may be in another namespace for good
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
func (h Held) left(t testing.TB) (what []string) {
	t.Helper()
	still := func(kind string, n uint32, err error) {
		if err == nil {
			what = append(what, fmt.Sprintf("%s %d", kind, n))
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s %d: %v", kind, n, err)
		}
	}
	for _, n := range h.Links {
		l, err := link.NewFromID(link.ID(n))
		if still("link", n, err); err == nil {
			_ = l.Close()
		}
	}
	for _, n := range h.Programs {
		p, err := ebpf.NewProgramFromID(ebpf.ProgramID(n))
		if still("program", n, err); err == nil {
			_ = p.Close()
		}
	}
	for _, n := range h.Maps {
		m, err := ebpf.NewMapFromID(ebpf.MapID(n))
		if still("map", n, err); err == nil {
			_ = m.Close()
		}
	}
	for _, inode := range packetSockets(t) {
		if slices.Contains(h.Packets, inode) {
			what = append(what, "packet socket "+inode)
		}
	}
	return what
}

// AwaitGone waits until the kernel has let go of all of it.
func (h Held) AwaitGone(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(patience / 1000) {
		left := h.left(t)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after its end there is still %s", strings.Join(left, ", "))
		}
	}
}
