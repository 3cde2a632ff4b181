package verify

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Packets are those that were refused, by where they were to go.
type Packets struct {
	// Called returns the programs that called a place in a time, none where they
	// aren't known. It is set before packets are added; nil is as good.
	Called func(to netip.AddrPort, protocol string, first, last time.Time) []string

	mu       sync.Mutex
	by       map[place]*PacketState
	expected map[netip.Addr]chan struct{} // canaries
	servers  map[server]*ServerState
	beyond   int // that there was no room for
}

type server struct {
	at   netip.AddrPort
	name string
}

// ServerState is a server that was reached at an address of an allowed name,
// under a name of its own that is not allowed.
type ServerState struct {
	Name        string
	At          netip.AddrPort
	Times       int
	First, Last time.Time
}

type place struct {
	to       netip.AddrPort
	protocol string
}

// maxPlaces bounds what an instance can make us remember.
const maxPlaces = 10_000

// PacketState is what became of packets to one place, which were refused.
type PacketState struct {
	To          netip.AddrPort
	Protocol    string // "tcp", "udp", "icmp"
	Times       int
	First, Last time.Time
	Servers     []string // whose names the beginnings of QUIC connections had, up to maxServers
	By          []string // the programs that sent them, as [Packets.Called] knows them now
}

// Stays reports whether the place is none outside of the bridge: neighbours are
// found there, and programs tell of themselves, whether anybody hears it or not.
func (p PacketState) Stays() bool {
	a := p.To.Addr()
	return !a.IsValid() || a.IsMulticast() || a.IsLinkLocalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// String returns "192.0.2.1:443/tcp".
func (p PacketState) String() string {
	if !p.To.IsValid() {
		return p.Protocol
	}
	if p.To.Port() == 0 {
		return fmt.Sprintf("%s/%s", p.To.Addr(), p.Protocol)
	}
	return fmt.Sprintf("%s/%s", p.To, p.Protocol)
}

// Expect returns a channel that is closed when a packet to an address that is
// a canary was refused, the same to all who wait for it. Such a packet is
// nobody's.
func (p *Packets) Expect(to netip.Addr) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected == nil {
		p.expected = make(map[netip.Addr]chan struct{})
	}
	if p.expected[to] == nil {
		p.expected[to] = make(chan struct{})
	}
	return p.expected[to]
}

// Add counts a packet that was refused, and reports whether it is the first to
// its place.
func (p *Packets) Add(to netip.AddrPort, protocol string, at time.Time) (s PacketState, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seen, ok := p.expected[to.Addr()]; ok {
		if seen != nil {
			close(seen)
			p.expected[to.Addr()] = nil
		}
		return PacketState{}, false
	}
	where := place{to, protocol}
	known := p.by[where]
	if first = known == nil; first {
		if len(p.by) == maxPlaces {
			p.beyond++
			return PacketState{}, false
		}
		if p.by == nil {
			p.by = make(map[place]*PacketState)
		}
		known = &PacketState{To: to, Protocol: protocol, First: at}
		p.by[where] = known
	}
	known.Times++
	known.Last = at
	return *known, first
}

// maxServers bounds the server names beside a place.
const maxServers = 8

// Named notes the server name that a packet to a place was for, and returns
// what there is now.
func (p *Packets) Named(to netip.AddrPort, protocol, server string) PacketState {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.by[place{to, protocol}]
	if s == nil {
		return PacketState{}
	}
	if len(s.Servers) < maxServers && !slices.Contains(s.Servers, server) {
		s.Servers = append(slices.Clip(s.Servers), server) // others have what there was
	}
	return *s
}

// AddServer counts a connection to an address of an allowed name that was for a
// server by another name, which isn't allowed.
func (p *Packets) AddServer(to netip.AddrPort, name string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.servers[server{to, name}]
	if s == nil {
		if len(p.servers) == maxPlaces {
			p.beyond++
			return
		}
		if p.servers == nil {
			p.servers = make(map[server]*ServerState)
		}
		s = &ServerState{Name: name, At: to, First: at}
		p.servers[server{to, name}] = s
	}
	s.Times++
	s.Last = at
}

// Servers returns what AddServer counted, by name.
func (p *Packets) Servers() []ServerState {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []ServerState
	for _, s := range p.servers {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b ServerState) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.At.Compare(b.At))
	})
	return all
}

// States returns the packets that were refused, in order.
func (p *Packets) States() []PacketState {
	p.mu.Lock()
	var all []PacketState
	for _, s := range p.by {
		all = append(all, *s)
	}
	p.mu.Unlock()
	p.name(all)
	slices.SortFunc(all, func(a, b PacketState) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// Latest returns up to n of them, the last one first, and how many there are.
func (p *Packets) Latest(n int) (latest []PacketState, all int) {
	defer func() { p.name(latest) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.by {
		at, _ := slices.BinarySearchFunc(latest, *s, func(a, b PacketState) int {
			return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.String(), b.String()))
		})
		if at < n {
			latest = slices.Insert(latest, at, *s)
			latest = latest[:min(n, len(latest))]
		}
	}
	return latest, len(p.by)
}

// name fills in who sent packets.
func (p *Packets) name(all []PacketState) {
	if p.Called == nil {
		return
	}
	for i := range all {
		s := &all[i]
		s.By = p.Called(s.To, s.Protocol, s.First, s.Last)
	}
}

func (p *Packets) lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beyond
}
