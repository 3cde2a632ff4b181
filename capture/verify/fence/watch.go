package fence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	nflog "github.com/florianl/go-nflog/v2"
	"golang.org/x/sys/unix"
)

// Reason is why a packet didn't get through.
type Reason string

// The reasons that the kernel's rules tell.
const (
	NotAdmitted Reason = "not admitted"          // its destination isn't
	OpenBefore  Reason = "open before the fence" // its connection was: it is reset, or has to begin anew
	ForeignMAC  Reason = "foreign MAC address"   // the instance sent it as somebody else
	NotIP       Reason = "neither IP nor ARP"    // a VLAN's frame, for one
	// Stray is of no connection that the kernel knows, as are late parts of one
	// that is allowed. It is dropped, for an answer would end that one; it need
	// not be an attempt.
	Stray Reason = "stray"
)

// Packet is one that the instance sent and that didn't get through.
type Packet struct {
	At       time.Time
	Why      Reason
	MAC      net.HardwareAddr // the sender's, where it was told
	Protocol string           // "tcp", "udp", "icmp", "icmpv6", "protocol 47", "frame 0x8100"
	From, To netip.AddrPort   // port 0 where the protocol has none, zero where it isn't IP
	// Server is the server name that the beginning of a connection of QUIC asks
	// for, told with the packet that has the last of it; "" for all else.
	Server string
}

// Hello is the beginning of a connection of TLS or QUIC to an admitted address.
// An address may be that of many names, also of one that isn't allowed.
type Hello struct {
	At       time.Time
	To       netip.AddrPort
	Protocol string // "tcp", "udp"
	// Name is the server name that the client asks for, as package parse
	// normalises it; "" if it tells none.
	Name string
}

const (
	// headers is how much of a refused packet is read: IPv6 with extensions.
	headers = 256
	// waiting is how many packets wait for who reads them.
	waiting = 4096
	// receiveBuffer holds some hundred packets that the kernel has told of; each takes several kB there.
	receiveBuffer = 4 << 20
	// groupTries is how often a group that somebody has is met with before it is no chance.
	groupTries = 16
)

// watch is what the kernel tells of packets.
type watch struct {
	group uint16
	log   *nflog.Nflog
	stop  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	next    uint32 // the number that the kernel's next message has
	lost    uint64
	begun   *hellos
	turned  *hellos // away
	refused chan Packet
	hellos  chan Hello
	late    chan netip.Addr // who sent a query on a connection from before the fence
}

// Refused returns the packets that didn't get through, as they happen. Nobody
// waits for the reader: what it doesn't keep up with is counted by [Fence.Lost].
// The channel is closed by [Fence.Lower].
func (f *Fence) Refused() <-chan Packet { return f.watch.refused }

// Hellos returns, at level [Strict], the connections of TLS and QUIC to admitted
// addresses, under the terms of [Fence.Refused].
func (f *Fence) Hellos() <-chan Hello { return f.watch.hellos }

// Unfinished returns how many connections of TLS have begun to admitted addresses
// with a ClientHello that wasn't read to its end, so that none is in
// [Fence.Hellos]: it is longer than four segments, or was given up.
func (f *Fence) Unfinished() int {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	return f.watch.begun.unfinished()
}

// Lost returns how many packets were told of by the kernel that came through
// neither [Fence.Refused] nor [Fence.Hellos], and how many beginnings of QUIC
// connections were given up for others before they were whole.
func (f *Fence) Lost() uint64 {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	return f.watch.lost + f.watch.begun.lost
}

// newWatch listens at a log group (NFLOG) that nobody else listens at.
func newWatch() (*watch, error) {
	var err error
	for range groupTries {
		var w *watch
		if w, err = listen(uint16(1 + rand.N(1<<16-1))); err == nil {
			return w, nil
		}
	}
	return nil, fmt.Errorf("listen for refused packets at a group of the kernel's log: %w", err)
}

func listen(group uint16) (*watch, error) {
	log, err := nflog.Open(&nflog.Config{
		Group: group, Copymode: nflog.CopyPacket, Bufsize: 0xffff,
		Flags: nflog.FlagSeq, QThresh: 1, // each at once
	})
	if err != nil {
		return nil, err
	}
	_ = log.Con.SetReadBuffer(receiveBuffer) // what the lesser one loses is counted
	ctx, stop := context.WithCancel(context.Background())
	w := &watch{
		group: group, log: log, stop: stop, begun: newHellos(), turned: newHellos(),
		refused: make(chan Packet, waiting), hellos: make(chan Hello, waiting),
		late: make(chan netip.Addr, 1),
	}
	err = log.RegisterWithErrorFunc(ctx, w.take, w.failed)
	if err != nil {
		stop()
		_ = log.Close()
		return nil, err
	}
	return w, nil
}

// failed says whether an error is the end: a loss isn't, which the numbers tell.
func (w *watch) failed(err error) int {
	if errors.Is(err, unix.ENOBUFS) {
		return 0
	}
	return 1
}

// take is called with each packet, by one goroutine.
func (w *watch) take(a nflog.Attribute) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 1
	}
	if a.Seq != nil {
		w.lost += uint64(*a.Seq - w.next) // also around the numbers' end
		w.next = *a.Seq + 1
	}
	if a.Prefix == nil || a.Payload == nil {
		w.lost++
		return 0
	}
	at := time.Now()
	if hello := *a.Prefix == helloPrefix; hello || *a.Prefix == morePrefix {
		read := w.begun.more
		if hello {
			read = w.begun.read
		}
		if h, ok := read(at, *a.Payload); ok {
			select {
			case w.hellos <- h:
			default:
				w.lost++
			}
		}
		return 0
	}
	p := readPacket(etherType(a), *a.Payload)
	p.At, p.Why = at, Reason(*a.Prefix)
	if p.Why == NotAdmitted && p.Protocol == "udp" {
		h, _ := w.turned.read(at, *a.Payload) // one that isn't whole has no name
		p.Server = h.Name
	}
	if a.HwAddr != nil {
		p.MAC = net.HardwareAddr(*a.HwAddr)
	}
	if p.Why == OpenBefore && p.To.Port() == dnsPort {
		select {
		case w.late <- p.From.Addr():
		default: // one is being dealt with
		}
	}
	select {
	case w.refused <- p:
	default:
		w.lost++
	}
	return 0
}

func etherType(a nflog.Attribute) uint16 {
	if a.HwProtocol == nil {
		return 0
	}
	return *a.HwProtocol
}

func (w *watch) close() {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	if closed {
		return
	}
	w.stop()
	_ = w.log.Close()
	close(w.refused) // take sends no more
	close(w.hellos)
	close(w.late)
}
