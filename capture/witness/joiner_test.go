package witness_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/witness"
)

// book notes what it is told.
type book struct {
	told []string
	has  map[string]bool         // names
	log  map[netip.Addr][]string // dnsmasq's
	owns bool
}

func who(p *witness.Process) string {
	if p == nil {
		return "?"
	}
	return p.Comm
}

func (b *book) Asked(name string, by *witness.Process, _ time.Time) bool {
	if b.has[name] {
		b.told = append(b.told, name+" asked by "+who(by))
	}
	return b.has[name]
}

func (b *book) Reached(r witness.Reach) (known int) {
	for _, n := range r.Names {
		if b.has[n] {
			known++
		}
	}
	if known > 0 {
		b.told = append(b.told, says(r, "reached"))
	}
	return known
}

func (b *book) Said(r witness.Reach) { b.told = append(b.told, says(r, "said")) }

func says(r witness.Reach, did string) string {
	slices.Sort(r.Names)
	s := fmt.Sprintf("%s %s %d/%s by %s", strings.Join(r.Names, "|"), did, r.To.Port(), r.Protocol, who(r.Process))
	if r.Spoken != "" {
		s += " " + r.Spoken
	}
	if r.Server != "" {
		s += " server " + r.Server
	}
	if r.Hidden {
		s += " hidden"
	}
	return s
}

func (b *book) Bypassed(w witness.Bypass) {
	text, _ := w.Kind.MarshalText()
	b.told = append(b.told, strings.TrimRight(fmt.Sprintf("%s %s by %s %s", text, w.To, who(w.Process), w.Name), " "))
}

func (b *book) Names(a netip.Addr) []string { return slices.Clone(b.log[a]) }
func (b *book) Owns(netip.Addr) bool        { return b.owns }
func (b *book) Lost(_ witness.Source, n uint64, why string) {
	b.told = append(b.told, fmt.Sprintf("lost %d: %s", n, why))
}

var (
	begin  = time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC)
	bridge = netip.MustParseAddr("10.0.0.1")
	curl   = &witness.Process{Host: 100, Comm: "curl"}
	apt    = &witness.Process{Host: 101, Comm: "apt"}
	stub   = &witness.Process{Host: 50, Comm: "systemd-resolve"}
)

func at(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }

func port(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// event is one that a source tells.
type event struct {
	from  witness.Source
	event any
}

func wire(e any) event { return event{witness.Wire, e} }
func call(e any) event { return event{witness.Who, e} }

func query(ms int, name, from, server string, p *witness.Process) witness.Query {
	return witness.Query{At: at(ms), Name: name, Type: "A", From: port(from), Server: port(server), Protocol: "udp", Process: p}
}

func answer(ms int, name, server string, addresses ...string) witness.Answer {
	a := witness.Answer{At: at(ms), Name: name, To: port("10.0.0.2:5000"), Server: port(server)}
	for _, s := range addresses {
		a.Addresses = append(a.Addresses, netip.MustParseAddr(s))
	}
	return a
}

func connection(ms int, from, to, protocol string, p *witness.Process) witness.Connection {
	return witness.Connection{At: at(ms), From: port(from), To: port(to), Protocol: protocol, Process: p}
}

func hello(ms int, from, to, protocol, server string) witness.Hello {
	return witness.Hello{At: at(ms), From: port(from), To: port(to), Protocol: protocol, Server: server}
}

func tell(j *witness.Joiner, e event) {
	to := j.From(e.from)
	switch e := e.event.(type) {
	case witness.Query:
		to.Query(e)
	case witness.Answer:
		to.Answer(e)
	case witness.Connection:
		to.Connection(e)
	case witness.Hello:
		to.Hello(e)
	}
}

const local = "127.0.0.53:53"

var cases = []struct {
	what string
	off  []witness.Source
	in   []event
	want []string
}{
	{
		what: "a query and its connection, told by both, count once",
		in: []event{
			call(query(0, "a.test", "10.0.0.2:5000", "10.0.0.1:53", curl)), wire(query(0, "a.test", "10.0.0.2:5000", "10.0.0.1:53", nil)),
			wire(answer(5, "a.test", "10.0.0.1:53", "192.0.2.1")),
			call(connection(9, "0.0.0.0:0", "192.0.2.1:443", "tcp", curl)), wire(connection(10, "10.0.0.2:6000", "192.0.2.1:443", "tcp", nil)),
			wire(hello(12, "10.0.0.2:6000", "192.0.2.1:443", "tls", "a.test")),
		},
		want: []string{"a.test asked by curl", "a.test reached 443/tcp by curl tls"},
	},
	{
		what: "a SYN that is sent again",
		in: []event{
			wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")), call(connection(9, "0.0.0.0:0", "192.0.2.1:80", "tcp", curl)),
			wire(connection(10, "10.0.0.2:6000", "192.0.2.1:80", "tcp", nil)), wire(connection(900, "10.0.0.2:6000", "192.0.2.1:80", "tcp", nil)),
		},
		want: []string{"a.test reached 80/tcp by curl"},
	},
	{
		what: "two connections to one place by two processes, ports known",
		in: []event{
			wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")),
			call(connection(9, "10.0.0.2:6000", "192.0.2.1:80", "tcp", curl)), call(connection(9, "10.0.0.2:6001", "192.0.2.1:80", "tcp", apt)),
			wire(connection(10, "10.0.0.2:6001", "192.0.2.1:80", "tcp", nil)), wire(connection(10, "10.0.0.2:6000", "192.0.2.1:80", "tcp", nil)),
		},
		want: []string{"a.test reached 80/tcp by apt", "a.test reached 80/tcp by curl"},
	},
	{
		what: "a shared address is told apart by the server name",
		in: []event{
			wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")), wire(answer(0, "b.test", "10.0.0.1:53", "192.0.2.1")),
			wire(connection(10, "10.0.0.2:6000", "192.0.2.1:443", "tcp", nil)), wire(hello(12, "10.0.0.2:6000", "192.0.2.1:443", "tls", "b.test")),
			wire(connection(10, "10.0.0.2:6001", "192.0.2.1:22", "tcp", nil)),
		},
		want: []string{"a.test|b.test reached 22/tcp by ?", "b.test reached 443/tcp by ? tls"},
	},
	{
		what: "another server name than that which was asked for",
		in: []event{
			wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")),
			wire(connection(10, "10.0.0.2:6000", "192.0.2.1:443", "udp", nil)), wire(hello(12, "10.0.0.2:6000", "192.0.2.1:443", "quic", "other.test")),
		},
		want: []string{"a.test reached 443/udp by ? quic server other.test"},
	},
	{
		what: "a hidden server name",
		in: []event{
			wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")), wire(connection(10, "10.0.0.2:6000", "192.0.2.1:443", "tcp", nil)),
			wire(witness.Hello{At: at(12), From: port("10.0.0.2:6000"), To: port("192.0.2.1:443"), Protocol: "tls", Server: "public.test", Hidden: true}),
		},
		want: []string{"a.test reached 443/tcp by ? tls server public.test hidden", "ech 192.0.2.1:443 by ? public.test"},
	},
	{
		what: "systemd-resolved asks for somebody, and knows the answer for somebody else",
		in: []event{
			call(query(1, "a.test", "10.0.0.2:5000", "10.0.0.1:53", curl)), call(query(2, "a.test", "127.0.0.1:4000", local, apt)),
		},
		want: []string{"a.test asked by apt", "a.test asked by curl"},
	},
	{
		what: "a program that asks both",
		in:   []event{call(query(0, "a.test", "127.0.0.1:4000", local, curl)), call(query(1, "a.test", "10.0.0.2:5000", "10.0.0.1:53", curl))},
		want: []string{"a.test asked by curl", "a.test asked by curl"},
	},
	{
		what: "what systemd-resolved asks for by itself is its own",
		in:   []event{call(query(0, "b.test", "127.0.0.1:4000", local, curl)), call(query(1, "a.test", "10.0.0.2:5000", "10.0.0.1:53", stub))},
		want: []string{"a.test asked by systemd-resolve", "b.test asked by curl"},
	},
	{
		what: "a name that the instance's own resolver knew",
		in:   []event{call(query(0, "cached.test", "127.0.0.1:4000", local, curl))},
		want: []string{"inside invalid AddrPort by curl cached.test"},
	},
	{
		what: "another resolver, told by both",
		in: []event{
			call(query(0, "x.test", "10.0.0.2:5000", "192.0.2.53:53", curl)), wire(query(0, "x.test", "10.0.0.2:5000", "192.0.2.53:53", nil)),
			wire(connection(0, "10.0.0.2:5000", "192.0.2.53:53", "udp", nil)), call(connection(0, "0.0.0.0:0", "192.0.2.53:53", "udp", curl)),
			wire(answer(5, "x.test", "192.0.2.53:53", "192.0.2.9")),
			wire(connection(10, "10.0.0.2:6000", "192.0.2.9:80", "tcp", nil)),
		},
		want: []string{"resolver 192.0.2.53:53 by curl x.test", "resolver 192.0.2.9:80 by ? x.test"},
	},
	{
		what: "another resolver, asked through systemd-resolved",
		in: []event{
			call(query(1, "x.test", "10.0.0.2:5000", "192.0.2.53:53", curl)),
			wire(query(1, "x.test", "10.0.0.2:5000", "192.0.2.53:53", nil)),
		},
		want: []string{"resolver 192.0.2.53:53 by curl x.test"},
	},
	{
		what: "bare, DoT, DoH by address and by name",
		in: []event{
			wire(connection(10, "10.0.0.2:6000", "192.0.2.7:443", "tcp", nil)), wire(hello(11, "10.0.0.2:6000", "192.0.2.7:443", "tls", "bare.test")),
			wire(connection(10, "10.0.0.2:6001", "192.0.2.8:853", "tcp", nil)),
			wire(connection(10, "10.0.0.2:6002", "1.1.1.1:443", "tcp", nil)),
			wire(connection(10, "10.0.0.2:6003", "192.0.2.10:443", "tcp", nil)), wire(hello(11, "10.0.0.2:6003", "192.0.2.10:443", "tls", "dns.google")),
			wire(connection(10, "10.0.0.2:68", "10.0.0.1:67", "udp", nil)), wire(connection(10, "10.0.0.2:5353", "224.0.0.251:5353", "udp", nil)),
		},
		want: []string{"bare 192.0.2.7:443 by ? bare.test", "doh 1.1.1.1:443 by ?", "doh 192.0.2.10:443 by ? dns.google", "dot 192.0.2.8:853 by ?"},
	},
	{
		what: "an answer that came after the connection doesn't name it, dnsmasq's log does",
		in: []event{
			wire(connection(10, "10.0.0.2:6000", "192.0.2.7:80", "tcp", nil)), wire(answer(900, "a.test", "10.0.0.1:53", "192.0.2.7")),
			wire(connection(10, "10.0.0.2:6001", "192.0.2.77:80", "tcp", nil)),
		},
		want: []string{"bare 192.0.2.7:80 by ?", "b.test reached 80/tcp by ?"},
	},
	{
		what: "a call that the wire doesn't know was never sent",
		in:   []event{wire(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")), call(connection(9, "0.0.0.0:0", "192.0.2.1:443", "udp", curl))},
	},
	{
		what: "calls alone",
		off:  []witness.Source{witness.Wire},
		in: []event{
			call(answer(0, "a.test", "10.0.0.1:53", "192.0.2.1")), call(connection(9, "0.0.0.0:0", "192.0.2.1:443", "tcp", curl)),
			call(connection(9, "0.0.0.0:0", "[::ffff:192.0.2.99]:443", "tcp", apt)),
		},
		want: []string{"a.test reached 443/tcp by curl", "bare 192.0.2.99:443 by apt"},
	},
	{
		what: "IPv6 from an address that nobody knows",
		in:   []event{wire(answer(0, "a.test", "10.0.0.1:53", "2001:db8::1")), wire(connection(9, "[2001:db8::5]:99", "[2001:db8::1]:443", "tcp", nil))},
		want: []string{"a.test reached 443/tcp by ?", "ipv6 [2001:db8::1]:443 by ? a.test"},
	},
	{
		what: "a query that the log never has",
		in:   []event{call(query(0, "gone.test", "10.0.0.2:5000", "10.0.0.1:53", curl))},
		want: []string{"lost 1: queries of processes are not in dnsmasq's log"},
	},
}

func join(in []event, off []witness.Source) []string {
	b := &book{has: map[string]bool{"a.test": true, "b.test": true}, log: map[netip.Addr][]string{netip.MustParseAddr("192.0.2.77"): {"b.test"}}}
	j := witness.NewJoiner(b, func(a netip.Addr) bool { return a == bridge })
	for s := range witness.Source(2) {
		j.On(s, !slices.Contains(off, s))
	}
	for _, e := range in {
		tell(j, e)
	}
	for ms := 1000; j.Settle(at(ms)); ms += 100 {
		if ms > 10_000 {
			return append(b.told, "it holds on")
		}
	}
	slices.Sort(b.told)
	return b.told
}

// Whatever the order is in which two sources are read, the account is one.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, c := range cases {
		slices.Sort(c.want)
		dice := rand.New(rand.NewPCG(1, 2))
		for try := range 40 {
			in := slices.Clone(c.in)
			if try > 0 {
				dice.Shuffle(len(in), func(i, k int) { in[i], in[k] = in[k], in[i] })
			}
			if got := join(in, c.off); !slices.Equal(got, c.want) {
				t.Errorf("%s, try %d:\n got %q\nwant %q", c.what, try, got, c.want)
				break
			}
		}
	}
}
