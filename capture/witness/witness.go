// Package witness tells what an instance did with the names that it asked for:
// which process asked, whether it connected, where, and what was reached
// without any name. It takes events in and keeps no file and no socket; those
// who see them are in the packages below it.
package witness

import (
	"net/netip"
	"path"
	"strings"
	"time"
)

// Process is who did something in the instance, as it was then. It is known of
// containers alone, and never changes once it is told.
type Process struct {
	PID     int      `json:"pid,omitempty"`     // as the instance counts; 0 where only the host's is known
	Host    int      `json:"host,omitempty"`    // the same on the host
	Comm    string   `json:"comm,omitempty"`    // the kernel's name for it, up to 15 bytes: "https"
	Exe     string   `json:"exe,omitempty"`     // the program's path within the instance; "" if it couldn't be told
	Args    []string `json:"args,omitempty"`    // its command line; nil if it couldn't be told
	User    string   `json:"user,omitempty"`    // by the instance's own names, else the number there
	Parents []string `json:"parents,omitempty"` // names of those it descends from, the nearest first, up to the instance's first process
	Command string   `json:"command,omitempty"` // the command line of the one that a shell began: "apt update"; "" where no shell did
}

// ByOtherName reports whether the kernel's name for the process is another one than
// its program's file has, as a busybox's is nslookup. One that the other begins with
// is the same: python3 for python3.13, node-MainThread for node.
func (p *Process) ByOtherName() bool {
	file := path.Base(p.Exe)
	return p.Comm != "" && p.Exe != "" && !strings.HasPrefix(file, p.Comm) && !strings.HasPrefix(p.Comm, file)
}

// Query is a DNS query as the instance sent it. One that a resolver within the
// instance sends on is told of once, with who asked that resolver as its
// process; one that it answered from what it remembers has it as the server.
type Query struct {
	At       time.Time
	Name     string // as parse normalises it
	Type     string // "A", "HTTPS", as dnsmasq writes it
	From     netip.AddrPort
	Server   netip.AddrPort // whom it was sent to
	Protocol string         // "udp", "tcp"
	Process  *Process       // nil where it isn't known
}

// Answer is what a resolver said to the instance.
type Answer struct {
	At        time.Time
	Name      string // that was asked for
	To        netip.AddrPort
	Server    netip.AddrPort
	Chain     []string // CNAME targets, in order
	Addresses []netip.Addr
	TTL       time.Duration // the least of the addresses'
}

// Connection is the beginning of one that the instance made: a TCP SYN, or a
// flow's first packet of another protocol.
type Connection struct {
	At       time.Time
	From     netip.AddrPort // its port is 0 where it isn't known yet
	To       netip.AddrPort
	Protocol string // "tcp", "udp"; others have no ports: "icmp", "protocol 47"
	Process  *Process
}

// Hello is the beginning of what is said over a connection, with the server
// that it is for.
type Hello struct {
	At       time.Time
	From, To netip.AddrPort
	Protocol string // "tls", "quic", "http"
	Server   string // as parse normalises it; "" where it names none
	// Hidden says that it has an Encrypted Client Hello, or a likeness of one,
	// as browsers send to all servers (RFC 9849, section 6.2): nobody on the way
	// can tell. Server may be no more than the public name before the true one.
	Hidden bool
}

// Sink takes events in. Its methods are called from several goroutines, and
// never wait for a disk or a network.
type Sink interface {
	Query(Query)
	Answer(Answer)
	Connection(Connection)
	Hello(Hello)
	// Lost tells of n events that were not seen, and why.
	Lost(n uint64, why string)
}
