package cgroup

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture/witness"
)

func init() { parts["stub"] = playStub }

// playStub asks another for what it is asked, but answers what begins with k
// itself: LISTEN UPSTREAM ADDRESS, the last of which it tells that it is there.
func playStub(args []string) {
	l, err := net.ListenPacket("udp", args[0])
	if err != nil {
		panic(err)
	}
	playConnect([]string{"udp", args[2]}) // it is there
	for {
		b := make([]byte, 512)
		n, from, err := l.ReadFrom(b)
		if err != nil {
			return
		}
		if b[13] != 'k' {
			c, err := net.Dial("udp", args[1])
			if err != nil {
				return
			}
			_, _ = c.Write(b[:n])
			_, _ = c.Read(make([]byte, 512))
			c.Close()
		}
		_, _ = l.WriteTo(reply(b[:n]), from)
	}
}

// What goes through a resolver within the instance is told of who asked it,
// once, whether the resolver asks on for it or not.
func TestStub(t *testing.T) {
	for _, at := range []string{"127.0.0.53:53", "[::1]:53", "10.77.0.2:53"} {
		t.Run(at, func(t *testing.T) { stub(t, at) })
	}
}

func stub(t *testing.T, at string) {
	g := newGround(t)
	answering(t, 53)
	g.watch()
	serve := append([]string{"sh", "-c", `"$@" >/dev/null 2>&1 &`, "sh"}, play("stub", at, "10.77.0.1:53", "10.77.0.1:9")...)
	said := g.run(serve)
	g.heard.until(t, "the stub", func() bool { return len(g.heard.connections) == 1 })
	said += g.run(play("ask", "udp", at, "asked.test"), play("ask", "udp", at, "known.test"), play("ask", "udp", "10.77.0.1:53", "direct.test"), play("ask", "udp", at, "z.test"))
	if said != "" {
		t.Fatal(said)
	}
	g.heard.until(t, "the last one", func() bool { return g.heard.query("z.test").Name != "" })
	for name, server := range map[string]string{"asked.test": "10.77.0.1:53", "known.test": at, "direct.test": "10.77.0.1:53"} {
		if q := g.heard.query(name); q.Server.String() != server || q.Process == nil || q.Process.Args[len(q.Process.Args)-1] != name {
			t.Errorf("%s by %s is told of %s by %+v", name, at, q.Server, q.Process)
		}
	}
	if n := len(g.heard.queries); n != 4 {
		t.Errorf("%d queries were told, want 4: %+v", n, g.heard.queries)
	}
}

func TestStubs(t *testing.T) {
	start := time.Now()
	port := func(n int) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(n)) }
	a, b, c, stub := &witness.Process{PID: 1}, &witness.Process{PID: 2}, &witness.Process{PID: 3}, &witness.Process{PID: 4}
	serves := func(p *witness.Process) bool { return p == stub }
	ask := func(p *witness.Process, from int, after time.Duration) witness.Query {
		return witness.Query{At: start.Add(after), Name: "n.test", Type: "A", From: port(from), Process: p}
	}
	k := question{"n.test", "A"}
	s := newStubs()
	if p := s.behalf(ask(stub, 9, 0), serves); p != stub {
		t.Errorf("asked by nobody, it is of %+v", p)
	}
	s.ask(ask(a, 1, 0))
	s.ask(ask(b, 2, time.Millisecond))
	s.ask(ask(a, 1, 2*time.Millisecond)) // again
	if p := s.behalf(ask(c, 3, 0), serves); p != c {
		t.Errorf("one who serves nobody asks for %+v", p)
	}
	if p := s.behalf(witness.Query{At: start, Name: "n.test", Type: "AAAA", Process: stub}, serves); p != stub {
		t.Errorf("another type is of %+v", p)
	}
	for range 2 {
		if p := s.behalf(ask(stub, 9, time.Second), serves); p != a {
			t.Errorf("it asks for %+v, want the first", p)
		}
	}
	if _, known := s.answered(k, port(1), start); known {
		t.Error("what was asked on was told as known")
	}
	if p := s.behalf(ask(stub, 9, time.Second), serves); p != b {
		t.Errorf("it asks for %+v, want the second", p)
	}
	s.ask(ask(c, 3, 0))
	if q, known := s.answered(k, port(3), start); !known || q.Process != c {
		t.Errorf("what the resolver knew is told as %+v, %v", q, known)
	}
	if _, known := s.answered(k, port(7), start); known {
		t.Error("an answer to nobody was told")
	}
	if p := s.behalf(ask(stub, 9, askLasts+time.Second), serves); p != stub {
		t.Errorf("after a while it asks for %+v", p)
	}
}

// It remembers no more than is bounded.
func TestRecent(t *testing.T) {
	r := recent[int, int]{size: 10}
	for i := range 1000 {
		r.put(i, i)
		if _, ok := r.get(0); !ok {
			t.Fatalf("what is used was forgotten at %d", i)
		}
		if len(r.now)+len(r.old) > 2*r.size {
			t.Fatalf("%d are kept", len(r.now)+len(r.old))
		}
	}
	if _, ok := r.get(1); ok {
		t.Error("nothing is forgotten")
	}
	if r.drop(0); r.now[0] != 0 || r.old[0] != 0 {
		t.Error("not dropped")
	}
}
