package fence

import (
	"encoding/hex"
	"net"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness/packet"
)

// Priorities of the chains. Names are nft's for their neighbours.
const (
	beforeNAT   = -150 // mangle: the connection is known, addresses are those that were asked for
	redirecting = -105 // before everybody else's dstnat, -100
	afterNAT    = -95
	guarding    = -5   // before everybody else's filter, 0
	onBridge    = -300 // the bridge's dstnat
)

// admittedMost is how many addresses a fence admits of IPv4 and of IPv6 at a time.
const admittedMost = 1 << 16

func tableName(p Port) string {
	return "lxd-allowlist-" + p.Bridge + "-" + hex.EncodeToString(p.MAC)
}

// build writes the rules of one fence.
type build struct {
	port   Port
	level  Level
	dns    uint16
	group  uint16
	labels labels
	// Labels of connections: that were let through, and whose beginning wasn't seen.
	// kept is on those, besides passed, that were begun to a place that is kept.
	passed, amid, kept label
	// greeting are those of a connection whose first data began a ClientHello:
	// so many more segments of it were told, and the last one that none is more.
	greeting [4]label
	up       net.HardwareAddr // the bridge's own MAC address

	conn  *nftables.Conn
	table *nftables.Table
}

// fill writes all rules into the tables of a name.
func (b build) fill(c *nftables.Conn, name string) tables {
	b.conn = c
	b.table = c.AddTable(&nftables.Table{Name: name, Family: nftables.TableFamilyINet})
	b.chain(b.labels.chainName())
	sets := b.sets()
	if b.level == Strict {
		sets.kept = b.chain(keptName)
	}
	b.filter(sets)
	b.redirect()
	b.guard()
	b.table = c.AddTable(&nftables.Table{Name: name, Family: nftables.TableFamilyBridge})
	sets.hosts = b.hosts()
	b.bridge(sets.hosts)
	return sets
}

func (b build) sets() tables {
	set := func(name string, key nftables.SetDatatype, timeout bool) *nftables.Set {
		s := &nftables.Set{Table: b.table, Name: name, KeyType: key, HasTimeout: timeout, Size: admittedMost}
		_ = b.conn.AddSet(s, nil) // it fails for elements alone
		return s
	}
	return tables{
		ipv4: set("admitted4", nftables.TypeIPAddr, true), ipv6: set("admitted6", nftables.TypeIP6Addr, true),
		gone4: set("dismissed4", nftables.TypeIPAddr, false), gone6: set("dismissed6", nftables.TypeIP6Addr, false),
	}
}

// hosts is the set of the interfaces that the instance's frames come by: one,
// or none while that isn't known.
func (b build) hosts() *nftables.Set {
	s := &nftables.Set{Table: b.table, Name: "hosts", KeyType: nftables.TypeIFName, KeyByteOrder: binaryutil.NativeEndian}
	var elements []nftables.SetElement
	if b.port.Host != "" {
		elements = plugs(b.port.Host)
	}
	_ = b.conn.AddSet(s, elements) // it fails for elements of other kinds alone
	return s
}

// base adds a chain that the kernel calls.
func (b build) base(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority int) *nftables.Chain {
	return b.conn.AddChain(&nftables.Chain{
		Name: name, Table: b.table, Type: kind, Hooknum: hook,
		Priority: nftables.ChainPriorityRef(nftables.ChainPriority(priority)),
	})
}

// chain adds one that rules jump to.
func (b build) chain(name string) *nftables.Chain {
	return b.conn.AddChain(&nftables.Chain{Name: name, Table: b.table})
}

func (b build) rule(c *nftables.Chain, parts ...[]expr.Any) {
	b.conn.AddRule(&nftables.Rule{Table: b.table, Chain: c, Exprs: slices.Concat(parts...)})
}

// ours matches in the IP stack what the instance sends.
func (b build) ours() []expr.Any { return append(comesBy(b.port.Bridge), sentBy(b.port.MAC)...) }

// told tells of a packet that isn't let through.
func (b build) told(why Reason) []expr.Any { return tell(b.group, string(why), headers) }

// refuse tells of what matches, and answers it.
func (b build) refuse(c *nftables.Chain, why Reason, matches ...[]expr.Any) {
	b.rule(c, append(matches, b.told(why), verdict(expr.VerdictGoto, answerName))...)
}

// refuseNaming refuses what isn't admitted, and tells the whole of what begins
// a connection of QUIC: it says for which server it is, as no refused packet of
// TCP does.
func (b build) refuseNaming(c *nftables.Chain, matches ...[]expr.Any) {
	for _, version := range packet.QUICVersions() {
		initial := append(protocol(unix.IPPROTO_UDP), quicInitial(version)...)
		b.rule(c, append([][]expr.Any{initial}, append(matches, tell(b.group, string(NotAdmitted), whole), verdict(expr.VerdictGoto, answerName))...)...)
	}
	b.refuse(c, NotAdmitted, matches...)
}

// whole is as much of a packet as there can be.
const whole = 0xffff

const answerName = "answer"

// answer never leaves the sender in doubt, unless what it sent is from an
// address that isn't on the bridge: the answer would go there, with what was
// sent in it. No reset finds its way to a link-local address from here.
func (b build) answer() {
	c := b.chain(answerName)
	b.rule(c, fromElsewhere(), drop())
	prohibited := prohibit(unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
	b.rule(c, toLinkLocal(), prohibited)
	b.rule(c, protocol(unix.IPPROTO_TCP), reset())
	b.rule(c, prohibited)
}

// filter decides on what the instance sends. It stands before routing and NAT:
// that is one place for what the host forwards and for the host's own services,
// and it sees the addresses that the instance sees.
func (b build) filter(admittedTo tables) {
	b.answer()
	essential, sent := b.chain("essential"), b.chain("sent")
	b.essential(essential)

	for _, p := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.rule(sent, protocol(p), toPort(dnsPort), b.begun(), accept()) // redirected next
	}
	if b.level == Strict {
		// Whoever begins a connection doesn't answer on it: it was begun in
		// another's name, for the answers to reach that one.
		b.refuse(sent, NotAdmitted, b.passed.matches(), direction(replying))
	}
	// The other end of a connection that is reset hears of it, too.
	b.rule(sent, endsTCP(), state(expr.CtStateBitESTABLISHED), accept())
	b.refuse(sent, OpenBefore, b.amid.matches())
	b.rule(sent, direction(replying), accept())
	if b.level == Strict {
		for _, gone := range []*nftables.Set{admittedTo.gone4, admittedTo.gone6} {
			b.refuseNaming(sent, goesToOneOf(gone), b.passed.matches(), b.kept.misses())
		}
		b.hello(sent)
	}
	b.rule(sent, b.passed.matches(), accept())
	b.refuse(sent, OpenBefore, withoutSYN(), direction(directed))
	if b.level == Strict {
		for _, kind := range []uint32{unix.RTN_LOCAL, unix.RTN_BROADCAST, unix.RTN_MULTICAST} {
			b.rule(sent, goesTo(kind), verdict(expr.VerdictJump, essential.Name))
		}
		b.rule(sent, state(expr.CtStateBitINVALID), b.told(Stray), drop())
		b.rule(sent, verdict(expr.VerdictJump, keptName))
		for _, gone := range []*nftables.Set{admittedTo.gone4, admittedTo.gone6} {
			b.refuseNaming(sent, goesToOneOf(gone))
		}
		for _, set := range []*nftables.Set{admittedTo.ipv4, admittedTo.ipv6} {
			b.initial(sent, goesToOneOf(set))
			b.rule(sent, goesToOneOf(set), b.begun(), accept())
		}
		b.refuseNaming(sent)
	} else {
		b.rule(sent, protocol(unix.IPPROTO_TCP), b.passed.put())
	}

	c := b.base("filter", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, beforeNAT)
	b.rule(c, b.ours(), verdict(expr.VerdictGoto, sent.Name))

	// What is still for port 53 now belongs to a connection that began before.
	c = b.base("late", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, afterNAT)
	for _, p := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.refuse(c, OpenBefore, b.ours(), protocol(p), toPort(dnsPort))
	}

	// Of a TCP connection that the kernel sees the other end send on first it
	// holds that that one opened it, which nobody knows.
	c = b.base("amid", nftables.ChainTypeFilter, nftables.ChainHookPostrouting, guarding)
	b.rule(c, leavesBy(b.port.Bridge), withoutSYN(), state(expr.CtStateBitNEW), b.amid.put())
}

// Types of ICMPv6 that a node can't do without: multicast listeners' reports
// and queries, and neighbour discovery, which a host sends and is sent.
var (
	listeners  = []byte{130, 131, 132, 143}
	discovers  = []byte{133, 135, 136}
	discovered = []byte{133, 134, 135, 136, 137}
)

// begun labels what is let through as begun by the instance, where that counts.
func (b build) begun() []expr.Any {
	if b.level != Strict {
		return nil
	}
	return b.passed.put()
}

// essential accepts what an instance needs to have addresses at all. It is
// asked for what stays on the bridge.
func (b build) essential(c *nftables.Chain) {
	for _, server := range []uint16{67, 547} { // DHCPv4, DHCPv6
		b.rule(c, protocol(unix.IPPROTO_UDP), toPort(server), b.begun(), accept())
	}
	for _, t := range slices.Concat(listeners, discovers) {
		b.rule(c, protocol(unix.IPPROTO_ICMPV6), icmpType(t), accept())
	}
	b.rule(c, protocol(unix.IPPROTO_IGMP), accept())
}

// hello tells of the first data of TLS connections, and of what begins those of
// QUIC. Clients' headers of TCP have 20 bytes, or 32 with the timestamps that
// Linux sends.
func (b build) hello(c *nftables.Chain) {
	more := b.chain("greeting")
	for _, header := range []uint32{20, 32} {
		tcp := slices.Concat(protocol(unix.IPPROTO_TCP), b.passed.matches(), transport(12, byte(header/4<<4)))
		b.more(more, header)
		b.rule(c, tcp, b.greeting[0].matches(), b.greeting[3].misses(), hasData(header), verdict(expr.VerdictJump, more.Name))
		b.rule(c, tcp, transport(header, packet.RecordHandshake, 3), transport(header+5, packet.ClientHello),
			b.greeting[0].put(), b.begins())
	}
	b.initial(c, b.passed.matches())
}

// more tells of the segments behind one that begins a ClientHello, as it may
// be longer than that: three at most, and none once a record of TLS begins,
// for then it was whole.
func (b build) more(c *nftables.Chain, header uint32) {
	over, back := b.greeting[3], verdict(expr.VerdictReturn)
	ofHeader := transport(12, byte(header/4<<4))
	b.rule(c, ofHeader, transport(header, packet.RecordHandshake, 3), transport(header+5, packet.ClientHello), back) // sent once more
	for _, kind := range packet.Records() {
		b.rule(c, ofHeader, transport(header, kind, 3), over.put(), back)
	}
	for n := len(b.greeting) - 2; n >= 0; n-- {
		b.rule(c, ofHeader, b.greeting[n].matches(), b.greeting[n+1].put(), tell(b.group, morePrefix, whole), back)
	}
}

// initial tells of QUIC's Initial packets. The first of a connection is the
// first that the kernel sees of it, so that it isn't labelled yet.
func (b build) initial(c *nftables.Chain, matches []expr.Any) {
	for _, version := range packet.QUICVersions() {
		b.rule(c, protocol(unix.IPPROTO_UDP), quicInitial(version), matches, b.begins())
	}
}

func (b build) begins() []expr.Any { return tell(b.group, helloPrefix, whole) }

// redirect sends queries to the forwarder.
func (b build) redirect() {
	c := b.base("redirect", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, redirecting)
	for _, p := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.rule(c, b.ours(), protocol(p), toPort(dnsPort), redirect(b.dns))
	}
}

// guard keeps everybody else from the forwarder.
func (b build) guard() {
	c := b.base("guard", nftables.ChainTypeFilter, nftables.ChainHookInput, guarding)
	for _, p := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.rule(c, protocol(p), toPort(b.dns), b.ours(), firstTo(dnsPort), accept())
	}
	b.rule(c, protocol(unix.IPPROTO_TCP), toPort(b.dns), reset())
	b.rule(c, protocol(unix.IPPROTO_UDP), toPort(b.dns), prohibit(unix.NFT_REJECT_ICMPX_PORT_UNREACH))
}

// bridge sends what passes over the bridge through the host's IP stack: queries
// at level Names, all of IP at Strict, then both ways, so that the kernel knows
// who opened a connection. What the stack lets through, the host forwards.
func (b build) bridge(hosts *nftables.Set) {
	c := b.base("bridge", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, onBridge)
	ours, up := sentBy(b.port.MAC), pullUp(b.up)
	foreign := append(comesByOneOf(hosts), notSentBy(b.port.MAC)...)
	b.rule(c, foreign, b.told(ForeignMAC), drop())
	for _, p := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.rule(c, ours, protocol(p), toPort(dnsPort), up)
	}
	if b.level != Strict {
		return
	}
	b.rule(c, ours, protocol(unix.IPPROTO_IGMP), accept())
	for _, t := range slices.Concat(listeners, discovers) {
		b.rule(c, ours, protocol(unix.IPPROTO_ICMPV6), icmpType(t), accept())
	}
	b.rule(c, ours, frame(etherARP), accept())
	for _, kind := range []uint16{etherIPv4, etherIPv6} {
		b.rule(c, ours, frame(kind), up)
	}
	b.rule(c, ours, b.told(NotIP), drop())
	b.toInstance(c, hosts, up)
}

// toInstance has the host's stack see what neighbours send the instance.
func (b build) toInstance(c *nftables.Chain, hosts *nftables.Set, up []expr.Any) {
	theirs := append(sentTo(b.port.MAC), comesByOther(hosts)...)
	for _, client := range []uint16{68, 546} { // a DHCP server may be a neighbour
		b.rule(c, theirs, protocol(unix.IPPROTO_UDP), toPort(client), accept())
	}
	for _, t := range discovered {
		b.rule(c, theirs, protocol(unix.IPPROTO_ICMPV6), icmpType(t), accept())
	}
	for _, kind := range []uint16{etherIPv4, etherIPv6} {
		b.rule(c, theirs, frame(kind), up)
	}
}
