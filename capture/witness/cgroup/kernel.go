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
	argStart, argEnd, exe                                uint32 // struct mm_struct
	level, number                                        uint32 // struct pid
	depth                                                uint32

	// What a program's path is read by, if noPath doesn't say why it can't be.
	noPath                     error
	fileMount, fileName        uint32 // struct file
	root, above, point, within uint32 // struct mount; within is where the kernel points into it
	name, parentName           uint32 // struct dentry
}

// findOffsets reads them from the kernel's own description of its types.
func findOffsets(depth int) (offsets, error) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return offsets{}, fmt.Errorf("processes can't be told: this kernel doesn't describe its types (CONFIG_DEBUG_INFO_BTF): %w", err)
	}
	o := offsets{depth: uint32(depth)}
	var numbers, number, size uint32
	if err := find(types, []member{
		{"task_struct", "group_leader", &o.leader},
		{"task_struct", "real_parent", &o.parent},
		{"task_struct", "tgid", &o.tgid},
		{"task_struct", "start_boottime", &o.start},
		{"task_struct", "self_exec_id", &o.exec},
		{"task_struct", "comm", &o.comm},
		{"task_struct", "thread_pid", &o.pid},
		{"task_struct", "mm", &o.memory},
		{"mm_struct", "arg_start", &o.argStart},
		{"mm_struct", "arg_end", &o.argEnd},
		{"mm_struct", "exe_file", &o.exe},
		{"pid", "level", &o.level},
		{"pid", "numbers", &numbers},
		{"upid", "nr", &number},
		{"upid", "", &size},
	}); err != nil {
		return offsets{}, fmt.Errorf("processes can't be told: %w", err)
	}
	o.number = numbers + uint32(depth)*size + number

	var path, mount, name, root, text uint32
	o.noPath = find(types, []member{
		{"file", "f_path", &path},
		{"path", "mnt", &mount},
		{"path", "dentry", &name},
		{"mount", "mnt", &o.within},
		{"mount", "mnt_parent", &o.above},
		{"mount", "mnt_mountpoint", &o.point},
		{"vfsmount", "mnt_root", &root},
		{"dentry", "d_parent", &o.parentName},
		{"dentry", "d_name", &o.name},
		{"qstr", "name", &text},
	})
	o.fileMount, o.fileName, o.root, o.name = path+mount, path+name, o.within+root, o.name+text
	return o, nil
}

// member is one of a struct of the kernel's, and where its offset in bytes goes;
// without a name, the struct's size.
type member struct {
	of, name string
	to       *uint32
}

func find(types *btf.Spec, all []member) error {
	for _, m := range all {
		var of *btf.Struct
		if err := types.TypeByName(m.of, &of); err != nil {
			return fmt.Errorf("find struct %s of the kernel: %w", m.of, err)
		}
		if *m.to = of.Size; m.name == "" {
			continue
		}
		var ok bool
		if *m.to, ok = offset(of.Members, m.name); !ok {
			return fmt.Errorf("this kernel's struct %s has no %s", m.of, m.name)
		}
	}
	return nil
}

// offset returns the offset in bytes of a member, which may lie in structs and
// unions that have no name.
func offset(members []btf.Member, name string) (bytes uint32, ok bool) {
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
		if bytes, ok := offset(inner, name); ok {
			return m.Offset.Bytes() + bytes, true
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
	noExec   error // why programs aren't told of as they begin
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
		{&h.group, ebpf.MapSpec{Type: ebpf.CGroupArray, KeySize: 4, ValueSize: 4, MaxEntries: 1}},
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
	h.noExec = h.attachExec(group, o)
	return h, nil
}

func (h *hooks) attachExec(group *os.File, o offsets) error {
	if err := h.group.Put(uint32(0), uint32(group.Fd())); err != nil {
		return err
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: programName, Type: ebpf.RawTracepoint, Instructions: execProgram(&h.maps, o), License: license})
	if err != nil {
		return err
	}
	h.programs = append(h.programs, program)
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sched_process_exec", Program: program})
	if err != nil {
		return err
	}
	h.links = append(h.links, l)
	return nil
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
	for _, m := range []*ebpf.Map{h.ring, h.owners, h.told, h.flows, h.lost, h.group} {
		_ = m.Close()
	}
}
