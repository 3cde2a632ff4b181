package cgroup

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// The kinds of records in the ring.
const (
	kindProcess = 1 + iota // a process did something with a socket that it hadn't before
	kindFlow               // a TCP SYN, or a UDP flow's first packet
	kindQuery              // a packet to port 53
	kindAnswer             // a packet from port 53 within the instance
)

// The record of a process: see readProcess.
const (
	processUID    = 4
	processKey    = 8
	processComm   = processKey + keySize
	processNumber = processComm + commSize
	processDepth  = processNumber + 4
	processArgs   = processDepth + 4 // how many bytes of arguments it has
	processArgv   = processArgs + 8
	processAbove  = processArgv + mostArgs
	processSize   = processAbove + mostParents*parentSize

	commSize    = 16
	mostArgs    = 512
	mostParents = 16

	// A parent has its key, its number in the instance and its comm.
	parentNumber = keySize
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

const (
	protocolTCP = 6
	protocolUDP = 17
)

// loopback is the number that lo has in every network namespace.
const loopback = 1

// port53 is the port of DNS as it stands in a packet.
var port53 = int32(binary.NativeEndian.Uint16([]byte{0, 53}))

// maps are what the programs share.
type maps struct {
	ring   *ebpf.Map
	owners *ebpf.Map // by a socket's cookie the key of the process that used it last
	told   *ebpf.Map // the keys of processes that were told of
	flows  *ebpf.Map // of UDP that were told, or that others began
	lost   *ebpf.Map // how many records the ring had no room for
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
	const cookie, key, scratch, scratch2 = -8, -8 - keySize, -64, -56
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

	a.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(asm.R9, asm.R0))
	a.follow(asm.R9, o.memory)
	a.peek(asm.RFP, scratch, 8, asm.R9, o.argStart)
	a.peek(asm.RFP, scratch2, 8, asm.R9, o.argEnd)
	a.add(
		asm.LoadMem(asm.R3, asm.RFP, scratch, asm.DWord), asm.LoadMem(asm.R2, asm.RFP, scratch2, asm.DWord), asm.Sub.Reg(asm.R2, asm.R3),
		asm.StoreMem(asm.R8, processArgs, asm.R2, asm.DWord),
		asm.JLE.Imm(asm.R2, mostArgs, "fits"), asm.Mov.Imm(asm.R2, mostArgs),
	)
	a.at("fits")
	a.add(
		asm.Mov.Reg(asm.R1, asm.R8), asm.Add.Imm(asm.R1, processArgv), asm.FnProbeReadUser.Call(),
		asm.JEq.Imm(asm.R0, 0, "read"), asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.R8, processArgs, asm.R1, asm.DWord),
	)
	a.at("read")
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

// What a packet's program has on its stack.
const (
	atHeader   = -48 // of IP: 40 bytes
	atPorts    = -72 // the transport's header: 20 bytes
	atCookie   = -80
	atFlow     = -112 // cookie, the other end's address and port
	atTarget   = -128
	atSource   = -144
	atKind     = -152
	atProtocol = -160
)

const flowSize = 32

// packetProgram tells of queries, and of the first packets of connections. It
// also looks at packets that come in, for what is sent to those who began a
// flow themselves is none of the instance's.
func packetProgram(m *maps, incoming bool) asm.Instructions {
	a := assembly{maps: m}
	a.add(asm.Mov.Reg(asm.R6, asm.R1))
	a.network()

	a.at("transport")
	a.load(asm.R7, atPorts, 8)
	a.add(asm.StoreMem(asm.RFP, atProtocol, asm.R8, asm.Word))
	a.add(asm.Mov.Reg(asm.R1, asm.R6), asm.FnGetSocketCookie.Call(), asm.StoreMem(asm.RFP, atCookie, asm.R0, asm.DWord))
	a.add(asm.LoadMem(asm.R9, asm.R6, skbInterface, asm.Word))
	if incoming {
		a.add(asm.JNE.Imm(asm.R8, protocolUDP, "out"), asm.JEq.Imm(asm.R9, loopback, "out"))
		a.flow(atSource, atPorts)
		a.add(asm.Ja.Label("out"))
		a.at("out")
		a.add(asm.Mov.Imm(asm.R0, 1), asm.Return())
		return a.instructions
	}
	a.add(
		asm.JEq.Imm(asm.R8, protocolTCP, "tcp"), asm.JNE.Imm(asm.R8, protocolUDP, "out"),
		asm.Add.Imm(asm.R7, 8),
		asm.LoadMem(asm.R1, asm.RFP, atPorts+2, asm.Half), asm.JEq.Imm(asm.R1, port53, "query"),
		asm.LoadMem(asm.R1, asm.RFP, atPorts, asm.Half), asm.JNE.Imm(asm.R1, port53, "udp"),
		asm.JEq.Imm(asm.R9, loopback, "answer"),
	)
	a.at("udp")
	a.add(asm.JEq.Imm(asm.R9, loopback, "out"))
	a.flow(atTarget, atPorts+2)
	a.add(asm.Ja.Label("begun"))

	a.at("tcp")
	a.load(asm.R7, atPorts, 20)
	a.add(
		asm.LoadMem(asm.R1, asm.RFP, atPorts+13, asm.Byte), asm.And.Imm(asm.R1, 0x12), asm.JEq.Imm(asm.R1, 0x02, "begun"), // SYN, no ACK
		asm.LoadMem(asm.R1, asm.RFP, atPorts+12, asm.Byte), asm.RSh.Imm(asm.R1, 4), asm.LSh.Imm(asm.R1, 2), asm.Add.Reg(asm.R7, asm.R1),
		asm.LoadMem(asm.R1, asm.R6, skbLength, asm.Word), asm.JGE.Reg(asm.R7, asm.R1, "out"), // no payload
		asm.LoadMem(asm.R1, asm.RFP, atPorts+2, asm.Half), asm.JEq.Imm(asm.R1, port53, "query"),
		asm.LoadMem(asm.R1, asm.RFP, atPorts, asm.Half), asm.JNE.Imm(asm.R1, port53, "out"),
		asm.JNE.Imm(asm.R9, loopback, "out"),
	)
	a.at("answer")
	a.add(asm.StoreImm(asm.RFP, atKind, kindAnswer, asm.Word), asm.Ja.Label("tell"))
	a.at("begun")
	a.add(asm.StoreImm(asm.RFP, atKind, kindFlow, asm.Word), asm.LoadMem(asm.R7, asm.R6, skbLength, asm.Word), asm.Ja.Label("tell")) // without payload
	a.at("query")
	a.add(asm.StoreImm(asm.RFP, atKind, kindQuery, asm.Word))
	a.at("tell")
	a.packet()
	return a.instructions
}

// Offsets in struct __sk_buff, which programs see of a packet.
const (
	skbLength    = 0
	skbInterface = 40
)

// load copies a packet's bytes at an offset onto the stack, or goes on at out.
func (a *assembly) load(offset asm.Register, to, size int32) {
	a.add(
		asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Reg(asm.R2, offset), asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, to), asm.Mov.Imm(asm.R4, size),
		asm.FnSkbLoadBytes.Call(), asm.JNE.Imm(asm.R0, 0, "out"),
	)
}

// network reads the IP header: R7 is where the transport's begins then, R8
// which protocol that is. An IPv4 address is one of IPv6 (RFC 4291, 2.5.5.2).
// Fragments but the first have no ports and go on at out.
func (a *assembly) network() {
	a.add(asm.Mov.Imm(asm.R7, 0))
	a.load(asm.R7, atHeader, 20)
	a.add(
		asm.LoadMem(asm.R1, asm.RFP, atHeader, asm.Byte), asm.Mov.Reg(asm.R7, asm.R1), asm.RSh.Imm(asm.R1, 4),
		asm.JEq.Imm(asm.R1, 6, "ipv6"), asm.JNE.Imm(asm.R1, 4, "out"),
		asm.And.Imm(asm.R7, 0xf), asm.LSh.Imm(asm.R7, 2),
		asm.LoadMem(asm.R1, asm.RFP, atHeader+6, asm.Byte), asm.And.Imm(asm.R1, 0x1f), asm.JNE.Imm(asm.R1, 0, "out"),
		asm.LoadMem(asm.R1, asm.RFP, atHeader+7, asm.Byte), asm.JNE.Imm(asm.R1, 0, "out"),
		asm.LoadMem(asm.R8, asm.RFP, atHeader+9, asm.Byte),
	)
	for to, from := int16(atSource), int16(atHeader+12); to <= atTarget; to, from = to+16, from+4 {
		a.add(
			asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, to, asm.R1, asm.DWord), asm.StoreImm(asm.RFP, to+8, 0, asm.Half), asm.StoreImm(asm.RFP, to+10, 0xffff, asm.Half),
			asm.LoadMem(asm.R1, asm.RFP, from, asm.Word), asm.StoreMem(asm.RFP, to+12, asm.R1, asm.Word),
		)
	}
	a.add(asm.Ja.Label("transport"))

	a.at("ipv6")
	a.add(asm.Mov.Imm(asm.R7, 0))
	a.load(asm.R7, atHeader, 40)
	for at := int16(0); at < 32; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.RFP, atHeader+8+at, asm.DWord), asm.StoreMem(asm.RFP, atSource+at, asm.R1, asm.DWord))
	}
	a.add(asm.Mov.Imm(asm.R7, 40), asm.LoadMem(asm.R8, asm.RFP, atHeader+6, asm.Byte))
	const mostExtensions = 6 // each of RFC 8200 once
	for i := range mostExtensions {
		label := func(name string) string { return fmt.Sprintf("%s%d", name, i) }
		a.add(
			asm.JEq.Imm(asm.R8, 0, label("options")),   // hop by hop
			asm.JEq.Imm(asm.R8, 43, label("options")),  // routing
			asm.JEq.Imm(asm.R8, 60, label("options")),  // destination
			asm.JEq.Imm(asm.R8, 135, label("options")), // mobility
			asm.JEq.Imm(asm.R8, 51, label("authentication")),
			asm.JNE.Imm(asm.R8, 44, "transport"),
		)
		a.load(asm.R7, atPorts, 4) // a fragment's
		a.add(
			asm.LoadMem(asm.R1, asm.RFP, atPorts+2, asm.Byte), asm.JNE.Imm(asm.R1, 0, "out"),
			asm.LoadMem(asm.R1, asm.RFP, atPorts+3, asm.Byte), asm.And.Imm(asm.R1, 0xf8), asm.JNE.Imm(asm.R1, 0, "out"),
			asm.LoadMem(asm.R8, asm.RFP, atPorts, asm.Byte), asm.Add.Imm(asm.R7, 8), asm.Ja.Label(label("next")),
		)
		for _, header := range []struct {
			name        string
			more, shift int32 // its length is (n + more) << shift
		}{{"options", 1, 3}, {"authentication", 2, 2}} {
			a.at(label(header.name))
			a.load(asm.R7, atPorts, 2)
			a.add(
				asm.LoadMem(asm.R8, asm.RFP, atPorts, asm.Byte), asm.LoadMem(asm.R1, asm.RFP, atPorts+1, asm.Byte),
				asm.Add.Imm(asm.R1, header.more), asm.LSh.Imm(asm.R1, header.shift), asm.Add.Reg(asm.R7, asm.R1), asm.Ja.Label(label("next")),
			)
		}
		a.at(label("next"))
	}
	a.add(asm.Ja.Label("transport"))
}

// flow goes on at out if a flow with that other end is known, and notes it
// otherwise.
func (a *assembly) flow(address, port int16) {
	a.add(asm.LoadMem(asm.R1, asm.RFP, atCookie, asm.DWord), asm.StoreMem(asm.RFP, atFlow, asm.R1, asm.DWord))
	for at := int16(0); at < 16; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.RFP, address+at, asm.DWord), asm.StoreMem(asm.RFP, atFlow+8+at, asm.R1, asm.DWord))
	}
	a.add(asm.LoadMem(asm.R1, asm.RFP, port, asm.Half), asm.StoreMem(asm.RFP, atFlow+24, asm.R1, asm.DWord))
	a.find(a.flows, atFlow)
	a.add(asm.JNE.Imm(asm.R0, 0, "out"), asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, atKind, asm.R1, asm.DWord))
	a.put(a.flows, atFlow, atKind)
}

// packet makes the record of a packet whose payload begins at R7.
func (a *assembly) packet() {
	a.reserve(packetSize)
	a.add(
		asm.LoadMem(asm.R1, asm.RFP, atKind, asm.Word), asm.StoreMem(asm.R8, 0, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, atProtocol, asm.Word), asm.StoreMem(asm.R8, packetProtocol, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, atPorts, asm.Word), asm.StoreMem(asm.R8, packetPorts, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, atPorts+4, asm.Word), asm.StoreMem(asm.R8, packetSequence, asm.R1, asm.Word),
		asm.StoreMem(asm.R8, packetLocal, asm.R9, asm.Word),
		asm.FnKtimeGetNs.Call(), asm.StoreMem(asm.R8, packetTime, asm.R0, asm.DWord),
	)
	for at := int16(0); at < 32; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.RFP, atSource+at, asm.DWord), asm.StoreMem(asm.R8, packetSource+at, asm.R1, asm.DWord))
	}
	for at := int16(0); at < keySize; at += 8 {
		a.add(asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.R8, packetKey+at, asm.R1, asm.DWord))
	}
	a.find(a.owners, atCookie)
	a.add(asm.JEq.Imm(asm.R0, 0, "payload"))
	for at := int16(0); at < keySize; at += 8 {
		a.add(asm.LoadMem(asm.R1, asm.R0, at, asm.DWord), asm.StoreMem(asm.R8, packetKey+at, asm.R1, asm.DWord))
	}
	a.at("payload")
	a.add(
		asm.StoreImm(asm.R8, packetLength, 0, asm.Word),
		asm.LoadMem(asm.R4, asm.R6, skbLength, asm.Word), asm.JGE.Reg(asm.R7, asm.R4, "told"),
		asm.Sub.Reg(asm.R4, asm.R7), asm.StoreMem(asm.R8, packetLength, asm.R4, asm.Word),
		asm.JLE.Imm(asm.R4, mostPayload, "fits"), asm.Mov.Imm(asm.R4, mostPayload),
	)
	a.at("fits")
	a.add(
		asm.JEq.Imm(asm.R4, 0, "told"),
		asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Reg(asm.R2, asm.R7), asm.Mov.Reg(asm.R3, asm.R8), asm.Add.Imm(asm.R3, packetPayload), asm.FnSkbLoadBytes.Call(),
		asm.JEq.Imm(asm.R0, 0, "told"), asm.StoreImm(asm.R8, packetLength, 0, asm.Word),
	)
	a.at("told")
	a.submit(later)
}
