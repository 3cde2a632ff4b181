package fence

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness/packet"
)

// Parts of rules. Each leaves the rule unless the packet is as it says, or does
// something with it; a rule is parts one after another.

var bigEndian = binary.BigEndian

// The numbers of Ethernet's types and of a connection's directions.
const (
	etherIPv4 = packet.EtherIPv4
	etherARP  = 0x0806
	etherIPv6 = packet.EtherIPv6
	directed  = 0 // IP_CT_DIR_ORIGINAL
	replying  = 1 // IP_CT_DIR_REPLY
)

func is(register uint32, data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}
}

func isNot(register uint32, data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: data}
}

func meta(key expr.MetaKey, data []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, is(1, data)}
}

func bigEndian16(n uint16) []byte { return bigEndian.AppendUint16(nil, n) }

// host32 is a number as the kernel keeps it itself.
func host32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// comesBy matches the interface that a packet came in by.
func comesBy(name string) []expr.Any { return meta(expr.MetaKeyIIFNAME, ifname(name)) }

func leavesBy(name string) []expr.Any { return meta(expr.MetaKeyOIFNAME, ifname(name)) }

func comesByOneOf(set *nftables.Set) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}}
}

func comesByOther(set *nftables.Set) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID, Invert: true}}
}

// ifname is a name as the kernel compares it.
func ifname(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

func link(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseLLHeader, Offset: offset, Len: length}
}

func sentBy(mac net.HardwareAddr) []expr.Any    { return []expr.Any{link(6, 6), is(1, mac)} }
func notSentBy(mac net.HardwareAddr) []expr.Any { return []expr.Any{link(6, 6), isNot(1, mac)} }
func sentTo(mac net.HardwareAddr) []expr.Any    { return []expr.Any{link(0, 6), is(1, mac)} }

// frame matches the type that an Ethernet frame bears; a VLAN's is its tag.
func frame(kind uint16) []expr.Any { return []expr.Any{link(12, 2), is(1, bigEndian16(kind))} }

// family matches IPv4 or IPv6 (NFPROTO_IPV4, NFPROTO_IPV6) in a table of both.
func family(f byte) []expr.Any { return meta(expr.MetaKeyNFPROTO, []byte{f}) }

// protocol matches what is in an IP packet, behind whatever extension headers.
func protocol(p byte) []expr.Any { return meta(expr.MetaKeyL4PROTO, []byte{p}) }

func transport(offset uint32, data ...byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: uint32(len(data))},
		is(1, data),
	}
}

// hasData matches TCP that bears something, by its header's length.
func hasData(header uint32) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: header, Len: 1}}
}

// toPort matches the destination port of UDP and TCP.
func toPort(n uint16) []expr.Any { return transport(2, bigEndian16(n)...) }

// icmpType matches the type of ICMP and ICMPv6.
func icmpType(t byte) []expr.Any { return transport(0, t) }

// quicInitial matches the Initial packets of a version of QUIC; the lower half
// of their first byte is protected.
func quicInitial(v packet.QUICVersion) []expr.Any {
	return append([]expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 8, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{0xf0}, Xor: []byte{0}},
		is(1, []byte{v.Initial}),
	}, transport(9, bigEndian.AppendUint32(nil, v.Number)...)...)
}

// Flags of TCP.
const (
	flagSYN = 2
	flagRST = 4
)

func tcpFlag(flag byte, set bool) []expr.Any {
	value := byte(0)
	if set {
		value = flag
	}
	return append(protocol(unix.IPPROTO_TCP),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{flag}, Xor: []byte{0}},
		is(1, []byte{value}))
}

// withoutSYN matches TCP that opens no connection, endsTCP what ends one.
func withoutSYN() []expr.Any { return tcpFlag(flagSYN, false) }
func endsTCP() []expr.Any    { return tcpFlag(flagRST, true) }

// goesTo matches where the kernel would take a packet (RTN_LOCAL and others).
func goesTo(kind uint32) []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, ResultADDRTYPE: true, FlagDADDR: true, FlagIIF: true},
		is(1, host32(kind)),
	}
}

// fromElsewhere matches sources that the kernel has no route to by where the
// packet came in.
func fromElsewhere() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, ResultOIF: true, FlagSADDR: true, FlagIIF: true},
		is(1, host32(0)),
	}
}

// goesToOneOf matches destinations that are in a set of IPv4 or IPv6 addresses.
func goesToOneOf(set *nftables.Set) []expr.Any {
	p := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4}
	f := byte(unix.NFPROTO_IPV4)
	if set.KeyType == nftables.TypeIP6Addr {
		p.Offset, p.Len, f = 24, 16, unix.NFPROTO_IPV6
	}
	return append(family(f), p, &expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID})
}

// goesInto matches destinations in a prefix.
func goesInto(p netip.Prefix) []expr.Any {
	offset, of := uint32(16), byte(unix.NFPROTO_IPV4)
	if p.Addr().Is6() {
		offset, of = 24, unix.NFPROTO_IPV6
	}
	bits := p.Addr().BitLen()
	length := uint32(bits / 8)
	return append(family(of),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: length, Mask: net.CIDRMask(p.Bits(), bits), Xor: make([]byte, length)},
		is(1, p.Masked().Addr().AsSlice()))
}

// toLinkLocal matches destinations in fe80::/10.
func toLinkLocal() []expr.Any { return goesInto(netip.MustParsePrefix("fe80::/10")) }

// state matches packets whose connection is in a state (expr.CtStateBit…).
func state(bit uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: host32(bit), Xor: host32(0)},
		isNot(1, host32(0)),
	}
}

// direction matches packets from who opened the connection, or to it.
func direction(d byte) []expr.Any {
	return []expr.Any{&expr.Ct{Key: expr.CtKeyDIRECTION, Register: 1}, is(1, []byte{d})}
}

// firstTo matches connections by the port that they were opened to.
func firstTo(port uint16) []expr.Any {
	return []expr.Any{&expr.Ct{Key: expr.CtKeyPROTODST, Register: 1, Direction: directed}, is(1, bigEndian16(port))}
}

func (l label) masked() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyLABELS, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 16, Mask: l[:], Xor: make([]byte, 16)},
	}
}

// matches matches connections that have the label, misses those that don't.
func (l label) matches() []expr.Any { return append(l.masked(), is(1, l[:])) }
func (l label) misses() []expr.Any  { return append(l.masked(), isNot(1, l[:])) }

func (l label) put() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: l[:]},
		&expr.Ct{Key: expr.CtKeyLABELS, Register: 1, SourceRegister: true},
	}
}

func verdict(kind expr.VerdictKind, chain ...string) []expr.Any {
	v := &expr.Verdict{Kind: kind}
	if len(chain) > 0 {
		v.Chain = chain[0]
	}
	return []expr.Any{v}
}

func accept() []expr.Any { return verdict(expr.VerdictAccept) }
func drop() []expr.Any   { return verdict(expr.VerdictDrop) }

func reset() []expr.Any { return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}} }

// prohibit answers with an ICMP error of either family.
func prohibit(code uint8) []expr.Any {
	return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: code}}
}

// tell hands the beginning of a packet to who listens at a group.
func tell(group uint16, prefix string, length uint32) []expr.Any {
	return []expr.Any{&expr.Log{
		Key:   1<<unix.NFTA_LOG_GROUP | 1<<unix.NFTA_LOG_PREFIX | 1<<unix.NFTA_LOG_SNAPLEN,
		Group: group, Data: []byte(prefix), Snaplen: length,
	}}
}

// redirect sends a connection to a port of the host's own.
func redirect(port uint16) []expr.Any {
	return []expr.Any{&expr.Immediate{Register: 1, Data: bigEndian16(port)}, &expr.Redir{RegisterProtoMin: 1}}
}

// pullUp gives a frame that passes over the bridge to the host's IP stack, as
// if it had been sent to mac, the bridge's own.
func pullUp(mac net.HardwareAddr) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: []byte{unix.PACKET_HOST}},
		&expr.Meta{Key: expr.MetaKeyPKTTYPE, SourceRegister: true, Register: 1},
		&expr.Immediate{Register: 1, Data: mac},
		&expr.Payload{OperationType: expr.PayloadWrite, SourceRegister: 1, Base: expr.PayloadBaseLLHeader, Offset: 0, Len: 6},
		&expr.Verdict{Kind: expr.VerdictAccept},
	}
}
