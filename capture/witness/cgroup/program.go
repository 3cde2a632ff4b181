package cgroup

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// The kinds of records in the ring.
const (
	kindProcess = 1 + iota // a process did something with a socket that it hadn't before
	kindFlow               // a TCP SYN, or a UDP flow's first packet
	kindQuery              // a packet to port 53
	kindAnswer             // a packet from port 53 within the instance
	kindExec               // a process began a program
)

// The record of a process, which ends before the parents for a program that was
// begun: see readProcess.
const (
	processUID    = 4
	processKey    = 8
	processFile   = processKey + keySize // of the program, by the kernel's address
	processComm   = processFile + 8
	processNumber = processComm + commSize
	processDepth  = processNumber + 4
	processArgs   = processDepth + 4 // how many bytes of arguments it has
	processPath   = processArgs + 8  // how many bytes of names, 0 if it couldn't be read
	processArgv   = processPath + 8
	processNames  = processArgv + mostArgs // of the program's path, the last one first, each with a zero
	processAbove  = processNames + mostPath + mostName
	processSize   = processAbove + mostParents*parentSize

	commSize    = 16
	mostArgs    = 512
	mostPath    = 512 // without the topmost name
	mostName    = 256 // with its zero: NAME_MAX
	mostParents = 16

	// A parent has its key, its program's file, its number in the instance and its
	// comm.
	parentFile   = keySize
	parentNumber = parentFile + 8
	parentComm   = parentNumber + 8
	parentSize   = parentComm + commSize
)

// A key tells processes apart, and one program in a process from the next:
// the process's number on the host, when it was begun, and how many programs
// it and those it descends from ran.
const (
	keyStart = 8
	keyExec  = 16
	keySize  = 24
)

// The record of a packet: see readPacket.
const (
	packetProtocol = 4
	packetTime     = 8
	packetKey      = 16
	packetSource   = packetKey + keySize
	packetTarget   = packetSource + 16
	packetPorts    = packetTarget + 16
	packetSequence = packetPorts + 4
	packetLength   = packetSequence + 4 // of the payload
	packetLocal    = packetLength + 4
	packetPayload  = packetLocal + 4
	packetSize     = packetPayload + mostPayload

	mostPayload = 512
)

// maps are what the programs share.
type maps struct {
	ring   *ebpf.Map
	owners *ebpf.Map // by a socket's cookie the key of the process that used it last
	told   *ebpf.Map // the keys of processes that were told of
	flows  *ebpf.Map // of UDP that were told, or that others began
	lost   *ebpf.Map // how many records the ring had no room for
	group  *ebpf.Map // the cgroup
}

// assembly collects a program's instructions.
type assembly struct {
	instructions asm.Instructions
	label        string // of the next one
	*maps
}

func (a *assembly) add(instructions ...asm.Instruction) {
	if a.label != "" {
		instructions[0] = instructions[0].WithSymbol(a.label)
		a.label = ""
	}
	a.instructions = append(a.instructions, instructions...)
}

// at names the next instruction.
func (a *assembly) at(label string) { a.label = label }

// peek reads memory of the kernel at source plus from. What can't be read is
// zeros.
func (a *assembly) peek(target asm.Register, to, size int32, source asm.Register, from uint32) {
	a.add(
		asm.Mov.Reg(asm.R1, target), asm.Add.Imm(asm.R1, to), asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, source), asm.Add.Imm(asm.R3, int32(from)),
		asm.FnProbeReadKernel.Call(),
	)
}

// follow replaces a pointer by the one that is at an offset from it.
func (a *assembly) follow(pointer asm.Register, offset uint32) {
	const scratch = -64
	a.peek(asm.RFP, scratch, 8, pointer, offset)
	a.add(asm.LoadMem(pointer, asm.RFP, scratch, asm.DWord))
}

// find looks a key on the stack up; R0 is the value's place, 0 if there is none.
func (a *assembly) find(m *ebpf.Map, key int32) {
	a.add(asm.LoadMapPtr(asm.R1, m.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key), asm.FnMapLookupElem.Call())
}

// put stores a value on the stack under a key on the stack.
func (a *assembly) put(m *ebpf.Map, key, value int32) {
	a.add(
		asm.LoadMapPtr(asm.R1, m.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, value), asm.Mov.Imm(asm.R4, 0), asm.FnMapUpdateElem.Call(),
	)
}

// reserve has R8 be a new record in the ring, or counts that there was no room
// and goes on at out. It needs the stack's lowest word.
func (a *assembly) reserve(size int32) {
	const zero = -168
	a.add(
		asm.LoadMapPtr(asm.R1, a.ring.FD()), asm.Mov.Imm(asm.R2, size), asm.Mov.Imm(asm.R3, 0), asm.FnRingbufReserve.Call(),
		asm.Mov.Reg(asm.R8, asm.R0), asm.JNE.Imm(asm.R0, 0, "room"),
		asm.StoreImm(asm.RFP, zero, 0, asm.Word),
	)
	a.find(a.lost, zero)
	a.add(asm.JEq.Imm(asm.R0, 0, "out"), asm.Mov.Imm(asm.R1, 1), asm.StoreXAdd(asm.R0, asm.R1, asm.DWord), asm.Ja.Label("out"))
	a.at("room")
}

// How the reader learns of a record: a process that is new is read at once,
// before it is gone, and what was sent waits for more of its like while the
// reader is busy.
const (
	later  = 0
	atOnce = 2 // BPF_RB_FORCE_WAKEUP
)

// submit hands R8 over to the reader and lets pass what is looked at.
func (a *assembly) submit(when int32) {
	a.add(asm.Mov.Reg(asm.R1, asm.R8), asm.Mov.Imm(asm.R2, when), asm.FnRingbufSubmit.Call())
	a.at("out")
	a.add(asm.Mov.Imm(asm.R0, 1), asm.Return())
}

// processProgram tells which process connects a socket or sends by it. It runs
// in that process, so that nothing of it is gone yet.
func processProgram(m *maps, o offsets) asm.Instructions {
	const cookie, key, scratch = -8, -8 - keySize, -64
	a := assembly{maps: m}
	a.add(asm.FnGetSocketCookie.Call(), asm.StoreMem(asm.RFP, cookie, asm.R0, asm.DWord))
	a.add(asm.FnGetCurrentPidTgid.Call(), asm.RSh.Imm(asm.R0, 32), asm.StoreMem(asm.RFP, key, asm.R0, asm.DWord))
	a.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(asm.R7, asm.R0))
	a.follow(asm.R7, o.leader)
	a.peek(asm.RFP, key+keyStart, 8, asm.R7, o.start)
	a.peek(asm.RFP, key+keyExec, 8, asm.R7, o.exec)

	// Once for each program in a process; a socket is whose used it last.
	a.find(m.owners, cookie)
	a.add(asm.JEq.Imm(asm.R0, 0, "new"))
	for at := int16(0); at < keySize; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.R0, at, asm.DWord), asm.LoadMem(asm.R2, asm.RFP, key+at, asm.DWord), asm.JNE.Reg(asm.R1, asm.R2, "new"))
	}
	a.add(asm.Ja.Label("out"))
	a.at("new")
	a.put(m.owners, cookie, key)
	a.find(m.told, key)
	a.add(asm.JNE.Imm(asm.R0, 0, "out"))
	a.reserve(processSize)
	a.put(m.told, key, cookie) // whatever the value
	a.add(asm.StoreImm(asm.R8, 0, kindProcess, asm.Word))
	for at := int16(0); at < keySize; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.RFP, key+at, asm.DWord), asm.StoreMem(asm.R8, processKey+at, asm.R1, asm.DWord))
	}
	a.add(asm.FnGetCurrentUidGid.Call(), asm.StoreMem(asm.R8, processUID, asm.R0, asm.Word))
	a.peek(asm.R8, processComm, commSize, asm.R7, o.comm)

	a.program(o)
	a.add(asm.StoreImm(asm.R8, processDepth, 0, asm.Word), asm.StoreImm(asm.R8, processNumber, 0, asm.Word))
	a.number(processNumber, o)
	for i := range int32(mostParents) {
		at := processAbove + i*parentSize
		a.follow(asm.R7, o.parent)
		a.follow(asm.R7, o.leader)
		a.number(at+parentNumber, o)
		a.add(asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.R8, int16(at), asm.R1, asm.DWord))
		a.peek(asm.RFP, scratch, 4, asm.R7, o.tgid)
		a.add(asm.LoadMem(asm.R1, asm.RFP, scratch, asm.Word), asm.StoreMem(asm.R8, int16(at), asm.R1, asm.DWord))
		a.peek(asm.R8, at+keyStart, 8, asm.R7, o.start)
		a.peek(asm.R8, at+keyExec, 8, asm.R7, o.exec)
		a.peek(asm.R8, at+parentComm, commSize, asm.R7, o.comm)
		a.add(asm.Mov.Reg(asm.R9, asm.R7))
		a.follow(asm.R9, o.memory)
		a.peek(asm.R8, at+parentFile, 8, asm.R9, o.exe)
		a.add(asm.StoreImm(asm.R8, processDepth, int64(i)+1, asm.Word))
	}
	a.at("told")
	a.submit(atOnce)
	return a.instructions
}

// number stores which number the task of R7 has in the instance, or goes on at
// told, for one that isn't there.
func (a *assembly) number(to int32, o offsets) {
	const level = -56
	a.add(asm.Mov.Reg(asm.R9, asm.R7))
	a.follow(asm.R9, o.pid)
	a.peek(asm.RFP, level, 4, asm.R9, o.level)
	a.add(asm.LoadMem(asm.R1, asm.RFP, level, asm.Word), asm.JLT.Imm(asm.R1, int32(o.depth), "told"))
	a.peek(asm.R8, to, 4, asm.R9, o.number)
}
