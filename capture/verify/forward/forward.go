// Package forward answers the DNS queries of one instance: a name that the
// list allows is asked of the bridge's dnsmasq, every other one doesn't exist.
// It knows neither LXD nor the packet filter that brings the queries here.
//
//	query --read--> refused: answered here
//	            \-> allowed: asked of upstream in words of our own --Admit--> the answer
//
// What is forwarded is made anew from the question and a few flags, so that
// nothing but the question itself gets past the list.
package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/witness/packet"
)

// Config is what a Forwarder works with.
type Config struct {
	// Interface is the bridge: only what comes in there is answered. An
	// interface is needed, or any host that reaches this one could ask. The
	// kernel takes what the host itself sends to the bridge's addresses for such,
	// so that the packet filter has to keep its users away.
	Interface string
	// Upstream is the bridge's dnsmasq.
	Upstream netip.AddrPort
	// Source is the address that upstream is asked from, of upstream's family, so
	// that its log tells these queries from others; the zero Addr leaves it to
	// the kernel.
	Source netip.Addr
	// Allow says whether the list has a name, in the form that package parse
	// normalises it to: lower case, no final dot. It is called from several
	// goroutines.
	Allow func(name string, t uint16) bool
	// Admit is called with the name that was asked for, as Allow is, an answer's
	// addresses and the time that they may be remembered for before the answer is
	// handed on; if it fails, so does the query. Nil is for none. It is called
	// from several goroutines.
	Admit func(name string, addresses []netip.Addr, ttl time.Duration) error
	// Asked is called after each query from several goroutines, and holds up
	// others while it runs. Nil is for none.
	Asked func(Query)
}

// Query is a query and what became of it.
type Query struct {
	At   time.Time
	From netip.Addr
	// Name is normalised as package parse does it, "" if the packet has none
	// that can be read. A dot within a label is \046.
	Name string
	// Type is as in the log of dnsmasq: "A", "HTTPS", "type=1234".
	Type string
	// Allowed says that the list allows the name.
	Allowed bool
	// Why says why there was no answer from upstream, for any other reason
	// than the list, in words for people: "opcode 5", "class CH".
	Why string
	// Outcome is the name of the response code that was answered with, such
	// as NOERROR, "" if there was no answer.
	Outcome string
	// Addresses are those of an answer, hints in HTTPS and SVCB records
	// included.
	Addresses []netip.Addr
	// Took is the time from the query to its answer.
	Took time.Duration
}

// Forwarder answers queries until it is closed.
type Forwarder struct {
	config   Config
	udp      *ipv4.PacketConn
	tcp      net.Listener
	upstream *upstream
	lost     atomic.Uint64

	running context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup
	slots   chan struct{} // a query by UDP that waits for upstream holds one
	clients chan struct{} // a connection holds one
}

// mostQueries are the queries by UDP that wait for upstream at any moment: less
// than the 150 that dnsmasq has room for (dns-forward-max), so that one
// instance can't take it from the others on the bridge.
const mostQueries = 120

// mostClients are the connections that are served at any moment.
const mostClients = 64

// Listen starts a forwarder on a port that is free for UDP and TCP, IPv4 and,
// where the host has it, IPv6. Queries may come before it returns.
func Listen(c Config) (*Forwarder, error) { return start(c, "") }

func start(c Config, family string) (*Forwarder, error) {
	switch {
	case c.Interface == "":
		return nil, errors.New("start the DNS forwarder: no interface to listen on was given")
	case !c.Upstream.IsValid():
		return nil, errors.New("start the DNS forwarder: no upstream was given")
	case c.Allow == nil:
		return nil, errors.New("start the DNS forwarder: no list was given")
	}
	if c.Asked == nil {
		c.Asked = func(Query) {}
	}
	f := &Forwarder{config: c, slots: make(chan struct{}, mostQueries), clients: make(chan struct{}, mostClients)}
	var err error
	if f.udp, f.tcp, err = listen(c.Interface, family); err != nil {
		return nil, fmt.Errorf("listen for DNS queries on %s: %w", c.Interface, err)
	}
	f.running, f.stop = context.WithCancel(context.Background())
	if f.upstream, err = dial(c.Upstream, c.Source); err != nil {
		f.stop()
		return nil, errors.Join(fmt.Errorf("open a socket for upstream %v: %w", c.Upstream, err), f.udp.Close(), f.tcp.Close())
	}
	for _, s := range f.upstream.sockets {
		f.work.Go(crash.Guarded("the upstream's answers", func() { f.receive(s) }))
	}
	f.work.Go(crash.Guarded("what has no answer", f.remind))
	f.work.Go(crash.Guarded("queries by UDP", f.serveUDP))
	f.work.Go(crash.Guarded("queries by TCP", f.serveTCP))
	return f, nil
}

// Port is where it listens.
func (f *Forwarder) Port() uint16 {
	return f.udp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// Lost is how many packets came in faster than they could be read, and so are
// no queries that anyone was told of.
func (f *Forwarder) Lost() uint64 { return f.lost.Load() }

// Close ends it; queries that are being answered remain without an answer.
// Nothing of Config is called any more once it returns, so that it can't be
// called by any of those. It may be called again.
func (f *Forwarder) Close() error {
	f.stop()
	errs := []error{f.udp.Close(), f.tcp.Close()}
	for _, s := range f.upstream.sockets {
		errs = append(errs, s.conn.Close())
	}
	f.work.Wait()
	for _, s := range f.upstream.sockets {
		for _, r := range s.takeAll() {
			f.tell(r, nil)
		}
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close the DNS forwarder: %w", err)
		}
	}
	return nil
}

// patience is how long a query may take in all: less than the five seconds
// after which most resolvers ask again.
const patience = 4 * time.Second

// answered returns what the client is to get for upstream's answer, or for the
// reason why there is none; nil is for nothing. The answer may be changed for that.
func (f *Forwarder) answered(r *request, message []byte, err error) []byte {
	if f.running.Err() != nil {
		r.told.Why = "closed"
		return nil
	}
	if err != nil {
		return r.fail(err.Error())
	}
	a, err := packet.ReadAnswer(message)
	if err != nil {
		return r.fail(fmt.Sprintf("upstream's answer is malformed: %v", err))
	}
	if len(a.Addresses) > 0 && f.config.Admit != nil {
		if err := f.config.Admit(r.told.Name, a.Addresses, a.Longest); err != nil {
			return r.fail(fmt.Sprintf("its addresses can't be admitted: %v", err))
		}
	}
	r.told.Addresses, r.told.Outcome = a.Addresses, outcome(a.Code)
	return r.handOn(message)
}

// tell says what became of a query; err is that of sending its answer.
func (f *Forwarder) tell(r *request, err error) {
	if err != nil {
		r.told.Why, r.told.Outcome = fmt.Sprintf("the answer can't be sent: %v", err), ""
	}
	r.told.Took = time.Since(r.told.At)
	f.config.Asked(r.told)
}

// closed waits a moment after an error of a socket that others will follow,
// and says whether it was because of Close.
func (f *Forwarder) closed(err error) bool {
	if errors.Is(err, net.ErrClosed) || f.running.Err() != nil {
		return true
	}
	select {
	case <-f.running.Done():
		return true
	case <-time.After(10 * time.Millisecond):
		return false
	}
}
