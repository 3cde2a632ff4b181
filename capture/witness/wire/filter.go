package wire

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness/packet"
)

// How much of a packet is kept, in bytes of its frame.
const (
	headersKept = 128                       // Ethernet with two tags, IPv6 or IPv4 with all options, and the header behind it
	dataKept    = 4096                      // what is said first, or DNS
	helloKept   = 512 + packet.LongestHello // where the kernel hands over many segments as one
)

const (
	dnsPort = 53
	// ephemeral is the first port that Linux takes for clients that don't ask
	// for one. UDP that comes to lower ones may be for a server in the instance,
	// whose answers begin no connection.
	ephemeral = 32768
	link      = 14 // the size of Ethernet's header
)

// jump is a bpf.JumpIf with names for where it leads; "" is the next instruction.
type jump struct {
	test bpf.JumpTest
	than uint32
	yes  string
	no   string
}

// label names the instruction behind it.
type label string

// filter is what the kernel runs on each packet, before anything is copied. It
// lets through, of the instance's own: what opens or ends a TCP connection, and
// what has data; UDP; other protocols, but for the bridge's business. And to
// the instance: DNS's answers, TCP's refusals, and UDP to servers. IPv4's later
// fragments have nothing that can be read. What has a VLAN's tag or IPv6
// extensions goes through as it is.
func filter() []bpf.RawInstruction {
	const ( // places in the scratch memory
		length = iota // of what is behind the IP header; 0 if the kernel doesn't say
		ipSize
		tcpSize
	)
	load := func(at uint32, size int) bpf.Instruction { return bpf.LoadAbsolute{Off: link + at, Size: size} }
	etherType := bpf.LoadAbsolute{Off: link - 2, Size: 2}
	// behind loads from the header behind IP's, whose size X is.
	behind := func(at uint32, size int) bpf.Instruction { return bpf.LoadIndirect{Off: link + at, Size: size} }
	is := func(n uint32, yes string) jump { return jump{bpf.JumpEqual, n, yes, ""} }
	has := func(bits uint32, yes string) jump { return jump{bpf.JumpBitsSet, bits, yes, ""} }
	ipv4 := func(side string) []any {
		return []any{
			label("IPv4 " + side),
			load(6, 2), has(0x1fff, "drop"),
			bpf.LoadMemShift{Off: link}, bpf.StoreScratch{Src: bpf.RegX, N: ipSize},
			load(2, 2), is(0, "no length "+side), bpf.ALUOpX{Op: bpf.ALUOpSub},
			label("no length " + side), bpf.StoreScratch{Src: bpf.RegA, N: length},
			load(9, 1), is(packet.TCP, "TCP "+side), is(packet.UDP, "UDP "+side),
		}
	}
	ipv6 := func(side string) []any {
		return []any{
			label("IPv6 " + side),
			bpf.LoadConstant{Dst: bpf.RegX, Val: 40}, bpf.StoreScratch{Src: bpf.RegX, N: ipSize},
			load(4, 2), bpf.StoreScratch{Src: bpf.RegA, N: length},
			load(6, 1), is(packet.TCP, "TCP "+side), is(packet.UDP, "UDP "+side),
		}
	}
	extensions := func() (all []any) {
		for _, kind := range packet.Extensions {
			all = append(all, is(uint32(kind), "data"))
		}
		return all
	}
	parts := [][]any{
		{bpf.LoadExtension{Num: bpf.ExtType}, is(unix.PACKET_OUTGOING, "to")},

		{etherType, is(packet.EtherIPv4, "IPv4 from"), is(packet.EtherIPv6, "IPv6 from")},
		{is(unix.ETH_P_8021Q, "data"), jump{bpf.JumpEqual, unix.ETH_P_8021AD, "data", "drop"}},
		ipv4("from"),
		{is(packet.IGMP, "drop"), jump{bpf.JumpEqual, packet.ICMP, "", "headers"}},
		{behind(0, 1), jump{bpf.JumpEqual, packet.EchoRequest, "headers", "drop"}},
		ipv6("from"),
		extensions(),
		{jump{bpf.JumpEqual, packet.ICMPv6, "", "headers"}},
		{behind(0, 1), jump{bpf.JumpEqual, packet.EchoRequest6, "headers", "drop"}},

		{label("TCP from"), behind(13, 1), jump{bpf.JumpBitsSet, packet.SYN | packet.RST | packet.FIN, "data", "TCP data"}},
		{label("UDP from"), behind(2, 2), is(dnsPort, "data")},
		{behind(4, 2), jump{bpf.JumpGreaterThan, 8, "", "headers"}}, // there is nothing behind it to load
		{behind(8, 1), jump{bpf.JumpBitsSet, 0x80, "data", "headers"}},

		{label("to"), etherType, is(packet.EtherIPv4, "IPv4 to"), is(packet.EtherIPv6, "IPv6 to")},
		{is(unix.ETH_P_8021Q, "data"), jump{bpf.JumpEqual, unix.ETH_P_8021AD, "data", "drop"}},
		ipv4("to"),
		{bpf.RetConstant{Val: 0}},
		ipv6("to"),
		{jump{bpf.JumpEqual, packet.Fragment, "data", "drop"}},
		{label("UDP to"), behind(0, 2), is(dnsPort, "data"), behind(2, 2), jump{bpf.JumpGreaterOrEqual, ephemeral, "drop", "headers"}},
		{label("TCP to"), behind(13, 1), has(packet.RST, "headers"), behind(0, 2), jump{bpf.JumpEqual, dnsPort, "", "drop"}},
		{behind(13, 1), jump{bpf.JumpBitsSet, packet.SYN | packet.FIN, "data", "TCP data"}},

		{label("TCP data"), behind(12, 1), bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 2}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x3c}},
		{bpf.StoreScratch{Src: bpf.RegA, N: tcpSize}, bpf.TAX{}},
		{bpf.LoadScratch{Dst: bpf.RegA, N: length}, is(0, "data")},
		{bpf.JumpIfX{Cond: bpf.JumpGreaterThan, SkipTrue: 1}, bpf.RetConstant{Val: 0}},
		{bpf.LoadScratch{Dst: bpf.RegA, N: ipSize}, bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{}},
		{behind(0, 1), jump{bpf.JumpEqual, packet.RecordHandshake, "hello", "data"}},

		{label("hello"), bpf.RetConstant{Val: helloKept}},
		{label("data"), bpf.RetConstant{Val: dataKept}},
		{label("headers"), bpf.RetConstant{Val: headersKept}},
		{label("drop"), bpf.RetConstant{Val: 0}},
	}
	return assemble(parts)
}

// assemble gives the jumps their distances. They only lead forward: what must
// lead back doesn't, as the kernel wants it.
func assemble(parts [][]any) []bpf.RawInstruction {
	at, n := map[string]int{}, 0
	for _, part := range parts {
		for _, p := range part {
			if name, ok := p.(label); ok {
				at[string(name)] = n
			} else {
				n++
			}
		}
	}
	var program []bpf.Instruction
	distance := func(to string) uint8 {
		if to == "" {
			return 0
		}
		d := at[to] - len(program) - 1
		if d < 0 || d > 255 {
			panic("a jump of the packet filter to " + to + " is too long")
		}
		return uint8(d)
	}
	for _, part := range parts {
		for _, p := range part {
			switch p := p.(type) {
			case bpf.Instruction:
				program = append(program, p)
			case jump:
				program = append(program, bpf.JumpIf{Cond: p.test, Val: p.than, SkipTrue: distance(p.yes), SkipFalse: distance(p.no)})
			}
		}
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		panic(err) // a program that is always the same
	}
	return raw
}
