package cgroup

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// offsets are where the kernel that runs keeps what is told of a process, and
// how deep the instance's namespace of processes lies below the host's.
type offsets struct {
	leader, parent, tgid, start, exec, comm, pid, memory uint32 // struct task_struct
	argStart, argEnd                                     uint32 // struct mm_struct
	level, number                                        uint32 // struct pid
	depth                                                uint32
}

// findOffsets reads them from the kernel's own description of its types.
func findOffsets(depth int) (offsets, error) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return offsets{}, fmt.Errorf("processes can't be told: this kernel doesn't describe its types (CONFIG_DEBUG_INFO_BTF): %w", err)
	}
	var task, memory, pid, upid *btf.Struct
	for name, target := range map[string]**btf.Struct{"task_struct": &task, "mm_struct": &memory, "pid": &pid, "upid": &upid} {
		if err := types.TypeByName(name, target); err != nil {
			return offsets{}, fmt.Errorf("processes can't be told: find struct %s of the kernel: %w", name, err)
		}
	}
	o := offsets{depth: uint32(depth)}
	var numbers, number uint32
	for _, f := range []struct {
		of   *btf.Struct
		name string
		to   *uint32
	}{
		{task, "group_leader", &o.leader},
		{task, "real_parent", &o.parent},
		{task, "tgid", &o.tgid},
		{task, "start_boottime", &o.start},
		{task, "self_exec_id", &o.exec},
		{task, "comm", &o.comm},
		{task, "thread_pid", &o.pid},
		{task, "mm", &o.memory},
		{memory, "arg_start", &o.argStart},
		{memory, "arg_end", &o.argEnd},
		{pid, "level", &o.level},
		{pid, "numbers", &numbers},
		{upid, "nr", &number},
	} {
		offset, ok := member(f.of.Members, f.name)
		if !ok {
			return offsets{}, fmt.Errorf("processes can't be told: this kernel's struct %s has no %s", f.of.Name, f.name)
		}
		*f.to = offset
	}
	o.number = numbers + uint32(depth)*upid.Size + number
	return o, nil
}

// member returns the offset in bytes of a member, which may lie in structs and
// unions that have no name.
func member(members []btf.Member, name string) (offset uint32, ok bool) {
	for _, m := range members {
		if m.Name == name {
			return m.Offset.Bytes(), true
		}
		if m.Name != "" {
			continue
		}
		var inner []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}
		if offset, ok := member(inner, name); ok {
			return m.Offset.Bytes() + offset, true
		}
	}
	return 0, false
}

// hooks are the programs and what holds them: closing them, or the end of this
// process however it comes, takes them away, for nothing is pinned.
type hooks struct {
	maps
	programs []*ebpf.Program
	links    []link.Link
}

// How much is kept in the kernel. The ring holds what three seconds bring at
// 1,000 queries and 1,000 connections a second.
const (
	ringBytes  = 4 << 20
	mostTold   = mostProcesses / 4 // for who is told of once must be remembered here
	mostOwners = 16384
	mostFlows  = 16384
)

// license is what the kernel asks of programs that read its memory.
const license = "Dual MIT/GPL"

// attach has the kernel tell of a cgroup's sockets.
func attach(path string, o offsets, ringBytes uint32) (_ *hooks, err error) {
	h := &hooks{}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	// Linux before 5.11 counts programs and maps as locked memory. What it
	// allows too little for says so below.
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	for _, m := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&h.ring, ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: ringBytes}},
		{&h.owners, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: 8, ValueSize: keySize, MaxEntries: mostOwners}},
		{&h.told, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: keySize, ValueSize: 8, MaxEntries: mostTold}},
		{&h.flows, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: flowSize, ValueSize: 8, MaxEntries: mostFlows}},
		{&h.lost, ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1}},
	} {
		if *m.to, err = ebpf.NewMap(&m.spec); err != nil {
			return nil, loadError(err)
		}
	}
	group, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the instance's cgroup: %w", err)
	}
	defer group.Close()
	process := processProgram(&h.maps, o)
	for _, p := range []struct {
		kind         ebpf.ProgramType
		at           ebpf.AttachType
		instructions asm.Instructions
	}{
		{ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Connect, process},
		{ebpf.CGroupSockAddr, ebpf.AttachCGroupInet6Connect, process},
		{ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP4Sendmsg, process},
		{ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP6Sendmsg, process},
		{ebpf.CGroupSKB, ebpf.AttachCGroupInetIngress, packetProgram(&h.maps, true)},
		{ebpf.CGroupSKB, ebpf.AttachCGroupInetEgress, packetProgram(&h.maps, false)},
	} {
		program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: programName, Type: p.kind, AttachType: p.at, Instructions: p.instructions, License: license})
		if err != nil {
			return nil, loadError(err)
		}
		h.programs = append(h.programs, program)
		// Never the way of older kernels, which outlives the process.
		l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(group.Fd()), Program: program, Attach: p.at})
		if err != nil {
			return nil, fmt.Errorf("attach to the instance's cgroup %s: %w", path, err)
		}
		h.links = append(h.links, l)
	}
	return h, nil
}

// programName is what bpftool lists.
const programName = "lxd_allowlist"

// loadError says what the kernel lacks.
func loadError(err error) error {
	var unsuited *ebpf.VerifierError
	switch {
	case errors.As(err, &unsuited):
		return fmt.Errorf("processes can't be told: this kernel refuses the programs that would tell of them: %v", unsuited.Cause)
	case errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, unix.EINVAL):
		return fmt.Errorf("processes can't be told: that needs Linux 5.8 or later with eBPF: %w", err)
	default:
		return fmt.Errorf("processes can't be told: load the programs that tell of them: %w", err)
	}
}

// close takes everything away again.
func (h *hooks) close() {
	for _, l := range h.links {
		_ = l.Close() // the kernel takes it away with the last descriptor
	}
	for _, p := range h.programs {
		_ = p.Close()
	}
	for _, m := range []*ebpf.Map{h.ring, h.owners, h.told, h.flows, h.lost} {
		_ = m.Close()
	}
}
