package cgroup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/witnesstest"
)

func init() {
	parts["ask"] = playAsk
	parts["send"] = playSend
	parts["connect"] = playConnect
	parts["hand-over"] = playHandOver
	parts["serve"] = playServe
	parts["watch"] = playWatch
}

// playAsk asks for names, NETWORK ADDRESS NAME..., and doesn't wait for answers
// by UDP.
func playAsk(args []string) {
	for i, name := range args[2:] {
		c, err := net.Dial(args[0], args[1])
		if err != nil {
			fmt.Println(err)
			return
		}
		b := message(name, uint16(i))
		if strings.HasPrefix(args[0], "tcp") {
			b = framed(b)
		}
		_, _ = c.Write(b)
		if strings.HasPrefix(args[0], "tcp") {
			_, _ = c.Read(make([]byte, 512))
		}
		c.Close()
	}
}

// playSend sends to addresses by a socket that is connected to none, twice.
func playSend(args []string) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		for _, to := range args {
			if _, err := c.WriteToUDPAddrPort([]byte("hello"), netip.MustParseAddrPort(to)); err != nil {
				fmt.Println(err)
			}
		}
	}
}

// playConnect connects, NETWORK ADDRESS..., and prints from where.
func playConnect(args []string) {
	for _, to := range args[1:] {
		c, err := net.DialTimeout(args[0], to, time.Second)
		if err != nil {
			continue
		}
		_, _ = c.Write([]byte("hello"))
		fmt.Println(c.LocalAddr())
		c.Close()
	}
}

// playHandOver asks for a name by a socket, and has another process ask for the
// second one by the same: ADDRESS NAME NAME.
func playHandOver(args []string) {
	var c *net.UDPConn
	if len(args) == 2 { // the other one
		f := os.NewFile(3, "socket")
		p, err := net.FilePacketConn(f)
		if err != nil {
			fmt.Println(err)
			return
		}
		c = p.(*net.UDPConn)
	} else {
		c, _ = net.ListenUDP("udp", nil)
	}
	if _, err := c.WriteToUDPAddrPort(message(args[1], 1), netip.MustParseAddrPort(args[0])); err != nil {
		fmt.Println(err)
	}
	if len(args) == 3 {
		f, err := c.File()
		if err != nil {
			fmt.Println(err)
			return
		}
		next := exec.Command(os.Args[0], args[0], args[2])
		next.Env, next.ExtraFiles = os.Environ(), []*os.File{f}
		if said, err := next.CombinedOutput(); err != nil || len(said) > 0 {
			fmt.Println(string(said), err)
		}
	}
}

// playServe echoes what it is sent to a port, once it has said to another that
// it is there: ADDRESS ADDRESS.
func playServe(args []string) {
	c, err := net.ListenPacket("udp", args[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	playConnect([]string{"udp", args[1]})
	b := make([]byte, 512)
	n, from, err := c.ReadFrom(b)
	if err == nil {
		_, err = c.WriteTo(b[:n], from)
	}
	if err != nil {
		fmt.Println(err)
	}
}

// Every way of asking and connecting is told, once, with who did it.
func TestWhoDidIt(t *testing.T) {
	g := newGround(t)
	answering(t, 53)
	answering(t, 443)
	g.watch()
	asks := [][2]string{{"udp4", "10.77.0.1:53"}, {"udp6", "[fd77::1]:53"}, {"tcp4", "10.77.0.1:53"}, {"tcp6", "[fd77::1]:53"}}
	var said string
	for _, ask := range asks {
		said += g.run(play("ask", ask[0], ask[1], ask[0]+".example.test"))
	}
	connects := [][2]string{{"udp4", "10.77.0.1:443"}, {"udp6", "[fd77::1]:443"}, {"tcp4", "10.77.0.1:443"}, {"tcp6", "[fd77::1]:443"}}
	var from []string
	for _, connect := range connects {
		from = append(from, strings.TrimSpace(g.run(play("connect", connect[0], connect[1]))))
	}
	said += g.run(play("send", "10.77.0.1:4433", "[fd77::1]:4434", "127.0.0.1:4435", "10.77.0.2:4436"), play("ask", "udp4", "10.77.0.1:53", "last.example.test"))
	if said != "" {
		t.Fatal(said)
	}
	g.heard.until(t, "the last query", func() bool { return g.heard.query("last.example.test").Name != "" })
	if n := len(g.heard.queries); n != len(asks)+1 {
		t.Errorf("%d queries were told, want %d: %+v", n, len(asks)+1, g.heard.queries)
	}
	by := func(w *witness.Process, args ...string) bool {
		return w != nil && slices.Equal(w.Args[1:], args) && w.PID > 1 && w.Host != w.PID && w.User == "root" && w.Comm == "cgroup.test" && len(w.Parents) == 1
	}
	for _, ask := range asks {
		q := g.heard.query(ask[0] + ".example.test")
		if q.Type != "A" || q.Server.String() != ask[1] || q.Protocol != ask[0][:3] || q.From.Addr() != mine4 && q.From.Addr() != mine6 || q.From.Port() == 0 || time.Since(q.At).Abs() > patience ||
			!by(q.Process, ask[0], ask[1], ask[0]+".example.test") {
			t.Errorf("by %s: %+v of %+v", ask[0], q, q.Process)
		}
	}
	if n := len(g.heard.connections); n != len(connects)+2 {
		t.Errorf("%d connections were told, want %d: %+v", n, len(connects)+2, g.heard.connections)
	}
	for i, connect := range connects {
		c := g.heard.connections[i]
		if c.To.String() != connect[1] || c.Protocol != connect[0][:3] || c.From.String() != from[i] || !by(c.Process, connect[:]...) {
			t.Errorf("by %s from %s: %+v of %+v", connect[0], from[i], c, c.Process)
		}
	}
	for i, to := range []string{"10.77.0.1:4433", "[fd77::1]:4434"} {
		if c := g.heard.connections[len(connects)+i]; c.To.String() != to || c.Protocol != "udp" || c.Process == nil || c.Process.Args[1] != "10.77.0.1:4433" {
			t.Errorf("sent to %s: %+v of %+v", to, c, c.Process)
		}
	}
}

// The shell's command line is told, whoever does it in the end.
func TestShellCommand(t *testing.T) {
	g := newGround(t)
	answering(t, 53)
	g.watch()
	ask := strings.Join(play("ask", "tcp4", "10.77.0.1:53"), " ") // all of them wait for the answer
	if said := g.run([]string{"sh", "-c", ask + " one.example.test; timeout 9 " + ask + " two.example.test; true"}); said != "" {
		t.Fatal(said)
	}
	g.heard.until(t, "two queries", func() bool { return len(g.heard.queries) == 2 })
	for name, want := range map[string]string{"one": os.Args[0] + " tcp4", "two": "timeout 9 env"} {
		p := g.heard.query(name + ".example.test").Process
		if p == nil || !strings.HasPrefix(p.Command, want) || !slices.Contains(p.Parents, "sh") {
			t.Errorf("%s is of %+v, want the command %q...", name, p, want)
		}
	}
}

// A socket is whose used it last.
func TestSocketHandedOver(t *testing.T) {
	g := newGround(t)
	g.watch()
	if said := g.run(play("hand-over", "10.77.0.1:53", "one.example.test", "two.example.test")); said != "" {
		t.Fatal(said)
	}
	g.heard.until(t, "two queries", func() bool { return len(g.heard.queries) == 2 })
	one, two := g.heard.queries[0].Process, g.heard.queries[1].Process
	if one == nil || two == nil || len(one.Args) != 4 || len(two.Args) != 3 {
		t.Errorf("the first is of %+v, the second of %+v", one, two)
	}
}

// What the instance answers to others is none of its connections.
func TestServing(t *testing.T) {
	g := newGround(t)
	g.watch()
	done := make(chan string)
	go func() {
		done <- g.run(play("serve", ":4000", "10.77.0.1:4001"), play("connect", "udp", "10.77.0.1:4002"))
	}()
	g.heard.until(t, "the server", func() bool { return len(g.heard.connections) == 1 })
	c, err := net.Dial("udp", "10.77.0.2:4000")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err = c.Write([]byte("hello")); err == nil {
		_, err = c.Read(make([]byte, 16))
	}
	if err != nil {
		t.Fatal(err)
	}
	<-done
	g.heard.until(t, "a second connection", func() bool { return len(g.heard.connections) > 1 })
	if c := g.heard.connections[1]; c.To.Port() != 4002 {
		t.Errorf("told was %+v", c)
	}
}

// The watch ends with the instance and goes on with the next one.
func TestRestart(t *testing.T) {
	first := newGround(t)
	pid := make(chan int, 1)
	pid <- first.pid
	stopped := errors.New("stopped")
	w, err := Start(t.Context(), func(context.Context) (int, error) {
		select {
		case p := <-pid:
			return p, nil
		default:
			return 0, stopped
		}
	}, await, first.heard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	first.run(play("ask", "udp4", "10.77.0.1:53", "before.example.test"))
	first.heard.until(t, "the first query", func() bool { return len(first.heard.queries) == 1 })
	if err := syscall.Kill(first.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := newGround(t)
	pid <- second.pid
	first.heard.until(t, "the restart", func() bool { return first.heard.lost == 1 })
	second.run(play("ask", "udp4", "10.77.0.1:53", "after.example.test"))
	first.heard.until(t, "the second query", func() bool { return first.heard.query("after.example.test").Process != nil })
}

// playWatch watches an instance until it is killed: PID.
func playWatch(args []string) {
	pid, _ := strconv.Atoi(args[0])
	if _, err := Start(context.Background(), func(context.Context) (int, error) { return pid, nil }, await, &heard{more: make(chan struct{}, 1)}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("watching")
	select {}
}

// A watch that is killed leaves nothing in the kernel, and one that is closed
// does neither.
func TestNothingIsLeft(t *testing.T) {
	g := newGround(t)
	before := witnesstest.HeldBy(t, os.Getpid())
	w := g.watch()
	h := witnesstest.HeldBy(t, os.Getpid())
	if len(before.Programs) != 0 || len(h.Programs) != 7 || len(h.Links) != 7 || len(h.Maps) == 0 {
		t.Fatalf("with a watch there are %+v, before %+v", h, before)
	}
	w.Close()
	h.AwaitGone(t)

	c := exec.Command(os.Args[0], strconv.Itoa(g.pid))
	c.Env = append(os.Environ(), part+"=watch")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 200)
	n, _ := out.Read(said)
	if string(said[:n]) != "watching\n" {
		t.Fatalf("%s", said[:n])
	}
	h = witnesstest.HeldBy(t, c.Process.Pid)
	if len(h.Programs) != 7 || len(h.Links) != 7 {
		t.Fatalf("it watches with %+v", h)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	h.AwaitGone(t)
}

// What can't be watched says why in a line.
func TestRefusal(t *testing.T) {
	need(t)
	for what, pid := range map[string]int{"the host's own": os.Getpid(), "none": 1 << 30} {
		_, err := begin(pid, &heard{}, ringBytes)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		t.Log(err)
	}
	stopped := errors.New("it is stopped")
	if _, err := Start(t.Context(), func(context.Context) (int, error) { return 0, stopped }, await, &heard{}); err != stopped {
		t.Error(err)
	}
}
