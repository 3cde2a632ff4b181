package cgroup

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf/asm"
)

const (
	protocolTCP = 6
	protocolUDP = 17
)

// loopback is the number that lo has in every network namespace.
const loopback = 1

// port53 is the port of DNS as it stands in a packet.
var port53 = int32(binary.NativeEndian.Uint16([]byte{0, 53}))

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
