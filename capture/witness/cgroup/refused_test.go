package cgroup

import (
	"net"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/hosttest"
	"lxd-allowlist/capture/witness/witnesstest"
)

// refuse has the kernel refuse a command of bpf(2) to this thread.
func refuse(t *testing.T, command uint32) {
	const number, firstArgument = 0, 16 // in struct seccomp_data
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: number, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_BPF, SkipTrue: 3},
		bpf.LoadAbsolute{Off: firstArgument, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: command, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	})
	var filter []unix.SockFilter
	for _, i := range raw {
		filter = append(filter, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err == nil {
		err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
	}
	if err != nil {
		t.Error(err)
	}
}

// Where the kernel doesn't tell of programs as they begin, that is said, and
// /proc has the command that a process descends from while it is there.
func TestCommandByProc(t *testing.T) {
	g := newGround(t)
	silent, err := net.Listen("tcp", "10.77.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	var l *life
	hosttest.OnThread(func() {
		refuse(t, unix.BPF_RAW_TRACEPOINT_OPEN)
		l, err = begin(g.pid, g.heard, ringBytes)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	if why := strings.Join(g.heard.why, "\n"); g.heard.lost != 1 || !strings.HasPrefix(why, "the kernel doesn't tell of programs as they begin, ") || strings.Contains(why, "\n") {
		t.Errorf("%d lost: %q", g.heard.lost, why)
	}
	done := make(chan string)
	ask := strings.Join(play("ask", "tcp4", "10.77.0.1:53", "n.example.test"), " ")
	go func() { done <- g.run([]string{"sh", "-c", "timeout 9 " + ask + "; true"}) }()
	c, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Read(make([]byte, 512)) // it waits for an answer
	l.read(false)
	if p := g.heard.query("n.example.test").Process; p == nil || p.Command != "timeout 9 "+ask || p.Exe != os.Args[0] {
		t.Errorf("it is of %+v", p)
	}
	c.Close()
	<-done
}

// Where the kernel loads no programs, or doesn't describe its types, that is
// said in a line, and nothing is held.
func TestRefusedByKernel(t *testing.T) {
	g := newGround(t)
	for _, c := range []struct {
		what, says string
		refuse     func()
	}{
		{"programs", "load the programs that tell of them: ", func() { refuse(t, unix.BPF_PROG_LOAD) }},
		{"maps", "load the programs that tell of them: ", func() { refuse(t, unix.BPF_MAP_CREATE) }},
		{"links", "attach to the instance's cgroup ", func() { refuse(t, unix.BPF_LINK_CREATE) }},
		{"types", "this kernel doesn't describe its types (CONFIG_DEBUG_INFO_BTF): ", func() { noTypes(t) }},
	} {
		hosttest.OnThread(func() {
			c.refuse()
			if _, err := begin(g.pid, g.heard, ringBytes); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", c.what, err)
			} else {
				t.Log(err)
			}
		})
		if h := witnesstest.HeldBy(t, os.Getpid()); len(h.Programs)+len(h.Links)+len(h.Maps) != 0 || g.heard.lost != 0 {
			t.Errorf("%s: it holds %+v, and said %q", c.what, h, g.heard.why)
		}
	}
}

// noTypes has this thread see none of the places that a kernel may describe its
// types in.
func noTypes(t *testing.T) {
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	for _, dir := range []string{"/sys/kernel/btf", "/boot", "/lib/modules", "/usr/lib/debug"} {
		if _, none := os.Stat(dir); err == nil && none == nil {
			err = unix.Mount("none", dir, "tmpfs", 0, "")
		}
	}
	if err != nil {
		t.Error(err)
	}
}
